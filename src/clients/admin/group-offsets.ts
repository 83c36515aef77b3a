/** Admin requests about how far groups have come. */
import { offsetCommit } from '../../protocol/api/offset-commit.js'
import { offsetDelete } from '../../protocol/api/offset-delete.js'
import { offsetFetch } from '../../protocol/api/offset-fetch.js'
import type { Channel } from '../../protocol/channel.js'
import { errorFromKafkaCode, invalidArgument, type OttlaError } from '../../runtime/errors/ottla-error.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import type { AdminOptions } from './admin-options.js'
import { askCoordinator } from './coordinator.js'
import { groupByTopic } from './group-by-topic.js'
import { groupError } from './group-error.js'
import { Outcomes } from './outcomes.js'

/** How far a group has come in a partition. */
export interface GroupOffset extends TopicPartition {
  /** The offset of the next record to be processed. */
  readonly offset: number
  /** What was committed along with it. */
  readonly metadata: string
}

export const listGroupOffsets = async (
  context: ClientContext,
  groupId: string,
  { signal }: AdminOptions,
): Promise<readonly GroupOffset[]> => {
  const request = {
    groupId: '',
    topics: null,
    groups: [{ groupId, memberId: null, memberEpoch: -1, topics: null }],
    requireStable: false,
  }
  const ask = async (coordinator: Channel) => {
    const { groups } = await coordinator.send(offsetFetch, request, { signal })
    for (const { errorCode } of groups) if (errorCode !== 0) throw groupError(groupId, errorCode)
    return groups.flatMap(({ topics }) => topics)
  }
  const topics = await askCoordinator(context, { of: groupId, ask, signal })
  const named = await namesOf(context.cluster, topics, signal)
  return topics.flatMap(({ name, topicId, partitions }) =>
    partitions
      .filter(({ committedOffset }) => committedOffset >= 0)
      .map(({ partitionIndex, committedOffset, metadata }) => ({
        topic: name === '' ? (named.get(topicId) ?? topicId) : name,
        partition: partitionIndex,
        offset: committedOffset,
        metadata: metadata ?? '',
      })),
  )
}

/** From version 10 on the answer names topics by id alone. */
const namesOf = async (
  cluster: ClientContext['cluster'],
  topics: readonly { readonly name: string }[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> => {
  if (topics.every(({ name }) => name !== '')) return new Map()
  return new Map((await cluster.topics({ signal })).map(({ topicId, name }) => [topicId, name]))
}

/** How far a group is to have come. */
export interface GroupOffsetToSet extends TopicPartition {
  /** The offset of the next record to be processed. */
  readonly offset: number
  /** Kept along with it; default nothing. */
  readonly metadata?: string
  /** The epoch of the last processed record, by which a consumer notices that it was lost; default unknown. */
  readonly leaderEpoch?: number
}

/** The last version that names topics. */
const NAMED_TOPICS_UNTIL = 9
/** In place of a generation: whoever commits is no member. */
const NO_GENERATION = -1
const UNKNOWN_EPOCH = -1

export const alterGroupOffsets = async (
  context: ClientContext,
  groupId: string,
  offsets: readonly GroupOffsetToSet[],
  { signal }: AdminOptions,
): Promise<void> => {
  for (const { offset } of offsets) checkOffset(offset)
  const request = {
    groupId,
    memberId: '',
    generationIdOrMemberEpoch: NO_GENERATION,
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: groupByTopic(offsets, ({ partition, offset, metadata = '', leaderEpoch = UNKNOWN_EPOCH }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    })).map((topic) => ({ ...topic, topicId: ZERO_UUID })),
  }
  const ask = async (coordinator: Channel): Promise<void> => {
    const options = { signal, maxVersion: NAMED_TOPICS_UNTIL }
    const { topics } = await coordinator.send(offsetCommit, request, options)
    assertAll(groupId, offsets, topics)
  }
  await askCoordinator(context, { of: groupId, ask, signal })
}

const checkOffset = (offset: number): void => {
  if (Number.isSafeInteger(offset) && offset >= 0) return
  throw invalidArgument('The offset of a group', offset, 'a whole number of at least 0')
}

export const deleteGroupOffsets = async (
  context: ClientContext,
  groupId: string,
  partitions: readonly TopicPartition[],
  { signal }: AdminOptions,
): Promise<void> => {
  const request = {
    groupId,
    topics: groupByTopic(partitions, ({ partition }) => ({ partitionIndex: partition })),
  }
  const ask = async (coordinator: Channel): Promise<void> => {
    const { errorCode, topics } = await coordinator.send(offsetDelete, request, { signal })
    if (errorCode !== 0) throw groupError(groupId, errorCode)
    assertAll(groupId, partitions, topics)
  }
  await askCoordinator(context, { of: groupId, ask, signal })
}

interface AnsweredTopic {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

/** Throws unless every one of `partitions` was answered for without an error. */
const assertAll = (
  groupId: string,
  partitions: readonly TopicPartition[],
  answers: readonly AnsweredTopic[],
): void => {
  const outcomes = new Outcomes<TopicPartition>(partitions.map(partitionName))
  for (const { name: topic, partitions: results } of answers) {
    for (const { partitionIndex: partition, errorCode } of results) {
      const name = partitionName({ topic, partition })
      if (errorCode === 0) outcomes.succeed(name, { topic, partition })
      else outcomes.fail(name, groupPartitionError(groupId, { topic, partition }, errorCode))
    }
  }
  outcomes.results()
}

const groupPartitionError = (groupId: string, of: TopicPartition, errorCode: number): OttlaError => {
  const { message } = errorFromKafkaCode(errorCode)
  const { topic, partition } = of
  return errorFromKafkaCode(errorCode, `Group ${groupId}, partition ${partitionName(of)}: ${message}`, {
    details: { groupId, topic, partition },
  })
}
