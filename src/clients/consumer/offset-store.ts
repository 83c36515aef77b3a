/** Offsets that an application keeps itself, in the database and in the transactions that its data go into. */
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import { partitionName, type TopicPartition } from '../message.js'

/** How far an application has come with a partition. */
export interface StoredOffset extends TopicPartition {
  /** The offset of the next record to be processed. */
  readonly offset: number
}

/**
 * Where an application keeps its offsets. It writes what it makes of a batch and the offset behind it in one
 * transaction of its database, on the condition that the offset there is not behind the batch's first one already; then
 * either both are there or neither, and one that has lost the partition without knowing it writes nothing. (Kafka's
 * KafkaConsumer, "Storing Offsets Outside Kafka")
 */
export interface OffsetStore {
  /**
   * The offsets of these partitions; those that it has nothing of are left out. Called when partitions have come, and
   * awaited before the first of their records is fetched. When it rejects, the consumer fails with that error.
   */
  load(partitions: readonly TopicPartition[]): Promise<readonly StoredOffset[]> | readonly StoredOffset[]
}

/** Whether `value` has the shape of a store. */
export const isOffsetStore = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'load' in value && typeof value.load === 'function'

/**
 * What the store has of `partitions`.
 * @throws OttlaError INVALID_ARGUMENT when that is no offset of one of them; what the store rejects with.
 */
export const loadOffsets = async (
  store: OffsetStore,
  partitions: readonly TopicPartition[],
): Promise<readonly StoredOffset[]> => {
  const names = new Set(partitions.map(partitionName))
  const found = await store.load(partitions.map(({ topic, partition }) => ({ topic, partition })))
  for (const stored of found) {
    const name = partitionName(stored)
    if (!names.has(name)) {
      throw invalidArgument('What offsetStore.load gave', name, `offsets of ${[...names].join(', ')}`)
    }
    if (!Number.isSafeInteger(stored.offset) || stored.offset < 0) {
      throw invalidArgument(
        `The offset of ${name} in the offsetStore`,
        stored.offset,
        'a whole number of at least 0',
      )
    }
  }
  return found
}
