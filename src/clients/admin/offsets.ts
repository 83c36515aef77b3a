/** Admin requests about the offsets of partitions. */
import { listOffsets as listOffsetsApi } from '../../protocol/api/list-offsets.js'
import { errorFromKafkaCode, invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import { withRetries } from '../retry.js'
import type { AdminOptions } from './admin.js'

/** Which offset is asked for. */
export type OffsetSpec = 'earliest' | 'latest' | 'max-timestamp' | Date

/** The offset of a partition that was asked for. */
export interface ListedOffset extends TopicPartition {
  /** -1 when there is no such record. */
  readonly offset: number
  /** The record's timestamp in milliseconds; -1 for the ends of the partition. */
  readonly timestamp: number
  readonly leaderEpoch: number
}

const SPECIAL = { latest: -1, earliest: -2, 'max-timestamp': -3 } as const

export const listOffsets = (
  context: ClientContext,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  options: AdminOptions,
): Promise<readonly ListedOffset[]> => {
  const timestamp = timestampOf(spec)
  return Promise.all(
    partitions.map((partition) =>
      withRetries(() => listOffset(context, partition, timestamp, options), {
        ...context,
        signal: options.signal,
      }),
    ),
  )
}

const listOffset = async (
  { cluster }: ClientContext,
  { topic, partition }: TopicPartition,
  timestamp: number,
  { signal }: AdminOptions,
): Promise<ListedOffset> => {
  const { channel, leaderEpoch } = await cluster.leader(topic, partition, { signal })
  const request = {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: topic,
        partitions: [{ partitionIndex: partition, currentLeaderEpoch: leaderEpoch, timestamp }],
      },
    ],
    timeoutMs: 30_000,
  }
  const { topics } = await channel.send(listOffsetsApi, request, { signal })
  const answer = topics[0]?.partitions[0]
  if (answer?.errorCode !== 0) {
    cluster.invalidate(topic)
    const error = errorFromKafkaCode(answer?.errorCode ?? -1)
    const name = partitionName({ topic, partition })
    throw errorFromKafkaCode(error.kafkaCode, `Partition ${name}: ${error.message}`, {
      details: { topic, partition },
    })
  }
  return {
    topic,
    partition,
    offset: answer.offset,
    timestamp: answer.timestamp,
    leaderEpoch: answer.leaderEpoch,
  }
}

const timestampOf = (spec: OffsetSpec): number => {
  if (spec instanceof Date && Number.isFinite(spec.getTime())) return spec.getTime()
  if (typeof spec === 'string' && Object.hasOwn(SPECIAL, spec)) return SPECIAL[spec]
  throw invalidArgument('The offset to list', spec, "'earliest', 'latest', 'max-timestamp' or a Date")
}
