/** Who may do what with topics: for each API what Kafka's KafkaApis and ControllerApis check, and how they refuse. */
import { createPartitions } from '../../protocol/api/create-partitions.js'
import { createTopics } from '../../protocol/api/create-topics.js'
import { deleteRecords } from '../../protocol/api/delete-records.js'
import { deleteTopics } from '../../protocol/api/delete-topics.js'
import { fetch } from '../../protocol/api/fetch.js'
import { listOffsets } from '../../protocol/api/list-offsets.js'
import { offsetForLeaderEpoch } from '../../protocol/api/offset-for-leader-epoch.js'
import { produce } from '../../protocol/api/produce.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import { codeOf } from '../response-errors.js'
import { each, guard, shown, whole, type Check, type Guard } from './check.js'

const REFUSED = codeOf('TOPIC_AUTHORIZATION_FAILED')
const MESSAGE = 'Topic authorization failed.'

type ProduceTopic = RequestOf<typeof produce>['topicData'][number]

const refusedProduce = ({ name, topicId, partitionData }: ProduceTopic, errorCode: number) => ({
  name,
  topicId,
  partitionResponses: partitionData.map(({ index }) => ({
    index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
    errorMessage: null,
  })),
})

/**
 * A fetch session goes on over many requests, and may outlive a permission: it is the answer that is checked, every
 * time. What is refused was read, and goes nowhere.
 */
const fetchedTopics: Check<typeof fetch> = shown(
  fetch,
  [{ operation: 'READ', resourceType: 'TOPIC' }],
  (access, response) => ({
    ...response,
    responses: response.responses.map((topic) => {
      const name = access.topicName({ name: topic.topic, topicId: topic.topicId })
      if (name === undefined || access.may('READ', 'TOPIC', name)) return topic
      return {
        ...topic,
        partitions: topic.partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: REFUSED,
          highWatermark: -1,
          lastStableOffset: -1,
          logStartOffset: -1,
          abortedTransactions: null,
          preferredReadReplica: -1,
          records: [],
        })),
      }
    }),
  }),
)

const refusedCreation = (name: string): ResponseOf<typeof createTopics>['topics'][number] => ({
  name,
  topicId: ZERO_UUID,
  errorCode: REFUSED,
  errorMessage: MESSAGE,
  topicConfigErrorCode: 0,
  numPartitions: -1,
  replicationFactor: -1,
  configs: [],
})

/** The configs of a new topic are told to who may see them. */
const createdConfigs: Check<typeof createTopics> = shown(
  createTopics,
  [{ operation: 'DESCRIBE_CONFIGS', resourceType: 'TOPIC' }],
  (access, response) => ({
    ...response,
    topics: response.topics.map((topic) =>
      topic.errorCode !== 0 || access.may('DESCRIBE_CONFIGS', 'TOPIC', topic.name)
        ? topic
        : { ...topic, topicConfigErrorCode: REFUSED, numPartitions: -1, replicationFactor: -1, configs: [] },
    ),
  }),
)

const namedToDelete: Check<typeof deleteTopics> = each(deleteTopics, 'DELETE', 'TOPIC', {
  of: ({ topicNames }) => topicNames,
  name: (name, access) => (access.may('DELETE', 'CLUSTER') ? undefined : name),
  keep: (request, topicNames) => ({ ...request, topicNames }),
  add: (response, refused) => ({
    ...response,
    responses: [
      ...response.responses,
      ...refused.map((name) => ({ name, topicId: ZERO_UUID, errorCode: REFUSED, errorMessage: MESSAGE })),
    ],
  }),
})

const topicsToDelete: Check<typeof deleteTopics> = {
  needs: [],
  run: (access, request) => {
    const { topics } = request
    const isAllowed = (topic: (typeof topics)[number]): boolean => {
      const name = access.topicName(topic)
      return name === undefined || access.may('DELETE', 'CLUSTER') || access.may('DELETE', 'TOPIC', name)
    }
    const refused = topics.filter((topic) => !isAllowed(topic))
    return {
      request: { ...request, topics: topics.filter(isAllowed) },
      complete: (response) => ({
        ...response,
        responses: [
          ...response.responses,
          ...refused.map(({ name, topicId }) => {
            // Who knows only the id learns the name only if it may describe the topic.
            const known = access.topicName({ name, topicId }) ?? ''
            const isKnown = name !== null || access.may('DESCRIBE', 'TOPIC', known)
            return { name: isKnown ? known : null, topicId, errorCode: REFUSED, errorMessage: MESSAGE }
          }),
        ],
      }),
    }
  },
}

/** The APIs that are about topics. */
export const TOPIC_GUARDS: readonly Guard[] = [
  guard(
    produce,
    whole(
      produce,
      'WRITE',
      'TRANSACTIONAL_ID',
      ({ transactionalId }) => transactionalId,
      ({ topicData }) => ({
        responses: topicData.map((topic) =>
          refusedProduce(topic, codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')),
        ),
        throttleTimeMs: 0,
      }),
    ),
    each(produce, 'WRITE', 'TOPIC', {
      of: ({ topicData }) => topicData,
      name: (topic, access) => access.topicName(topic),
      keep: (request, topicData) => ({ ...request, topicData }),
      add: (response, refused) => ({
        ...response,
        responses: [...response.responses, ...refused.map((topic) => refusedProduce(topic, REFUSED))],
      }),
    }),
  ),
  guard(fetch, fetchedTopics),
  guard(
    listOffsets,
    each(listOffsets, 'DESCRIBE', 'TOPIC', {
      of: ({ topics }) => topics,
      name: ({ name }) => name,
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        topics: [
          ...response.topics,
          ...refused.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              errorCode: REFUSED,
              timestamp: -1,
              offset: -1,
              leaderEpoch: -1,
            })),
          })),
        ],
      }),
    }),
  ),
  guard(
    createTopics,
    each(createTopics, 'CREATE', 'TOPIC', {
      of: ({ topics }) => topics,
      name: ({ name }, access) => (access.may('CREATE', 'CLUSTER') ? undefined : name),
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        topics: [...response.topics, ...refused.map(({ name }) => refusedCreation(name))],
      }),
    }),
    createdConfigs,
  ),
  guard(deleteTopics, namedToDelete, topicsToDelete),
  guard(
    deleteRecords,
    each(deleteRecords, 'DELETE', 'TOPIC', {
      of: ({ topics }) => topics,
      name: ({ name }) => name,
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        topics: [
          ...response.topics,
          ...refused.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              lowWatermark: -1,
              errorCode: REFUSED,
            })),
          })),
        ],
      }),
    }),
  ),
  guard(
    offsetForLeaderEpoch,
    each(offsetForLeaderEpoch, 'DESCRIBE', 'TOPIC', {
      of: ({ topics }) => topics,
      name: ({ topic }) => topic,
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        topics: [
          ...response.topics,
          ...refused.map(({ topic, partitions }) => ({
            topic,
            partitions: partitions.map(({ partition }) => ({
              errorCode: REFUSED,
              partition,
              leaderEpoch: -1,
              endOffset: -1,
            })),
          })),
        ],
      }),
    }),
  ),
  guard(
    createPartitions,
    each(createPartitions, 'ALTER', 'TOPIC', {
      of: ({ topics }) => topics,
      name: ({ name }) => name,
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        results: [
          ...response.results,
          ...refused.map(({ name }) => ({ name, errorCode: REFUSED, errorMessage: MESSAGE })),
        ],
      }),
    }),
  ),
]
