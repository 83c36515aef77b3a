/** What a client's batch becomes before its offset is assigned: its records checked, and compressed as the topic has it. */
import { compress, decompress, DEFAULT_MAX_DECOMPRESSED_BYTES } from '../record/compression/codec.js'
import { RecordCursor } from '../record/decode.js'
import {
  ATTRIBUTE,
  COMPRESSION_TYPES,
  HEADER_BYTES,
  readHeader,
  writeHeader,
  type BatchHeader,
  type CompressionType,
} from '../record/header.js'
import { allocateBytes } from '../runtime/bytes.js'
import { assertSize, checkRecords, hasRecordRules } from './append-validation.js'
import type { LogConfig } from './log-config.js'

/** A batch, what its header says, and the config that it came under. */
export interface IncomingBatch {
  readonly bytes: Uint8Array
  readonly header: BatchHeader
  readonly config: LogConfig
}

const targetOf = ({ header, config }: IncomingBatch): CompressionType =>
  config.compressionType === 'producer' ? header.compression : config.compressionType

/** Whether a batch whose header is sound must be decompressed or compressed before it can be appended. */
export const needsPreparation = (batch: IncomingBatch): boolean =>
  targetOf(batch) !== batch.header.compression ||
  (batch.header.compression !== 'none' && hasRecordRules(batch.config))

/**
 * The batch as it is appended. As in Kafka what was decompressed is looked through record by record, and the size
 * that counts is that after compression.
 * @throws OttlaError CORRUPT_MESSAGE and INVALID_RECORD for damaged records; INVALID_RECORD and INVALID_TIMESTAMP
 * for what the topic does not take; MESSAGE_TOO_LARGE; CODEC_MISSING when the codec's package is not installed.
 */
export const prepareBatch = async (
  name: string,
  batch: IncomingBatch,
  nowMs: number,
): Promise<IncomingBatch> => {
  const { bytes, header, config } = batch
  const target = targetOf(batch)
  const body = new Uint8Array(bytes.buffer, bytes.byteOffset + HEADER_BYTES, bytes.length - HEADER_BYTES)
  const plain = await decompress(header.compression, body, DEFAULT_MAX_DECOMPRESSED_BYTES)
  checkRecords(name, new RecordCursor(header, plain, 0, plain.length), config, nowMs)
  if (target === header.compression) return batch
  const recompressed = withRecords(header, target, await compress(target, plain))
  assertSize(name, recompressed, config)
  return { bytes: recompressed, header: readHeader(recompressed), config }
}

/** A batch with the header's fields around other bytes of the same records. */
const withRecords = (header: BatchHeader, compression: CompressionType, records: Uint8Array): Uint8Array => {
  const bytes = allocateBytes(HEADER_BYTES + records.length)
  bytes.set(records, HEADER_BYTES)
  writeHeader(bytes, bytes.length, {
    ...header,
    leaderEpoch: header.partitionLeaderEpoch,
    attributes: (header.attributes & ~ATTRIBUTE.compression) | COMPRESSION_TYPES.indexOf(compression),
  })
  return bytes
}
