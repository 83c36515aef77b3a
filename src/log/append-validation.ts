/** What a batch must be before it may enter a log: everything from outside is checked here, CRC included (L2). */
import { readHeader, type BatchHeader } from '../record/header.js'
import { RecordCursor } from '../record/decode.js'
import { HEADER_BYTES } from '../record/header.js'
import { validateBatch } from '../record/validate.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { LogConfig } from './log-config.js'

/** How many records of one batch are named that the topic refuses. */
const MAX_RECORD_ERRORS = 100

/**
 * The header of a batch that a client sent.
 * @throws OttlaError MESSAGE_TOO_LARGE over `max.message.bytes`; CORRUPT_MESSAGE, INVALID_RECORD or
 * UNSUPPORTED_FOR_MESSAGE_FORMAT when it is not exactly one sound v2 batch of data; INVALID_TIMESTAMP outside the
 * topic's bounds.
 */
export const validateClientBatch = (
  name: string,
  batch: Uint8Array,
  config: LogConfig,
  nowMs: number,
): BatchHeader => {
  assertSize(name, batch, config)
  const header = validateBatch(batch)
  if (header.isControl) {
    throw new OttlaError(
      'INVALID_RECORD',
      `${name}: the batch holds control records, which only brokers write.`,
    )
  }
  if (header.recordCount < 1 || header.recordCount !== header.lastOffsetDelta + 1) {
    throw new OttlaError(
      'INVALID_RECORD',
      `${name}: the batch has ${header.recordCount} records for ${header.lastOffsetDelta + 1} offsets; expected one for each, and at least one.`,
    )
  }
  // What coordinators write for a producer, markers and offsets, has none.
  if (header.producerId >= 0 && header.baseSequence < 0) {
    throw new OttlaError(
      'INVALID_RECORD',
      `${name}: the batch has the sequence ${header.baseSequence} for producer ${header.producerId}; expected >= 0.`,
    )
  }
  const isLate = isOutOfBounds(name, header, config, nowMs)
  // Which records of a compressed batch they are is not worth its decompression.
  if (isLate && header.compression !== 'none') throw lateError(name, header.maxTimestamp, config, nowMs, [])
  if (header.compression === 'none' && (isLate || hasRecordRules(config))) {
    checkRecords(name, new RecordCursor(header, batch, HEADER_BYTES, batch.length), config, nowMs)
  }
  return header
}

/** @throws OttlaError MESSAGE_TOO_LARGE over `max.message.bytes`, RECORD_LIST_TOO_LARGE over `segment.bytes`. */
export const assertSize = (name: string, batch: Uint8Array, config: LogConfig): void => {
  const { maxMessageBytes, segmentBytes } = config
  if (batch.length > maxMessageBytes) {
    throw new OttlaError(
      'MESSAGE_TOO_LARGE',
      `${name}: the batch has ${batch.length} bytes; expected at most ${maxMessageBytes} (max.message.bytes).`,
      { details: { sizeBytes: batch.length, maxMessageBytes } },
    )
  }
  if (batch.length <= segmentBytes) return
  throw new OttlaError(
    'RECORD_LIST_TOO_LARGE',
    `${name}: the batch has ${batch.length} bytes; expected at most ${segmentBytes} (segment.bytes).`,
    { details: { sizeBytes: batch.length, segmentBytes } },
  )
}

/**
 * Whether a topic has rules for single records. The header knows the largest timestamp, not the smallest; but every
 * one of them lies after a bound that lies before the epoch, which is what Kafka's default amounts to.
 */
export const hasRecordRules = (config: LogConfig): boolean =>
  config.compacts || (config.timestampType === 'CreateTime' && config.timestampBeforeMaxMs >= 0)

/**
 * Walks the records behind `cursor`.
 * @throws OttlaError INVALID_RECORD for one that is damaged, or has no key where compaction needs one;
 * INVALID_TIMESTAMP outside the topic's bounds.
 */
export const checkRecords = (name: string, cursor: RecordCursor, config: LogConfig, nowMs: number): void => {
  const [earliest, latest] = boundsOf(config, nowMs)
  const checksTime = config.timestampType === 'CreateTime'
  const refused: number[] = []
  let late: number | undefined
  for (let index = 0; cursor.next(); index++) {
    const isKeyless = config.compacts && cursor.keyStart < 0
    const isLate = checksTime && !isWithin(cursor.timestamp, earliest, latest)
    if (isLate) late ??= cursor.timestamp
    if ((isKeyless || isLate) && refused.length < MAX_RECORD_ERRORS) refused.push(index)
  }
  if (late !== undefined) throw lateError(name, late, config, nowMs, refused)
  if (refused.length === 0) return
  throw new OttlaError(
    'INVALID_RECORD',
    `${name}: a record has no key; expected one, as the topic's cleanup.policy has compact.`,
    { details: { refusedRecords: refused } },
  )
}

/** The places in their batch of the records that are the reason of `error` (KIP-467); none for other errors. */
export const refusedRecordsOf = (error: unknown): readonly number[] => {
  const places: unknown = OttlaError.is(error) ? error.details.refusedRecords : []
  return Array.isArray(places) ? places.filter((place) => typeof place === 'number') : []
}

/**
 * The header of a batch that a coordinator of this broker made.
 * @throws OttlaError CORRUPT_MESSAGE when it is not exactly one batch.
 */
export const readOwnBatch = (name: string, batch: Uint8Array): BatchHeader => {
  const header = readHeader(batch)
  if (header.sizeBytes === batch.length && header.lastOffsetDelta >= 0) return header
  throw new OttlaError(
    'CORRUPT_MESSAGE',
    `${name}: the batch says that it has ${header.sizeBytes} bytes, but ${batch.length} are there.`,
  )
}

/** Whether the largest timestamp of a batch tells that a record of it cannot be taken. */
const isOutOfBounds = (name: string, header: BatchHeader, config: LogConfig, nowMs: number): boolean => {
  if (config.timestampType !== 'CreateTime') return false
  if (header.timestampType === 'LogAppendTime') {
    throw new OttlaError(
      'INVALID_TIMESTAMP',
      `${name}: the batch claims LogAppendTime; expected CreateTime, which is the topic's message.timestamp.type.`,
    )
  }
  const [earliest, latest] = boundsOf(config, nowMs)
  return !isWithin(header.maxTimestamp, earliest, latest)
}

const boundsOf = (config: LogConfig, nowMs: number): readonly [earliest: number, latest: number] => [
  config.timestampBeforeMaxMs < 0 ? -Infinity : nowMs - config.timestampBeforeMaxMs,
  config.timestampAfterMaxMs < 0 ? Infinity : nowMs + config.timestampAfterMaxMs,
]

/** The range in words: a side without a limit has none to name. */
const rangeText = (earliest: number, latest: number): string => {
  if (earliest === -Infinity) return `at most ${latest}`
  return latest === Infinity ? `at least ${earliest}` : `${earliest} to ${latest}`
}

/** -1 says that a record has no timestamp. */
const isWithin = (timestamp: number, earliest: number, latest: number): boolean =>
  timestamp === -1 || (timestamp >= earliest && timestamp <= latest)

const lateError = (
  name: string,
  timestamp: number,
  config: LogConfig,
  nowMs: number,
  refusedRecords: readonly number[],
): OttlaError => {
  const [earliest, latest] = boundsOf(config, nowMs)
  return new OttlaError(
    'INVALID_TIMESTAMP',
    `${name}: a record has the timestamp ${timestamp}; expected ${rangeText(earliest, latest)}.`,
    { details: { timestamp, earliest, latest, refusedRecords } },
  )
}
