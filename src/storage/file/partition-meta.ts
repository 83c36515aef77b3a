/** What is known of a partition in files: its segments, and what of them counts. Values that never change. */
import type { BatchInfo } from '../contract.js'

/** A segment: one file of batches, as far as it was acknowledged. */
export interface Segment {
  /** The offset of its first batch, which is the file's name too. */
  readonly baseOffset: number
  /** The last offset of its last batch. */
  readonly lastOffset: number
  /** Up to where the file counts. */
  readonly sizeBytes: number
  /** How many batches it holds. */
  readonly batchCount: number
  /** The largest record timestamp in it. */
  readonly maxTimestamp: number
}

/** What the log start offset cut off logically from the first segment: its bytes go with the whole file. */
export interface Head {
  readonly position: number
  readonly batchCount: number
}

/** A partition's state. */
export interface PartitionMeta {
  readonly startOffset: number
  readonly endOffset: number
  readonly head: Head
  /** The segments that nothing is appended to any more, in order; shared between states, never changed. */
  readonly closed: readonly Segment[]
  /** The last segment. */
  readonly active: Segment | undefined
  /** Bytes and number of the batches that count. */
  readonly sizeBytes: number
  readonly batchCount: number
}

const NO_HEAD: Head = { position: 0, batchCount: 0 }

/** A partition that was never written. */
export const EMPTY_META: PartitionMeta = {
  startOffset: 0,
  endOffset: 0,
  head: NO_HEAD,
  closed: [],
  active: undefined,
  sizeBytes: 0,
  batchCount: 0,
}

/**
 * Segment files stay below this, so that every position fits Kafka's 32-bit index entries; larger ones its tools
 * could not read.
 */
const MAX_SEGMENT_BYTES = 2 ** 31 - 1

/** All segments, in order. */
export const segmentsOf = ({ closed, active }: PartitionMeta): readonly Segment[] =>
  active === undefined ? closed : [...closed, active]

/** The state with these segments. */
export const withSegments = (
  segments: readonly Segment[],
  offsets: Pick<PartitionMeta, 'startOffset' | 'endOffset'>,
  head: Head = NO_HEAD,
): PartitionMeta => {
  let sizeBytes = 0
  let batchCount = 0
  for (const segment of segments) {
    sizeBytes += segment.sizeBytes
    batchCount += segment.batchCount
  }
  const counted = segments.length === 0 ? NO_HEAD : head
  return {
    ...offsets,
    head: counted,
    closed: segments.slice(0, -1),
    active: segments.at(-1),
    sizeBytes: sizeBytes - counted.position,
    batchCount: batchCount - counted.batchCount,
  }
}

/** Whether `batch` begins a segment: because it is asked for, or because the active one has no room for it. */
export const beginsSegment = ({ active }: PartitionMeta, batch: BatchInfo, isAsked: boolean): boolean =>
  active === undefined || isAsked || active.sizeBytes + batch.sizeBytes > MAX_SEGMENT_BYTES

/** The segment with one more batch, or a new one with that batch alone. */
export const grown = (segment: Segment | undefined, batch: BatchInfo): Segment => ({
  baseOffset: segment?.baseOffset ?? batch.baseOffset,
  lastOffset: batch.lastOffset,
  sizeBytes: (segment?.sizeBytes ?? 0) + batch.sizeBytes,
  batchCount: (segment?.batchCount ?? 0) + 1,
  maxTimestamp: Math.max(segment?.maxTimestamp ?? -Infinity, batch.maxTimestamp),
})

/** The state with one more batch at the end. */
export const withBatch = (meta: PartitionMeta, batch: BatchInfo, isNewSegment: boolean): PartitionMeta => ({
  ...meta,
  endOffset: batch.lastOffset + 1,
  closed: isNewSegment && meta.active !== undefined ? [...meta.closed, meta.active] : meta.closed,
  active: grown(isNewSegment ? undefined : meta.active, batch),
  sizeBytes: meta.sizeBytes + batch.sizeBytes,
  batchCount: meta.batchCount + 1,
})

/** The index of the first segment that reaches `offset`; the number of segments when none does. */
export const segmentIndexOf = (segments: readonly Segment[], offset: number): number => {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((segments[middle]?.lastOffset ?? Infinity) >= offset) high = middle
    else low = middle + 1
  }
  return low
}
