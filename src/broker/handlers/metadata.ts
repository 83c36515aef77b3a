/**
 * Metadata: brokers, topics, partitions and their leaders. A topic that does not exist is created when the broker's
 * auto.create.topics.enable and the request both allow it; it is there in the same response, where Kafka lets the
 * client ask again. No topics stands for all topics in version 0, later null does.
 */
import type { metadata } from '../../protocol/api/metadata.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import { CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED_FOR, TOPIC_OPERATIONS } from '../authorized-operations.js'
import { checkTopicName, isInternalTopic, OFFSETS_TOPIC } from '../metadata/topic-name.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Topic } from '../topic.js'
import type { Handler } from './handler.js'

type Request = RequestOf<typeof metadata>
type TopicResponse = ResponseOf<typeof metadata>['topics'][number]

/** The first version in which an empty list of topics is just that. */
const NONE_SINCE = 1
/** The first version that asks for topics by id. */
const TOPIC_IDS_SINCE = 12

export const handleMetadata: Handler<typeof metadata> = async (services, request, context) => {
  const { nodeId } = services
  const { apiVersion, advertised = services.address } = context
  const topics: TopicResponse[] = []
  const isAll = request.topics === null || (request.topics.length === 0 && apiVersion < NONE_SINCE)
  if (isAll) for (const topic of services.metadata.topics()) topics.push(describe(topic, nodeId))
  else topics.push(...(await describeWanted(services, request, apiVersion)))
  const { includeTopicAuthorizedOperations, includeClusterAuthorizedOperations } = request
  return {
    throttleTimeMs: 0,
    brokers: [{ nodeId, host: advertised.host, port: advertised.port, rack: null }],
    clusterId: services.metadata.clusterId,
    controllerId: nodeId,
    topics: includeTopicAuthorizedOperations
      ? topics.map((topic) => ({ ...topic, topicAuthorizedOperations: TOPIC_OPERATIONS }))
      : topics,
    clusterAuthorizedOperations: includeClusterAuthorizedOperations
      ? CLUSTER_OPERATIONS
      : OPERATIONS_NOT_ASKED_FOR,
    errorCode: 0,
  }
}

/** The topics that are asked for, each once. */
const describeWanted = async (
  services: BrokerServices,
  { topics, allowAutoTopicCreation }: Request,
  apiVersion: number,
): Promise<TopicResponse[]> => {
  const wanted = new Map(topics?.map((topic) => [`${topic.topicId} ${topic.name}`, topic]))
  const answers: TopicResponse[] = []
  for (const { name, topicId } of wanted.values()) {
    if ((topicId !== ZERO_UUID || name === null) && apiVersion < TOPIC_IDS_SINCE) {
      return [...wanted.values()].map((each) =>
        unknown(each.name ?? '', each.topicId, codeOf('INVALID_REQUEST')),
      )
    }
    if (topicId !== ZERO_UUID || name === null) {
      const topic = services.metadata.topicById(topicId)
      answers.push(
        topic ? describe(topic, services.nodeId) : unknown(null, topicId, codeOf('UNKNOWN_TOPIC_ID')),
      )
    } else answers.push(await byName(services, name, allowAutoTopicCreation))
  }
  return answers
}

const byName = async (services: BrokerServices, name: string, mayCreate: boolean): Promise<TopicResponse> => {
  try {
    checkTopicName(name)
    const topic = services.metadata.topic(name) ?? (mayCreate ? await create(services, name) : undefined)
    if (topic !== undefined) return describe(topic, services.nodeId)
    return unknown(name, ZERO_UUID, codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
  } catch (error) {
    return unknown(name, ZERO_UUID, responseErrorOf(error).errorCode)
  }
}

/** The topic with the broker's defaults; undefined when the broker creates none, or it is one of its own. */
const create = async (services: BrokerServices, name: string): Promise<Topic | undefined> => {
  if (!services.configs['auto.create.topics.enable']) return undefined
  if (name === OFFSETS_TOPIC) {
    await services.groups.ready()
    return services.metadata.topic(name)
  }
  if (isInternalTopic(name)) return undefined
  const wanted = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  return services.topicChanges.ensure(wanted)
}

const describe = (topic: Topic, nodeId: number): TopicResponse => {
  const replicas = [nodeId]
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map(({ index, leaderEpoch }) => ({
      errorCode: 0,
      partitionIndex: index,
      leaderId: nodeId,
      leaderEpoch,
      replicaNodes: replicas,
      isrNodes: replicas,
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED_FOR,
  }
}

const unknown = (name: string | null, topicId: string, errorCode: number): TopicResponse => ({
  errorCode,
  name,
  topicId,
  isInternal: name !== null && isInternalTopic(name),
  partitions: [],
  topicAuthorizedOperations: OPERATIONS_NOT_ASKED_FOR,
})
