/** What a batch must be before it may enter a log: everything from outside is checked here, CRC included (L2). */
import { ATTRIBUTE, FIELD, readHeader, readInt16, type BatchHeader } from '../record/header.js'
import { RecordCursor } from '../record/decode.js'
import { HEADER_BYTES } from '../record/header.js'
import { validateBatch } from '../record/validate.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { LogConfig } from './log-config.js'

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
  if (batch.length > config.maxMessageBytes) {
    throw new OttlaError(
      'MESSAGE_TOO_LARGE',
      `${name}: the batch has ${batch.length} bytes; expected at most ${config.maxMessageBytes} (max.message.bytes).`,
      { details: { sizeBytes: batch.length, maxMessageBytes: config.maxMessageBytes } },
    )
  }
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
  if (config.timestampType === 'CreateTime') checkTimestamps(name, batch, header, config, nowMs)
  return header
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

const checkTimestamps = (
  name: string,
  batch: Uint8Array,
  header: BatchHeader,
  config: LogConfig,
  nowMs: number,
): void => {
  if ((readInt16(batch, FIELD.attributes) & ATTRIBUTE.logAppendTime) !== 0) {
    throw new OttlaError(
      'INVALID_TIMESTAMP',
      `${name}: the batch claims LogAppendTime; expected CreateTime, which is the topic's message.timestamp.type.`,
    )
  }
  const earliest = config.timestampBeforeMaxMs < 0 ? -Infinity : nowMs - config.timestampBeforeMaxMs
  const latest = config.timestampAfterMaxMs < 0 ? Infinity : nowMs + config.timestampAfterMaxMs
  checkBounds(name, header.maxTimestamp, earliest, latest)
  // The header knows the largest timestamp, not the smallest. Every one of them lies after a bound that lies
  // before the epoch, which is what Kafka's default amounts to, so the records are walked only for a real bound.
  if (earliest <= 0) return
  if (header.compression !== 'none') {
    checkBounds(name, header.baseTimestamp, earliest, latest)
    return
  }
  const cursor = new RecordCursor(header, batch, HEADER_BYTES, batch.length)
  while (cursor.next()) checkBounds(name, cursor.timestamp, earliest, latest)
}

const checkBounds = (name: string, timestamp: number, earliest: number, latest: number): void => {
  // -1 says that the record has none.
  if (timestamp === -1 || (timestamp >= earliest && timestamp <= latest)) return
  throw new OttlaError(
    'INVALID_TIMESTAMP',
    `${name}: a record has the timestamp ${timestamp}; expected ${earliest} to ${latest}.`,
    { details: { timestamp, earliest, latest } },
  )
}
