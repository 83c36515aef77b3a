/**
 * Metadata: brokers, topics, partitions and their leaders. A topic that does not exist is created when the broker's
 * auto.create.topics.enable and the request both allow it; it is there in the same response, where Kafka lets the
 * client ask again. Authorized operations are not computed, as there is no authorizer.
 */
import type { metadata } from '../../protocol/api/metadata.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Topic } from '../topic.js'
import type { Handler } from './handler.js'

type TopicResponse = ResponseOf<typeof metadata>['topics'][number]

/** Kafka's "not asked for". */
const NO_OPERATIONS = -0x80000000

export const handleMetadata: Handler<typeof metadata> = async (services, request, context) => {
  const { nodeId } = services
  const address = context.advertised ?? services.address
  const topics: TopicResponse[] = []
  if (request.topics === null) {
    for (const topic of services.metadata.topics()) topics.push(describe(topic, nodeId))
  } else {
    for (const { name, topicId } of request.topics) {
      if (topicId !== ZERO_UUID || name === null) {
        const topic = services.metadata.topicById(topicId)
        topics.push(topic ? describe(topic, nodeId) : unknown(null, topicId, codeOf('UNKNOWN_TOPIC_ID')))
      } else topics.push(await byName(services, name, request.allowAutoTopicCreation))
    }
  }
  return {
    throttleTimeMs: 0,
    brokers: [{ nodeId, host: address.host, port: address.port, rack: null }],
    clusterId: services.metadata.clusterId,
    controllerId: nodeId,
    topics,
    clusterAuthorizedOperations: NO_OPERATIONS,
    errorCode: 0,
  }
}

const byName = async (services: BrokerServices, name: string, mayCreate: boolean): Promise<TopicResponse> => {
  const topic = services.metadata.topic(name)
  if (topic !== undefined) return describe(topic, services.nodeId)
  if (!mayCreate || !services.configs['auto.create.topics.enable']) {
    return unknown(name, ZERO_UUID, codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
  }
  try {
    const wanted = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
    return describe(await services.topicChanges.ensure(wanted), services.nodeId)
  } catch (error) {
    return unknown(name, ZERO_UUID, responseErrorOf(error).errorCode)
  }
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
    topicAuthorizedOperations: NO_OPERATIONS,
  }
}

const unknown = (name: string | null, topicId: string, errorCode: number): TopicResponse => ({
  errorCode,
  name,
  topicId,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: NO_OPERATIONS,
})
