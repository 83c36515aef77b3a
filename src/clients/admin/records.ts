/** Admin requests about the records of partitions. */
import { deleteRecords as deleteRecordsApi } from '../../protocol/api/delete-records.js'
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import type { AdminOptions } from './admin-options.js'
import { groupByTopic } from './group-by-topic.js'
import { askLeaders, type AskLeader } from './leaders.js'

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

export const deleteRecords = async (
  context: ClientContext,
  partitions: readonly RecordsToDelete[],
  { signal }: AdminOptions,
): Promise<readonly DeletedRecords[]> => {
  const wanted = partitions.map((partition) => ({ ...partition, offset: offsetOf(partition) }))
  const ask: AskLeader<(typeof wanted)[number], DeletedRecords> = async (leader, led) => {
    const topics = groupByTopic(led, ({ partition, offset }) => ({ partitionIndex: partition, offset }))
    const answer = await leader.send(deleteRecordsApi, { topics, timeoutMs: TIMEOUT_MS }, { signal })
    return answer.topics.flatMap(({ name: topic, partitions: answers }) =>
      answers.map(({ partitionIndex: partition, lowWatermark, errorCode }) => ({
        topic,
        partition,
        errorCode,
        result: { topic, partition, lowWatermark },
      })),
    )
  }
  return askLeaders(context, wanted, ask, signal)
}

const offsetOf = ({ before }: RecordsToDelete): number => {
  if (before === 'latest') return HIGH_WATERMARK
  if (Number.isSafeInteger(before) && before >= 0) return before
  throw invalidArgument('The offset to delete before', before, "a whole number of at least 0, or 'latest'")
}
