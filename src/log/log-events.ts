/** What a log tells while it is open: of its going off line, what it dropped, where a segment began, how it was recovered. */
import type { OttlaError } from '../runtime/errors/ottla-error.js'
import type { PartitionId } from '../storage/contract.js'

/**
 * Why records were dropped: the config that no longer kept them, or a DeleteRecords request. Where age and size both
 * would have done it, age.
 */
export type DropReason = 'retention.ms' | 'retention.bytes' | 'ottla.disk.max.bytes' | 'DeleteRecords'

/** A prefix of a log that is gone. */
export interface DroppedRecords {
  /** The log start offset before. */
  readonly fromOffset: number
  /** The log start offset now: everything from `fromOffset` up to it, without it, cannot be read any more. */
  readonly toOffset: number
  /** The bytes of the batches that are gone; 0 while the batch that holds the new start is the old one's. */
  readonly bytes: number
  /** What made them go. */
  readonly reason: DropReason
}

/** A segment that nothing is appended to any more, because the next has begun. */
export interface RolledSegment {
  /** The offset that the new segment begins at. */
  readonly baseOffset: number
  /** The offset that the one before began at. */
  readonly previousBaseOffset: number
  /** The bytes that were appended to the one before. */
  readonly previousSizeBytes: number
}

/** How a log was opened. */
export interface LogRecovery {
  /** How its checkpoint was; without a sound one the log was read from its start. */
  readonly checkpoint: 'sound' | 'missing' | 'damaged'
  /** The bytes that had to be read and validated; 0 after a clean stop. */
  readonly validatedBytes: number
  /** How long opening took, in milliseconds. */
  readonly durationMs: number
}

/** Who is told. All of it after it is stored. */
export interface LogListeners {
  /** It went off line, because of its storage or of what it found there. */
  readonly onFailed?: (id: PartitionId, failure: OttlaError) => void
  readonly onDropped?: (id: PartitionId, dropped: DroppedRecords) => void
  readonly onRolled?: (id: PartitionId, rolled: RolledSegment) => void
  /** It was opened after an unclean stop. */
  readonly onRecovered?: (id: PartitionId, recovery: LogRecovery) => void
}
