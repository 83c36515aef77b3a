/**
 * The group coordinator: finds the group a request is about and carries the request out. How a group is found is
 * offsets-partitions.ts, what is written offsets-partition.ts, what its members ask for is
 * classic/classic-coordinator.ts and consumer/consumer-coordinator.ts.
 */
import type { heartbeat } from '../../protocol/api/heartbeat.js'
import type { joinGroup } from '../../protocol/api/join-group.js'
import type { leaveGroup } from '../../protocol/api/leave-group.js'
import type { syncGroup } from '../../protocol/api/sync-group.js'
import type { RequestOf } from '../../protocol/schema.js'
import type { Clock } from '../../runtime/clock.js'
import type { ErrorCode } from '../../runtime/errors/error-table.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Events } from '../../runtime/events.js'
import type { Random } from '../../runtime/random.js'
import type { Timers } from '../../runtime/timers.js'
import type { BrokerEvents } from '../broker-events.js'
import type { BrokerConfigs } from '../configs/broker-configs.js'
import type { ClusterMetadata } from '../metadata/cluster-metadata.js'
import { OFFSETS_TOPIC } from '../metadata/topic-name.js'
import type { RequestContext } from '../request-context.js'
import type { Topic } from '../topic.js'
import type { EndMarker } from '../transactions/markers.js'
import type { ProducerIdAndEpoch, TransactionPartitions } from '../transactions/transaction-metadata.js'
import { ClassicCoordinator } from './classic/classic-coordinator.js'
import { ClassicGroup } from './classic/classic-group.js'
import type { ClassicMembers } from './consumer/classic-members.js'
import { ConsumerCoordinator, type HeartbeatResponse } from './consumer/consumer-coordinator.js'
import { ConsumerGroup } from './consumer/consumer-group.js'
import type { HeartbeatRequest } from './consumer/heartbeat.js'
import { joinError, syncError, type JoinResponse, type SyncResponse } from './classic/group-responses.js'
import { CONSUMER_PROTOCOL_TYPE, type CommittedPartition, type Committer, type Group } from './group.js'
import type { OffsetsPartition, OffsetToCommit } from './offsets-partition.js'
import { OffsetExpiry } from './offset-expiry.js'
import { OffsetsPartitions, type GroupCount } from './offsets-partitions.js'

/** What the coordinator works with. */
export interface GroupCoordinatorServices {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly configs: BrokerConfigs
  readonly metadata: ClusterMetadata
  readonly events: Events<BrokerEvents>
  /** `__consumer_offsets`, created when it does not exist. */
  ensureOffsetsTopic(): Promise<Topic>
}

/** Coordinates the groups of this broker. */
export class GroupCoordinator {
  readonly #configs: BrokerConfigs
  readonly #partitions: OffsetsPartitions
  readonly #classic: ClassicCoordinator
  readonly #consumer: ConsumerCoordinator
  readonly #expiry: OffsetExpiry

  constructor(services: GroupCoordinatorServices) {
    const { clock, timers, configs, metadata, events } = services
    this.#partitions = new OffsetsPartitions({
      clock,
      metadata,
      ensureOffsetsTopic: () => services.ensureOffsetsTopic(),
      onLoaded: (partition) => this.#resume(partition),
    })
    this.#configs = configs
    this.#classic = new ClassicCoordinator(services, this.#partitions)
    this.#consumer = new ConsumerCoordinator({
      ...services,
      ensureOffsetsTopic: () => services.ensureOffsetsTopic(),
      onUpgraded: (group) => this.#classic.abandon(group),
      onDowngraded: (group, isToRebalance) => this.#classic.adopt(group, isToRebalance),
    })
    this.#expiry = new OffsetExpiry({
      clock,
      timers,
      partitions: this.#partitions,
      retentionMs: configs['offsets.retention.minutes'] * 60_000,
      intervalMs: configs['offsets.retention.check.interval.ms'],
    })
    // Where there never was a group, nothing wakes up to look for one.
    if (metadata.topic(OFFSETS_TOPIC) !== undefined) this.#expiry.start()
    events.on('topicCreated', ({ topic }) => {
      if (topic === OFFSETS_TOPIC) this.#expiry.start()
      else this.#rebalanceSubscribers(topic)
    })
    events.on('partitionsAdded', ({ topic }) => this.#rebalanceSubscribers(topic))
    events.on('topicDeleted', ({ topic }) => this.#forgetTopic(topic))
  }

  /** How many groups are in which state, of those that are loaded. */
  count(): GroupCount {
    return this.#partitions.countGroups()
  }

  /**
   * ConsumerGroupHeartbeat: answered when what it changes is durable.
   * @throws OttlaError whatever is wrong with it, with Kafka's code.
   */
  async consumerHeartbeat(request: HeartbeatRequest, context: RequestContext): Promise<HeartbeatResponse> {
    this.#consumer.check(request, context)
    return this.#consumer.heartbeat(await this.#partitions.of(request.groupId), request, context)
  }

  /** JoinGroup: answered when all members have joined, or at once with an error. */
  async join(request: RequestOf<typeof joinGroup>, context: RequestContext): Promise<JoinResponse> {
    const { groupId, memberId } = request
    if (groupId === '') return joinError('INVALID_GROUP_ID', memberId)
    if (!this.#isSessionTimeout(request.sessionTimeoutMs))
      return joinError('INVALID_SESSION_TIMEOUT', memberId)
    const partition = await this.#partitions.of(groupId)
    const group = partition.groups.get(groupId)
    const isKnown = group !== undefined && !(group instanceof ConsumerGroup && group.isEmpty)
    if (memberId !== '' && !isKnown) return joinError('UNKNOWN_MEMBER_ID', memberId)
    if (group instanceof ConsumerGroup) {
      if (isKnown) return group.exclusive(() => this.#members.join(partition, group, request, context))
      await this.#emptyToClassic(partition, group)
    }
    return this.#classic.join(partition, request, context)
  }

  /**
   * SyncGroup: answered when the leader's assignment is durable (G4), or at once with an error.
   * @throws OttlaError what is wrong in a consumer group.
   */
  async sync(request: RequestOf<typeof syncGroup>): Promise<SyncResponse> {
    const { groupId } = request
    if (groupId === '') return syncError('INVALID_GROUP_ID')
    const partition = await this.#partitions.of(groupId)
    const group = partition.groups.get(groupId)
    if (group instanceof ConsumerGroup)
      return group.exclusive(() => this.#members.sync(partition, group, request))
    return this.#classic.sync(asClassic(group), request)
  }

  /**
   * Heartbeat: undefined when all is well, otherwise what is wrong.
   * @throws OttlaError what is wrong in a consumer group.
   */
  async heartbeat(request: RequestOf<typeof heartbeat>): Promise<ErrorCode | undefined> {
    const { groupId } = request
    if (groupId === '') return 'INVALID_GROUP_ID'
    const partition = await this.#partitions.of(groupId)
    const group = partition.groups.get(groupId)
    if (group instanceof ConsumerGroup) {
      return group.exclusive(() => this.#members.heartbeat(partition, group, request))
    }
    return this.#classic.heartbeat(asClassic(group), request)
  }

  /**
   * LeaveGroup: for each of `members` undefined when it left, otherwise what is wrong.
   * @throws OttlaError INVALID_GROUP_ID.
   */
  async leave(
    groupId: string,
    members: RequestOf<typeof leaveGroup>['members'],
  ): Promise<readonly (ErrorCode | undefined)[]> {
    if (groupId === '') throw new OttlaError('INVALID_GROUP_ID', 'The group id is empty.')
    const partition = await this.#partitions.of(groupId)
    const group = partition.groups.get(groupId)
    if (group instanceof ConsumerGroup) {
      return group.exclusive(() => this.#members.leave(partition, group, members))
    }
    return this.#classic.leave(asClassic(group), members)
  }

  /**
   * OffsetCommit: durable when this resolves (G3).
   * @throws OttlaError INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS (G2),
   * GROUP_ID_NOT_FOUND.
   */
  async commit(who: Committer, offsets: readonly OffsetToCommit[], context: RequestContext): Promise<void> {
    const { groupId, memberId, generation } = who
    const { apiVersion } = context
    if (groupId === '') throw new OttlaError('INVALID_GROUP_ID', 'The group id is empty.')
    const partition = await this.#partitions.of(groupId)
    const existing = partition.groups.get(groupId)
    if (existing === undefined && generation >= 0) {
      const code = apiVersion >= 9 ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
      throw new OttlaError(code, `There is no group ${groupId}.`)
    }
    const group = existing ?? partition.ensure(groupId)
    group.checkCommit({ ...who, apiVersion, isTransactional: false, partitions: partitionsOf(offsets) })
    if (group instanceof ClassicGroup) this.#classic.extendSession(group, memberId)
    if (offsets.length > 0) await partition.commit(group, offsets)
  }

  /**
   * TxnOffsetCommit: durable when this resolves; the offsets count once the producer's transaction is committed.
   * @throws OttlaError as {@link commit}; INVALID_PRODUCER_EPOCH from a producer whose transaction is over.
   */
  async commitInTransaction(
    who: Committer,
    producer: ProducerIdAndEpoch,
    offsets: readonly OffsetToCommit[],
    { apiVersion }: RequestContext,
  ): Promise<void> {
    const { groupId, generation } = who
    const partition = await this.#partitions.of(groupId)
    const existing = partition.groups.get(groupId)
    if (existing === undefined && generation >= 0) {
      throw new OttlaError('ILLEGAL_GENERATION', `There is no group ${groupId}.`)
    }
    const group = existing ?? partition.ensure(groupId)
    group.checkCommit({ ...who, apiVersion, isTransactional: true, partitions: partitionsOf(offsets) })
    const { producerId, producerEpoch } = producer
    await partition.commit(group, offsets, { producerId, producerEpoch })
  }

  /**
   * What a transaction that commits offsets of the group writes to.
   * @throws OttlaError INVALID_GROUP_ID.
   */
  async offsetsPartitionsOf(groupId: string): Promise<TransactionPartitions> {
    if (groupId === '') throw new OttlaError('INVALID_GROUP_ID', 'The group id is empty.')
    return new Map([[OFFSETS_TOPIC, new Set([await this.#partitions.indexOf(groupId)])]])
  }

  /** Ends a transaction in a partition of `__consumer_offsets`; what it committed counts when this resolves. */
  async endTransaction(index: number, end: EndMarker, marker: Uint8Array): Promise<void> {
    const partition = await this.#partitions.at(index)
    await partition.endTransaction(end, marker)
  }

  /**
   * DeleteGroups: durable when this resolves. Who was given a member id and has not joined with it has to ask anew.
   * @throws OttlaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP.
   */
  async delete(groupId: string): Promise<void> {
    const partition = await this.#partitions.of(groupId)
    const group = partition.groups.get(groupId)
    if (group === undefined) throw new OttlaError('GROUP_ID_NOT_FOUND', `There is no group ${groupId}.`)
    if (group.state !== 'Empty') {
      throw new OttlaError('NON_EMPTY_GROUP', `Group ${groupId} is ${group.state}: it has members.`)
    }
    group.forgetPendingMembers()
    if (group instanceof ConsumerGroup) await group.exclusive(() => partition.delete(group))
    else await partition.delete(group)
  }

  /**
   * OffsetDelete: durable when this resolves. Those of `topics` that its members subscribe to stay; they are what it
   * resolves to.
   * @throws OttlaError INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP for a group with members that are no
   * consumers.
   */
  async deleteOffsets(
    groupId: string,
    topics: readonly { readonly name: string; readonly partitions: readonly number[] }[],
  ): Promise<ReadonlySet<string>> {
    if (groupId === '') throw new OttlaError('INVALID_GROUP_ID', 'The group id is empty.')
    const partition = await this.#partitions.of(groupId)
    const group = partition.groups.get(groupId)
    if (group === undefined) throw new OttlaError('GROUP_ID_NOT_FOUND', `There is no group ${groupId}.`)
    if (group.state !== 'Empty' && group.protocolType !== CONSUMER_PROTOCOL_TYPE) {
      throw new OttlaError('NON_EMPTY_GROUP', `Group ${groupId} has members whose topics are not known.`)
    }
    const subscribed = new Set(topics.map(({ name }) => name).filter((name) => group.subscribesTo(name)))
    await partition.deleteOffsets(
      group,
      topics.filter(({ name }) => !subscribed.has(name)),
    )
    return subscribed
  }

  /** Resolves when there is an offsets topic, so that groups can be asked for. */
  ready(): Promise<void> {
    return this.#partitions.ready()
  }

  /** The group, when it exists. */
  async find(groupId: string): Promise<Group | undefined> {
    return (await this.#partitions.of(groupId)).groups.get(groupId)
  }

  /**
   * The consumer group of this id.
   * @throws OttlaError GROUP_ID_NOT_FOUND.
   */
  async findConsumerGroup(groupId: string): Promise<ConsumerGroup> {
    return (await this.#partitions.of(groupId)).consumerGroup(groupId)
  }

  /** All groups; loads what is not loaded yet. */
  async list(): Promise<Group[]> {
    return (await this.#partitions.all()).flatMap(({ groups }) => [...groups.values()])
  }

  /** Ends every wait of every member. */
  close(): void {
    this.#expiry.stop()
    for (const { groups } of this.#partitions.loaded()) {
      for (const group of groups.values()) {
        if (group instanceof ClassicGroup) this.#classic.unload(group)
        if (group instanceof ConsumerGroup) group.unload()
      }
    }
    this.#partitions.close()
  }

  get #members(): ClassicMembers {
    return this.#consumer.classicMembers
  }

  /** A consumer group without members goes on as a classic one. */
  #emptyToClassic(partition: OffsetsPartition, group: ConsumerGroup): Promise<void> {
    return group.exclusive(async () => {
      if (group.durable.members.size > 0) return
      await partition.write(group.tombstones())
      group.unload()
      partition.add(new ClassicGroup(group.groupId, group))
    })
  }

  #rebalanceSubscribers(topic: string): void {
    for (const { groups } of this.#partitions.loaded()) {
      for (const group of groups.values()) {
        if (group instanceof ClassicGroup) this.#classic.rebalanceSubscribers(group, topic)
        if (group instanceof ConsumerGroup) group.isMetadataExpired = true
      }
    }
  }

  #forgetTopic(topic: string): void {
    for (const partition of this.#partitions.loaded()) {
      // When the tombstones cannot be written, loading leaves the offsets of a topic that is gone out all the same.
      partition.forgetTopic(topic).catch(() => undefined)
    }
    this.#rebalanceSubscribers(topic)
  }

  #resume(partition: OffsetsPartition): void {
    for (const group of partition.groups.values()) {
      if (group instanceof ClassicGroup) this.#classic.resume(partition, group)
      if (group instanceof ConsumerGroup) this.#consumer.resume(partition, group)
    }
  }

  #isSessionTimeout(timeoutMs: number): boolean {
    const min = this.#configs['group.min.session.timeout.ms']
    return timeoutMs >= min && timeoutMs <= this.#configs['group.max.session.timeout.ms']
  }
}

const asClassic = (group: Group | undefined): ClassicGroup | undefined =>
  group instanceof ClassicGroup ? group : undefined

const partitionsOf = (offsets: readonly OffsetToCommit[]): CommittedPartition[] =>
  offsets.map(({ topic, partition, committed: { topicId } }) => ({ topic, topicId, partition }))
