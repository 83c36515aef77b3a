/**
 * The group coordinator: finds the group a request is about and carries the request out. How a group is found is
 * offsets-partitions.ts, how members come in joining.ts, how a group moves between generations rebalancer.ts, what is
 * written offsets-partition.ts.
 *
 * Kafka leaves it to the leader to notice new partitions; here the coordinator starts the rebalance as well.
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
import { CONSUMER_PROTOCOL_TYPE, type Group } from './group.js'
import type { GroupMember } from './group-member.js'
import { syncError, type JoinResponse, type SyncResponse } from './group-responses.js'
import { Joining } from './joining.js'
import { commitError, memberError, strangerError, transactionalCommitError } from './membership.js'
import type { OffsetsPartition, OffsetToCommit } from './offsets-partition.js'
import { OffsetExpiry } from './offset-expiry.js'
import { OffsetsPartitions, type GroupCount } from './offsets-partitions.js'
import { Rebalancer } from './rebalancer.js'

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

/** Who commits: a member of a generation, or nobody in particular. */
export interface Committer {
  readonly groupId: string
  readonly memberId: string
  /** -1 for one who is no member. */
  readonly generation: number
  readonly groupInstanceId: string | null
}

/** Coordinates the groups of this broker. */
export class GroupCoordinator {
  readonly #rebalancer: Rebalancer
  readonly #partitions: OffsetsPartitions
  readonly #joining: Joining
  readonly #expiry: OffsetExpiry

  constructor(services: GroupCoordinatorServices) {
    const { clock, timers, random, configs, metadata, events } = services
    this.#partitions = new OffsetsPartitions({
      clock,
      metadata,
      ensureOffsetsTopic: () => services.ensureOffsetsTopic(),
      onLoaded: (partition) => this.#resume(partition),
    })
    this.#rebalancer = new Rebalancer({
      clock,
      timers,
      initialDelayMs: configs['group.initial.rebalance.delay.ms'],
      persist: async (group, assignments) => {
        const partition = await this.#partitions.of(group.groupId)
        await partition.writeGroup(group, assignments)
      },
      onRebalanced: ({ groupId, generation, members }) =>
        events.emit('groupRebalanced', { groupId, generation, members: [...members.keys()] }),
      onEmpty: ({ groupId }) => events.emit('groupEmpty', { groupId }),
    })
    this.#joining = new Joining({
      random,
      configs,
      partitions: this.#partitions,
      rebalancer: this.#rebalancer,
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

  /** JoinGroup: answered when all members have joined, or at once with an error. */
  join(request: RequestOf<typeof joinGroup>, context: RequestContext): Promise<JoinResponse> {
    return this.#joining.join(request, context)
  }

  /** SyncGroup: answered when the leader's assignment is durable (G4), or at once with an error. */
  async sync(request: RequestOf<typeof syncGroup>): Promise<SyncResponse> {
    const { groupId, memberId } = request
    if (groupId === '') return syncError('INVALID_GROUP_ID')
    const group = (await this.#partitions.of(groupId)).groups.get(groupId)
    const refusal = memberError(group, memberId, request.generationId, request.groupInstanceId)
    const member = group?.members.get(memberId)
    if (refusal !== undefined || group === undefined || member === undefined) {
      return syncError(refusal ?? 'UNKNOWN_MEMBER_ID')
    }
    const isOtherType = request.protocolType !== null && request.protocolType !== group.protocolType
    const isOtherName = request.protocolName !== null && request.protocolName !== group.protocolName
    if (isOtherType || isOtherName) return syncError('INCONSISTENT_GROUP_PROTOCOL')
    if (group.state === 'PreparingRebalance') return syncError('REBALANCE_IN_PROGRESS')
    group.pendingSyncs.delete(memberId)
    if (group.pendingSyncs.size === 0) group.syncTimer?.cancel()
    const { protocolType, protocolName } = group
    if (group.state === 'Stable') {
      return { throttleTimeMs: 0, errorCode: 0, protocolType, protocolName, assignment: member.assignment }
    }
    // A client that asks again has given up on its first request.
    member.awaitingSync?.(syncError('REBALANCE_IN_PROGRESS'))
    const answer = new Promise<SyncResponse>((resolve) => (member.awaitingSync = resolve))
    if (group.leaderId === memberId) {
      const assignments = new Map(request.assignments.map((given) => [given.memberId, given.assignment]))
      await this.#rebalancer.assign(group, assignments)
    }
    return answer
  }

  /** Heartbeat: undefined when all is well, otherwise what is wrong. */
  async heartbeat(request: RequestOf<typeof heartbeat>): Promise<ErrorCode | undefined> {
    const { groupId, memberId } = request
    if (groupId === '') return 'INVALID_GROUP_ID'
    const group = (await this.#partitions.of(groupId)).groups.get(groupId)
    const refusal = memberError(group, memberId, request.generationId, request.groupInstanceId)
    const member = group?.members.get(memberId)
    if (refusal !== undefined || group === undefined || member === undefined) {
      return refusal ?? 'UNKNOWN_MEMBER_ID'
    }
    this.#rebalancer.extendSession(group, member)
    return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined
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
    const group = (await this.#partitions.of(groupId)).groups.get(groupId)
    if (group === undefined) return members.map(() => 'UNKNOWN_MEMBER_ID')
    const leaving: GroupMember[] = []
    const results = members.map(({ memberId, groupInstanceId }): ErrorCode | undefined => {
      if (group.pendingMembers.has(memberId)) {
        group.remove(memberId)
        return undefined
      }
      // An administrator knows static members by their instance id alone.
      const isByInstance = memberId === '' && groupInstanceId !== null
      const id = isByInstance ? (group.staticMembers.get(groupInstanceId) ?? '') : memberId
      const refusal = strangerError(group, id, groupInstanceId)
      const member = group.members.get(id)
      if (refusal !== undefined) return refusal
      if (member === undefined || leaving.includes(member)) return 'UNKNOWN_MEMBER_ID'
      leaving.push(member)
      return undefined
    })
    if (results.includes(undefined)) this.#rebalancer.removeMembers(group, leaving)
    return results
  }

  /**
   * OffsetCommit: durable when this resolves (G3).
   * @throws OttlaError INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS (G2),
   * GROUP_ID_NOT_FOUND.
   */
  async commit(who: Committer, offsets: readonly OffsetToCommit[], context: RequestContext): Promise<void> {
    const { groupId, memberId, generation } = who
    if (groupId === '') throw new OttlaError('INVALID_GROUP_ID', 'The group id is empty.')
    const partition = await this.#partitions.of(groupId)
    const existing = partition.groups.get(groupId)
    if (existing === undefined && generation >= 0) {
      const code = context.apiVersion >= 9 ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
      throw new OttlaError(code, `There is no group ${groupId}.`)
    }
    const group = existing ?? partition.ensure(groupId)
    const refusal = commitError(group, memberId, generation, who.groupInstanceId)
    if (refusal !== undefined) throw notAllowed(refusal, group, who)
    const member = group.members.get(memberId)
    if (member !== undefined) this.#rebalancer.extendSession(group, member)
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
  ): Promise<void> {
    const { groupId, memberId, generation, groupInstanceId } = who
    const partition = await this.#partitions.of(groupId)
    const existing = partition.groups.get(groupId)
    if (existing === undefined && generation >= 0) {
      throw new OttlaError('ILLEGAL_GENERATION', `There is no group ${groupId}.`)
    }
    const group = existing ?? partition.ensure(groupId)
    const refusal = transactionalCommitError(group, memberId, generation, groupInstanceId)
    if (refusal !== undefined) throw notAllowed(refusal, group, who)
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
    for (const memberId of [...group.pendingMembers.keys()]) group.remove(memberId)
    await partition.delete(group)
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

  /** All groups; loads what is not loaded yet. */
  async list(): Promise<Group[]> {
    return (await this.#partitions.all()).flatMap(({ groups }) => [...groups.values()])
  }

  /** Ends every wait of every member. */
  close(): void {
    this.#expiry.stop()
    for (const { groups } of this.#partitions.loaded()) {
      for (const group of groups.values()) this.#rebalancer.unload(group)
    }
    this.#partitions.close()
  }

  #rebalanceSubscribers(topic: string): void {
    for (const { groups } of this.#partitions.loaded()) {
      for (const group of groups.values()) {
        const isUnderWay = group.state === 'Stable' || group.state === 'CompletingRebalance'
        if (isUnderWay && group.subscribedTopics?.has(topic) === true) this.#rebalancer.rebalance(group)
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

  /** Groups that were just loaded go on: members have their sessions, those who are left take over. */
  #resume(partition: OffsetsPartition): void {
    for (const group of partition.groups.values()) {
      for (const member of group.members.values()) this.#rebalancer.extendSession(group, member)
      if (!partition.diminished.has(group)) continue
      if (group.members.size > 0) this.#rebalancer.rebalance(group)
      // Since when it has no members decides how long its offsets are kept; what is not written now is found again.
      else partition.writeGroup(group, new Map()).catch(() => undefined)
    }
  }
}

const notAllowed = (code: ErrorCode, group: Group, { memberId, generation }: Committer): OttlaError =>
  new OttlaError(
    code,
    `Member ${memberId} may not commit in generation ${generation}: group ${group.groupId} is ${group.state} in generation ${group.generation}.`,
  )
