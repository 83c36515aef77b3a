/**
 * The 61-byte header of a RecordBatch v2 (KIP-98): where its fields stand, how they are read and written, and
 * the two patches a broker makes to a stored batch. CRC checks are in validate.ts.
 */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { crc32c } from './crc32c.js'

/** The size of the header in bytes; the records follow it. */
export const HEADER_BYTES = 61
/** Base offset and length: what stands before the bytes that the length field counts. */
export const LOG_OVERHEAD_BYTES = 12
/** The only format version that Ottla stores. */
export const MAGIC = 2

/** Positions of the fields in the header. */
export const FIELD = {
  baseOffset: 0,
  length: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** Bits of the attributes. */
export const ATTRIBUTE = {
  compression: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const

/** Kafka's names of the codecs; the index is the number in the attributes. */
export const COMPRESSION_TYPES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** How a batch's records are compressed. */
export type CompressionType = (typeof COMPRESSION_TYPES)[number]
/** Who set the timestamps: the producer, or the broker when it appended. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** What the header of a batch says. */
export interface BatchHeader {
  /** The offset of the first record. */
  readonly baseOffset: number
  /** The size of the whole batch in bytes, with its first 12. */
  readonly sizeBytes: number
  /** The epoch of the leader that appended it; -1 before a broker did. */
  readonly partitionLeaderEpoch: number
  /** CRC-32C of everything from the attributes on. */
  readonly crc: number
  /** The attribute bits as they are. */
  readonly attributes: number
  readonly compression: CompressionType
  readonly timestampType: TimestampType
  readonly isTransactional: boolean
  /** Whether it holds control records (transaction markers), which consumers never see. */
  readonly isControl: boolean
  /** `lastOffset - baseOffset`; compaction keeps it when it removes records. */
  readonly lastOffsetDelta: number
  readonly lastOffset: number
  /** What the records' timestamp deltas count from, in milliseconds; the delete horizon when there is one. */
  readonly baseTimestamp: number
  /** The largest timestamp, or the append time when the timestamp type is LogAppendTime; in milliseconds. */
  readonly maxTimestamp: number
  /** When tombstones and markers in this batch may go, in milliseconds (KIP-534); -1 when not set. */
  readonly deleteHorizonMs: number
  /** -1 when the producer is not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  /** The sequence number of the first record; -1 when the producer is not idempotent. */
  readonly baseSequence: number
  /** The sequence number of the last record, which wraps at 2^31; -1 when there is none. */
  readonly lastSequence: number
  readonly recordCount: number
}

/** `sequence + increment`; sequence numbers wrap from 2^31 - 1 to 0. */
export const incrementSequence = (sequence: number, increment: number): number =>
  (sequence + increment) % 0x8000_0000

/** The int32 at `at`, big endian. */
export const readInt32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)

/** The int16 at `at`, big endian. */
export const readInt16 = (bytes: Uint8Array, at: number): number =>
  ((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) << 16) >> 16

const readInt64 = (bytes: Uint8Array, at: number, name: string): number => {
  const value = readInt32(bytes, at) * 0x1_0000_0000 + (readInt32(bytes, at + 4) >>> 0)
  if (Number.isSafeInteger(value)) return value
  throw new OttlaError('INVALID_RECORD', `The batch's ${name} is about ${value}; expected at most 2^53 - 1.`)
}

/** Writes the low 16 bits of `value`, big endian. */
export const writeInt16 = (bytes: Uint8Array, value: number, at: number): void => {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

/** Writes the low 32 bits of `value`, big endian. */
export const writeInt32 = (bytes: Uint8Array, value: number, at: number): void => {
  bytes[at] = value >> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

const writeInt64 = (bytes: Uint8Array, value: number, at: number): void => {
  writeInt32(bytes, Math.floor(value / 0x1_0000_0000), at)
  // ToInt32 takes the low 32 bits of any safe integer, negative ones included.
  writeInt32(bytes, value | 0, at + 4)
}

const checkHeaderFits = (bytes: Uint8Array): void => {
  // Magic first: an old message set may be shorter than a v2 header, and its reader deserves the real reason.
  const magic = bytes[FIELD.magic]
  if (magic === 0 || magic === 1) {
    throw new OttlaError(
      'UNSUPPORTED_FOR_MESSAGE_FORMAT',
      `The message set has format version ${magic}; expected version 2 (Kafka 0.11 and later).`,
    )
  }
  if (bytes.length < HEADER_BYTES) {
    throw new OttlaError(
      'CORRUPT_MESSAGE',
      `The batch has ${bytes.length} bytes; expected at least the ${HEADER_BYTES} of a header.`,
    )
  }
  if (magic !== MAGIC) {
    throw new OttlaError('CORRUPT_MESSAGE', `The batch has format version ${magic}; expected 2.`)
  }
}

/**
 * What the header at the start of `bytes` says. Nothing behind the header is looked at.
 * @throws OttlaError CORRUPT_MESSAGE when there is no header of format version 2; UNSUPPORTED_FOR_MESSAGE_FORMAT
 * for versions 0 and 1; INVALID_RECORD for an unknown codec or a number beyond 2^53.
 */
export const readHeader = (bytes: Uint8Array): BatchHeader => {
  checkHeaderFits(bytes)
  const sizeBytes = LOG_OVERHEAD_BYTES + readInt32(bytes, FIELD.length)
  if (sizeBytes < HEADER_BYTES) {
    throw new OttlaError(
      'CORRUPT_MESSAGE',
      `The batch says that it has ${sizeBytes} bytes; expected at least ${HEADER_BYTES}.`,
    )
  }
  const attributes = readInt16(bytes, FIELD.attributes)
  const compression = COMPRESSION_TYPES[attributes & ATTRIBUTE.compression]
  if (compression === undefined) {
    throw new OttlaError(
      'INVALID_RECORD',
      `The batch has the codec number ${attributes & ATTRIBUTE.compression}; expected 0 to 4.`,
    )
  }
  const baseOffset = readInt64(bytes, FIELD.baseOffset, 'base offset')
  const lastOffsetDelta = readInt32(bytes, FIELD.lastOffsetDelta)
  const baseTimestamp = readInt64(bytes, FIELD.baseTimestamp, 'base timestamp')
  const baseSequence = readInt32(bytes, FIELD.baseSequence)
  return {
    baseOffset,
    sizeBytes,
    partitionLeaderEpoch: readInt32(bytes, FIELD.partitionLeaderEpoch),
    crc: readInt32(bytes, FIELD.crc) >>> 0,
    attributes,
    compression,
    timestampType: attributes & ATTRIBUTE.logAppendTime ? 'LogAppendTime' : 'CreateTime',
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    isControl: (attributes & ATTRIBUTE.control) !== 0,
    lastOffsetDelta,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestamp,
    maxTimestamp: readInt64(bytes, FIELD.maxTimestamp, 'max timestamp'),
    deleteHorizonMs: attributes & ATTRIBUTE.deleteHorizon ? baseTimestamp : -1,
    producerId: readInt64(bytes, FIELD.producerId, 'producer id'),
    producerEpoch: readInt16(bytes, FIELD.producerEpoch),
    baseSequence,
    lastSequence: baseSequence < 0 ? -1 : incrementSequence(baseSequence, lastOffsetDelta),
    recordCount: readInt32(bytes, FIELD.recordCount),
  }
}

/** The offset of the first record. @throws OttlaError INVALID_RECORD beyond 2^53. */
export const baseOffsetOf = (bytes: Uint8Array): number => readInt64(bytes, FIELD.baseOffset, 'base offset')

/** The offset of the last record. @throws OttlaError INVALID_RECORD beyond 2^53. */
export const lastOffsetOf = (bytes: Uint8Array): number =>
  baseOffsetOf(bytes) + readInt32(bytes, FIELD.lastOffsetDelta)

/** The largest timestamp in milliseconds. @throws OttlaError INVALID_RECORD beyond 2^53. */
export const maxTimestampOf = (bytes: Uint8Array): number =>
  readInt64(bytes, FIELD.maxTimestamp, 'max timestamp')

/** The epoch of the leader that appended the batch. */
export const leaderEpochOf = (bytes: Uint8Array): number => readInt32(bytes, FIELD.partitionLeaderEpoch)

/** How many records the batch holds; compaction may leave fewer than its offsets span. */
export const recordCountOf = (bytes: Uint8Array): number => readInt32(bytes, FIELD.recordCount)

/** Whether the batch holds control records. */
export const isControlBatch = (bytes: Uint8Array): boolean =>
  (readInt16(bytes, FIELD.attributes) & ATTRIBUTE.control) !== 0

/** Whether the batch is part of a transaction. */
export const isTransactionalBatch = (bytes: Uint8Array): boolean =>
  (readInt16(bytes, FIELD.attributes) & ATTRIBUTE.transactional) !== 0

/** Patches what a broker decides when it appends; the CRC does not cover it. */
export const assignOffset = (bytes: Uint8Array, baseOffset: number, leaderEpoch: number): void => {
  writeInt64(bytes, baseOffset, FIELD.baseOffset)
  writeInt32(bytes, leaderEpoch, FIELD.partitionLeaderEpoch)
}

/** Makes the broker's time, in milliseconds, the timestamp of every record, and computes the CRC anew. */
export const setLogAppendTime = (bytes: Uint8Array, timestamp: number): void => {
  writeInt16(bytes, readInt16(bytes, FIELD.attributes) | ATTRIBUTE.logAppendTime, FIELD.attributes)
  writeInt64(bytes, timestamp, FIELD.maxTimestamp)
  const size = LOG_OVERHEAD_BYTES + readInt32(bytes, FIELD.length)
  writeInt32(bytes, crc32c(bytes, FIELD.attributes, size), FIELD.crc)
}

/** Makes the batch another producer's, or another part of its sequence, and recomputes the CRC. */
export const setProducer = (
  bytes: Uint8Array,
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
): void => {
  writeInt64(bytes, producerId, FIELD.producerId)
  writeInt16(bytes, producerEpoch, FIELD.producerEpoch)
  writeInt32(bytes, baseSequence, FIELD.baseSequence)
  writeInt32(bytes, crc32c(bytes, FIELD.attributes, bytes.length), FIELD.crc)
}

/** What {@link writeHeader} is told; the size and the CRC follow from the bytes. */
export interface HeaderFields {
  readonly baseOffset: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Writes the header in front of the records that stand in `bytes[61, sizeBytes)`, and the CRC over both. */
export const writeHeader = (bytes: Uint8Array, sizeBytes: number, fields: HeaderFields): void => {
  writeInt64(bytes, fields.baseOffset, FIELD.baseOffset)
  writeInt32(bytes, sizeBytes - LOG_OVERHEAD_BYTES, FIELD.length)
  writeInt32(bytes, fields.leaderEpoch, FIELD.partitionLeaderEpoch)
  bytes[FIELD.magic] = MAGIC
  writeInt16(bytes, fields.attributes, FIELD.attributes)
  writeInt32(bytes, fields.lastOffsetDelta, FIELD.lastOffsetDelta)
  writeInt64(bytes, fields.baseTimestamp, FIELD.baseTimestamp)
  writeInt64(bytes, fields.maxTimestamp, FIELD.maxTimestamp)
  writeInt64(bytes, fields.producerId, FIELD.producerId)
  writeInt16(bytes, fields.producerEpoch, FIELD.producerEpoch)
  writeInt32(bytes, fields.baseSequence, FIELD.baseSequence)
  writeInt32(bytes, fields.recordCount, FIELD.recordCount)
  writeInt32(bytes, crc32c(bytes, FIELD.attributes, sizeBytes), FIELD.crc)
}
