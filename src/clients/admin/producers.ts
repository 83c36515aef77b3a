/** Admin requests about the producers that partitions remember, and the transactions they left open (KIP-664). */
import { describeProducers as describeProducersApi } from '../../protocol/api/describe-producers.js'
import { writeTxnMarkers } from '../../protocol/api/write-txn-markers.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import type { AdminOptions } from './admin-options.js'
import { groupByTopic } from './group-by-topic.js'
import { askLeaders, type AskLeader } from './leaders.js'

/** A producer as a partition remembers it. */
export interface ProducerState {
  /** The id that a broker gave it. */
  readonly producerId: number
  /** Rises with every incarnation of the producer. */
  readonly producerEpoch: number
  /** The sequence number of the last record of its last batch; -1 when no batch is remembered. */
  readonly lastSequence: number
  /** The timestamp of its last batch, in milliseconds since the epoch; -1 when no batch is remembered. */
  readonly lastTimestamp: number
  /** The epoch of the coordinator that last ended a transaction of it here; undefined when none has. */
  readonly coordinatorEpoch: number | undefined
  /** Where its open transaction begins in the partition; undefined when it has none. */
  readonly currentTransactionStartOffset: number | undefined
}

/** The producers of a partition. */
export interface PartitionProducers extends TopicPartition {
  /** Those that wrote idempotently or in transactions, and have not been forgotten. */
  readonly activeProducers: readonly ProducerState[]
}

/** An open transaction in a partition, as {@link ProducerState} tells it. */
export interface AbortTransactionSpec extends TopicPartition {
  /** Whose it is. */
  readonly producerId: number
  /** The producer's epoch. */
  readonly producerEpoch: number
  /** That of the coordinator, or a later one; default 0, as for a producer whose first transaction it is. */
  readonly coordinatorEpoch?: number | undefined
}

export const describeProducers = (
  context: ClientContext,
  partitions: readonly TopicPartition[],
  { signal }: AdminOptions,
): Promise<readonly PartitionProducers[]> => {
  const ask: AskLeader<TopicPartition, PartitionProducers> = async (leader, led) => {
    const topics = groupByTopic(led, ({ partition }) => partition)
    const request = { topics: topics.map(({ name, partitions: of }) => ({ name, partitionIndexes: of })) }
    const answer = await leader.send(describeProducersApi, request, { signal })
    return answer.topics.flatMap(({ name: topic, partitions: answers }) =>
      answers.map(({ partitionIndex: partition, errorCode, errorMessage, activeProducers }) => ({
        topic,
        partition,
        errorCode,
        errorMessage,
        result: {
          topic,
          partition,
          activeProducers: activeProducers.map(
            ({ coordinatorEpoch, currentTxnStartOffset, ...producer }) => ({
              ...producer,
              coordinatorEpoch: known(coordinatorEpoch),
              currentTransactionStartOffset: known(currentTxnStartOffset),
            }),
          ),
        },
      })),
    )
  }
  return askLeaders(context, partitions, ask, signal)
}

const known = (value: number): number | undefined => (value < 0 ? undefined : value)

export const abortTransaction = async (
  context: ClientContext,
  { topic, partition, producerId, producerEpoch, coordinatorEpoch = 0 }: AbortTransactionSpec,
  { signal }: AdminOptions,
): Promise<void> => {
  const marker = {
    producerId,
    producerEpoch,
    coordinatorEpoch,
    transactionResult: false,
    topics: [{ name: topic, partitionIndexes: [partition] }],
    // Nothing is said of the protocol by which the producer began it, as in Kafka.
    transactionVersion: 0,
  }
  const ask: AskLeader<TopicPartition, undefined> = async (leader) => {
    const { markers } = await leader.send(writeTxnMarkers, { markers: [marker] }, { signal })
    return markers.flatMap(({ topics }) =>
      topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => ({
          topic: name,
          partition: partitionIndex,
          errorCode,
          result: undefined,
        })),
      ),
    )
  }
  await askLeaders(context, [{ topic, partition }], ask, signal)
}
