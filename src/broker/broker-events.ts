/** What a broker tells those who listen. */
import type { OttlaError } from '../runtime/errors/ottla-error.js'

/** Event name to arguments. */
export type BrokerEvents = Readonly<{
  /** A topic was created, and is durable. */
  topicCreated: [event: { readonly topic: string; readonly partitions: number }]
  /** A topic was deleted with its records. */
  topicDeleted: [event: { readonly topic: string }]
  /** A topic has more partitions; `partitions` is their number now. */
  partitionsAdded: [event: { readonly topic: string; readonly partitions: number }]
  /** A group has a new generation, whose members are known; they receive their assignments next. */
  groupRebalanced: [
    event: { readonly groupId: string; readonly generation: number; readonly members: readonly string[] },
  ]
  /** The last member of a group is gone. */
  groupEmpty: [event: { readonly groupId: string }]
  /** Retention dropped old records. */
  recordsDropped: [event: { readonly bytes: number }]
  /** The storage refuses everything until the broker was closed and opened again. */
  storageFailed: [error: OttlaError]
}>
