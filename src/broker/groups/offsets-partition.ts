/**
 * One partition of `__consumer_offsets`: the groups that hash to it, loaded from its log when the first of them is
 * asked for, and every change of them written there before it counts.
 */
import type { PartitionLog } from '../../log/partition-log.js'
import { groupMetadataKey, offsetCommitKey } from '../../protocol/coordinator-records.js'
import { decodeVersioned, leadingVersion } from '../../protocol/versioned-record.js'
import { encodeBatch, NO_HEADERS } from '../../record/encode.js'
import type { Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { readWholeLog } from '../read-whole-log.js'
import type { EndMarker } from '../transactions/markers.js'
import type { ProducerIdAndEpoch } from '../transactions/transaction-metadata.js'
import type { CommittedOffset } from './committed-offsets.js'
import { ClassicGroup } from './classic/classic-group.js'
import { groupValue, restoreGroup } from './classic/classic-records.js'
import type { CoordinatorRecord } from './coordinator-record.js'
import { ConsumerGroup } from './consumer/consumer-group.js'
import { replayConsumerRecord } from './consumer/consumer-records.js'
import type { ConsumerState } from './consumer/consumer-state.js'
import type { Group } from './group.js'
import { groupKey, offsetKey, offsetValue, restoreOffset } from './group-records.js'
import { dropDeadMembers, dropGoneTopics, type TopicIdLookup } from './left-out.js'

/** How many groups one offsets partition keeps in memory. */
export const MAX_GROUPS_PER_PARTITION = 10_000
/** How many committed offsets one group may have. */
export const MAX_OFFSETS_PER_GROUP = 100_000

/** An offset to be committed. */
export interface OffsetToCommit {
  readonly topic: string
  readonly partition: number
  readonly committed: Omit<CommittedOffset, 'logOffset' | 'commitTimestamp'>
}

/** A loaded offsets partition. */
export class OffsetsPartition {
  readonly groups = new Map<string, Group>()
  /** Groups that lost members while the broker was down: others must take over, or the log be told that none is left. */
  readonly diminished = new Set<Group>()
  readonly #log: PartitionLog
  readonly #clock: Clock
  /** Commits on their way to the log; one for each request that waits for its answer. */
  readonly #committing = new Set<{ readonly group: Group; readonly offsets: readonly OffsetToCommit[] }>()
  /** The groups that open transactions commit offsets of, by producer. */
  readonly #inTransaction = new Map<number, Set<Group>>()

  readonly #restored = {
    state: (groupId: string, isNew: boolean) => this.#restoredState(groupId, isNew),
    delete: (groupId: string) => this.#replayEnd(groupId, ConsumerGroup),
  }

  private constructor(log: PartitionLog, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** Reads the log through. Offsets of topics that are gone since are left out. */
  static async load(log: PartitionLog, clock: Clock, topicIdOf: TopicIdLookup): Promise<OffsetsPartition> {
    const partition = new OffsetsPartition(log, clock)
    await readWholeLog(
      log,
      clock,
      ({ key, value, offset, header }) => {
        if (key !== null)
          partition.#replay(key, value, offset, header.isTransactional ? header.producerId : -1)
      },
      (producerId, { type }) => partition.#endTransaction(producerId, type === 'commit'),
    )
    for (const group of partition.groups.values()) {
      if (group instanceof ClassicGroup && dropDeadMembers(group, clock.now()))
        partition.diminished.add(group)
      dropGoneTopics(group, topicIdOf)
    }
    return partition
  }

  /**
   * The group, made when it is not there.
   * @throws OttlaError GROUP_MAX_SIZE_REACHED when {@link MAX_GROUPS_PER_PARTITION} are there.
   */
  ensure(groupId: string): Group {
    return this.groups.get(groupId) ?? this.add(new ClassicGroup(groupId))
  }

  /**
   * Takes a group in, also in the place of another of the same id.
   * @throws OttlaError GROUP_MAX_SIZE_REACHED as {@link ensure}.
   */
  add<G extends Group>(group: G): G {
    const { groupId } = group
    if (!this.groups.has(groupId) && this.groups.size >= MAX_GROUPS_PER_PARTITION) {
      throw new OttlaError(
        'GROUP_MAX_SIZE_REACHED',
        `There are ${this.groups.size} groups beside ${groupId} already, which is the most that are kept; raise offsets.topic.num.partitions.`,
      )
    }
    this.groups.set(groupId, group)
    return group
  }

  /**
   * The consumer group of this id.
   * @throws OttlaError GROUP_ID_NOT_FOUND.
   */
  consumerGroup(groupId: string): ConsumerGroup {
    const group = this.groups.get(groupId)
    if (group instanceof ConsumerGroup) return group
    const problem = group === undefined ? 'not found' : 'is not a consumer group'
    throw new OttlaError('GROUP_ID_NOT_FOUND', `Group ${groupId} ${problem}.`)
  }

  /**
   * As {@link ensure}, for those who want to join with the classic protocol.
   * @throws OttlaError INCONSISTENT_GROUP_PROTOCOL for a group of another type.
   */
  ensureClassic(groupId: string): ClassicGroup {
    const group = this.ensure(groupId)
    if (group instanceof ClassicGroup) return group
    throw new OttlaError(
      'INCONSISTENT_GROUP_PROTOCOL',
      `Group ${groupId} is a ${group.type} group, not a classic one.`,
    )
  }

  /** Writes what the group is now, with `assignments`; resolves when that is durable. */
  async writeGroup(group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const value = groupValue(group, assignments)
    await this.#append([{ key: groupKey(group.groupId), value }])
  }

  /** Writes what has changed of a group as one unit; resolves when that is durable. */
  async write(records: readonly CoordinatorRecord[]): Promise<void> {
    await this.#append(records)
  }

  /**
   * Writes offsets as one unit; they count, and can be fetched, when that is durable (G3), those of a `producer` when
   * its transaction is committed.
   * @throws OttlaError INVALID_COMMIT_OFFSET_SIZE when the group would have more than {@link MAX_OFFSETS_PER_GROUP};
   * INVALID_PRODUCER_EPOCH from a producer whose transaction is over.
   */
  async commit(
    group: Group,
    offsets: readonly OffsetToCommit[],
    producer?: ProducerIdAndEpoch,
  ): Promise<void> {
    let added = group.pendingOffsets.size
    for (const { topic, partition } of offsets) if (group.offsets.get(topic, partition) === undefined) added++
    if (group.offsets.size + added > MAX_OFFSETS_PER_GROUP) {
      throw new OttlaError(
        'INVALID_COMMIT_OFFSET_SIZE',
        `Group ${group.groupId} has ${group.offsets.size} committed offsets; ${added} more would exceed ${MAX_OFFSETS_PER_GROUP}.`,
      )
    }
    const commitTimestamp = this.#clock.now()
    const records = offsets.map(({ topic, partition, committed }): CoordinatorRecord => {
      const value = offsetValue({ ...committed, commitTimestamp })
      return { key: offsetKey(group.groupId, topic, partition), value }
    })
    const commit = { group, offsets }
    this.#committing.add(commit)
    try {
      const baseOffset = await this.#append(records, producer)
      offsets.forEach(({ topic, partition, committed }, index) => {
        const kept = { ...committed, commitTimestamp, logOffset: baseOffset + index }
        if (producer === undefined) group.offsets.set(topic, partition, kept)
        else this.#setPending(producer.producerId, group, topic, partition, kept)
      })
    } finally {
      this.#committing.delete(commit)
    }
  }

  /** Ends a transaction with `marker`; what it committed counts, or is gone, when that is durable. */
  async endTransaction({ producerId, type }: EndMarker, marker: Uint8Array): Promise<void> {
    await this.#log.append(marker, { origin: 'coordinator' })
    this.#endTransaction(producerId, type === 'commit')
  }

  /** Removes a group without members and all that it committed as one unit; resolves when that is durable. */
  async delete(group: Group): Promise<void> {
    const records = this.#committed(group).map(({ key }): CoordinatorRecord => ({ key, value: null }))
    records.push(...group.tombstones())
    // Gone at once: who joins meanwhile joins a new group, whose records come after these.
    this.groups.delete(group.groupId)
    try {
      await this.#append(records)
    } catch (error) {
      if (!this.groups.has(group.groupId)) this.groups.set(group.groupId, group)
      throw error
    }
    if (group instanceof ConsumerGroup) group.unload()
  }

  /** Removes offsets that the group has committed as one unit; resolves when that is durable. */
  async deleteOffsets(
    group: Group,
    topics: readonly { readonly name: string; readonly partitions: readonly number[] }[],
  ): Promise<void> {
    const wanted = new Set(
      topics.flatMap(({ name, partitions }) => partitions.map((partition) => `${name}-${partition}`)),
    )
    const gone = this.#committed(group).filter(({ topic, partition }) => wanted.has(`${topic}-${partition}`))
    if (gone.length === 0) return
    const baseOffset = await this.#append(gone.map(({ key }) => ({ key, value: null })))
    for (const { topic, partition } of gone) {
      // One that was committed meanwhile is later than its deletion, and stays.
      const { logOffset = baseOffset } = group.offsets.get(topic, partition) ?? {}
      if (logOffset < baseOffset) group.offsets.delete(topic, partition)
      group.pendingOffsets.delete(topic, partition)
    }
  }

  /** The partitions that the group has an offset of, in the log or on its way there. */
  #committed(group: Group): { topic: string; partition: number; key: Uint8Array }[] {
    const found = new Map<string, { topic: string; partition: number; key: Uint8Array }>()
    const add = (topic: string, partition: number): void => {
      found.set(`${topic}-${partition}`, {
        topic,
        partition,
        key: offsetKey(group.groupId, topic, partition),
      })
    }
    for (const topic of group.offsets.topics()) {
      for (const partition of group.offsets.partitions(topic)) add(topic, partition)
    }
    for (const { topic, partition } of group.pendingOffsets.partitions()) add(topic, partition)
    for (const commit of this.#committing) {
      if (commit.group.offsets !== group.offsets) continue
      for (const { topic, partition } of commit.offsets) add(topic, partition)
    }
    return [...found.values()]
  }

  /** Removes the offsets of a topic that is gone from all groups, and groups that nothing is left of. */
  async forgetTopic(topic: string): Promise<void> {
    const records: CoordinatorRecord[] = []
    for (const group of [...this.groups.values()]) {
      const partitions = new Set(group.offsets.partitions(topic))
      for (const pending of group.pendingOffsets.partitions()) {
        if (pending.topic === topic) partitions.add(pending.partition)
      }
      for (const partition of partitions) {
        group.offsets.delete(topic, partition)
        group.pendingOffsets.delete(topic, partition)
        records.push({ key: offsetKey(group.groupId, topic, partition), value: null })
      }
      // A commit that is on its way finds the group it was made for.
      if (partitions.size > 0 && group.isVoid && !this.isCommitting(group)) {
        this.groups.delete(group.groupId)
        records.push(...group.tombstones())
      }
    }
    if (records.length > 0) await this.#append(records)
  }

  /** Whether a commit of the group, of one partition or of any, is on its way to the log. */
  isCommitting(group: Group, topic?: string, partition?: number): boolean {
    for (const commit of this.#committing) {
      if (commit.group.offsets !== group.offsets) continue
      if (topic === undefined) return true
      if (commit.offsets.some((offset) => offset.topic === topic && offset.partition === partition))
        return true
    }
    return false
  }

  /** Takes a group that never came to anything out of memory. */
  forgetIfVoid(group: Group): void {
    if (group.isVoid && group.isUnused && !this.isCommitting(group)) this.#forget(group)
  }

  #forget(group: Group): void {
    if (this.groups.get(group.groupId) === group) this.groups.delete(group.groupId)
    if (group instanceof ConsumerGroup) group.unload()
  }

  #setPending(
    producerId: number,
    group: Group,
    topic: string,
    partition: number,
    committed: CommittedOffset,
  ): void {
    group.pendingOffsets.set(producerId, topic, partition, committed)
    const groups = this.#inTransaction.get(producerId)
    if (groups === undefined) this.#inTransaction.set(producerId, new Set([group]))
    else groups.add(group)
  }

  #endTransaction(producerId: number, isCommitted: boolean): void {
    for (const group of this.#inTransaction.get(producerId) ?? []) {
      group.pendingOffsets.end(producerId, isCommitted ? group.offsets : undefined)
    }
    this.#inTransaction.delete(producerId)
  }

  async #append(records: readonly CoordinatorRecord[], producer?: ProducerIdAndEpoch): Promise<number> {
    const timestamp = this.#clock.now()
    const batch = encodeBatch(
      records.map(({ key, value }) => ({ timestamp, key, value, headers: NO_HEADERS })),
      // Without a sequence: who commits offsets has one for the partitions that it writes records to.
      producer === undefined ? {} : { ...producer, baseSequence: -1, isTransactional: true },
    )
    const { baseOffset } = await this.#log.append(batch, { origin: 'coordinator' })
    return baseOffset
  }

  #replay(key: Uint8Array, value: Uint8Array | null, logOffset: number, transactionOf: number): void {
    if (replayConsumerRecord(this.#restored, key, value)) return
    const type = leadingVersion(key)
    // Kafka still wrote offset keys of version 0, with the same fields, long ago; 2 is a group. Others are not ours.
    if (type === groupMetadataKey.key) this.#replayGroup(decodeVersioned(groupMetadataKey, key).group, value)
    else if (type === offsetCommitKey.key) {
      const { group, topic, partition } = decodeVersioned(offsetCommitKey, key)
      if (value === null) {
        this.groups.get(group)?.offsets.delete(topic, partition)
        this.groups.get(group)?.pendingOffsets.delete(topic, partition)
      } else {
        const committed = restoreOffset(value, logOffset)
        if (transactionOf < 0) this.ensure(group).offsets.set(topic, partition, committed)
        else this.#setPending(transactionOf, this.ensure(group), topic, partition, committed)
      }
    }
  }

  #replayGroup(groupId: string, value: Uint8Array | null): void {
    if (value === null) this.#replayEnd(groupId, ClassicGroup)
    else this.groups.set(groupId, restoreGroup(groupId, value, this.groups.get(groupId)))
  }

  #restoredState(groupId: string, isNew: boolean): ConsumerState | undefined {
    const known = this.groups.get(groupId)
    if (known instanceof ConsumerGroup) return known.durable
    if (!isNew) return undefined
    const group = new ConsumerGroup(groupId, known)
    this.groups.set(groupId, group)
    return group.durable
  }

  /** A group ends; another of the same id goes on with its offsets, if their own ends are not told. */
  #replayEnd(groupId: string, type: typeof ClassicGroup | typeof ConsumerGroup): void {
    const known = this.groups.get(groupId)
    if (!(known instanceof type)) return
    if (known.offsets.size === 0 && known.pendingOffsets.size === 0) this.groups.delete(groupId)
    else this.groups.set(groupId, new ClassicGroup(groupId, known))
  }
}
