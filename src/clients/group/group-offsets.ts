/** The offsets that a group has committed: how they are asked for and stored (OffsetFetch, OffsetCommit). */
import { offsetCommit } from '../../protocol/api/offset-commit.js'
import { offsetFetch } from '../../protocol/api/offset-fetch.js'
import { errorFromKafkaCode, OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Uuid } from '../../runtime/uuid.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import { withRetries, type Backoff } from '../retry.js'

/** An offset to be committed: the next one to be processed, not the last one that was. */
export interface OffsetToCommit extends TopicPartition {
  /** The offset of the next record to be processed. */
  readonly offset: number
  /** The epoch of the last record that was processed, for finding truncation (KIP-320); -1 when unknown. */
  readonly leaderEpoch?: number
  /** A text of the application's own; default empty. */
  readonly metadata?: string
}

/** What was committed. */
export interface CommittedOffset extends TopicPartition {
  /** The offset of the next record to be processed. */
  readonly offset: number
  /** -1 when unknown. */
  readonly leaderEpoch: number
  /** What was committed along with it. */
  readonly metadata: string
}

/** Who commits: a member of a generation, or nobody in particular (generation -1, no id). */
export interface Committer {
  readonly groupId: string
  readonly memberId: string
  readonly generation: number
  /** The name of a static member; default null. */
  readonly groupInstanceId?: string | null
}

/** How to ask. */
export interface OffsetRequestOptions {
  readonly signal?: AbortSignal | undefined
  readonly backoff?: Backoff
  /** How often to try in all; default 10. */
  readonly attempts?: number
}

interface PartitionsOfTopic<T> {
  readonly name: string
  readonly topicId: Uuid
  readonly partitions: T[]
}

/**
 * What the group has committed, for those of `partitions` for which it did; for a topic that does not exist it did
 * not.
 * @throws OttlaError with the code that the coordinator answered.
 */
export const fetchCommitted = (
  context: ClientContext,
  groupId: string,
  partitions: readonly TopicPartition[],
  options: OffsetRequestOptions = {},
): Promise<CommittedOffset[]> =>
  atCoordinator(context, groupId, options, async () => {
    if (partitions.length === 0) return []
    const { signal } = options
    const { byTopic } = await byTopics(context, partitions, signal)
    if (byTopic.size === 0) return []
    const topics = [...byTopic.values()].map(({ name, topicId, partitions: wanted }) => ({
      name,
      topicId,
      partitionIndexes: wanted.map(({ partition }) => partition),
    }))
    const coordinator = await context.cluster.coordinator(groupId, { signal })
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics }]
    const request = { groupId: '', topics: null, groups, requireStable: true }
    const answer = (await coordinator.send(offsetFetch, request, { signal })).groups[0]
    if (answer?.errorCode !== 0) {
      throw refused(groupId, 'tell its offsets', answer?.errorCode ?? -1)
    }
    const committed: CommittedOffset[] = []
    for (const { name, topicId, partitions: answers } of answer.topics) {
      const topic = name === '' ? nameOf(byTopic, topicId) : name
      for (const { partitionIndex: partition, errorCode, ...found } of answers) {
        if (errorCode !== 0) {
          const error = refused(
            groupId,
            `tell its offset of ${partitionName({ topic, partition })}`,
            errorCode,
          )
          // Asked again, it is asked for by the id that it has now.
          if (isOfTopic(error)) context.cluster.invalidate(topic)
          throw error
        }
        if (found.committedOffset < 0) continue
        committed.push({
          topic,
          partition,
          offset: found.committedOffset,
          leaderEpoch: found.committedLeaderEpoch,
          metadata: found.metadata ?? '',
        })
      }
    }
    return committed
  })

/**
 * Commits `offsets`, all in one request. A topic that does not exist any more does not keep the others from being
 * committed.
 * @throws OttlaError with the code that the coordinator answered; UNKNOWN_TOPIC_OR_PARTITION when all that was refused
 * was refused because its topic is gone.
 */
export const commitOffsets = (
  context: ClientContext,
  committer: () => Committer,
  offsets: readonly OffsetToCommit[],
  options: OffsetRequestOptions = {},
): Promise<void> =>
  atCoordinator(context, committer().groupId, options, async () => {
    if (offsets.length === 0) return
    const { signal } = options
    const { byTopic, missing } = await byTopics(context, offsets, signal)
    if (missing !== undefined && byTopic.size === 0) throw missing
    // Read as late as possible: the generation may have changed while the topics were looked up.
    const { groupId, memberId, generation, groupInstanceId = null } = committer()
    const coordinator = await context.cluster.coordinator(groupId, { signal })
    const response = await coordinator.send(
      offsetCommit,
      {
        groupId,
        generationIdOrMemberEpoch: generation,
        memberId,
        groupInstanceId,
        retentionTimeMs: -1,
        topics: [...byTopic.values()].map(({ name, topicId, partitions }) => ({
          name,
          topicId,
          partitions: partitions.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: leaderEpoch,
            committedMetadata: metadata,
          })),
        })),
      },
      { signal },
    )
    let gone = missing
    for (const { name, topicId, partitions } of response.topics) {
      const topic = name === '' ? nameOf(byTopic, topicId) : name
      for (const { partitionIndex: partition, errorCode } of partitions) {
        if (errorCode === 0) continue
        const error = refused(
          groupId,
          `commit an offset of ${partitionName({ topic, partition })}`,
          errorCode,
        )
        // What is said of the member concerns everything; what is said of a topic concerns only that.
        if (!isOfTopic(error)) throw error
        gone ??= topicIsGone(groupId, topic, error)
      }
    }
    if (gone !== undefined) throw gone
  })

/** The errors that say that another broker coordinates the group now, or that this one cannot be reached. */
const MOVED = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
])

/** Forgets the coordinator when `error` says that it is not the right one any more. */
export const noteCoordinatorError = ({ cluster }: ClientContext, groupId: string, error: unknown): void => {
  if (OttlaError.is(error) && MOVED.has(error.code)) cluster.invalidateCoordinator(groupId)
}

const atCoordinator = <T>(
  context: ClientContext,
  groupId: string,
  options: OffsetRequestOptions,
  action: () => Promise<T>,
): Promise<T> =>
  withRetries(
    async () => {
      try {
        return await action()
      } catch (error) {
        noteCoordinatorError(context, groupId, error)
        throw error
      }
    },
    { ...context, ...options },
  )

/** Whether `error` says that there is no such topic, or none with this id. */
const isOfTopic = (error: unknown): error is OttlaError<'UNKNOWN_TOPIC_OR_PARTITION' | 'UNKNOWN_TOPIC_ID'> =>
  OttlaError.is(error, 'UNKNOWN_TOPIC_OR_PARTITION') || OttlaError.is(error, 'UNKNOWN_TOPIC_ID')

/** Not to be tried again: a topic that was created anew has another id, and the offsets are not of its records. */
const topicIsGone = (groupId: string, topic: string, cause: OttlaError): OttlaError =>
  new OttlaError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `Group ${groupId} could not commit offsets of ${topic}: the topic was deleted.`,
    { cause, details: { groupId, topic } },
  )

/** Partitions by their topics, and the error of a topic that does not exist. */
interface Known<T> {
  readonly byTopic: ReadonlyMap<string, PartitionsOfTopic<T>>
  readonly missing: OttlaError | undefined
}

/** Requests name topics by id in new versions and by name in old ones: they get both. */
const byTopics = async <T extends TopicPartition>(
  { cluster }: ClientContext,
  partitions: readonly T[],
  signal: AbortSignal | undefined,
): Promise<Known<T>> => {
  const byTopic = new Map<string, PartitionsOfTopic<T>>()
  let missing: OttlaError | undefined
  for (const [topic, ofTopic] of groupByTopic(partitions)) {
    try {
      const { name, topicId } = await cluster.topic(topic, { signal })
      byTopic.set(name, { name, topicId, partitions: ofTopic })
    } catch (error) {
      if (!isOfTopic(error)) throw error
      missing ??= error
    }
  }
  return { byTopic, missing }
}

const groupByTopic = <T extends TopicPartition>(partitions: readonly T[]): Map<string, T[]> => {
  const topics = new Map<string, T[]>()
  for (const partition of partitions) {
    const known = topics.get(partition.topic)
    if (known === undefined) topics.set(partition.topic, [partition])
    else known.push(partition)
  }
  return topics
}

const nameOf = (topics: ReadonlyMap<string, PartitionsOfTopic<unknown>>, topicId: Uuid): string => {
  for (const topic of topics.values()) if (topic.topicId === topicId) return topic.name
  return topicId
}

/** What the coordinator refused, as an error that names the group. */
export const refused = (groupId: string, what: string, kafkaCode: number): OttlaError => {
  const { message } = errorFromKafkaCode(kafkaCode)
  return errorFromKafkaCode(kafkaCode, `Group ${groupId} could not ${what}: ${message}`, {
    details: { groupId },
  })
}
