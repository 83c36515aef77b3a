/** Asking leaders for offsets: the ends of partitions, and the first record at or after a time (ListOffsets). */
import { listOffsets } from '../protocol/api/list-offsets.js'
import type { Channel } from '../protocol/channel.js'
import { errorOfPart } from '../protocol/response-cause.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { ClientContext } from './context.js'
import { partitionName, type TopicPartition } from './message.js'
import type { PartitionPosition } from './topic.js'

/** The timestamp that asks for the end. */
export const LATEST = -1
/** The timestamp that asks for the start. */
export const EARLIEST = -2

/** The numbers of the isolation levels in requests. */
export const ISOLATION_LEVELS = { read_uncommitted: 0, read_committed: 1 } as const
/** What a consumer sees of transactions. */
export type IsolationLevel = keyof typeof ISOLATION_LEVELS

/** What is asked for. */
export interface OffsetQuery extends TopicPartition {
  /** Milliseconds since the epoch, {@link LATEST} or {@link EARLIEST}. */
  readonly timestamp: number
}

/** An answer. */
export interface FoundOffset extends TopicPartition {
  /** -1 when there is no record at or after the time. */
  readonly offset: number
  /** The record's own timestamp; -1 for the ends. */
  readonly timestamp: number
  /** The epoch of the record's batch; -1 when unknown. */
  readonly leaderEpoch: number
}

/** How to ask. */
export interface LookupOptions {
  readonly isolationLevel: IsolationLevel
  readonly signal?: AbortSignal | undefined
}

/** How long a broker may take, in milliseconds. */
const TIMEOUT_MS = 30_000

/**
 * The answers in the order of the queries, one request a leader.
 * @throws OttlaError with the first code that a leader answered, naming the partition; the metadata of its topic is
 * forgotten, so trying again finds another leader.
 */
export const lookUpOffsets = async (
  { cluster }: ClientContext,
  queries: readonly OffsetQuery[],
  { isolationLevel, signal }: LookupOptions,
): Promise<readonly FoundOffset[]> => {
  const byLeader = new Map<Channel, Map<string, { query: OffsetQuery; leaderEpoch: number }[]>>()
  for (const query of queries) {
    const { channel, leaderEpoch } = await cluster.leader(query.topic, query.partition, { signal })
    const topics = byLeader.get(channel) ?? new Map<string, { query: OffsetQuery; leaderEpoch: number }[]>()
    byLeader.set(channel, topics)
    const ofTopic = topics.get(query.topic)
    if (ofTopic === undefined) topics.set(query.topic, [{ query, leaderEpoch }])
    else ofTopic.push({ query, leaderEpoch })
  }
  const found = new Map<string, FoundOffset>()
  const ask = async (
    channel: Channel,
    topics: ReadonlyMap<string, { query: OffsetQuery; leaderEpoch: number }[]>,
  ) => {
    const request = {
      replicaId: -1,
      isolationLevel: ISOLATION_LEVELS[isolationLevel],
      topics: [...topics].map(([name, wanted]) => ({
        name,
        partitions: wanted.map(({ query, leaderEpoch }) => ({
          partitionIndex: query.partition,
          currentLeaderEpoch: leaderEpoch,
          timestamp: query.timestamp,
        })),
      })),
      timeoutMs: TIMEOUT_MS,
    }
    for (const { name: topic, partitions } of (await channel.send(listOffsets, request, { signal })).topics) {
      for (const answer of partitions) {
        const { partitionIndex: partition, errorCode, offset, timestamp, leaderEpoch } = answer
        const name = partitionName({ topic, partition })
        if (errorCode !== 0) {
          cluster.invalidate(topic)
          const { code, message, cause, details } = errorOfPart(answer)
          throw new OttlaError(code, `Partition ${name}: ${message}`, {
            ...(cause === undefined ? {} : { cause }),
            details: { ...details, topic, partition },
          })
        }
        found.set(name, { topic, partition, offset, timestamp, leaderEpoch })
      }
    }
  }
  await Promise.all([...byLeader].map(([channel, topics]) => ask(channel, topics)))
  return queries.map((query) => {
    const name = partitionName(query)
    const answer = found.get(name)
    if (answer !== undefined) return answer
    throw new OttlaError('UNKNOWN_SERVER_ERROR', `The leader of ${name} did not answer for it.`)
  })
}

/** The offset that `position` stands for in each of `partitions`; a time behind the last record is the end. */
export const lookUpPositions = async (
  context: ClientContext,
  partitions: readonly TopicPartition[],
  position: PartitionPosition,
  options: LookupOptions,
): Promise<readonly number[]> => {
  if (typeof position === 'number') return partitions.map(() => position)
  const timestamp = position instanceof Date ? position.getTime() : position === 'latest' ? LATEST : EARLIEST
  const at = (time: number) =>
    partitions.map(({ topic, partition }) => ({ topic, partition, timestamp: time }))
  const found = await lookUpOffsets(context, at(timestamp), options)
  if (found.every(({ offset }) => offset >= 0)) return found.map(({ offset }) => offset)
  const ends = await lookUpOffsets(context, at(LATEST), options)
  return found.map(({ offset }, index) => (offset >= 0 ? offset : (ends[index]?.offset ?? 0)))
}
