/**
 * DescribeTopicPartitions: topics in the order of their names, as many of their partitions as the limit lets in, and
 * a cursor at the first that it does not. No topics stands for all.
 */
import type { describeTopicPartitions } from '../../protocol/api/describe-topic-partitions.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import { OPERATIONS_NOT_ASKED_FOR, TOPIC_OPERATIONS } from '../authorized-operations.js'
import { checkTopicName, isInternalTopic } from '../metadata/topic-name.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Topic } from '../topic.js'
import type { Handler } from './handler.js'

type Request = RequestOf<typeof describeTopicPartitions>
type Response = ResponseOf<typeof describeTopicPartitions>
type TopicResponse = Response['topics'][number]

/** The most partitions in one answer: Kafka's default of `max.request.partition.size.limit`. */
const MAX_PARTITIONS_PER_ANSWER = 2000

export const handleDescribeTopicPartitions: Handler<typeof describeTopicPartitions> = (services, request) => {
  const { cursor } = request
  const isAll = request.topics.length === 0
  const from = cursor?.topicName ?? ''
  const wanted = isAll ? services.metadata.topics() : request.topics
  const names = [...new Set([...wanted].map(({ name }) => name))].filter((name) => name >= from).sort()
  // The cursor must lead somewhere: to one of the topics that are asked for.
  if (cursor !== null && ((!isAll && !names.includes(from)) || cursor.partitionIndex < 0))
    return refused(request)

  const topics: TopicResponse[] = []
  let left = Math.max(1, Math.min(MAX_PARTITIONS_PER_ANSWER, request.responsePartitionLimit))
  for (const name of names) {
    if (left === 0) return answer(topics, { topicName: name, partitionIndex: 0 })
    const topic = services.metadata.topic(name)
    if (topic === undefined) {
      topics.push(missing(name, errorFor(name)))
      continue
    }
    const first = name === from ? (cursor?.partitionIndex ?? 0) : 0
    const described = describe(services, topic, first, left)
    topics.push(described)
    left -= described.partitions.length
    const next = first + described.partitions.length
    if (next < topic.partitions.length) return answer(topics, { topicName: name, partitionIndex: next })
  }
  return answer(topics, null)
}

const describe = ({ nodeId }: BrokerServices, topic: Topic, first: number, count: number): TopicResponse => {
  const replicas = [nodeId]
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.slice(first, first + count).map(({ index, leaderEpoch }) => ({
      errorCode: 0,
      partitionIndex: index,
      leaderId: nodeId,
      leaderEpoch,
      replicaNodes: replicas,
      isrNodes: replicas,
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  }
}

const missing = (name: string, errorCode: number): TopicResponse => ({
  errorCode,
  name,
  topicId: ZERO_UUID,
  isInternal: isInternalTopic(name),
  partitions: [],
  topicAuthorizedOperations: TOPIC_OPERATIONS,
})

/** There is no such topic, or can be none. */
const errorFor = (name: string): number => {
  try {
    checkTopicName(name)
    return codeOf('UNKNOWN_TOPIC_OR_PARTITION')
  } catch (error) {
    return responseErrorOf(error).errorCode
  }
}

const answer = (topics: readonly TopicResponse[], nextCursor: Response['nextCursor']): Response => ({
  throttleTimeMs: 0,
  topics,
  nextCursor,
})

const refused = ({ topics }: Request): Response =>
  answer(
    topics.map(({ name }) => ({
      ...missing(name, codeOf('INVALID_REQUEST')),
      isInternal: false,
      topicAuthorizedOperations: OPERATIONS_NOT_ASKED_FOR,
    })),
    null,
  )
