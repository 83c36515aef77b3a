/**
 * Coordinates consumer groups: each request of a member is a change of a draft, which counts, and is answered, when
 * its records are in the log. What changes is heartbeat.ts and consumer-changes.ts; how it becomes durable
 * group-changes.ts. Members that speak the classic protocol are classic-members.ts.
 */
import type { consumerGroupHeartbeat } from '../../../protocol/api/consumer-group-heartbeat.js'
import type { ResponseOf } from '../../../protocol/schema.js'
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import { randomUuid } from '../../../runtime/uuid.js'
import { IN_PROCESS_HOST, type RequestContext } from '../../request-context.js'
import { ClassicGroup } from '../classic/classic-group.js'
import { CONSUMER_PROTOCOL_TYPE } from '../group.js'
import type { OffsetsPartition } from '../offsets-partition.js'
import { ClassicMembers } from './classic-members.js'
import { leaveForAMoment, memberOf, staticMemberOf } from './consumer-changes.js'
import { ConsumerGroup } from './consumer-group.js'
import { LEFT_FOR_A_MOMENT_EPOCH, sameAssignment } from './consumer-member.js'
import { ConsumerState } from './consumer-state.js'
import { GroupChanges, type GroupChangesServices } from './group-changes.js'
import { checkHeartbeat, heartbeatIn, LEAVING_EPOCHS, type HeartbeatRequest } from './heartbeat.js'
import { stateOfClassic } from './migration.js'
import { sameEpochPartitions, toTopicPartitions } from './partitions.js'

/** What a heartbeat is answered when all is well. */
export type HeartbeatResponse = ResponseOf<typeof consumerGroupHeartbeat>

/** Coordinates consumer groups. */
export class ConsumerCoordinator {
  /** Answers members that speak the classic protocol. */
  readonly classicMembers: ClassicMembers
  readonly #services: GroupChangesServices
  readonly #changes: GroupChanges

  constructor(services: GroupChangesServices) {
    this.#services = services
    this.#changes = new GroupChanges(services)
    this.classicMembers = new ClassicMembers(services, this.#changes)
  }

  /**
   * Checks what can be checked of a heartbeat without its group.
   * @throws OttlaError UNSUPPORTED_VERSION, INVALID_REQUEST, UNSUPPORTED_ASSIGNOR.
   */
  check(request: HeartbeatRequest, { apiVersion }: RequestContext): void {
    const { configs } = this.#services
    if (!configs['group.coordinator.rebalance.protocols'].includes('consumer')) {
      throw new OttlaError('UNSUPPORTED_VERSION', 'The consumer group protocol is not enabled.')
    }
    checkHeartbeat(request, apiVersion, configs['group.consumer.assignors'])
  }

  /**
   * ConsumerGroupHeartbeat: answered when what it changes is durable.
   * @throws OttlaError whatever is wrong with it, with Kafka's code.
   */
  async heartbeat(
    partition: OffsetsPartition,
    request: HeartbeatRequest,
    context: RequestContext,
  ): Promise<HeartbeatResponse> {
    if (LEAVING_EPOCHS.has(request.memberEpoch)) return this.#leave(partition, request)
    const group = this.#groupFor(partition, request)
    try {
      return await group.exclusive(() => this.#heartbeat(partition, group, request, context))
    } finally {
      if (group.replaced !== undefined) this.#giveBack(partition, group, group.replaced)
      partition.forgetIfVoid(group)
    }
  }

  /** A group that was just loaded goes on: members have their sessions, and those that died with this process do not. */
  resume(partition: OffsetsPartition, group: ConsumerGroup): void {
    const dead: string[] = []
    for (const member of group.durable.members.values()) {
      const { memberId, subscription } = member
      if (subscription.clientHost === IN_PROCESS_HOST && subscription.instanceId === null) dead.push(memberId)
      else {
        this.#changes.extendSession(partition, group, memberId)
        this.#changes.awaitRevocation(partition, group, member)
      }
    }
    if (dead.length === 0) return
    // Nobody has to wait for their sessions to end. What cannot be written now is found again at the next start.
    group.exclusive(() => this.#changes.remove(partition, group, dead)).catch(() => undefined)
  }

  async #heartbeat(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    request: HeartbeatRequest,
    context: RequestContext,
  ): Promise<HeartbeatResponse> {
    this.#checkRoom(group, request.memberId)
    const memberId = request.memberId === '' ? randomUuid(this.#services.random) : request.memberId
    const draft = new ConsumerState(group.durable)
    const world = this.#changes.world(group, context)
    const { before, after } = heartbeatIn(draft, request, memberId, context, world)
    await this.#changes.commit(partition, group, draft)
    if (world.isMetadataExpired) group.isMetadataExpired = false
    this.#changes.extendSession(partition, group, memberId)
    if (!sameAssignment(before.current, after.current)) {
      this.#changes.awaitRevocation(partition, group, after)
    }
    const isComplete =
      request.rebalanceTimeoutMs !== -1 &&
      (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
      request.topicPartitions !== null
    const isToldAll = request.memberEpoch === 0 || isComplete
    const isChanged = !sameEpochPartitions(before.current.assigned, after.current.assigned)
    return {
      ...LEFT,
      memberId,
      memberEpoch: after.current.memberEpoch,
      heartbeatIntervalMs: this.#services.configs['group.consumer.heartbeat.interval.ms'],
      assignment:
        isToldAll || isChanged ? { topicPartitions: toTopicPartitions(after.current.assigned) } : null,
    }
  }

  /** A member leaves for good, or, when it is static, for a moment. */
  async #leave(partition: OffsetsPartition, request: HeartbeatRequest): Promise<HeartbeatResponse> {
    const { groupId, memberId, memberEpoch, instanceId } = request
    const group = partition.consumerGroup(groupId)
    await group.exclusive(async () => {
      const { durable } = group
      const member =
        instanceId === null
          ? memberOf(durable, groupId, memberId)
          : staticMemberOf(durable, instanceId, memberId)
      if (instanceId === null || memberEpoch !== LEFT_FOR_A_MOMENT_EPOCH) {
        await this.#changes.remove(partition, group, [memberId])
        return
      }
      const draft = new ConsumerState(durable)
      leaveForAMoment(draft, member)
      await this.#changes.commit(partition, group, draft)
      group.timers.cancel(memberId, 'rebalance')
    })
    return { ...LEFT, memberId, memberEpoch }
  }

  #groupFor(partition: OffsetsPartition, { groupId, memberEpoch }: HeartbeatRequest): ConsumerGroup {
    const known = partition.groups.get(groupId)
    if (known instanceof ConsumerGroup) return known
    if (memberEpoch === 0) {
      if (known === undefined) return partition.add(new ConsumerGroup(groupId))
      if (known instanceof ClassicGroup) return this.#upgrade(partition, known)
    }
    if (known === undefined) {
      throw new OttlaError('GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`)
    }
    return partition.consumerGroup(groupId)
  }

  /** A consumer group takes the place of a classic one, with the members that are in it. */
  #upgrade(partition: OffsetsPartition, classic: ClassicGroup): ConsumerGroup {
    const { groupId } = classic
    const group = new ConsumerGroup(groupId, classic)
    if (classic.state === 'Empty') classic.forgetPendingMembers()
    else {
      this.#checkUpgrade(classic)
      group.durable = stateOfClassic(classic, this.#services.metadata)
    }
    group.replaced = classic
    this.#services.onUpgraded(classic)
    partition.add(group)
    for (const memberId of group.durable.members.keys()) {
      this.#changes.extendSession(partition, group, memberId)
    }
    return group
  }

  #checkUpgrade({ groupId, protocolType, members }: ClassicGroup): void {
    const { configs } = this.#services
    const policy = configs['group.consumer.migration.policy']
    const refuse = (why: string): OttlaError =>
      new OttlaError(
        'GROUP_ID_NOT_FOUND',
        `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`,
      )
    if (policy !== 'bidirectional' && policy !== 'upgrade') throw refuse('online upgrade is disabled')
    if (protocolType !== CONSUMER_PROTOCOL_TYPE) {
      throw refuse('the group does not use the consumer embedded protocol')
    }
    if (members.size > configs['group.consumer.max.size']) {
      throw refuse('the group size exceeds the consumer group maximum size')
    }
  }

  /** Nothing came of it: the classic group goes on. */
  #giveBack(partition: OffsetsPartition, group: ConsumerGroup, replaced: ClassicGroup): void {
    if (partition.groups.get(group.groupId) !== group) return
    group.unload()
    partition.add(replaced)
    if (replaced.members.size > 0) this.#services.onDowngraded(replaced, true)
  }

  #checkRoom({ durable: { members } }: ConsumerGroup, memberId: string): void {
    const max = this.#services.configs['group.consumer.max.size']
    if (members.size < max || members.has(memberId)) return
    throw new OttlaError(
      'GROUP_MAX_SIZE_REACHED',
      `The consumer group has reached its maximum capacity of ${max} members.`,
    )
  }
}

/** The answer to who leaves, apart from who that is. */
const LEFT: HeartbeatResponse = {
  throttleTimeMs: 0,
  errorCode: 0,
  errorMessage: null,
  memberId: null,
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
  assignment: null,
}
