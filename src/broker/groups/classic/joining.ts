/** How members come into a group, and come back to it: JoinGroup. */
import type { joinGroup } from '../../../protocol/api/join-group.js'
import type { RequestOf } from '../../../protocol/schema.js'
import type { Random } from '../../../runtime/random.js'
import { uuidFromBytes } from '../../../runtime/uuid.js'
import type { BrokerConfigs } from '../../configs/broker-configs.js'
import type { RequestContext } from '../../request-context.js'
import { responseErrorOf } from '../../response-errors.js'
import type { ClassicGroup } from './classic-group.js'
import { GroupMember } from './group-member.js'
import { joinError, type JoinResponse } from './group-responses.js'
import { strangerError, termsOf } from './membership.js'
import type { OffsetsPartition } from '../offsets-partition.js'
import { answerJoin, joined, NEW_MEMBER_JOIN_TIMEOUT_MS, type Rebalancer } from './rebalancer.js'

/** The first version of JoinGroup that tells a new member its id before it joins (KIP-394). */
const MEMBER_ID_REQUIRED_SINCE = 4

/** The first version of JoinGroup that can tell a leader to leave the assignment as it is (KIP-814). */
const SKIP_ASSIGNMENT_SINCE = 9

/** What joining needs. */
export interface JoiningServices {
  readonly random: Random
  readonly configs: BrokerConfigs
  readonly rebalancer: Rebalancer
}

/** Lets members in. */
export class Joining {
  readonly #services: JoiningServices

  constructor(services: JoiningServices) {
    this.#services = services
  }

  /** JoinGroup: answered when all members have joined, or at once with an error. */
  join(
    partition: OffsetsPartition,
    request: RequestOf<typeof joinGroup>,
    context: RequestContext,
  ): JoinResponse | Promise<JoinResponse> {
    const { groupId, memberId } = request
    const group = partition.ensureClassic(groupId)
    if (!this.#hasRoomFor(group, request)) {
      group.remove(memberId)
      return joinError('GROUP_MAX_SIZE_REACHED', '')
    }
    if (!group.supports(request.protocolType, request.protocols)) {
      partition.forgetIfVoid(group)
      return joinError('INCONSISTENT_GROUP_PROTOCOL', memberId)
    }
    if (memberId === '') return this.#joinNew(partition, group, request, context)
    if (group.pendingMembers.has(memberId)) return this.#addMember(group, memberId, request, context)
    const stranger = strangerError(group, memberId, request.groupInstanceId)
    const member = group.members.get(memberId)
    if (stranger !== undefined || member === undefined) {
      return joinError(stranger ?? 'UNKNOWN_MEMBER_ID', memberId)
    }
    return this.#rejoin(group, member, request)
  }

  /** Members that are there stay; new ones come in up to `group.max.size`, those with an id and no join counted. */
  #hasRoomFor(group: ClassicGroup, { memberId, groupInstanceId }: RequestOf<typeof joinGroup>): boolean {
    const max = this.#services.configs['group.max.size']
    if (group.members.has(memberId) || group.pendingMembers.has(memberId)) return true
    if (groupInstanceId !== null && group.staticMembers.has(groupInstanceId)) return true
    return group.members.size + group.pendingMembers.size < max
  }

  #joinNew(
    partition: OffsetsPartition,
    group: ClassicGroup,
    request: RequestOf<typeof joinGroup>,
    context: RequestContext,
  ): JoinResponse | Promise<JoinResponse> {
    const memberId = `${context.clientId ?? ''}-${uuidFromBytes(this.#services.random.bytes(16))}`
    const { groupInstanceId } = request
    const before = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
    const old = before === undefined ? undefined : group.members.get(before)
    if (old !== undefined) {
      return this.#comeBack(partition, group, old, newMember(memberId, request, context), context.apiVersion)
    }
    // A static member is known by its name, so that its joins can be told apart without an id.
    if (groupInstanceId !== null || context.apiVersion < MEMBER_ID_REQUIRED_SINCE)
      return this.#addMember(group, memberId, request, context)
    this.#services.rebalancer.addPending(group, memberId, request.sessionTimeoutMs)
    return joinError('MEMBER_ID_REQUIRED', memberId)
  }

  #addMember(
    group: ClassicGroup,
    memberId: string,
    request: RequestOf<typeof joinGroup>,
    context: RequestContext,
  ): Promise<JoinResponse> {
    const member = newMember(memberId, request, context)
    member.isNew = true
    if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') {
      group.memberAddedDuringDelay = true
    }
    group.add(member)
    this.#services.rebalancer.extendSession(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS)
    return this.#await(group, member)
  }

  #rejoin(
    group: ClassicGroup,
    member: GroupMember,
    request: RequestOf<typeof joinGroup>,
  ): JoinResponse | Promise<JoinResponse> {
    const isSame = member.matches(request.protocols)
    // A member that lost the answer to its join gets it again; a leader that joins a stable group wants a rebalance.
    if (group.state === 'CompletingRebalance' && isSame) return joined(group, member)
    if (group.state === 'Stable' && isSame && group.leaderId !== member.memberId) return joined(group, member)
    if (group.state === 'Empty' || group.state === 'Dead')
      return joinError('UNKNOWN_MEMBER_ID', member.memberId)
    member.terms = termsOf(request)
    return this.#await(group, member)
  }

  /**
   * A static member is back and has lost its id: it gets a new one, which fences whoever still has the old one. What
   * it was assigned stays, and the others hear nothing of it, unless the group would agree on another protocol.
   */
  #comeBack(
    partition: OffsetsPartition,
    group: ClassicGroup,
    old: GroupMember,
    member: GroupMember,
    apiVersion: number,
  ): Promise<JoinResponse> {
    const { rebalancer } = this.#services
    const { leaderId } = group
    rebalancer.replaceMember(group, old, member)
    if (group.state !== 'Stable' || group.selectProtocol() !== group.protocolName) {
      return this.#await(group, member)
    }
    const answered = new Promise<JoinResponse>((resolve) => (member.awaitingJoin = resolve))
    const assignments = new Map([...group.members].map(([id, { assignment }]) => [id, assignment]))
    partition.writeGroup(group, assignments).then(
      () => {
        // A rebalance that began meanwhile answers it.
        if (group.state !== 'Stable') return
        const maySkip = apiVersion >= SKIP_ASSIGNMENT_SINCE
        const answer = joined(group, member, maySkip && group.leaderId === member.memberId)
        // A leader that cannot be told to skip the assignment is left to believe that another one leads.
        answerJoin(member, maySkip ? answer : { ...answer, leader: leaderId ?? '', members: [] })
      },
      (error: unknown) => {
        if (group.state !== 'Stable' || group.members.get(member.memberId) !== member) return
        const { errorCode } = responseErrorOf(error)
        answerJoin(member, { ...joinError('UNKNOWN_SERVER_ERROR', ''), errorCode })
        rebalancer.replaceMember(group, member, old)
      },
    )
    return answered
  }

  #await(group: ClassicGroup, member: GroupMember): Promise<JoinResponse> {
    // A client that asks again has given up on its first request.
    member.awaitingJoin?.(joinError('REBALANCE_IN_PROGRESS', member.memberId))
    const answer = new Promise<JoinResponse>((resolve) => (member.awaitingJoin = resolve))
    this.#services.rebalancer.rebalance(group)
    return answer
  }
}

const newMember = (
  memberId: string,
  { groupInstanceId, protocolType, ...request }: RequestOf<typeof joinGroup>,
  { clientId, clientHost }: RequestContext,
): GroupMember =>
  new GroupMember(
    { memberId, groupInstanceId, clientId: clientId ?? '', clientHost, protocolType },
    termsOf(request),
  )
