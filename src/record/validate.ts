/** Whether bytes are a sound record batch, and where the batches in a `records` field begin and end. */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { crc32c } from './crc32c.js'
import { FIELD, HEADER_BYTES, LOG_OVERHEAD_BYTES, MAGIC, readHeader, readInt32 } from './header.js'
import type { BatchHeader } from './header.js'

/** Length, attributes, two deltas, no key, no value, no headers: the smallest record. */
export const MIN_RECORD_BYTES = 7

/** The smallest message of the formats before v2, from its offset on. */
const MIN_OLD_MESSAGE_BYTES = LOG_OVERHEAD_BYTES + 14

/**
 * Checks that `bytes` are exactly one record batch whose CRC holds and whose header makes sense. The records
 * themselves are checked where they are read ({@link RecordCursor}).
 * @throws OttlaError CORRUPT_MESSAGE for a wrong size or CRC; INVALID_RECORD for a header that contradicts itself;
 * UNSUPPORTED_FOR_MESSAGE_FORMAT for message formats 0 and 1.
 */
export const validateBatch = (bytes: Uint8Array): BatchHeader => {
  // The CRC before the fields it covers: damage is told apart from a writer's mistake.
  checkSizeAndCrc(bytes)
  const header = readHeader(bytes)
  const { baseOffset, lastOffset, lastOffsetDelta, recordCount, producerId } = header
  if (baseOffset < 0 || lastOffsetDelta < 0 || !Number.isSafeInteger(lastOffset)) {
    throw invalid(`covers the offsets ${baseOffset} to ${lastOffset}; expected 0 <= first <= last < 2^53`)
  }
  if (recordCount < 0 || recordCount > lastOffsetDelta + 1) {
    throw invalid(`says that it has ${recordCount} records for ${lastOffsetDelta + 1} offsets`)
  }
  const recordBytes = bytes.length - HEADER_BYTES
  if (
    header.compression === 'none'
      ? recordCount * MIN_RECORD_BYTES > recordBytes
      : recordCount > 0 && recordBytes === 0
  ) {
    throw invalid(`says that it has ${recordCount} records, but holds only ${recordBytes} bytes of them`)
  }
  if (recordCount === 0 && recordBytes > 0 && header.compression === 'none') {
    throw invalid(`says that it has no records, but holds ${recordBytes} bytes behind its header`)
  }
  if (producerId < -1 || (producerId === -1 && header.isTransactional)) {
    throw invalid(`has the producer id ${producerId}; expected one >= 0, or -1 outside transactions`)
  }
  if (producerId >= 0 && header.producerEpoch < 0) {
    throw invalid(`has the producer epoch ${header.producerEpoch} for producer ${producerId}; expected >= 0`)
  }
  return header
}

const invalid = (what: string): OttlaError => new OttlaError('INVALID_RECORD', `The batch ${what}.`)

const checkSizeAndCrc = (bytes: Uint8Array): void => {
  if (bytes.length >= HEADER_BYTES && bytes[FIELD.magic] === MAGIC) {
    const sizeBytes = LOG_OVERHEAD_BYTES + readInt32(bytes, FIELD.length)
    if (sizeBytes !== bytes.length) {
      throw new OttlaError(
        'CORRUPT_MESSAGE',
        `The batch says that it has ${sizeBytes} bytes, but ${bytes.length} are there.`,
      )
    }
    const stored = readInt32(bytes, FIELD.crc) >>> 0
    const computed = crc32c(bytes, FIELD.attributes, sizeBytes)
    if (stored !== computed) {
      throw new OttlaError(
        'CORRUPT_MESSAGE',
        `The batch is damaged: its CRC is ${stored}, but the bytes have ${computed}.`,
        { details: { stored, computed } },
      )
    }
  }
  // What is too short or of another format is readHeader's to name.
}

/**
 * Views of the single batches in a `records` field. Each buffer holds batches one after another; what follows the
 * last whole one is ignored, as a fetch may cut a batch off.
 * @throws OttlaError CORRUPT_MESSAGE for a length that no batch can have; UNSUPPORTED_FOR_MESSAGE_FORMAT for
 * message formats 0 and 1.
 */
export const splitBatches = (buffers: readonly Uint8Array[]): Uint8Array[] => {
  const batches: Uint8Array[] = []
  for (const buffer of buffers) {
    let at = 0
    while (buffer.length - at > FIELD.magic) {
      const sizeBytes = LOG_OVERHEAD_BYTES + readInt32(buffer, at + FIELD.length)
      const magic = buffer[at + FIELD.magic]
      const leastBytes = magic === 0 || magic === 1 ? MIN_OLD_MESSAGE_BYTES : HEADER_BYTES
      if (sizeBytes < leastBytes || (magic ?? 0) > MAGIC) {
        throw new OttlaError(
          'CORRUPT_MESSAGE',
          `At byte ${at} stands a batch of ${sizeBytes} bytes in format version ${magic}; expected version 2 and at least ${leastBytes} bytes.`,
        )
      }
      if (magic !== MAGIC) {
        throw new OttlaError(
          'UNSUPPORTED_FOR_MESSAGE_FORMAT',
          `The message set has format version ${magic}; expected version 2 (Kafka 0.11 and later).`,
        )
      }
      if (sizeBytes > buffer.length - at) break
      const whole = at === 0 && sizeBytes === buffer.length
      batches.push(whole ? buffer : new Uint8Array(buffer.buffer, buffer.byteOffset + at, sizeBytes))
      at += sizeBytes
    }
  }
  return batches
}
