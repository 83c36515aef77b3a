/**
 * How a log is laid out in a key-value store. Every number is big-endian, so keys sort as numbers do.
 *
 * | key                                                  | value                                                |
 * | ---------------------------------------------------- | ---------------------------------------------------- |
 * | `b` number (u32) name                                | a blob                                               |
 * | `c`                                                  | the checkpoint: the journal before it is in the rest |
 * | `d` number (u32)                                     | a deleted partition, some of which may be there yet  |
 * | `f`                                                  | the version of this layout                           |
 * | `i` number (u32) last offset (u64)                   | a page of the index: up to 128 batches, the last of  |
 * |                                                      | which ends with that offset                          |
 * | `p` topic id (16) partition (u32)                    | a partition's number and state                       |
 * | `r` sequence (u64) 0 number (u32) what is known of   | the bytes of a batch                                 |
 * |     the batch                                        |                                                      |
 * | `r` sequence (u64) 1 or 2 number (u32) name          | a blob that was set (1) or removed (2)               |
 *
 * The keys under `r` are the journal: an append writes those alone. They ascend in the order of writing, whatever the
 * partition, and lie behind all others, so the store only ever adds at its end and has next to nothing to merge. What
 * a key says of its batch goes into the index now and then, many batches at a time; what is not there yet is known in
 * memory, and found again from the checkpoint on after a crash.
 */
import { readUtf8, toUtf8 } from '../../runtime/bytes.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { uuidFromBytes, uuidToBytes } from '../../runtime/uuid.js'
import type { BatchInfo, PartitionId } from '../contract.js'

/** The version of the layout. */
export const FORMAT_VERSION = 2

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

/** Where the checkpoint stands. */
export const CHECKPOINT_KEY = new Uint8Array([code('c')])

/** The value of the checkpoint: everything in the journal below `sequence` is in the index, the states and the blobs. */
export const encodeCheckpoint = (sequence: number): Uint8Array => {
  const value = new Uint8Array(8)
  setUint64(viewOf(value), 0, sequence)
  return value
}

/** @throws OttlaError STORAGE_CORRUPT for a checkpoint of another length. */
export const decodeCheckpoint = (value: Uint8Array): number => {
  if (value.length === 8) return getUint64(viewOf(value), 0)
  throw new OttlaError('STORAGE_CORRUPT', `The checkpoint of the log has ${value.length} bytes instead of 8.`)
}

/** What a key of the journal begins with, up to the sequence. */
export const journalKey = (sequence: number): Uint8Array => {
  const { key, view } = keyOf('r', 8)
  setUint64(view, 1, sequence)
  return key
}

/** The sequence in a key of the journal. */
export const sequenceOf = (key: Uint8Array): number => getUint64(viewOf(key), 1)

const BATCH = 0
const BLOB_SET = 1
const BLOB_REMOVED = 2
const NAME_AT = 14
const BATCH_KEY_BYTES = 42

/** The key of a batch's bytes. */
export const batchKey = (
  partitionNumber: number,
  entry: Omit<IndexEntry, 'runningMaxTimestamp'>,
): Uint8Array => {
  const { key, view } = keyOf('r', BATCH_KEY_BYTES - 1)
  setUint64(view, 1, entry.sequence)
  key[9] = BATCH
  view.setUint32(10, partitionNumber)
  setUint64(view, 14, entry.baseOffset)
  setUint64(view, 22, entry.lastOffset)
  view.setUint32(30, entry.sizeBytes)
  view.setFloat64(34, entry.maxTimestamp)
  return key
}

/** The key of a blob's change in the journal. */
export const blobChangeKey = (
  partitionNumber: number,
  sequence: number,
  name: string,
  isRemoved: boolean,
): Uint8Array => {
  const text = toUtf8(name)
  const { key, view } = keyOf('r', NAME_AT - 1 + text.length)
  setUint64(view, 1, sequence)
  key[9] = isRemoved ? BLOB_REMOVED : BLOB_SET
  view.setUint32(10, partitionNumber)
  key.set(text, NAME_AT)
  return key
}

/** What a key of the journal says. */
export interface JournalEntry {
  readonly partitionNumber: number
  readonly sequence: number
  /** The batch that was appended; the other two are undefined then. */
  readonly batch?: BatchInfo
  /** The blob that was changed. */
  readonly blobName?: string
  /** Whether it was removed. */
  readonly isRemoved?: boolean
}

/** @throws OttlaError STORAGE_CORRUPT for a key that is none of the journal. */
export const decodeJournalKey = (key: Uint8Array): JournalEntry => {
  const kind = key[9]
  const view = viewOf(key)
  if (kind === BATCH && key.length === BATCH_KEY_BYTES) {
    const batch = {
      baseOffset: getUint64(view, 14),
      lastOffset: getUint64(view, 22),
      sizeBytes: view.getUint32(30),
      maxTimestamp: view.getFloat64(34),
    }
    return { partitionNumber: view.getUint32(10), sequence: sequenceOf(key), batch }
  }
  if ((kind === BLOB_SET || kind === BLOB_REMOVED) && key.length >= NAME_AT) {
    const blobName = readUtf8(key, NAME_AT, key.length)
    const isRemoved = kind === BLOB_REMOVED
    return { partitionNumber: view.getUint32(10), sequence: sequenceOf(key), blobName, isRemoved }
  }
  throw new OttlaError(
    'STORAGE_CORRUPT',
    `A key of the journal has ${key.length} bytes and the kind ${kind}.`,
  )
}

/** The key of the index page whose last batch ends with `lastOffset`; seeking it finds the page that holds an offset. */
export const pageKey = (partitionNumber: number, lastOffset: number): Uint8Array => {
  const { key, view } = keyOf('i', 12)
  view.setUint32(1, partitionNumber)
  setUint64(view, 5, lastOffset)
  return key
}

/** The key of a partition's state. */
export const metaKey = ({ topicId, partition }: PartitionId): Uint8Array => {
  const { key, view } = keyOf('p', 20)
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
  const { key, view } = keyOf('d', 4)
  view.setUint32(1, partitionNumber)
  return key
}

/** The partition number in a key of the kinds `b`, `d` and `i`. */
export const partitionNumberOf = (key: Uint8Array): number => viewOf(key).getUint32(1)

/** The first key of a kind, and the first key after it. */
export const kindRange = (
  letter: 'd' | 'p' | 'r',
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

const ENTRY_BYTES = 44

/** The value of an index page. */
export const encodePage = (entries: readonly IndexEntry[]): Uint8Array => {
  const value = new Uint8Array(entries.length * ENTRY_BYTES)
  const view = viewOf(value)
  let at = 0
  for (const entry of entries) {
    setUint64(view, at, entry.sequence)
    setUint64(view, at + 8, entry.baseOffset)
    setUint64(view, at + 16, entry.lastOffset)
    view.setUint32(at + 24, entry.sizeBytes)
    view.setFloat64(at + 28, entry.maxTimestamp)
    view.setFloat64(at + 36, entry.runningMaxTimestamp)
    at += ENTRY_BYTES
  }
  return value
}

/** @throws OttlaError STORAGE_CORRUPT for a page that is empty or cut. */
export const decodePage = (key: Uint8Array, value: Uint8Array): IndexEntry[] => {
  const count = value.length / ENTRY_BYTES
  if (count === 0 || !Number.isInteger(count)) {
    throw new OttlaError(
      'STORAGE_CORRUPT',
      `The index page up to offset ${getUint64(viewOf(key), 5)} has ${value.length} bytes, no multiple of ${ENTRY_BYTES}.`,
    )
  }
  const view = viewOf(value)
  const entries = new Array<IndexEntry>(count)
  for (let index = 0, at = 0; index < count; index++, at += ENTRY_BYTES) {
    entries[index] = {
      sequence: getUint64(view, at),
      baseOffset: getUint64(view, at + 8),
      lastOffset: getUint64(view, at + 16),
      sizeBytes: view.getUint32(at + 24),
      maxTimestamp: view.getFloat64(at + 28),
      runningMaxTimestamp: view.getFloat64(at + 36),
    }
  }
  return entries
}

/** A partition's state as it is stored. */
export interface PartitionMeta {
  readonly partitionNumber: number
  readonly startOffset: number
  readonly endOffset: number
  readonly sizeBytes: number
  readonly batchCount: number
  readonly runningMaxTimestamp: number
  /** Everything of it in the journal below this sequence is in this state, the index and the blobs. */
  readonly indexedSequence: number
  /** Whether batches below startOffset are still to be removed. */
  readonly isTrimmingStart: boolean
  /** Whether batches at or beyond endOffset are. */
  readonly isTrimmingEnd: boolean
}

const META_VALUE_BYTES = 53
const TRIMMING_START = 1
const TRIMMING_END = 2

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
  setUint64(view, 44, meta.indexedSequence)
  value[52] = (meta.isTrimmingStart ? TRIMMING_START : 0) | (meta.isTrimmingEnd ? TRIMMING_END : 0)
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
    indexedSequence: getUint64(view, 44),
    isTrimmingStart: (view.getUint8(52) & TRIMMING_START) !== 0,
    isTrimmingEnd: (view.getUint8(52) & TRIMMING_END) !== 0,
  }
}
