/** What verifying a log found, as plain values. */

/**
 * What can be wrong with a partition:
 * - `BATCH_DAMAGED`: a batch's CRC, header or records are not what was written. Reading there takes the log off line.
 * - `BATCH_MISSING`: offsets are missing that compaction did not remove, or batches overlap.
 * - `UNREADABLE`: the storage could not read there, or could not open the partition at all.
 * - `EPOCH_DECREASES`: a batch has a lower leader epoch than one before it.
 * - `STATE_MISMATCH`: the storage's start, end, size or count is not what its batches add up to.
 * - `TIME_INDEX_MISMATCH`: searching by timestamp finds another batch than reading through does.
 * - `CHECKPOINT_DAMAGED`: the checkpoint cannot be read. Opening rebuilds it from the batches.
 * - `CHECKPOINT_MISMATCH`: the checkpoint says something else than the batches do, so a retry may not be known.
 * - `ORPHAN_PARTITION`: no topic has this partition. Opening the log removes it.
 */
export type ProblemCode =
  | 'BATCH_DAMAGED'
  | 'BATCH_MISSING'
  | 'UNREADABLE'
  | 'EPOCH_DECREASES'
  | 'STATE_MISMATCH'
  | 'TIME_INDEX_MISMATCH'
  | 'CHECKPOINT_DAMAGED'
  | 'CHECKPOINT_MISMATCH'
  | 'ORPHAN_PARTITION'

/** Something that is wrong. */
export interface LogProblem {
  /** What kind of damage it is. */
  readonly code: ProblemCode
  /** The first offset that it concerns; -1 when it concerns no offset. */
  readonly offset: number
  /** What it is, in a sentence. */
  readonly message: string
  /** What the storage tells of the place, e.g. file and position. */
  readonly details: Readonly<Record<string, unknown>>
}

/** What was found in a partition. */
export interface PartitionReport {
  /** The topic's name; its id when no topic has that. */
  readonly topic: string
  /** The partition's number in it. */
  readonly partition: number
  /** The log start offset when the walk began. */
  readonly startOffset: number
  /** One past the last offset that was looked at. */
  readonly endOffset: number
  /** How many batches were looked at. */
  readonly batches: number
  /** How many records are in the sound ones. */
  readonly records: number
  /** The bytes of the batches that were looked at. */
  readonly bytes: number
  /** In the order of discovery; at most 100, the rest is only counted. */
  readonly problems: readonly LogProblem[]
  /** How many problems there are. */
  readonly problemCount: number
}

/** What was found in a log. */
export interface LogReport {
  /** Whether there is no problem at all. */
  readonly sound: boolean
  /** All partitions, the log's own topics among them. */
  readonly partitions: readonly PartitionReport[]
  /** How many batches were looked at, in all partitions. */
  readonly batches: number
  /** How many records are in the sound ones. */
  readonly records: number
  /** The bytes of the batches that were looked at. */
  readonly bytes: number
}

/** The most problems of one partition that are kept in its report. */
export const MAX_PROBLEMS = 100
