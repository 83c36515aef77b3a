/** Who may see which topics, as Kafka's KafkaApis checks it: what is not to be seen might as well not be there. */
import { describeTopicPartitions } from '../../protocol/api/describe-topic-partitions.js'
import { metadata } from '../../protocol/api/metadata.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import { OPERATIONS_NOT_ASKED_FOR } from '../authorized-operations.js'
import { codeOf } from '../response-errors.js'
import type { Access } from './access.js'
import { guard, shown, type Check, type Guard } from './check.js'

const REFUSED = codeOf('TOPIC_AUTHORIZATION_FAILED')

const refusedMetadata = (
  name: string | null,
  topicId: string,
): ResponseOf<typeof metadata>['topics'][number] => ({
  errorCode: REFUSED,
  name,
  topicId,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: OPERATIONS_NOT_ASKED_FOR,
})

/** What is not to be seen is refused by name whether it is there or not, and left out of all topics. */
const visibleTopics: Check<typeof metadata> = {
  needs: [{ operation: 'DESCRIBE', resourceType: 'TOPIC' }],
  run: (access, request) => {
    const mayDescribe = (topic: { readonly name: string | null; readonly topicId: string }): boolean => {
      const name = access.topicName(topic)
      return name === undefined || access.may('DESCRIBE', 'TOPIC', name)
    }
    const { topics } = request
    const refused = topics?.filter((topic) => !mayDescribe(topic)) ?? []
    const isNothingLeft = refused.length > 0 && refused.length === topics?.length
    return {
      request: { ...request, topics: topics?.filter(mayDescribe) ?? null },
      complete: (response) => ({
        ...response,
        topics: [
          ...keptTopics(response, isNothingLeft).filter(mayDescribe),
          ...refused.map(({ name, topicId }) =>
            topicId === ZERO_UUID ? refusedMetadata(name, ZERO_UUID) : refusedMetadata(null, topicId),
          ),
        ],
      }),
    }
  },
}

/** Who may not create topics does not by asking for one either. */
const topicsToCreate: Check<typeof metadata> = {
  needs: [{ operation: 'CREATE', resourceType: 'TOPIC' }],
  run: (access, request) => {
    if (!request.allowAutoTopicCreation || !access.createsTopics || access.may('CREATE', 'CLUSTER'))
      return { request }
    const isRefused = (name: string | null): name is string =>
      name !== null && access.metadata.topic(name) === undefined && !access.may('CREATE', 'TOPIC', name)
    const { topics } = request
    const refused = topics?.map(({ name }) => name).filter(isRefused) ?? []
    return {
      request: { ...request, topics: topics?.filter(({ name }) => !isRefused(name)) ?? null },
      complete: (response) => ({
        ...response,
        topics: [
          ...keptTopics(response, refused.length > 0 && refused.length === topics?.length),
          ...refused.map((name) => refusedMetadata(name, ZERO_UUID)),
        ],
      }),
    }
  },
}

/** In version 0 no topics stands for all: what none of the asked ones is left of must not become that. */
const keptTopics = (
  { topics }: ResponseOf<typeof metadata>,
  isNothingLeft: boolean,
): ResponseOf<typeof metadata>['topics'] => (isNothingLeft ? [] : topics)

const metadataOperations: Check<typeof metadata> = shown(metadata, [], (access, response) => ({
  ...response,
  topics: response.topics.map((topic) => ({
    ...topic,
    topicAuthorizedOperations: access.operations(topic.topicAuthorizedOperations, 'TOPIC', topic.name ?? ''),
  })),
  clusterAuthorizedOperations: clusterOperations(access, response.clusterAuthorizedOperations),
}))

/** As Kafka tells them with topics: nobody who may not describe the cluster is told any. */
const clusterOperations = (access: Access, possible: number): number => {
  if (possible === OPERATIONS_NOT_ASKED_FOR) return possible
  return access.may('DESCRIBE', 'CLUSTER') ? access.operations(possible, 'CLUSTER') : 0
}

/** All topics are all that are to be seen: a page ends, and the next begins, at one of those. */
const describedTopics: Check<typeof describeTopicPartitions> = {
  needs: [{ operation: 'DESCRIBE', resourceType: 'TOPIC' }],
  run: (access, request) => {
    const mayDescribe = ({ name }: { readonly name: string }): boolean =>
      access.may('DESCRIBE', 'TOPIC', name)
    const isAll = request.topics.length === 0
    const wanted = isAll ? [...access.metadata.topics()] : request.topics
    const topics = wanted.filter(mayDescribe).map(({ name }) => ({ name }))
    const refused = isAll
      ? []
      : request.topics
          .filter((topic) => !mayDescribe(topic))
          .map(({ name }) => ({ ...refusedMetadata(name, ZERO_UUID), partitions: [] }))
    const cursor = isAll ? nextOf(topics, request.cursor) : request.cursor
    if (topics.length === 0 || (request.cursor !== null && cursor === null))
      return { answer: { throttleTimeMs: 0, topics: refused, nextCursor: null } }
    return {
      request: { ...request, topics, cursor },
      complete: (response) => ({
        ...response,
        topics: [
          ...response.topics.map((topic) => ({
            ...topic,
            topicAuthorizedOperations: access.operations(
              topic.topicAuthorizedOperations,
              'TOPIC',
              topic.name ?? '',
            ),
          })),
          ...refused,
        ],
      }),
    }
  },
}

type Cursor = RequestOf<typeof describeTopicPartitions>['cursor']

/** `cursor`, or where the next of `topics` begins when it stands at one that is not among them. */
const nextOf = (topics: readonly { readonly name: string }[], cursor: Cursor): Cursor => {
  if (cursor === null) return null
  const names = topics.map(({ name }) => name).filter((name) => name >= cursor.topicName)
  const topicName = names.sort()[0]
  if (topicName === undefined) return null
  return topicName === cursor.topicName ? cursor : { topicName, partitionIndex: 0 }
}

/** The APIs that tell of topics. */
export const METADATA_GUARDS: readonly Guard[] = [
  guard(metadata, metadataOperations, visibleTopics, topicsToCreate),
  guard(describeTopicPartitions, describedTopics),
]
