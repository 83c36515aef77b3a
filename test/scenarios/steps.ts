/** The requests that most scenarios have, as steps. Versions are those before topics went by id, which read better. */
import { batch, type BatchOfScenario, type Marker, type RequestStep } from './scenario.js'

type Expected = Readonly<Record<string, unknown>>

/** What a step may have besides. */
export interface StepOptions {
  readonly version?: number
  readonly client?: string
  readonly later?: string
  readonly eventually?: boolean
}

const OK = { errorCode: 'NONE' }

/** Produce of one batch to one partition. */
export const produce = (
  topic: string,
  of: BatchOfScenario | Marker,
  expect: Expected = OK,
  options: StepOptions & {
    readonly partition?: number
    readonly acks?: number
    readonly transactionalId?: string
  } = {},
): RequestStep => {
  const { partition = 0, acks = -1, transactionalId = null, version = 12, ...rest } = options
  return {
    api: 'Produce',
    version,
    body: {
      transactionalId,
      acks,
      timeoutMs: 5000,
      topicData: [
        {
          name: topic,
          partitionData: [{ index: partition, records: ['kind' in of ? of : batch(of)] }],
        },
      ],
    },
    expect: { responses: [{ name: topic, partitionResponses: [{ index: partition, ...expect }] }] },
    ...rest,
  }
}

/** Fetch of one partition, without a session, that waits for nothing. */
export const fetch = (
  topic: string,
  fetchOffset: number,
  expect: Expected = OK,
  options: StepOptions & {
    readonly partition?: number
    readonly isolationLevel?: number
    readonly maxWaitMs?: number
    readonly minBytes?: number
    readonly maxBytes?: number
    readonly partitionMaxBytes?: number
    readonly currentLeaderEpoch?: number
    readonly lastFetchedEpoch?: number
  } = {},
): RequestStep => {
  const {
    partition = 0,
    isolationLevel = 0,
    maxWaitMs = 0,
    minBytes = 1,
    maxBytes = 1 << 24,
    partitionMaxBytes = 1 << 20,
    currentLeaderEpoch = -1,
    lastFetchedEpoch = -1,
    version = 12,
    ...rest
  } = options
  return {
    api: 'Fetch',
    version,
    body: {
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel,
      topics: [
        {
          topic,
          partitions: [{ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch }],
        },
      ],
    },
    expect: {
      errorCode: 'NONE',
      responses: [{ topic, partitions: [{ partitionIndex: partition, ...expect }] }],
    },
    ...rest,
  }
}

/** What timestamps of ListOffsets mean. */
export const LATEST = -1
export const EARLIEST = -2
export const MAX_TIMESTAMP = -3

/** ListOffsets of one partition. */
export const listOffset = (
  topic: string,
  timestamp: number,
  expect: Expected,
  options: StepOptions & {
    readonly partition?: number
    readonly isolationLevel?: number
    readonly currentLeaderEpoch?: number
    readonly replicaId?: number
  } = {},
): RequestStep => {
  const { partition = 0, isolationLevel = 0, currentLeaderEpoch = -1, replicaId = -1, ...rest } = options
  return {
    api: 'ListOffsets',
    body: {
      replicaId,
      isolationLevel,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp, currentLeaderEpoch }] }],
    },
    expect: { topics: [{ name: topic, partitions: [{ partitionIndex: partition, ...expect }] }] },
    ...rest,
  }
}

/** InitProducerId; `$pid` and the like are to be captured in `expect`. */
export const initProducerId = (
  transactionalId: string | null,
  expect: Expected,
  options: StepOptions & {
    readonly timeoutMs?: number
    readonly producerId?: string | number
    readonly producerEpoch?: string | number | Marker
  } = {},
): RequestStep => {
  const { timeoutMs = 60_000, producerId = -1, producerEpoch = -1, ...rest } = options
  return {
    api: 'InitProducerId',
    body: { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch },
    expect,
    ...rest,
  }
}
