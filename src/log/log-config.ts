/** What a topic's configuration means to one partition's log. */
import type { CompressionType, TimestampType } from '../record/header.js'
import type { Durability } from '../storage/contract.js'

/** What one partition's log is told by its topic's configuration. -1 stands for "unlimited" or "never". */
export interface LogConfig {
  /** `cleanup.policy` has `delete`: old batches are dropped by age and size. */
  readonly deletesOld: boolean
  /** `cleanup.policy` has `compact`: the newest record of each key is kept. Clients' records need a key then. */
  readonly compacts: boolean
  /** `retention.ms`: how long a batch is kept after its largest timestamp, in milliseconds; -1 for ever. */
  readonly retentionMs: number
  /** `retention.bytes`: what the log may take before its oldest batches go; -1 for no limit. */
  readonly retentionBytes: number
  /** `segment.bytes`: what a segment may have before the next begins. */
  readonly segmentBytes: number
  /** `segment.ms`: how long after its first batch a segment may be appended to, in milliseconds; -1 for ever. */
  readonly segmentMs: number
  /** `min.cleanable.dirty.ratio`: how much of a log must be uncompacted before it is compacted, 0 to 1. */
  readonly minCleanableDirtyRatio: number
  /** `min.compaction.lag.ms`: how long a record stays as it is after it was appended, in milliseconds. */
  readonly minCompactionLagMs: number
  /** `max.compaction.lag.ms`: how long a record may stay uncompacted, in milliseconds; -1 for ever. */
  readonly maxCompactionLagMs: number
  /** `delete.retention.ms`: how long tombstones and transaction markers are kept by compaction, in milliseconds. */
  readonly deleteRetentionMs: number
  /** `max.message.bytes`: the largest batch that a client may append. */
  readonly maxMessageBytes: number
  /** `compression.type`: how batches are stored; `producer` keeps them as they came. */
  readonly compressionType: CompressionType | 'producer'
  /** `message.timestamp.type`: whether the producer's timestamps count, or the time of the append. */
  readonly timestampType: TimestampType
  /** `message.timestamp.before.max.ms`: how far before the broker's time a producer's timestamp may lie; -1 for any. */
  readonly timestampBeforeMaxMs: number
  /** `message.timestamp.after.max.ms`: how far after the broker's time a producer's timestamp may lie; -1 for any. */
  readonly timestampAfterMaxMs: number
  /** `durability`: when an append counts as stored, unless the append says otherwise. */
  readonly durability: Durability
  /** `flush.messages`: after how many records an append waits for the disk, and all before it; -1 for never. */
  readonly flushMessages: number
  /** `flush.ms`: how long a record may be unflushed, in milliseconds; -1 for ever. */
  readonly flushMs: number
  /**
   * `ottla.disk.priority`: which topics give room first when the disk budget is used up, the lowest first; undefined
   * for the broker's own, which never do.
   */
  readonly diskPriority: number | undefined
  /** `producer.id.expiration.ms`: how long an idle idempotent producer is remembered; default one day. */
  readonly producerIdExpirationMs?: number
}

/** Kafka's default of `producer.id.expiration.ms`: one day. */
export const DEFAULT_PRODUCER_ID_EXPIRATION_MS = 86_400_000
