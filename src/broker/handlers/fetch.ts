/**
 * Fetch: reads batches of partitions from offsets on, and waits for more when there is too little. Whole batches
 * only; the first one is returned even when it is over the limits, so that a consumer always gets on.
 *
 * Left out of Kafka's: followers (a replica id is not believed: whoever fetches is a consumer), preferred read
 * replicas. What a session remembers is fetch-sessions.ts.
 */
import type { ReadOptions } from '../../log/append-and-read.js'
import type { PartitionLog } from '../../log/partition-log.js'
import type { fetch } from '../../protocol/api/fetch.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import type { ErrorCode } from '../../runtime/errors/error-table.js'
import { NO_SESSION, withoutSession, type SessionAnswer, type SessionFetch } from '../fetch-sessions.js'
import { IN_PROCESS_HOST, type RequestContext } from '../request-context.js'
import { codeOf, responseErrorOf, withStorageCause } from '../response-errors.js'
import { findTopic, type BrokerServices } from '../services.js'
import type { Partition, Topic } from '../topic.js'
import type { Handler } from './handler.js'
import { leaderEpochError } from './leader-epoch.js'

type PartitionRequest = RequestOf<typeof fetch>['topics'][number]['partitions'][number]
type TopicResponse = ResponseOf<typeof fetch>['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

/** The first version that names topics by id. */
const TOPIC_IDS_SINCE = 13
const READ_COMMITTED = 1
const NO_RECORDS: readonly Uint8Array[] = []

type Isolation = NonNullable<ReadOptions['isolation']>

/** One partition of a request, with what it stands for and how its log was when it was last looked at. */
interface Target {
  readonly wanted: PartitionRequest
  readonly partition: Partition | undefined
  log: PartitionLog | undefined
  sizeBytes: number
  highWatermark: number
  endOffset: number
}

/** What one look at all partitions gave. */
interface Look {
  readonly responses: readonly TopicResponse[]
  readonly sizeBytes: number
  /** The bytes of each topic. */
  readonly topicBytes: readonly number[]
  readonly hasError: boolean
}

export const handleFetch: Handler<typeof fetch> = async (services, request, context) => {
  const { maxWaitMs, minBytes } = request
  const isById = context.apiVersion >= TOPIC_IDS_SINCE
  const session = beginFetch(services, request, context)
  if (typeof session === 'string') return refused(session)
  const topics = session.topics.map(({ topic: name, topicId, partitions }) => {
    const topic = findTopic(services, name, topicId, isById)
    const missing: ErrorCode =
      topic === undefined && isById ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
    const targets = partitions.map((wanted): Target => {
      const partition = topic?.partition(wanted.partition)
      return { wanted, partition, log: undefined, sizeBytes: 0, highWatermark: 0, endOffset: 0 }
    })
    return { name, topicId, topic, missing, targets }
  })
  const targets = topics.flatMap((topic) => topic.targets)
  const partitions = targets.flatMap(({ partition }) => (partition === undefined ? [] : [partition]))
  const maxBytes = Math.min(request.maxBytes, services.configs['fetch.max.bytes'])
  const isolation = request.isolationLevel === READ_COMMITTED ? 'read_committed' : 'read_uncommitted'
  const until = services.clock.monotonic() + maxWaitMs

  for (;;) {
    const look = await lookAt(services, topics, maxBytes, isolation)
    const leftMs = until - services.clock.monotonic()
    const isOver = leftMs <= 0 || partitions.length === 0 || context.signal?.aborted === true
    if (isOver || look.hasError || look.sizeBytes >= minBytes) {
      count(services, topics, look)
      return answer(session.answer(look.responses))
    }
    const missingBytes = minBytes - look.sizeBytes
    // A batch may have come between the read and here: those who come later are told, this one looks itself.
    if (hasNews(targets, missingBytes)) continue
    try {
      await services.fetchWaiters.wait(partitions, {
        maxWaitMs: leftMs,
        isEnough: () =>
          hasNews(targets, missingBytes) || partitions.some((partition) => isGone(services, partition)),
        signal: context.signal,
      })
    } catch (error) {
      return {
        ...refused('THROTTLING_QUOTA_EXCEEDED'),
        errorCode: responseErrorOf(error).errorCode,
        throttleTimeMs: maxWaitMs,
      }
    }
    if (services.fetchWaiters.isClosed) return answer(session.answer(look.responses))
  }
}

/** Clients in this process have no sessions, and fare no worse: nothing that they send is written out. */
const beginFetch = (
  { fetchSessions }: BrokerServices,
  request: RequestOf<typeof fetch>,
  { apiVersion, clientHost }: RequestContext,
): SessionFetch | ErrorCode => {
  if (clientHost !== IN_PROCESS_HOST) return fetchSessions.begin(request, apiVersion >= TOPIC_IDS_SINCE)
  return request.sessionEpoch > 0 ? 'FETCH_SESSION_ID_NOT_FOUND' : withoutSession(request.topics)
}

interface TopicTargets {
  readonly name: string
  readonly topicId: string
  readonly topic: Topic | undefined
  readonly missing: ErrorCode
  readonly targets: readonly Target[]
}

const lookAt = async (
  services: BrokerServices,
  topics: readonly TopicTargets[],
  maxBytes: number,
  isolation: Isolation,
): Promise<Look> => {
  let sizeBytes = 0
  let hasError = false
  const responses: TopicResponse[] = []
  const topicBytes: number[] = []
  for (const { name, topicId, missing, targets } of topics) {
    const partitions: PartitionResponse[] = []
    const bytesBefore = sizeBytes
    for (const target of targets) {
      const { partition, wanted } = target
      let response: PartitionResponse
      if (partition === undefined || isGone(services, partition)) response = failed(wanted, codeOf(missing))
      else {
        try {
          const log = partition.log ?? (await partition.open())
          target.log = log
          target.sizeBytes = log.sizeBytes
          target.highWatermark = log.highWatermark
          target.endOffset = log.endOffset
          const done = withoutReading(partition, log, wanted)
          response = done ?? (await readFrom(log, wanted, isolation, maxBytes - sizeBytes, sizeBytes === 0))
        } catch (error) {
          response = failedBy(wanted, error, partition.log)
        }
      }
      if (response.errorCode !== 0 || response.divergingEpoch !== undefined) hasError = true
      for (const batch of response.records ?? NO_RECORDS) sizeBytes += batch.length
      partitions.push(response)
    }
    responses.push({ topic: name, topicId, partitions })
    topicBytes.push(sizeBytes - bytesBefore)
  }
  return { responses, sizeBytes, topicBytes, hasError }
}

/** Counts what is answered. */
const count = (
  { sensors, clock }: BrokerServices,
  topics: readonly TopicTargets[],
  { responses, topicBytes, hasError }: Look,
): void => {
  const now = clock.monotonic()
  for (const [index, { topic, targets }] of topics.entries()) {
    const bytes = topicBytes[index] ?? 0
    const answers = hasError ? (responses[index]?.partitions ?? []) : []
    const failures = answers.filter(({ errorCode }) => errorCode !== 0).length
    sensors.traffic.fetched(bytes, targets.length, failures, now)
    topic?.traffic.fetched(bytes, targets.length, failures, now)
  }
}

/** The answer when it takes no read: an error, or nothing there. */
const withoutReading = (
  partition: Partition,
  log: PartitionLog,
  wanted: PartitionRequest,
): PartitionResponse | undefined => {
  const epochError = leaderEpochError(partition.leaderEpoch, wanted.currentLeaderEpoch)
  if (epochError !== undefined) return failed(wanted, codeOf(epochError), log)
  const { fetchOffset, lastFetchedEpoch } = wanted
  if (log.failure !== undefined) return failedBy(wanted, log.failure, log)
  if (lastFetchedEpoch >= 0) {
    const end = log.endOffsetForEpoch(lastFetchedEpoch)
    const isKnown = end.epoch >= 0
    if (isKnown && (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset)) {
      return { ...filled(wanted, 0, log, NO_RECORDS), divergingEpoch: end }
    }
  }
  if (fetchOffset < log.startOffset || fetchOffset > log.endOffset) {
    return failed(wanted, codeOf('OFFSET_OUT_OF_RANGE'), log)
  }
  return fetchOffset >= log.highWatermark ? filled(wanted, 0, log, NO_RECORDS) : undefined
}

const readFrom = async (
  log: PartitionLog,
  wanted: PartitionRequest,
  isolation: Isolation,
  leftBytes: number,
  isFirst: boolean,
): Promise<PartitionResponse> => {
  const limit = Math.max(0, Math.min(wanted.partitionMaxBytes, leftBytes))
  // The limits are spent: the client asks for this partition first next time.
  if (!isFirst && limit === 0) return filled(wanted, 0, log, NO_RECORDS)
  const read = await log.read(wanted.fetchOffset, limit, { isolation })
  if (!isFirst && read.sizeBytes > limit) return filled(wanted, 0, log, NO_RECORDS)
  const { abortedTransactions, lastStableOffset } = read
  // What is told of the log is of the moment of the read: nothing that is aborted later lies below it.
  return { ...filled(wanted, 0, log, read.batches), lastStableOffset, abortedTransactions }
}

/** Whether `missingBytes` may have become readable since the partitions were looked at. */
const hasNews = (targets: readonly Target[], missingBytes: number): boolean => {
  let bytes = 0
  for (const { log, sizeBytes, highWatermark, endOffset } of targets) {
    // What is above the high watermark cannot be read yet, so nothing counts until that advances.
    if (log === undefined || log.highWatermark <= highWatermark) continue
    // What was on its way then is in that size already: only another look tells how much it is.
    if (missingBytes <= 1 || endOffset > highWatermark) return true
    bytes += log.sizeBytes - sizeBytes
  }
  return bytes > 0 && bytes >= missingBytes
}

const isGone = ({ metadata }: BrokerServices, { topic }: Partition): boolean =>
  metadata.topicById(topic.id) !== topic

const filled = (
  wanted: PartitionRequest,
  errorCode: number,
  log: PartitionLog | undefined,
  records: readonly Uint8Array[],
): PartitionResponse => ({
  partitionIndex: wanted.partition,
  errorCode,
  highWatermark: log?.highWatermark ?? -1,
  lastStableOffset: log?.lastStableOffset ?? -1,
  logStartOffset: log?.startOffset ?? -1,
  abortedTransactions: null,
  preferredReadReplica: -1,
  records,
})

const failed = (wanted: PartitionRequest, errorCode: number, log?: PartitionLog): PartitionResponse =>
  filled(wanted, errorCode, log, NO_RECORDS)

const failedBy = (wanted: PartitionRequest, error: unknown, log?: PartitionLog): PartitionResponse =>
  withStorageCause(failed(wanted, responseErrorOf(error).errorCode, log), error)

const answer = ({ sessionId, error, responses }: SessionAnswer): ResponseOf<typeof fetch> => ({
  throttleTimeMs: 0,
  errorCode: error === undefined ? 0 : codeOf(error),
  sessionId,
  responses,
})

const refused = (error: ErrorCode): ResponseOf<typeof fetch> =>
  answer({ sessionId: NO_SESSION, error, responses: [] })
