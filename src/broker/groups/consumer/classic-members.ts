/**
 * Members of the classic protocol in a consumer group (KIP-848, online migration): they join, sync and tell that they
 * live as ever, and take part in what the broker decides. Their generation is their member epoch; they give up
 * partitions by joining again without them.
 */
import type { heartbeat } from '../../../protocol/api/heartbeat.js'
import type { joinGroup } from '../../../protocol/api/join-group.js'
import type { leaveGroup } from '../../../protocol/api/leave-group.js'
import type { syncGroup } from '../../../protocol/api/sync-group.js'
import { decodeSubscription, type Subscription } from '../../../protocol/consumer-protocol.js'
import type { RequestOf } from '../../../protocol/schema.js'
import type { ErrorCode } from '../../../runtime/errors/error-table.js'
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import { randomUuid } from '../../../runtime/uuid.js'
import type { RequestContext } from '../../request-context.js'
import { joinError, type JoinResponse, type SyncResponse } from '../classic/group-responses.js'
import { termsOf } from '../classic/membership.js'
import type { GroupCoordinatorServices } from '../group-coordinator.js'
import { CONSUMER_PROTOCOL_TYPE } from '../group.js'
import type { OffsetsPartition } from '../offsets-partition.js'
import {
  isWaitingForOthers,
  memberOf,
  reconcileMember,
  replaceMember,
  staticMemberOf,
} from './consumer-changes.js'
import type { ConsumerGroup } from './consumer-group.js'
import { NOTHING_TOLD, NOTHING_YET, type ClassicMetadata, type ConsumerMember } from './consumer-member.js'
import { ConsumerState } from './consumer-state.js'
import type { GroupChanges } from './group-changes.js'
import { subscribe, tell, updateTarget } from './heartbeat.js'
import { assignmentBytes, partitionsByName } from './migration.js'

/** The first version of JoinGroup that tells a new member its id before it joins (KIP-394). */
const MEMBER_ID_REQUIRED_SINCE = 4

type JoinRequest = RequestOf<typeof joinGroup>
type ClassicMember = ConsumerMember & { readonly classic: ClassicMetadata }

/** Answers members of the classic protocol in consumer groups. */
export class ClassicMembers {
  readonly #services: GroupCoordinatorServices
  readonly #changes: GroupChanges

  constructor(services: GroupCoordinatorServices, changes: GroupChanges) {
    this.#services = services
    this.#changes = changes
  }

  /**
   * JoinGroup: answered at once with what the member's epoch is now; what it has, SyncGroup tells.
   * @throws OttlaError GROUP_MAX_SIZE_REACHED, INCONSISTENT_GROUP_PROTOCOL, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID.
   */
  async join(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    request: JoinRequest,
    context: RequestContext,
  ): Promise<JoinResponse> {
    const { groupInstanceId } = request
    const memberId = request.memberId === '' ? randomUuid(this.#services.random) : request.memberId
    this.#checkRoom(group, memberId)
    checkProtocols(group, request)
    const isToAskAgain = request.memberId === '' && groupInstanceId === null
    if (isToAskAgain && context.apiVersion >= MEMBER_ID_REQUIRED_SINCE)
      return joinError('MEMBER_ID_REQUIRED', memberId)
    const subscription = readSubscription(request)
    const draft = new ConsumerState(group.durable)
    const before = joiningMember(draft, request, memberId)
    const isComingBack =
      groupInstanceId !== null && group.durable.staticMember(groupInstanceId)?.memberId !== memberId
    const world = this.#changes.world(group, context)
    const told = tell(draft, before, {
      instanceId: groupInstanceId ?? before.subscription.instanceId,
      rackId: subscription.rackId ?? before.subscription.rackId,
      clientId: context.clientId ?? '',
      clientHost: context.clientHost,
      subscribedTopicNames: [...new Set(subscription.topics)].sort(),
      subscribedTopicRegex: '',
      rebalanceTimeoutMs: termsOf(request).rebalanceTimeoutMs,
      serverAssignor: before.subscription.serverAssignor,
      classic: { sessionTimeoutMs: request.sessionTimeoutMs, supportedProtocols: request.protocols },
    })
    const hasSubscriptionChanged = subscribe(draft, before, told, world)
    // The last member that spoke the consumer protocol is back with the classic one: the group follows.
    const isDowngrade = isComingBack && this.#changes.mayDowngrade(draft)
    if (!isDowngrade) updateTarget(draft, world)
    const owned = partitionsByName(subscription.ownedPartitions, world.topics)
    const isStale = draft.assignmentEpoch < draft.epoch
    const member =
      isDowngrade && isStale
        ? told
        : reconcileMember(draft, told, world.topics, hasSubscriptionChanged, owned)
    if (isDowngrade) await this.#changes.downgrade(partition, group, draft, isStale)
    else {
      await this.#changes.commit(partition, group, draft)
      if (world.isMetadataExpired) group.isMetadataExpired = false
      group.timers.cancel(memberId, 'join')
      this.#changes.extendSession(partition, group, memberId)
      this.#changes.removeAfter(partition, group, memberId, 'sync', told.subscription.rebalanceTimeoutMs)
    }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      generationId: member.current.memberEpoch,
      protocolType: CONSUMER_PROTOCOL_TYPE,
      protocolName: request.protocols[0]?.name ?? '',
      leader: '',
      skipAssignment: false,
      memberId,
      members: [],
    }
  }

  /**
   * SyncGroup: what the member has.
   * @throws OttlaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL,
   * REBALANCE_IN_PROGRESS.
   */
  sync(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    request: RequestOf<typeof syncGroup>,
  ): SyncResponse {
    const { memberId, groupInstanceId, protocolType, protocolName } = request
    const { durable, groupId } = group
    const { current, subscription, classic } = classicMember(
      group,
      memberId,
      groupInstanceId,
      request.generationId,
    )
    const isOtherType = protocolType !== null && protocolType !== CONSUMER_PROTOCOL_TYPE
    if (isOtherType || (protocolName !== null && protocolName !== classic.supportedProtocols[0]?.name)) {
      throw new OttlaError(
        'INCONSISTENT_GROUP_PROTOCOL',
        `Member ${memberId} of group ${groupId} joined with another protocol than ${protocolType} ${protocolName}.`,
      )
    }
    if (durable.assignmentEpoch > current.memberEpoch && current.state !== 'UNREVOKED_PARTITIONS') {
      this.#awaitJoin(partition, group, memberId, subscription.rebalanceTimeoutMs)
      throw new OttlaError(
        'REBALANCE_IN_PROGRESS',
        `A new rebalance is triggered in group ${groupId} and member ${memberId} should rejoin to catch up.`,
      )
    }
    group.timers.cancel(memberId, 'sync')
    this.#changes.extendSession(partition, group, memberId)
    const assignment = assignmentBytes(current.assigned, this.#services.metadata)
    return { throttleTimeMs: 0, errorCode: 0, protocolType, protocolName, assignment }
  }

  /**
   * Heartbeat: undefined when all is well, REBALANCE_IN_PROGRESS when the member has to join again.
   * @throws OttlaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION.
   */
  heartbeat(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    request: RequestOf<typeof heartbeat>,
  ): ErrorCode | undefined {
    const { memberId, groupInstanceId, generationId } = request
    const member = classicMember(group, memberId, groupInstanceId, generationId)
    const { current, subscription } = member
    this.#changes.extendSession(partition, group, memberId)
    const isBehind = current.memberEpoch < group.durable.assignmentEpoch
    const mayGoOn = current.state === 'UNRELEASED_PARTITIONS' && !isWaitingForOthers(group.durable, member)
    if (!isBehind && current.state !== 'UNREVOKED_PARTITIONS' && !mayGoOn) return undefined
    this.#awaitJoin(partition, group, memberId, subscription.rebalanceTimeoutMs)
    return 'REBALANCE_IN_PROGRESS'
  }

  /** LeaveGroup, also for members of the consumer protocol: for each undefined when it left, otherwise what is wrong. */
  async leave(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    members: RequestOf<typeof leaveGroup>['members'],
  ): Promise<readonly (ErrorCode | undefined)[]> {
    const leaving = new Set<string>()
    const results = members.map(({ memberId, groupInstanceId }): ErrorCode | undefined => {
      const known = group.durable.staticMember(groupInstanceId ?? '')
      const id = memberId === '' ? (known?.memberId ?? '') : memberId
      if (groupInstanceId !== null && known === undefined) return 'UNKNOWN_MEMBER_ID'
      if (groupInstanceId !== null && known?.memberId !== id) return 'FENCED_INSTANCE_ID'
      if (!group.durable.members.has(id)) return 'UNKNOWN_MEMBER_ID'
      leaving.add(id)
      return undefined
    })
    await this.#changes.remove(partition, group, [...leaving])
    return results
  }

  #awaitJoin(partition: OffsetsPartition, group: ConsumerGroup, memberId: string, timeoutMs: number): void {
    if (group.timers.has(memberId, 'join')) return
    this.#changes.removeAfter(partition, group, memberId, 'join', timeoutMs)
  }

  #checkRoom({ durable: { members } }: ConsumerGroup, memberId: string): void {
    const max = this.#services.configs['group.consumer.max.size']
    if (members.size < max || members.has(memberId)) return
    throw new OttlaError(
      'GROUP_MAX_SIZE_REACHED',
      `The consumer group has ${max} members, which is the most.`,
    )
  }
}

/** One of the member's protocols must be known to all other members of the classic protocol. */
const checkProtocols = (
  { groupId, durable }: ConsumerGroup,
  { protocolType, protocols }: JoinRequest,
): void => {
  const others = [...durable.members.values()].flatMap(({ subscription }) => subscription.classic ?? [])
  const isKnownToAll = (name: string): boolean =>
    others.every(({ supportedProtocols }) => supportedProtocols.some((protocol) => protocol.name === name))
  if (protocolType === CONSUMER_PROTOCOL_TYPE && protocols.some(({ name }) => isKnownToAll(name))) return
  throw new OttlaError(
    'INCONSISTENT_GROUP_PROTOCOL',
    `The member's protocols are not those of group ${groupId}.`,
  )
}

const readSubscription = ({ protocols, groupId }: JoinRequest): Subscription => {
  try {
    return decodeSubscription(protocols[0]?.metadata ?? new Uint8Array(0))
  } catch (cause) {
    throw new OttlaError(
      'INCONSISTENT_GROUP_PROTOCOL',
      `What the member subscribes to in group ${groupId} is not Kafka's consumer protocol.`,
      { cause },
    )
  }
}

const joiningMember = (draft: ConsumerState, request: JoinRequest, memberId: string): ConsumerMember => {
  const { groupInstanceId } = request
  const newcomer = { memberId, subscription: NOTHING_TOLD, current: NOTHING_YET }
  if (groupInstanceId === null) return draft.members.get(memberId) ?? newcomer
  if (request.memberId !== '') return staticMemberOf(draft, groupInstanceId, memberId)
  const known = draft.staticMember(groupInstanceId)
  return known === undefined ? newcomer : replaceMember(draft, known, memberId)
}

/** The member of the classic protocol in that generation (G2). */
const classicMember = (
  { durable, groupId }: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
  generation: number,
): ClassicMember => {
  const member =
    instanceId === null ? memberOf(durable, groupId, memberId) : staticMemberOf(durable, instanceId, memberId)
  const { classic } = member.subscription
  if (classic === null) {
    throw new OttlaError('UNKNOWN_MEMBER_ID', `Member ${memberId} does not use the classic protocol.`)
  }
  const { memberEpoch } = member.current
  if (memberEpoch === generation) return { ...member, classic }
  throw new OttlaError(
    'ILLEGAL_GENERATION',
    `The request generation id ${generation} is not equal to the member epoch ${memberEpoch} of member ${memberId}.`,
  )
}
