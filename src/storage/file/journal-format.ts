/**
 * A partition's journal: frames, of which the first is a snapshot of the whole state and each that follows commits
 * one group of writes. A frame is a length, a CRC-32C, and a payload of JSON and the blobs' bytes.
 *
 * A frame promises nothing of the disk's order: the frame may be there and the batches it commits not, or the other
 * way round. Recovery takes a frame only when both are whole. All that a snapshot tells of was synced before it.
 */
import { allocateBytes, readUtf8, toUtf8 } from '../../runtime/bytes.js'
import { crc32c } from '../../record/crc32c.js'
import { readInt32, writeInt32 } from '../../record/header.js'
import type { BlobChanges } from '../contract.js'
import type { Head, Segment } from './partition-meta.js'

/** The layout that this version writes, and the only one that it reads. */
export const FORMAT_VERSION = 1

const FRAME_HEADER_BYTES = 8
const MIN_PAYLOAD_BYTES = 4

/** A frame's content, the blobs aside. */
export interface FrameFields {
  /** Counts the frames of a partition. */
  readonly sequence: number
  /** Every frame up to this one was on the disk, with its batches, when this one was written. */
  readonly synced: number
  readonly endOffset: number
  /** The segments that are new or have changed; in a snapshot all. */
  readonly segments: readonly Segment[]
  /** Only in a snapshot. */
  readonly snapshot?: {
    readonly version: number
    readonly startOffset: number
    readonly head: Head
    /** The segments whose files still have the suffix of those that take another's place. */
    readonly swapped: readonly number[]
  }
}

/** A frame, read. */
export interface Frame extends FrameFields {
  readonly blobs: BlobChanges
  /** Where the next one begins. */
  readonly end: number
}

/** The frame's bytes. */
export const encodeFrame = (fields: FrameFields, blobs: BlobChanges): Uint8Array => {
  const values = Object.values(blobs).filter((value) => value !== null)
  const lengths = Object.entries(blobs).map(([name, value]) => [name, value?.length ?? -1])
  const json = toUtf8(JSON.stringify({ ...fields, blobs: lengths }))
  const blobBytes = values.reduce((total, value) => total + value.length, 0)
  const frame = allocateBytes(FRAME_HEADER_BYTES + MIN_PAYLOAD_BYTES + json.length + blobBytes)
  writeInt32(frame, frame.length - FRAME_HEADER_BYTES, 0)
  writeInt32(frame, json.length, FRAME_HEADER_BYTES)
  let at = FRAME_HEADER_BYTES + MIN_PAYLOAD_BYTES
  for (const part of [json, ...values]) {
    frame.set(part, at)
    at += part.length
  }
  writeInt32(frame, crc32c(frame, FRAME_HEADER_BYTES, frame.length), 4)
  return frame
}

/** The frame at `at`; undefined when there is no whole one. */
export const decodeFrame = (bytes: Uint8Array, at: number): Frame | undefined => {
  if (at + FRAME_HEADER_BYTES + MIN_PAYLOAD_BYTES > bytes.length) return undefined
  const length = readInt32(bytes, at)
  const start = at + FRAME_HEADER_BYTES
  const end = start + length
  if (length < MIN_PAYLOAD_BYTES || end > bytes.length) return undefined
  if (crc32c(bytes, start, end) !== readInt32(bytes, at + 4) >>> 0) return undefined
  let blobAt = start + MIN_PAYLOAD_BYTES + readInt32(bytes, start)
  const json = readUtf8(bytes, start + MIN_PAYLOAD_BYTES, blobAt)
  const { blobs: lengths, ...fields } = JSON.parse(json) as FrameFields & {
    blobs: readonly (readonly [string, number])[]
  }
  const blobs = lengths.map(([name, size]) => {
    if (size < 0) return [name, null] as const
    blobAt += size
    return [name, bytes.slice(blobAt - size, blobAt)] as const
  })
  return { ...fields, blobs: Object.fromEntries(blobs), end }
}

/** The first whole frame behind `at`, where there is none: bytes in between are damaged. */
export const nextFrame = (bytes: Uint8Array, at: number): Frame | undefined => {
  for (let position = at + 1; position < bytes.length; position++) {
    const frame = decodeFrame(bytes, position)
    if (frame !== undefined) return frame
  }
  return undefined
}
