/** Admin requests about topics. */
import { createPartitions as createPartitionsApi } from '../../protocol/api/create-partitions.js'
import { createTopics as createTopicsApi } from '../../protocol/api/create-topics.js'
import { deleteTopics as deleteTopicsApi } from '../../protocol/api/delete-topics.js'
import { errorFromKafkaCode, type OttlaError } from '../../runtime/errors/ottla-error.js'
import { ZERO_UUID, type Uuid } from '../../runtime/uuid.js'
import type { TopicMetadata } from '../cluster.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions, ChangeOptions } from './admin-options.js'
import { Outcomes } from './outcomes.js'

/** How long a broker may take for a change, in milliseconds. */
const CHANGE_TIMEOUT_MS = 30_000

/** A topic to be created. */
export interface NewTopic {
  /** At most 249 letters, digits, dots, underscores and hyphens. */
  readonly name: string
  /** Default, or -1: the broker's `num.partitions`. */
  readonly numPartitions?: number
  /** Default, or -1: the broker's default. An embedded broker has one replica of everything. */
  readonly replicationFactor?: number
  /**
   * Which brokers keep each partition: `[[1], [1]]` for two partitions on broker 1, the first being the one that is to
   * lead. Instead of `numPartitions` and `replicationFactor`, which then cannot be given.
   */
  readonly assignments?: readonly (readonly number[])[]
  /** Settings by Kafka's dotted names. */
  readonly configs?: Readonly<Record<string, string>>
}

/** How partitions are added. */
export interface CreatePartitionsOptions extends ChangeOptions {
  /** Which brokers keep each of the partitions that are added; the broker decides when left out. */
  readonly assignments?: readonly (readonly number[])[]
}

/** A topic that was created. */
export interface CreatedTopic {
  /** The topic's name. */
  readonly name: string
  /** The id it was given; all zero when it was only validated. */
  readonly topicId: Uuid
  /** How many partitions it has. */
  readonly numPartitions: number
  /** How many replicas each of them has. */
  readonly replicationFactor: number
}

/** A topic and its partitions. */
export type TopicDescription = TopicMetadata

export const createTopics = async (
  { cluster }: ClientContext,
  topics: readonly NewTopic[],
  { validateOnly = false, signal }: ChangeOptions,
): Promise<readonly CreatedTopic[]> => {
  const controller = await cluster.controller({ signal })
  const response = await controller.send(
    createTopicsApi,
    {
      topics: topics.map((topic) => {
        const { name, numPartitions = -1, replicationFactor = -1, assignments = [], configs = {} } = topic
        return {
          name,
          numPartitions,
          replicationFactor,
          assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
          configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
        }
      }),
      timeoutMs: CHANGE_TIMEOUT_MS,
      validateOnly,
    },
    { signal },
  )
  const outcomes = new Outcomes<CreatedTopic>(topics.map(({ name }) => name))
  for (const { name, errorCode, errorMessage, ...created } of response.topics) {
    cluster.invalidate(name)
    const { topicId, numPartitions, replicationFactor } = created
    if (errorCode === 0) outcomes.succeed(name, { name, topicId, numPartitions, replicationFactor })
    else outcomes.fail(name, topicError(name, errorCode, errorMessage))
  }
  return outcomes.results()
}

export const deleteTopics = async (
  { cluster }: ClientContext,
  names: readonly string[],
  { signal }: AdminOptions,
): Promise<void> => {
  const controller = await cluster.controller({ signal })
  const request = {
    topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
    topicNames: names,
    timeoutMs: CHANGE_TIMEOUT_MS,
  }
  const { responses } = await controller.send(deleteTopicsApi, request, { signal })
  for (const name of names) cluster.invalidate(name)
  const outcomes = new Outcomes<string>(names)
  for (const { name, errorCode, errorMessage } of responses) {
    if (name === null) continue
    if (errorCode === 0) outcomes.succeed(name, name)
    else outcomes.fail(name, topicError(name, errorCode, errorMessage))
  }
  outcomes.results()
}

export const listTopics = async (
  { cluster }: ClientContext,
  options: AdminOptions,
): Promise<readonly string[]> => {
  const topics = await cluster.topics(options)
  return topics
    .filter(({ isInternal }) => !isInternal)
    .map(({ name }) => name)
    .sort()
}

export const describeTopics = async (
  { cluster }: ClientContext,
  names: readonly string[],
  options: AdminOptions,
): Promise<readonly TopicDescription[]> => {
  const outcomes = new Outcomes<TopicDescription>(names)
  await Promise.all(
    names.map((name) => {
      cluster.invalidate(name)
      return outcomes.attempt(name, () => cluster.topic(name, options))
    }),
  )
  return outcomes.results()
}

export const createPartitions = async (
  { cluster }: ClientContext,
  topic: string,
  totalCount: number,
  { assignments, validateOnly = false, signal }: CreatePartitionsOptions,
): Promise<void> => {
  const controller = await cluster.controller({ signal })
  const request = {
    topics: [
      {
        name: topic,
        count: totalCount,
        assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
      },
    ],
    timeoutMs: CHANGE_TIMEOUT_MS,
    validateOnly,
  }
  const { results } = await controller.send(createPartitionsApi, request, { signal })
  cluster.invalidate(topic)
  for (const { name, errorCode, errorMessage } of results) {
    if (errorCode !== 0) throw topicError(name, errorCode, errorMessage)
  }
}

const topicError = (topic: string, errorCode: number, message: string | null): OttlaError => {
  const { message: meaning } = errorFromKafkaCode(errorCode)
  return errorFromKafkaCode(errorCode, `Topic ${topic}: ${message ?? meaning}`, { details: { topic } })
}
