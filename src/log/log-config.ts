/** What a topic's configuration means to one partition's log, and the defaults of what it leaves out. */
import type { TimestampType } from '../record/header.js'
import type { Durability } from '../storage/contract.js'

/** What one partition's log is told by its topic's configuration. -1 stands for "unlimited", as in Kafka. */
export interface LogConfig {
  /** `retention.ms`: how long a batch is kept after its largest timestamp, in milliseconds; -1 for ever. */
  readonly retentionMs: number
  /** `retention.bytes`: what the log may take before its oldest batches go; -1 for no limit. */
  readonly retentionBytes: number
  /** `max.message.bytes`: the largest batch that a client may append. */
  readonly maxMessageBytes: number
  /** `message.timestamp.type`: whether the producer's timestamps count, or the time of the append. */
  readonly timestampType: TimestampType
  /** `message.timestamp.before.max.ms`: how far before the broker's time a producer's timestamp may lie; -1 for any. */
  readonly timestampBeforeMaxMs: number
  /** `message.timestamp.after.max.ms`: how far after the broker's time a producer's timestamp may lie; -1 for any. */
  readonly timestampAfterMaxMs: number
  /** When an append counts as stored, unless the append says otherwise. */
  readonly durability: Durability
  /** `producer.id.expiration.ms`: how long an idle idempotent producer is remembered; default one day. */
  readonly producerIdExpirationMs?: number
}

/** Kafka's default of `producer.id.expiration.ms`: one day. */
export const DEFAULT_PRODUCER_ID_EXPIRATION_MS = 86_400_000
