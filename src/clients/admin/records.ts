/** Admin requests about the records of partitions. */
import { deleteRecords as deleteRecordsApi } from '../../protocol/api/delete-records.js'
import type { Channel } from '../../protocol/channel.js'
import { errorFromKafkaCode, invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import { withRetries } from '../retry.js'
import type { AdminOptions } from './admin-options.js'

/** Which records of a partition to delete. */
export interface RecordsToDelete extends TopicPartition {
  /** The first offset that stays; `'latest'` deletes all that can be read. */
  readonly before: number | 'latest'
}

/** What is left of a partition. */
export interface DeletedRecords extends TopicPartition {
  /** The offset at which it begins now. */
  readonly lowWatermark: number
}

/** How long a broker may take, in milliseconds. */
const TIMEOUT_MS = 30_000
/** The offset that stands for the end of what can be read. */
const HIGH_WATERMARK = -1

interface WantedPartition {
  readonly partitionIndex: number
  readonly offset: number
}

export const deleteRecords = async (
  context: ClientContext,
  partitions: readonly RecordsToDelete[],
  { signal }: AdminOptions,
): Promise<readonly DeletedRecords[]> => {
  const wanted = partitions.map((partition) => ({ ...partition, offset: offsetOf(partition) }))
  return withRetries(() => deleteBefore(context, wanted, signal), { ...context, signal })
}

const deleteBefore = async (
  { cluster }: ClientContext,
  wanted: readonly (TopicPartition & { readonly offset: number })[],
  signal: AbortSignal | undefined,
): Promise<readonly DeletedRecords[]> => {
  const byLeader = new Map<Channel, Map<string, WantedPartition[]>>()
  for (const { topic, partition, offset } of wanted) {
    const { channel } = await cluster.leader(topic, partition, { signal })
    const topics = byLeader.get(channel) ?? new Map<string, WantedPartition[]>()
    byLeader.set(channel, topics)
    topics.set(topic, [...(topics.get(topic) ?? []), { partitionIndex: partition, offset }])
  }
  const answers = await Promise.all(
    [...byLeader].map(([channel, topics]) => {
      const named = [...topics].map(([name, each]) => ({ name, partitions: each }))
      return channel.send(deleteRecordsApi, { topics: named, timeoutMs: TIMEOUT_MS }, { signal })
    }),
  )
  const deleted: DeletedRecords[] = []
  for (const { name: topic, partitions } of answers.flatMap(({ topics }) => topics)) {
    for (const { partitionIndex: partition, lowWatermark, errorCode } of partitions) {
      if (errorCode !== 0) {
        cluster.invalidate(topic)
        const { message } = errorFromKafkaCode(errorCode)
        const name = partitionName({ topic, partition })
        throw errorFromKafkaCode(errorCode, `Partition ${name}: ${message}`, {
          details: { topic, partition },
        })
      }
      deleted.push({ topic, partition, lowWatermark })
    }
  }
  return deleted
}

const offsetOf = ({ before }: RecordsToDelete): number => {
  if (before === 'latest') return HIGH_WATERMARK
  if (Number.isSafeInteger(before) && before >= 0) return before
  throw invalidArgument('The offset to delete before', before, "a whole number of at least 0, or 'latest'")
}
