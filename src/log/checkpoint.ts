/**
 * The checkpoint: what a log would otherwise have to read itself through to know, as of one offset. It is one blob,
 * written in the same storage call as the change it goes with, so it is never newer or older than the log.
 */
import { crc32c } from '../record/crc32c.js'
import { allocateBytes } from '../runtime/bytes.js'
import type { ActiveSegment } from './active-segment.js'
import type { EpochEntry } from './epoch-cache.js'
import type { ProducedBatch, ProducerEntry } from './producer-state.js'
import type { AbortedPages, OpenTransaction } from './transaction-index.js'

/** The name of the blob. */
export const CHECKPOINT_BLOB = 'checkpoint'

/** What a checkpoint says. */
export interface Checkpoint {
  /** Everything below has been validated and is contained in the rest of the checkpoint. */
  readonly recoveryPoint: number
  /** Below this offset compaction may have left gaps; 0 in a log that was never compacted. */
  readonly gapsBelow: number
  /** Where the log is appended to; a checkpoint goes along whenever that changes. */
  readonly segment: ActiveSegment
  readonly epochs: readonly EpochEntry[]
  readonly producers: readonly ProducerEntry[]
  /** By first offset. */
  readonly openTransactions: readonly OpenTransaction[]
  /** The aborted ones have blobs of their own, written along with this. */
  readonly abortedPages: AbortedPages
}

const VERSION = 3
const SEGMENT_BYTES = 8 + 8 + 8 + 8
const HEAD_BYTES = 1 + 8 + 8 + SEGMENT_BYTES + 4 + 4 + 4 + 8 + 8
const EPOCH_BYTES = 4 + 8
const PRODUCER_BYTES = 8 + 2 + 4 + 8 + 1
const OPEN_BYTES = 8 + 8
const BATCH_BYTES = 4 + 4 + 8 + 8 + 8
const CRC_BYTES = 4

/**
 * Version, recovery point, gaps, segment, counts, pages of aborted transactions, epochs, producers with their batches, open
 * transactions, CRC-32C of all before. Numbers are big endian; offsets and timestamps take the place of an int64 as a double, which holds every safe integer.
 */
export const encodeCheckpoint = (checkpoint: Checkpoint): Uint8Array => {
  const { recoveryPoint, gapsBelow, segment, epochs, producers, openTransactions, abortedPages } = checkpoint
  let size = HEAD_BYTES + epochs.length * EPOCH_BYTES + openTransactions.length * OPEN_BYTES + CRC_BYTES
  for (const producer of producers) {
    size += PRODUCER_BYTES + producer.batches.length * BATCH_BYTES
  }
  const bytes = allocateBytes(size)
  const view = new DataView(bytes.buffer, bytes.byteOffset, size)
  view.setUint8(0, VERSION)
  view.setFloat64(1, recoveryPoint)
  view.setFloat64(9, gapsBelow)
  view.setFloat64(17, segment.baseOffset)
  view.setFloat64(25, segment.sizeBytes)
  view.setFloat64(33, segment.firstTimestamp)
  view.setFloat64(41, segment.firstAppendMs)
  view.setUint32(49, epochs.length)
  view.setUint32(53, producers.length)
  view.setUint32(57, openTransactions.length)
  view.setFloat64(61, abortedPages.firstPage)
  view.setFloat64(69, abortedPages.count)
  let at = HEAD_BYTES
  for (const { epoch, startOffset } of epochs) {
    view.setInt32(at, epoch)
    view.setFloat64(at + 4, startOffset)
    at += EPOCH_BYTES
  }
  for (const { producerId, epoch, coordinatorEpoch, lastAppendMs, batches } of producers) {
    view.setFloat64(at, producerId)
    view.setInt16(at + 8, epoch)
    view.setInt32(at + 10, coordinatorEpoch)
    view.setFloat64(at + 14, lastAppendMs)
    view.setUint8(at + 22, batches.length)
    at += PRODUCER_BYTES
    for (const batch of batches) {
      view.setInt32(at, batch.baseSequence)
      view.setInt32(at + 4, batch.lastSequence)
      view.setFloat64(at + 8, batch.baseOffset)
      view.setFloat64(at + 16, batch.lastOffset)
      view.setFloat64(at + 24, batch.timestamp)
      at += BATCH_BYTES
    }
  }
  for (const { producerId, firstOffset } of openTransactions) {
    view.setFloat64(at, producerId)
    view.setFloat64(at + 8, firstOffset)
    at += OPEN_BYTES
  }
  view.setUint32(at, crc32c(bytes, 0, at))
  return bytes
}

/** What `bytes` say; undefined when they are damaged or of a version that is not known. */
export const decodeCheckpoint = (bytes: Uint8Array): Checkpoint | undefined => {
  const end = bytes.length - CRC_BYTES
  if (end < HEAD_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(end) !== crc32c(bytes, 0, end) || view.getUint8(0) !== VERSION) return undefined
  const epochCount = view.getUint32(49)
  const producerCount = view.getUint32(53)
  const openCount = view.getUint32(57)
  let at = HEAD_BYTES
  if (at + epochCount * EPOCH_BYTES > end) return undefined
  const epochs: EpochEntry[] = []
  for (let i = 0; i < epochCount; i++, at += EPOCH_BYTES) {
    epochs.push({ epoch: view.getInt32(at), startOffset: view.getFloat64(at + 4) })
  }
  const producers: ProducerEntry[] = []
  for (let i = 0; i < producerCount; i++) {
    if (at + PRODUCER_BYTES > end) return undefined
    const batchCount = view.getUint8(at + 22)
    if (at + PRODUCER_BYTES + batchCount * BATCH_BYTES > end) return undefined
    const producerId = view.getFloat64(at)
    const epoch = view.getInt16(at + 8)
    const coordinatorEpoch = view.getInt32(at + 10)
    const lastAppendMs = view.getFloat64(at + 14)
    at += PRODUCER_BYTES
    const batches: ProducedBatch[] = []
    for (let j = 0; j < batchCount; j++, at += BATCH_BYTES) {
      batches.push({
        baseSequence: view.getInt32(at),
        lastSequence: view.getInt32(at + 4),
        baseOffset: view.getFloat64(at + 8),
        lastOffset: view.getFloat64(at + 16),
        timestamp: view.getFloat64(at + 24),
      })
    }
    producers.push({ producerId, epoch, coordinatorEpoch, lastAppendMs, batches })
  }
  if (at + openCount * OPEN_BYTES !== end) return undefined
  const openTransactions: OpenTransaction[] = []
  for (; at < end; at += OPEN_BYTES) {
    openTransactions.push({ producerId: view.getFloat64(at), firstOffset: view.getFloat64(at + 8) })
  }
  const segment = {
    baseOffset: view.getFloat64(17),
    sizeBytes: view.getFloat64(25),
    firstTimestamp: view.getFloat64(33),
    firstAppendMs: view.getFloat64(41),
  }
  const abortedPages = { firstPage: view.getFloat64(61), count: view.getFloat64(69) }
  const recoveryPoint = view.getFloat64(1)
  const gapsBelow = view.getFloat64(9)
  return { recoveryPoint, gapsBelow, segment, epochs, producers, openTransactions, abortedPages }
}
