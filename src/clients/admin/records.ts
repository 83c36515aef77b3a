/** Admin requests about the records of partitions. */
import { deleteRecords as deleteRecordsApi } from '../../protocol/api/delete-records.js'
import type { Channel } from '../../protocol/channel.js'
import { errorFromKafkaCode, invalidArgument, type OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import { withRetries } from '../retry.js'
import type { AdminOptions } from './admin-options.js'
import { groupByTopic } from './group-by-topic.js'
import { Outcomes } from './outcomes.js'

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

interface WantedPartition extends TopicPartition {
  readonly offset: number
}

export const deleteRecords = async (
  context: ClientContext,
  partitions: readonly RecordsToDelete[],
  { signal }: AdminOptions,
): Promise<readonly DeletedRecords[]> => {
  const wanted = partitions.map((partition) => ({ ...partition, offset: offsetOf(partition) }))
  const outcomes = new Outcomes<DeletedRecords>(wanted.map(partitionName))
  const attempt = async () => {
    const open = wanted.filter((partition) => outcomes.isOpen(partitionName(partition)))
    const leaders = await byLeader(context, open, outcomes, signal)
    await Promise.all(
      [...leaders].map(([channel, each]) => deleteBefore(context, channel, each, outcomes, signal)),
    )
    return outcomes.results()
  }
  return withRetries(attempt, { ...context, signal })
}

/** One without a leader fails here. */
const byLeader = async (
  { cluster }: ClientContext,
  wanted: readonly WantedPartition[],
  outcomes: Outcomes<DeletedRecords>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Channel, readonly WantedPartition[]>> => {
  const leaders = new Map<Channel, WantedPartition[]>()
  for (const partition of wanted) {
    try {
      const { channel } = await cluster.leader(partition.topic, partition.partition, { signal })
      const led = leaders.get(channel)
      if (led === undefined) leaders.set(channel, [partition])
      else led.push(partition)
    } catch (error) {
      outcomes.fail(partitionName(partition), error)
    }
  }
  return leaders
}

const deleteBefore = async (
  { cluster }: ClientContext,
  leader: Channel,
  wanted: readonly WantedPartition[],
  outcomes: Outcomes<DeletedRecords>,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const topics = groupByTopic(wanted, ({ partition, offset }) => ({ partitionIndex: partition, offset }))
  try {
    const answer = await leader.send(deleteRecordsApi, { topics, timeoutMs: TIMEOUT_MS }, { signal })
    for (const { name: topic, partitions } of answer.topics) {
      for (const { partitionIndex: partition, lowWatermark, errorCode } of partitions) {
        const name = partitionName({ topic, partition })
        if (errorCode === 0) outcomes.succeed(name, { topic, partition, lowWatermark })
        else {
          cluster.invalidate(topic)
          outcomes.fail(name, partitionError({ topic, partition }, errorCode))
        }
      }
    }
  } catch (error) {
    // The request as a whole: none of its partitions is known to be done.
    for (const partition of wanted) {
      cluster.invalidate(partition.topic)
      outcomes.fail(partitionName(partition), error)
    }
  }
}

const partitionError = (of: TopicPartition, errorCode: number): OttlaError => {
  const { message } = errorFromKafkaCode(errorCode)
  const { topic, partition } = of
  return errorFromKafkaCode(errorCode, `Partition ${partitionName(of)}: ${message}`, {
    details: { topic, partition },
  })
}

const offsetOf = ({ before }: RecordsToDelete): number => {
  if (before === 'latest') return HIGH_WATERMARK
  if (Number.isSafeInteger(before) && before >= 0) return before
  throw invalidArgument('The offset to delete before', before, "a whole number of at least 0, or 'latest'")
}
