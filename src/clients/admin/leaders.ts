/** Admin requests that go to the leaders of partitions: one to each, and again for what may yet succeed. */
import type { Channel } from '../../protocol/channel.js'
import { errorFromKafkaCode, type OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import { withRetries } from '../retry.js'
import { Outcomes } from './outcomes.js'

/** What a leader says of a partition. */
interface PartitionAnswer<R> extends TopicPartition {
  /** 0 when it did what was asked. */
  readonly errorCode: number
  /** What the leader says of the error besides. */
  readonly errorMessage?: string | null
  /** What it came to; ignored with an error. */
  readonly result: R
}

/** Sends one request for partitions that one broker leads. */
export type AskLeader<P, R> = (
  leader: Channel,
  partitions: readonly P[],
) => Promise<readonly PartitionAnswer<R>[]>

/**
 * What `ask` comes to for each of `wanted`, in their order.
 * @throws OttlaError that of the partition when there is but one; otherwise ITEMS_FAILED with all of them.
 */
export const askLeaders = async <P extends TopicPartition, R>(
  context: ClientContext,
  wanted: readonly P[],
  ask: AskLeader<P, R>,
  signal: AbortSignal | undefined,
): Promise<readonly R[]> => {
  const outcomes = new Outcomes<R>(wanted.map(partitionName))
  const attempt = async () => {
    const open = wanted.filter((partition) => outcomes.isOpen(partitionName(partition)))
    const leaders = await byLeader(context, open, outcomes, signal)
    await Promise.all([...leaders].map(([leader, led]) => askLeader(context, leader, led, ask, outcomes)))
    return outcomes.results()
  }
  return withRetries(attempt, { ...context, signal })
}

/** One without a leader fails here. */
const byLeader = async <P extends TopicPartition, R>(
  { cluster }: ClientContext,
  wanted: readonly P[],
  outcomes: Outcomes<R>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Channel, readonly P[]>> => {
  const leaders = new Map<Channel, P[]>()
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

const askLeader = async <P extends TopicPartition, R>(
  { cluster }: ClientContext,
  leader: Channel,
  led: readonly P[],
  ask: AskLeader<P, R>,
  outcomes: Outcomes<R>,
): Promise<void> => {
  try {
    for (const answer of await ask(leader, led)) {
      const name = partitionName(answer)
      if (answer.errorCode === 0) outcomes.succeed(name, answer.result)
      else {
        cluster.invalidate(answer.topic)
        outcomes.fail(name, partitionError(answer))
      }
    }
  } catch (error) {
    // The request as a whole: none of its partitions is known to be done.
    for (const partition of led) {
      cluster.invalidate(partition.topic)
      outcomes.fail(partitionName(partition), error)
    }
  }
}

const partitionError = (answer: PartitionAnswer<unknown>): OttlaError => {
  const { topic, partition, errorCode, errorMessage } = answer
  const meaning = errorMessage ?? errorFromKafkaCode(errorCode).message
  return errorFromKafkaCode(errorCode, `Partition ${partitionName(answer)}: ${meaning}`, {
    details: { topic, partition },
  })
}
