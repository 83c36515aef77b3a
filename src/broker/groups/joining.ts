/** How members come into a group, and come back to it: JoinGroup. */
import type { joinGroup } from '../../protocol/api/join-group.js'
import type { RequestOf } from '../../protocol/schema.js'
import type { ErrorCode } from '../../runtime/errors/error-table.js'
import type { Random } from '../../runtime/random.js'
import { uuidFromBytes } from '../../runtime/uuid.js'
import type { BrokerConfigs } from '../configs/broker-configs.js'
import type { RequestContext } from '../request-context.js'
import type { Group } from './group.js'
import { GroupMember } from './group-member.js'
import { joinError, type JoinResponse } from './group-responses.js'
import { termsOf } from './membership.js'
import type { OffsetsPartitions } from './offsets-partitions.js'
import { joined, NEW_MEMBER_JOIN_TIMEOUT_MS, type Rebalancer } from './rebalancer.js'

/** The first version of JoinGroup that tells a new member its id before it joins (KIP-394). */
const MEMBER_ID_REQUIRED_SINCE = 4

/** What joining needs. */
export interface JoiningServices {
  readonly random: Random
  readonly configs: BrokerConfigs
  readonly partitions: OffsetsPartitions
  readonly rebalancer: Rebalancer
}

/** Lets members in. */
export class Joining {
  readonly #services: JoiningServices

  constructor(services: JoiningServices) {
    this.#services = services
  }

  /** JoinGroup: answered when all members have joined, or at once with an error. */
  async join(request: RequestOf<typeof joinGroup>, context: RequestContext): Promise<JoinResponse> {
    const { groupId, memberId } = request
    const refusal = this.#refuseJoin(request)
    if (refusal !== undefined) return joinError(refusal, memberId)
    const partition = await this.#services.partitions.of(groupId)
    if (memberId !== '' && !partition.groups.has(groupId)) return joinError('UNKNOWN_MEMBER_ID', memberId)
    const group = partition.ensure(groupId)
    if (!this.#hasRoomFor(group, memberId)) {
      group.remove(memberId)
      return joinError('GROUP_MAX_SIZE_REACHED', '')
    }
    if (!group.supports(request.protocolType, request.protocols)) {
      partition.forgetIfVoid(group)
      return joinError('INCONSISTENT_GROUP_PROTOCOL', memberId)
    }
    if (memberId === '') return this.#joinNew(group, request, context)
    if (group.pendingMembers.has(memberId)) return this.#addMember(group, memberId, request, context)
    const member = group.members.get(memberId)
    return member === undefined
      ? joinError('UNKNOWN_MEMBER_ID', memberId)
      : this.#rejoin(group, member, request)
  }

  #refuseJoin(request: RequestOf<typeof joinGroup>): ErrorCode | undefined {
    const { configs } = this.#services
    if (request.groupId === '') return 'INVALID_GROUP_ID'
    const min = configs['group.min.session.timeout.ms']
    const max = configs['group.max.session.timeout.ms']
    if (request.sessionTimeoutMs < min || request.sessionTimeoutMs > max) return 'INVALID_SESSION_TIMEOUT'
    return request.groupInstanceId === null ? undefined : 'UNSUPPORTED_VERSION'
  }

  /** Members that are there stay; new ones come in up to `group.max.size`, those with an id and no join counted. */
  #hasRoomFor(group: Group, memberId: string): boolean {
    const max = this.#services.configs['group.max.size']
    if (group.members.has(memberId) || group.pendingMembers.has(memberId)) return true
    return group.members.size + group.pendingMembers.size < max
  }

  #joinNew(
    group: Group,
    request: RequestOf<typeof joinGroup>,
    context: RequestContext,
  ): JoinResponse | Promise<JoinResponse> {
    const memberId = `${context.clientId ?? ''}-${uuidFromBytes(this.#services.random.bytes(16))}`
    if (context.apiVersion < MEMBER_ID_REQUIRED_SINCE)
      return this.#addMember(group, memberId, request, context)
    this.#services.rebalancer.addPending(group, memberId, request.sessionTimeoutMs)
    return joinError('MEMBER_ID_REQUIRED', memberId)
  }

  #addMember(
    group: Group,
    memberId: string,
    request: RequestOf<typeof joinGroup>,
    context: RequestContext,
  ): Promise<JoinResponse> {
    const { clientHost } = context
    const identity = {
      memberId,
      clientId: context.clientId ?? '',
      clientHost,
      protocolType: request.protocolType,
    }
    const member = new GroupMember(identity, termsOf(request))
    member.isNew = true
    if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') {
      group.memberAddedDuringDelay = true
    }
    group.add(member)
    this.#services.rebalancer.extendSession(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS)
    return this.#await(group, member)
  }

  #rejoin(
    group: Group,
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

  #await(group: Group, member: GroupMember): Promise<JoinResponse> {
    // A client that asks again has given up on its first request.
    member.awaitingJoin?.(joinError('REBALANCE_IN_PROGRESS', member.memberId))
    const answer = new Promise<JoinResponse>((resolve) => (member.awaitingJoin = resolve))
    this.#services.rebalancer.rebalance(group)
    return answer
  }
}
