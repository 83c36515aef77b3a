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
  if (config.timestampType === 'CreateTime') checkHeaderTimestamps(name, header, config, nowMs)
  if (header.compression === 'none' && hasRecordRules(config)) {
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
  const keyless: number[] = []
  for (let index = 0; cursor.next(); index++) {
    if (config.compacts && cursor.keyStart < 0 && keyless.length < MAX_RECORD_ERRORS) keyless.push(index)
    if (checksTime) checkBounds(name, cursor.timestamp, earliest, latest)
  }
  if (keyless.length === 0) return
  throw new OttlaError(
    'INVALID_RECORD',
    `${name}: a record has no key; expected one, as the topic's cleanup.policy has compact.`,
    { details: { keylessRecords: keyless } },
  )
}

/** The places in their batch of the records that `error` refuses for want of a key (KIP-467); none for other errors. */
export const keylessRecordsOf = (error: unknown): readonly number[] => {
  const places: unknown = OttlaError.is(error, 'INVALID_RECORD') ? error.details.keylessRecords : []
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

const checkHeaderTimestamps = (name: string, header: BatchHeader, config: LogConfig, nowMs: number): void => {
  if (header.timestampType === 'LogAppendTime') {
    throw new OttlaError(
      'INVALID_TIMESTAMP',
      `${name}: the batch claims LogAppendTime; expected CreateTime, which is the topic's message.timestamp.type.`,
    )
  }
  const [earliest, latest] = boundsOf(config, nowMs)
  checkBounds(name, header.maxTimestamp, earliest, latest)
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

const checkBounds = (name: string, timestamp: number, earliest: number, latest: number): void => {
  // -1 says that the record has none.
  if (timestamp === -1 || (timestamp >= earliest && timestamp <= latest)) return
  throw new OttlaError(
    'INVALID_TIMESTAMP',
    `${name}: a record has the timestamp ${timestamp}; expected ${rangeText(earliest, latest)}.`,
    { details: { timestamp, earliest, latest } },
  )
}
