/**
 * Coordinates consumer groups: each request of a member is a change of a draft, which counts, and is answered, when
 * its records are in the log. What changes is heartbeat.ts and consumer-changes.ts; what is written
 * consumer-records.ts.
 */
import type { consumerGroupHeartbeat } from '../../../protocol/api/consumer-group-heartbeat.js'
import type { ResponseOf } from '../../../protocol/schema.js'
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import { randomUuid } from '../../../runtime/uuid.js'
import { Access, ANONYMOUS } from '../../authorizer/access.js'
import { IN_PROCESS_HOST, type RequestContext } from '../../request-context.js'
import type { GroupCoordinatorServices } from '../group-coordinator.js'
import type { OffsetsPartition } from '../offsets-partition.js'
import type { OffsetsPartitions } from '../offsets-partitions.js'
import { leaveForAMoment, memberOf, removeMembers, staticMemberOf } from './consumer-changes.js'
import { ClassicGroup } from '../classic/classic-group.js'
import { ConsumerGroup } from './consumer-group.js'
import { LEFT_FOR_A_MOMENT_EPOCH, sameAssignment, type ConsumerMember } from './consumer-member.js'
import { recordsOfChange } from './consumer-records.js'
import { ConsumerState } from './consumer-state.js'
import {
  checkHeartbeat,
  heartbeatIn,
  LEAVING_EPOCHS,
  type ChangeWorld,
  type HeartbeatRequest,
} from './heartbeat.js'
import type { TimerKind } from './member-timers.js'
import { sameEpochPartitions, toTopicPartitions } from './partitions.js'

/** What a heartbeat is answered when all is well. */
export type HeartbeatResponse = ResponseOf<typeof consumerGroupHeartbeat>

/** Coordinates consumer groups. */
export class ConsumerCoordinator {
  readonly #services: GroupCoordinatorServices
  readonly #partitions: OffsetsPartitions

  constructor(services: GroupCoordinatorServices, partitions: OffsetsPartitions) {
    this.#services = services
    this.#partitions = partitions
  }

  /**
   * ConsumerGroupHeartbeat: answered when what it changes is durable.
   * @throws OttlaError whatever is wrong with it, with Kafka's code.
   */
  async heartbeat(request: HeartbeatRequest, context: RequestContext): Promise<HeartbeatResponse> {
    const { configs } = this.#services
    if (!configs['group.coordinator.rebalance.protocols'].includes('consumer')) {
      throw new OttlaError('UNSUPPORTED_VERSION', 'The consumer group protocol is not enabled.')
    }
    checkHeartbeat(request, context.apiVersion, configs['group.consumer.assignors'])
    const partition = await this.#partitions.of(request.groupId)
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
    for (const { memberId, subscription, current } of group.durable.members.values()) {
      if (subscription.clientHost === IN_PROCESS_HOST && subscription.instanceId === null) {
        dead.push(memberId)
        continue
      }
      this.#extendSession(partition, group, memberId)
      if (current.state === 'UNREVOKED_PARTITIONS') this.#awaitRevocation(partition, group, memberId)
    }
    // What cannot be written now is found again at the next start; until then nobody waits for who is not there.
    if (dead.length > 0) this.#remove(partition, group, dead).catch(() => undefined)
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
    const world = this.#world(group, context)
    const { before, after } = heartbeatIn(draft, request, memberId, context, world)
    await this.#commit(partition, group, draft)
    if (world.isMetadataExpired) group.isMetadataExpired = false
    this.#extendSession(partition, group, memberId)
    if (!sameAssignment(before.current, after.current)) this.#followRevocation(partition, group, after)
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
      const draft = new ConsumerState(group.durable)
      const member =
        instanceId === null ? memberOf(draft, groupId, memberId) : staticMemberOf(draft, instanceId, memberId)
      const isBack = instanceId !== null && memberEpoch === LEFT_FOR_A_MOMENT_EPOCH
      if (isBack) leaveForAMoment(draft, member)
      else removeMembers(draft, [memberId], this.#services.metadata)
      await this.#commit(partition, group, draft)
      if (isBack) group.timers.cancel(memberId, 'rebalance')
    })
    return { ...LEFT, memberId, memberEpoch }
  }

  /** Takes members out whatever they have, those for whom that still holds when it comes to it. */
  async #remove(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    memberIds: readonly string[],
    isDue: () => boolean = () => true,
  ): Promise<void> {
    await group.exclusive(async () => {
      const present = memberIds.filter((memberId) => group.durable.members.has(memberId) && isDue())
      if (present.length === 0) return
      const draft = new ConsumerState(group.durable)
      removeMembers(draft, present, this.#services.metadata)
      await this.#commit(partition, group, draft)
    })
  }

  /** `draft` takes the place of what was there when the log has it. */
  async #commit(partition: OffsetsPartition, group: ConsumerGroup, draft: ConsumerState): Promise<void> {
    const before = group.durable
    const { replaced } = group
    const records =
      replaced === undefined
        ? recordsOfChange(group.groupId, before, draft)
        : [...replaced.tombstones(), ...recordsOfChange(group.groupId, new ConsumerState(), draft)]
    if (records.length > 0) await partition.write(records)
    group.replaced = undefined
    group.durable = draft
    for (const memberId of before.members.keys()) {
      if (!draft.members.has(memberId)) group.timers.cancelMember(memberId)
    }
    const { events } = this.#services
    const { groupId } = group
    if (draft.assignmentEpoch !== before.assignmentEpoch) {
      events.emit('groupRebalanced', {
        groupId,
        generation: draft.assignmentEpoch,
        members: [...draft.members.keys()],
      })
    }
    if (before.members.size > 0 && draft.members.size === 0) events.emit('groupEmpty', { groupId })
  }

  #groupFor(partition: OffsetsPartition, { groupId, memberEpoch }: HeartbeatRequest): ConsumerGroup {
    const known = partition.groups.get(groupId)
    if (known === undefined) {
      if (memberEpoch === 0) return partition.add(new ConsumerGroup(groupId))
      throw new OttlaError('GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`)
    }
    if (known instanceof ConsumerGroup) return known
    if (memberEpoch === 0 && known instanceof ClassicGroup && known.state === 'Empty') {
      known.forgetPendingMembers()
      const group = new ConsumerGroup(groupId, known)
      group.replaced = known
      return partition.add(group)
    }
    return partition.consumerGroup(groupId)
  }

  /** Nothing came of it: the classic group is there as before. */
  #giveBack(partition: OffsetsPartition, group: ConsumerGroup, replaced: ClassicGroup): void {
    if (partition.groups.get(group.groupId) !== group) return
    group.unload()
    partition.add(replaced)
  }

  #checkRoom({ durable: { members } }: ConsumerGroup, memberId: string): void {
    const max = this.#services.configs['group.consumer.max.size']
    if (members.size < max || members.has(memberId)) return
    throw new OttlaError(
      'GROUP_MAX_SIZE_REACHED',
      `The consumer group has reached its maximum capacity of ${max} members.`,
    )
  }

  #world(
    group: ConsumerGroup,
    { authorizer, principal = ANONYMOUS, clientHost }: RequestContext,
  ): ChangeWorld {
    const { configs, metadata, clock } = this.#services
    const access =
      authorizer &&
      new Access({ metadata, configs }, authorizer, { principal, host: clientHost.replace('/', '') })
    return {
      topics: metadata,
      now: clock.now(),
      assignors: configs['group.consumer.assignors'],
      assignmentIntervalMs: configs['group.consumer.assignment.interval.ms'],
      isMetadataExpired: group.isMetadataExpired,
      isVisible: (topic) => access?.may('DESCRIBE', 'TOPIC', topic) ?? true,
    }
  }

  #extendSession(partition: OffsetsPartition, group: ConsumerGroup, memberId: string): void {
    const timeoutMs = this.#services.configs['group.consumer.session.timeout.ms']
    this.#removeAfter(partition, group, memberId, 'session', timeoutMs)
  }

  #followRevocation(partition: OffsetsPartition, group: ConsumerGroup, member: ConsumerMember): void {
    const { memberId, current } = member
    if (current.state === 'UNREVOKED_PARTITIONS') this.#awaitRevocation(partition, group, memberId)
    else group.timers.cancel(memberId, 'rebalance')
  }

  #awaitRevocation(partition: OffsetsPartition, group: ConsumerGroup, memberId: string): void {
    const timeoutMs = group.durable.members.get(memberId)?.subscription.rebalanceTimeoutMs ?? 0
    this.#removeAfter(partition, group, memberId, 'rebalance', timeoutMs)
  }

  #removeAfter(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    memberId: string,
    kind: TimerKind,
    timeoutMs: number,
  ): void {
    const timer = this.#services.timers.schedule(
      timeoutMs,
      () => {
        const isDue = (): boolean => group.timers.isCurrent(memberId, kind, timer)
        // What cannot be written now is tried again after as long.
        this.#remove(partition, group, [memberId], isDue).catch(() => {
          if (!group.isDead) this.#removeAfter(partition, group, memberId, kind, timeoutMs)
        })
      },
      { keepAlive: false },
    )
    group.timers.set(memberId, kind, timer)
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
