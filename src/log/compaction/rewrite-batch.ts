/**
 * Batches as compaction leaves them. A batch keeps its offsets, its producer and the sequence of its first and last
 * record, whatever of its records goes, so the offsets of those that stay and a producer's next sequence are the same.
 */
import { compress } from '../../record/compression/codec.js'
import type { RecordCursor } from '../../record/decode.js'
import { ATTRIBUTE, HEADER_BYTES, writeHeader, type BatchHeader } from '../../record/header.js'
import { MAX_VARINT_BYTES, MAX_VARLONG_BYTES, writeVarint, writeVarlong } from '../../record/varint.js'
import { allocateBytes } from '../../runtime/bytes.js'
import type { Pace } from './pace.js'

/** What a record may grow by when its timestamp is written from another base: its length, and the timestamp. */
const MAX_GROWTH_BYTES = MAX_VARINT_BYTES + MAX_VARLONG_BYTES
/** After how many records the clock is asked whether the slice was long enough. */
const RECORDS_A_LOOK = 256

/** Which records of a batch stay, by their place among those that are there. */
export interface KeptRecords {
  readonly isKept: Uint8Array
  readonly count: number
  readonly firstTimestamp: number
  readonly maxTimestamp: number
}

/** The header of `header`'s batch with no records, as Kafka writes it. */
export const emptyBatch = (header: BatchHeader): Uint8Array => {
  const bytes = allocateBytes(HEADER_BYTES)
  writeHeader(bytes, HEADER_BYTES, {
    ...header,
    leaderEpoch: header.partitionLeaderEpoch,
    attributes: header.attributes & ~(ATTRIBUTE.compression | ATTRIBUTE.deleteHorizon),
    baseTimestamp: -1,
    recordCount: 0,
  })
  return bytes
}

/**
 * The batch with the records that are `kept`, compressed as it was.
 * @param records stands before its first record.
 * @param deleteHorizonMs until when its tombstones, or its marker, stay; -1 without any. It stands in the place of the
 * base timestamp, from which the records' timestamps are counted then (KIP-534).
 * @throws OttlaError CODEC_MISSING when the codec's package is not installed.
 */
export const rewriteBatch = async (
  records: RecordCursor,
  kept: KeptRecords,
  deleteHorizonMs: number,
  pace: Pace,
): Promise<Uint8Array> => {
  const { header } = records
  const baseTimestamp = deleteHorizonMs >= 0 ? deleteHorizonMs : kept.firstTimestamp
  const plain = allocateBytes(HEADER_BYTES + records.bytes.length + kept.count * MAX_GROWTH_BYTES)
  let at = HEADER_BYTES
  for (let place = 0; records.next(); place++) {
    if (kept.isKept[place] === 1) at = copyRecord(plain, at, records, baseTimestamp)
    if (place % RECORDS_A_LOOK === 0 && pace.isDue) await pace.rest()
  }
  const body = new Uint8Array(plain.buffer, plain.byteOffset + HEADER_BYTES, at - HEADER_BYTES)
  const stored = header.compression === 'none' ? body : await compress(header.compression, body)
  const sizeBytes = HEADER_BYTES + stored.length
  const bytes = allocateBytes(sizeBytes)
  bytes.set(stored, HEADER_BYTES)
  const isAppendTime = header.timestampType === 'LogAppendTime'
  writeHeader(bytes, sizeBytes, {
    ...header,
    leaderEpoch: header.partitionLeaderEpoch,
    attributes:
      deleteHorizonMs >= 0
        ? header.attributes | ATTRIBUTE.deleteHorizon
        : header.attributes & ~ATTRIBUTE.deleteHorizon,
    baseTimestamp,
    maxTimestamp: isAppendTime ? header.maxTimestamp : kept.maxTimestamp,
    recordCount: kept.count,
  })
  return bytes
}

/** Writes the current record with its timestamp counted from `baseTimestamp`; returns the position behind it. */
const copyRecord = (
  target: Uint8Array,
  start: number,
  record: RecordCursor,
  baseTimestamp: number,
): number => {
  const { bytes, bodyStart, bodyEnd } = record
  // The length stands in front of what it counts: the timestamp is written behind the widest length, to be measured.
  const deltaAt = start + MAX_VARINT_BYTES + 1
  const deltaEnd = writeVarlong(target, record.timestamp - baseTimestamp, deltaAt)
  const size = 1 + (deltaEnd - deltaAt) + (bodyEnd - bodyStart)
  let at = writeVarint(target, size, start)
  target[at++] = 0 // attributes: none of their bits has a meaning yet
  target.copyWithin(at, deltaAt, deltaEnd)
  at += deltaEnd - deltaAt
  target.set(new Uint8Array(bytes.buffer, bytes.byteOffset + bodyStart, bodyEnd - bodyStart), at)
  return at + bodyEnd - bodyStart
}
