/** Walks through the v2 batches of a segment, from one that is known to begin at a position. */
import { allocateBytes } from '../../runtime/bytes.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { OpenFile } from '../../runtime/files.js'
import {
  baseOffsetOf,
  FIELD,
  HEADER_BYTES,
  lastOffsetOf,
  LOG_OVERHEAD_BYTES,
  MAGIC,
  maxTimestampOf,
  readInt32,
} from '../../record/header.js'
import type { BatchInfo } from '../contract.js'

/** How much is read at once. */
const CHUNK_BYTES = 256 * 1024

/** The error for a segment file whose bytes cannot be what was written. */
export const corruptSegment = (path: string, position: number, what: string, cause?: unknown): OttlaError =>
  new OttlaError('STORAGE_CORRUPT', `The segment ${path} is damaged at position ${position}: ${what}.`, {
    details: { path, position },
    cause,
  })

/** What the header at the start of `bytes` says; `end` is how far the batch may reach from `position`. */
export const readInfo = (bytes: Uint8Array, path: string, position: number, end: number): BatchInfo => {
  if (bytes.length < HEADER_BYTES) throw corruptSegment(path, position, 'the file ends within a batch header')
  const sizeBytes = LOG_OVERHEAD_BYTES + readInt32(bytes, FIELD.length)
  if (bytes[FIELD.magic] !== MAGIC) {
    throw corruptSegment(path, position, `the format version is ${bytes[FIELD.magic]}, expected ${MAGIC}`)
  }
  if (sizeBytes < HEADER_BYTES || position + sizeBytes > end) {
    throw corruptSegment(
      path,
      position,
      `a batch of ${sizeBytes} bytes cannot be where ${end - position} are left`,
    )
  }
  try {
    const baseOffset = baseOffsetOf(bytes)
    const lastOffset = lastOffsetOf(bytes)
    if (baseOffset >= 0 && lastOffset >= baseOffset)
      return { baseOffset, lastOffset, maxTimestamp: maxTimestampOf(bytes), sizeBytes }
    throw corruptSegment(path, position, `the offsets ${baseOffset} to ${lastOffset} are none`)
  } catch (error) {
    if (OttlaError.is(error) && error.code === 'STORAGE_CORRUPT') throw error
    throw corruptSegment(path, position, 'the offsets or timestamps are none', error)
  }
}

/** Reads `length` bytes at `position`. @throws OttlaError STORAGE_CORRUPT when the file is shorter. */
export const readExactly = async (
  file: OpenFile,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array> => {
  const bytes = allocateBytes(length)
  const found = await file.read(bytes, position)
  if (found === length) return bytes
  throw corruptSegment(path, position + found, `the file ends there, expected ${length - found} bytes more`)
}

/** Which part of a segment is walked through, and whether with the batches' bytes or their headers alone. */
export interface Walk {
  readonly path: string
  readonly from: number
  readonly to: number
  readonly isWhole?: boolean
}

/** A batch that a walk comes by: all its bytes when the walk is whole, otherwise at least its header. */
export interface WalkedBatch {
  readonly info: BatchInfo
  readonly position: number
  readonly bytes: Uint8Array
}

/**
 * The batches of that part, in turn.
 * @throws OttlaError STORAGE_CORRUPT where there is no batch.
 */
export async function* walkBatches(
  file: OpenFile,
  { path, from, to, isWhole = false }: Walk,
): AsyncGenerator<WalkedBatch, void, undefined> {
  let chunk: Uint8Array = new Uint8Array(0)
  let chunkStart = from
  let chunkBytes = CHUNK_BYTES
  let previousEnd = -1
  for (let position = from; position < to;) {
    const bytesAt = async (length: number): Promise<Uint8Array> => {
      if (position + length > chunkStart + chunk.length) {
        const wanted = Math.min(Math.max(length, chunkBytes), to - position)
        chunk = await readExactly(file, path, position, wanted)
        chunkStart = position
      }
      return chunk.subarray(position - chunkStart)
    }
    let bytes = await bytesAt(HEADER_BYTES)
    const info = readInfo(bytes, path, position, to)
    if (info.baseOffset <= previousEnd)
      throw corruptSegment(path, position, `offset ${info.baseOffset} follows ${previousEnd}`)
    if (isWhole) bytes = (await bytesAt(info.sizeBytes)).subarray(0, info.sizeBytes)
    yield { info, position, bytes }
    previousEnd = info.lastOffset
    position += info.sizeBytes
    // Behind a large batch stands another: its header alone is read, not the bytes that are passed over.
    chunkBytes = isWhole || info.sizeBytes < CHUNK_BYTES / 4 ? CHUNK_BYTES : HEADER_BYTES
  }
}
