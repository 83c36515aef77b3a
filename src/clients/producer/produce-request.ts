/** Produce requests: which batches go where, what the broker answers for each, and the errors of both. */
import { produce } from '../../protocol/api/produce.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { errorOfPart } from '../../protocol/response-cause.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Leader } from '../cluster.js'
import type { PartitionQueue } from './partition-queue.js'
import type { ProducerBatch } from './producer-batch.js'

/** A batch in a request. */
export interface Part {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
  readonly leader: Leader
}

/** Errors after which the leader, or the topic itself, is looked up anew. */
export const STALE_METADATA: ReadonlySet<string> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'FENCED_LEADER_EPOCH',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
  'INCONSISTENT_TOPIC_ID',
  'KAFKA_STORAGE_ERROR',
])

/** Errors after which the producer's identity, not the record, has to change. */
export const VOID_IDENTITY: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
])

type PartitionAnswer = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

/** The request that carries `parts`, at most one of a partition. */
export const produceRequestOf = (
  parts: readonly Part[],
  acks: 'all' | -1 | 0 | 1,
  timeoutMs: number,
  transactionalId: string | null,
): RequestOf<typeof produce> => {
  const topics = new Map<
    string,
    { name: string; topicId: string; partitionData: { index: number; records: Uint8Array[] }[] }
  >()
  for (const { batch, leader } of parts) {
    let topic = topics.get(batch.topic)
    if (topic === undefined) {
      topic = { name: batch.topic, topicId: leader.topicId, partitionData: [] }
      topics.set(batch.topic, topic)
    }
    topic.partitionData.push({
      index: batch.partition,
      records: batch.encoded === undefined ? [] : [batch.encoded],
    })
  }
  return {
    transactionalId,
    acks: acks === 'all' ? -1 : acks,
    timeoutMs,
    topicData: [...topics.values()],
  }
}

/** What the broker says of one batch; undefined when it says nothing. Newer versions name topics by id alone. */
export const answerFor = (
  { responses }: ResponseOf<typeof produce>,
  { batch, leader }: Part,
): PartitionAnswer | undefined =>
  responses
    .find(({ topicId, name }) => topicId === leader.topicId || name === batch.topic)
    ?.partitionResponses.find(({ index }) => index === batch.partition)

/** The error that the broker answered with for a batch. */
export const produceError = ({ topic, partition }: ProducerBatch, answer: PartitionAnswer): OttlaError => {
  const { code, message, cause, details } = errorOfPart(answer)
  // Some brokers, this one among them, name the partition themselves.
  const name = `${topic}-${partition}`
  const text = message.startsWith(name) ? message : `${name}: ${message}`
  return new OttlaError(code, text, {
    ...(cause === undefined ? {} : { cause }),
    details: { ...details, topic, partition },
  })
}

/** The error of a batch whose time is up; `cause` is why it was not stored so far. */
export const deliveryTimedOut = (
  { topic, partition }: ProducerBatch,
  timeoutMs: number,
  cause?: unknown,
): OttlaError =>
  new OttlaError(
    'DELIVERY_TIMED_OUT',
    `Records for ${topic}-${partition} were not acknowledged within deliveryTimeoutMs (${timeoutMs}).`,
    { cause, details: { topic, partition } },
  )
