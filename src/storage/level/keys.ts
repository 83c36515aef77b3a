/**
 * How a log is laid out in a key-value store. Every number is big-endian, so keys sort as numbers do.
 *
 * | key                                   | value                                                          |
 * | ------------------------------------- | -------------------------------------------------------------- |
 * | `f`                                   | the version of this layout                                     |
 * | `d` sequence (u64)                    | the bytes of a batch                                           |
 * | `i` number (u32) base offset (u64)    | where the batch is, and what must be known without reading it  |
 * | `m` topic id (16) partition (u32)     | a partition's number and state                                 |
 * | `b` number (u32) name                 | a blob                                                         |
 * | `x` number (u32)                      | a deleted partition, some of whose entries may still be there  |
 *
 * Batch bytes lie in the order in which they were written, whatever the partition: the store then only ever adds at
 * its end and has next to nothing to merge. The small index entries alone are ordered by partition.
 */
import { toUtf8 } from '../../runtime/bytes.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { uuidFromBytes, uuidToBytes } from '../../runtime/uuid.js'
import type { BatchInfo, PartitionId } from '../contract.js'

/** The version of the layout. */
export const FORMAT_VERSION = 1

const code = (letter: string): number => letter.charCodeAt(0)
const TWO_32 = 0x1_0000_0000

const keyOf = (letter: string, size: number): { readonly key: Uint8Array; readonly view: DataView } => {
  const key = new Uint8Array(1 + size)
  key[0] = code(letter)
  return { key, view: new DataView(key.buffer) }
}

const setUint64 = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, Math.floor(value / TWO_32))
  view.setUint32(at + 4, value % TWO_32)
}

const getUint64 = (view: DataView, at: number): number => view.getUint32(at) * TWO_32 + view.getUint32(at + 4)

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Where the version of the layout stands. */
export const FORMAT_KEY = new Uint8Array([code('f')])

/** The key of the batch that was written as the `sequence`th. */
export const dataKey = (sequence: number): Uint8Array => {
  const { key, view } = keyOf('d', 8)
  setUint64(view, 1, sequence)
  return key
}

/** The sequence in a data key. */
export const sequenceOf = (key: Uint8Array): number => getUint64(viewOf(key), 1)

/** The key of a batch's index entry. */
export const indexKey = (partitionNumber: number, baseOffset: number): Uint8Array => {
  const { key, view } = keyOf('i', 12)
  view.setUint32(1, partitionNumber)
  setUint64(view, 5, baseOffset)
  return key
}

/** The key of a partition's state. */
export const metaKey = ({ topicId, partition }: PartitionId): Uint8Array => {
  const { key, view } = keyOf('m', 20)
  uuidToBytes(topicId, key, 1)
  view.setUint32(17, partition)
  return key
}

/** The partition that a state's key names. */
export const partitionOfMetaKey = (key: Uint8Array): PartitionId => ({
  topicId: uuidFromBytes(key, 1),
  partition: viewOf(key).getUint32(17),
})

/** The key of a blob; with the name left out, where the partition's blobs start. */
export const blobKey = (partitionNumber: number, name = ''): Uint8Array => {
  const text = toUtf8(name)
  const { key, view } = keyOf('b', 4 + text.length)
  view.setUint32(1, partitionNumber)
  key.set(text, 5)
  return key
}

/** The key that marks a partition as deleted. */
export const deletedKey = (partitionNumber: number): Uint8Array => {
  const { key, view } = keyOf('x', 4)
  view.setUint32(1, partitionNumber)
  return key
}

/** The partition number in a key of the kinds `i`, `b` and `x`. */
export const partitionNumberOf = (key: Uint8Array): number => viewOf(key).getUint32(1)

/** The first key of a kind, and the first key after it. */
export const kindRange = (
  letter: 'd' | 'm' | 'x',
): { readonly gte: Uint8Array; readonly lt: Uint8Array } => ({
  gte: new Uint8Array([code(letter)]),
  lt: new Uint8Array([code(letter) + 1]),
})

/** What the index knows of a batch. */
export interface IndexEntry extends BatchInfo {
  /** Under which sequence its bytes lie. */
  readonly sequence: number
  /** The largest timestamp in this batch and all before it: ascends, so a timestamp is found by halving. */
  readonly runningMaxTimestamp: number
}

const INDEX_VALUE_BYTES = 36

/** The value of an index entry; its base offset is in the key. */
export const encodeIndexEntry = (entry: IndexEntry): Uint8Array => {
  const value = new Uint8Array(INDEX_VALUE_BYTES)
  const view = viewOf(value)
  setUint64(view, 0, entry.sequence)
  setUint64(view, 8, entry.lastOffset)
  view.setUint32(16, entry.sizeBytes)
  view.setFloat64(20, entry.maxTimestamp)
  view.setFloat64(28, entry.runningMaxTimestamp)
  return value
}

/** @throws OttlaError STORAGE_CORRUPT for an entry of another length. */
export const decodeIndexEntry = (key: Uint8Array, value: Uint8Array): IndexEntry => {
  const baseOffset = getUint64(viewOf(key), 5)
  if (value.length !== INDEX_VALUE_BYTES) {
    throw new OttlaError(
      'STORAGE_CORRUPT',
      `The index entry of offset ${baseOffset} has ${value.length} bytes instead of ${INDEX_VALUE_BYTES}.`,
    )
  }
  const view = viewOf(value)
  return {
    baseOffset,
    sequence: getUint64(view, 0),
    lastOffset: getUint64(view, 8),
    sizeBytes: view.getUint32(16),
    maxTimestamp: view.getFloat64(20),
    runningMaxTimestamp: view.getFloat64(28),
  }
}

/** A partition's state as it is stored. */
export interface PartitionMeta {
  readonly partitionNumber: number
  readonly startOffset: number
  readonly endOffset: number
  readonly sizeBytes: number
  readonly batchCount: number
  readonly runningMaxTimestamp: number
}

const META_VALUE_BYTES = 44

/** The value of a partition's state. */
export const encodeMeta = (meta: PartitionMeta): Uint8Array => {
  const value = new Uint8Array(META_VALUE_BYTES)
  const view = viewOf(value)
  view.setUint32(0, meta.partitionNumber)
  setUint64(view, 4, meta.startOffset)
  setUint64(view, 12, meta.endOffset)
  setUint64(view, 20, meta.sizeBytes)
  setUint64(view, 28, meta.batchCount)
  view.setFloat64(36, meta.runningMaxTimestamp)
  return value
}

/** @throws OttlaError STORAGE_CORRUPT for a state of another length. */
export const decodeMeta = (key: Uint8Array, value: Uint8Array): PartitionMeta => {
  if (value.length !== META_VALUE_BYTES) {
    const { topicId, partition } = partitionOfMetaKey(key)
    throw new OttlaError(
      'STORAGE_CORRUPT',
      `The state of partition ${partition} of topic ${topicId} has ${value.length} bytes instead of ${META_VALUE_BYTES}.`,
    )
  }
  const view = viewOf(value)
  return {
    partitionNumber: view.getUint32(0),
    startOffset: getUint64(view, 4),
    endOffset: getUint64(view, 12),
    sizeBytes: getUint64(view, 20),
    batchCount: getUint64(view, 28),
    runningMaxTimestamp: view.getFloat64(36),
  }
}
