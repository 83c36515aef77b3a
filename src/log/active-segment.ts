/**
 * The active segment: the end of a log that is still appended to. The log decides where a segment begins, so that
 * every storage has the same ones; what lies before the active one is settled, and may be compacted.
 */
import type { LogConfig } from './log-config.js'

/** The segment at the end of a log. */
export interface ActiveSegment {
  /** The offset that it begins at. */
  readonly baseOffset: number
  /** The bytes that were appended to it; 0 until its first batch is. */
  readonly sizeBytes: number
  /** The largest timestamp of its first batch, in milliseconds; -1 without one. */
  readonly firstTimestamp: number
  /** When its first batch was appended, in milliseconds by the broker's clock. */
  readonly firstAppendMs: number
}

/** What the rule needs of a batch that is to be appended. */
export interface SegmentBatch {
  readonly lastOffset: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
}

/** An offset is kept in a segment as an int32 distance from its base. */
const MAX_RELATIVE_OFFSET = 0x7fffffff

/** A segment that is still empty. */
export const emptySegment = (baseOffset: number): ActiveSegment => ({
  baseOffset,
  sizeBytes: 0,
  firstTimestamp: -1,
  firstAppendMs: -1,
})

/** `segment` with `batch` at its end. */
export const extended = (segment: ActiveSegment, batch: SegmentBatch, nowMs: number): ActiveSegment => ({
  ...segment,
  sizeBytes: segment.sizeBytes + batch.sizeBytes,
  ...(segment.sizeBytes === 0 ? { firstTimestamp: batch.maxTimestamp, firstAppendMs: nowMs } : {}),
})

/**
 * Whether `batch` begins a new segment, by Kafka's rule: it would not fit into `segment.bytes`, its timestamp lies
 * more than `segment.ms` after that of the segment's first batch (without one: that long ago was it appended), or
 * its offset is too far from the segment's base.
 */
export const mustRoll = (
  segment: ActiveSegment,
  batch: SegmentBatch,
  config: Pick<LogConfig, 'segmentBytes' | 'segmentMs' | 'compacts' | 'maxCompactionLagMs'>,
  nowMs: number,
): boolean => {
  if (segment.sizeBytes === 0) return false
  const { firstTimestamp, firstAppendMs } = segment
  const waitedMs = firstTimestamp >= 0 ? batch.maxTimestamp - firstTimestamp : nowMs - firstAppendMs
  // What may not wait longer for compaction may not stay in the active segment longer.
  const ofCompaction =
    config.compacts && config.maxCompactionLagMs >= 0 ? config.maxCompactionLagMs : Infinity
  const maxMs = Math.min(config.segmentMs < 0 ? Infinity : config.segmentMs, ofCompaction)
  return (
    segment.sizeBytes + batch.sizeBytes > config.segmentBytes ||
    waitedMs > maxMs ||
    batch.lastOffset - segment.baseOffset > MAX_RELATIVE_OFFSET
  )
}
