/**
 * Produce: appends one v2 batch to each partition; offsets are given in the order of the calls. acks 0 is answered
 * at once (a listener sends nothing), acks 1 and -1 when the batch is stored, which is the same with one replica.
 * timeoutMs is not needed: with one replica nobody is waited for.
 */
import { refusedRecordsOf } from '../../log/append-validation.js'
import type { AppendResult } from '../../log/append-and-read.js'
import type { PartitionLog } from '../../log/partition-log.js'
import type { produce } from '../../protocol/api/produce.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { isTransactionalBatch, recordCountOf } from '../../record/header.js'
import { splitBatches } from '../../record/validate.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { codeOf, responseErrorOf, withStorageCause } from '../response-errors.js'
import { findTopic, type BrokerServices } from '../services.js'
import type { Topic } from '../topic.js'
import type { Handler } from './handler.js'
import { appendInTransaction, hasTransactionalBatch, isEpochBumped } from './produce-transaction.js'

type PartitionRequest = RequestOf<typeof produce>['topicData'][number]['partitionData'][number]
type PartitionResponse = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

/** The first version that names topics by id. */
const TOPIC_IDS_SINCE = 13
const NO_RECORDS: readonly Uint8Array[] = []
const NO_ERRORS: PartitionResponse['recordErrors'] = []

export const handleProduce: Handler<typeof produce> = (services, request, context) => {
  const { acks, transactionalId } = request
  const isById = context.apiVersion >= TOPIC_IDS_SINCE
  let refusal: OttlaError | undefined
  if (acks !== 0 && acks !== 1 && acks !== -1) {
    refusal = new OttlaError('INVALID_REQUIRED_ACKS', `acks is ${acks}; expected 0, 1 or -1 (all).`)
  } else if (transactionalId === null && hasTransactionalBatch(request)) {
    // No coordinator would know of it, so nothing would ever end the transaction (T4).
    refusal = new OttlaError(
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      'A transactional batch comes without a transactional id; expected the id of its producer.',
    )
  }
  // All appends begin here, before anything is awaited: that is what keeps the order of the calls.
  const pending = request.topicData.map(({ name, topicId, partitionData }) => {
    const topic = findTopic(services, name, topicId, isById)
    const answers = partitionData.map((data) =>
      refusal === undefined
        ? produceTo(services, topic, data, {
            transactionalId,
            apiVersion: context.apiVersion,
            recordError: context.recordErrors?.get(data.records ?? NO_RECORDS),
          })
        : failed(services, data.index, refusal),
    )
    return { name, topicId, partitionData, answers }
  })
  return acks === 0 ? unacknowledged(pending) : answered(pending)
}

interface PendingTopic {
  readonly name: string
  readonly topicId: string
  readonly partitionData: readonly PartitionRequest[]
  readonly answers: readonly (PartitionResponse | Promise<PartitionResponse>)[]
}

const answered = async (pending: readonly PendingTopic[]): Promise<ResponseOf<typeof produce>> => {
  const responses: ResponseOf<typeof produce>['responses'][number][] = []
  for (const { name, topicId, answers } of pending) {
    const partitionResponses: PartitionResponse[] = []
    // None of them rejects, so one after the other is as fast as all at once.
    for (const answer of answers) partitionResponses.push(answer instanceof Promise ? await answer : answer)
    responses.push({ name, topicId, partitionResponses })
  }
  return { responses, throttleTimeMs: 0 }
}

const unacknowledged = (pending: readonly PendingTopic[]): ResponseOf<typeof produce> => ({
  responses: pending.map(({ name, topicId, partitionData, answers }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }, position) => {
      const answer = answers[position]
      return answer === undefined || answer instanceof Promise ? response(index, 0, -1, -1, -1, null) : answer
    }),
  })),
  throttleTimeMs: 0,
})

interface ProduceContext {
  readonly transactionalId: string | null
  readonly apiVersion: number
  /** What a listener found wrong with the records. */
  readonly recordError: OttlaError | undefined
}

const produceTo = (
  services: BrokerServices,
  topic: Topic | undefined,
  { index, records }: PartitionRequest,
  { transactionalId, apiVersion, recordError }: ProduceContext,
): PartitionResponse | Promise<PartitionResponse> => {
  try {
    const partition = topic?.partition(index)
    if (topic === undefined && apiVersion >= TOPIC_IDS_SINCE) throw new OttlaError('UNKNOWN_TOPIC_ID')
    if (partition === undefined || topic === undefined) {
      throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no partition ${index} of this topic.`)
    }
    if (topic.isInternal) {
      throw new OttlaError(
        'INVALID_TOPIC_EXCEPTION',
        `Topic ${topic.name} is internal: only the broker writes there.`,
      )
    }
    if (recordError !== undefined) throw recordError
    const batches = splitBatches(records ?? [])
    const batch = batches[0]
    if (batch === undefined || batches.length > 1) {
      throw new OttlaError(
        'INVALID_RECORD',
        `There are ${batches.length} record batches for partition ${topic.name}-${index}; expected exactly one.`,
      )
    }
    const { log } = partition
    const isTransactional = transactionalId !== null && isTransactionalBatch(batch)
    const options = isTransactional ? { isEpochBumped: isEpochBumped(apiVersion) } : undefined
    const append = (): Promise<AppendResult> =>
      log === undefined
        ? partition.open().then((opened) => opened.append(batch, options))
        : log.append(batch, options)
    const appended = isTransactional
      ? appendInTransaction(services, transactionalId, batch, partition, apiVersion, append)
      : append()
    return appended.then(
      (result) => {
        countStored(services, topic, batch)
        return stored(index, result)
      },
      (error: unknown) => {
        countRefused(services, topic)
        return failed(services, index, error, log)
      },
    )
  } catch (error) {
    countRefused(services, topic)
    return failed(services, index, error)
  }
}

const countStored = ({ sensors, clock }: BrokerServices, topic: Topic, batch: Uint8Array): void => {
  const now = clock.monotonic()
  const recordCount = recordCountOf(batch)
  sensors.traffic.stored(recordCount, batch.length, now)
  topic.traffic.stored(recordCount, batch.length, now)
}

const countRefused = ({ sensors, clock }: BrokerServices, topic: Topic | undefined): void => {
  const now = clock.monotonic()
  sensors.traffic.refused(now)
  topic?.traffic.refused(now)
}

const stored = (index: number, { baseOffset, logAppendTime, startOffset }: AppendResult): PartitionResponse =>
  response(index, 0, baseOffset, logAppendTime, startOffset, null)

const failed = (
  services: BrokerServices,
  index: number,
  error: unknown,
  log?: PartitionLog,
): PartitionResponse => {
  // What a client sends in an older format is called an invalid record, as Kafka has it.
  const isOldFormat = OttlaError.is(error, 'UNSUPPORTED_FOR_MESSAGE_FORMAT')
  const refusal = isOldFormat ? new OttlaError('INVALID_RECORD', error.message) : error
  const { errorCode, errorMessage } = responseErrorOf(refusal)
  if (errorCode === codeOf('KAFKA_STORAGE_ERROR') && OttlaError.is(error)) services.reportFailure(error)
  const recordErrors = refusedRecordsOf(error).map((batchIndex) => ({
    batchIndex,
    batchIndexErrorMessage: errorMessage,
  }))
  const startOffset = log?.startOffset ?? -1
  return withStorageCause(response(index, errorCode, -1, -1, startOffset, errorMessage, recordErrors), error)
}

const response = (
  index: number,
  errorCode: number,
  baseOffset: number,
  logAppendTimeMs: number,
  logStartOffset: number,
  errorMessage: string | null,
  recordErrors = NO_ERRORS,
): PartitionResponse => ({
  index,
  errorCode,
  baseOffset,
  logAppendTimeMs,
  logStartOffset,
  recordErrors,
  errorMessage,
})
