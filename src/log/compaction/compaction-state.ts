/**
 * What compaction keeps beside a log, in a blob of its own: how far it has come, and up to where it may have left gaps.
 * The checkpoint says the latter too, so that losing one of the two makes no gap look like damage.
 */
import { crc32c } from '../../record/crc32c.js'
import { allocateBytes } from '../../runtime/bytes.js'
import type { BlobChanges, PartitionStorage } from '../../storage/contract.js'
import { CHECKPOINT_BLOB, decodeCheckpoint } from '../checkpoint.js'

/** The name of the blob. */
export const COMPACTION_BLOB = 'compaction'

/** What the last compaction of a log came to. */
export interface LastCompaction {
  /** When it ended, in milliseconds since the epoch. */
  readonly timestamp: number
  /** Everything below this offset was compacted. */
  readonly cleanedTo: number
  /** The bytes of the batches that it went through. */
  readonly bytesBefore: number
  /** The bytes that it left of them. */
  readonly bytesAfter: number
}

/** What is kept. */
export interface CompactionState {
  /** Below this offset batches may be missing. */
  readonly gapsBelow: number
  readonly last: LastCompaction | undefined
}

const VERSION = 1
const BODY_BYTES = 1 + 5 * 8
const SIZE_BYTES = BODY_BYTES + 4

/** A version, five numbers as doubles, which hold every safe integer, and the CRC-32C of all before. */
export const encodeCompaction = ({ gapsBelow, last }: CompactionState): Uint8Array => {
  const bytes = allocateBytes(SIZE_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, SIZE_BYTES)
  view.setUint8(0, VERSION)
  view.setFloat64(1, gapsBelow)
  view.setFloat64(9, last?.timestamp ?? -1)
  view.setFloat64(17, last?.cleanedTo ?? -1)
  view.setFloat64(25, last?.bytesBefore ?? -1)
  view.setFloat64(33, last?.bytesAfter ?? -1)
  view.setUint32(BODY_BYTES, crc32c(bytes, 0, BODY_BYTES))
  return bytes
}

/** What `bytes` say; undefined when they are damaged or of a version that is not known. */
export const decodeCompaction = (bytes: Uint8Array): CompactionState | undefined => {
  if (bytes.length !== SIZE_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, SIZE_BYTES)
  if (view.getUint32(BODY_BYTES) !== crc32c(bytes, 0, BODY_BYTES) || view.getUint8(0) !== VERSION)
    return undefined
  const cleanedTo = view.getFloat64(17)
  const last =
    cleanedTo < 0
      ? undefined
      : {
          timestamp: view.getFloat64(9),
          cleanedTo,
          bytesBefore: view.getFloat64(25),
          bytesAfter: view.getFloat64(33),
        }
  return { gapsBelow: view.getFloat64(1), last }
}

/** What is true of a log that ends at `endOffset` now. */
export const truncatedCompaction = (
  { gapsBelow, last }: CompactionState,
  endOffset: number,
): CompactionState => ({
  gapsBelow: Math.min(gapsBelow, endOffset),
  last: last && { ...last, cleanedTo: Math.min(last.cleanedTo, endOffset) },
})

/** What a partition's blobs say of its compaction, the checkpoint included; of a log that never was, no gaps. */
export const loadCompaction = async (storage: PartitionStorage): Promise<CompactionState> => {
  const own = await storage.readBlob(COMPACTION_BLOB)
  const checkpoint = await storage.readBlob(CHECKPOINT_BLOB)
  const state = own && decodeCompaction(own)
  const gapsBelow = Math.max(
    state?.gapsBelow ?? 0,
    (checkpoint && decodeCheckpoint(checkpoint)?.gapsBelow) ?? 0,
  )
  return { gapsBelow, last: state?.last }
}

/** The blob of a log that was ever compacted; nothing for others. */
export const compactionBlob = (state: CompactionState): BlobChanges =>
  state.gapsBelow > 0 || state.last !== undefined ? { [COMPACTION_BLOB]: encodeCompaction(state) } : {}
