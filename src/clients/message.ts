/** A record as a consumer sees it, and the headers that records carry. */
import type { RecordHeader } from '../record/encode.js'
import type { TimestampType } from '../record/header.js'

export type { RecordHeader } from '../record/encode.js'

/** A record that was read: where it stands, and its key and value as the topic's serdes make them. */
export interface Message<K = unknown, V = unknown, N extends string = string> {
  /** The topic's name; with several topics it tells TypeScript which key and value these are. */
  readonly topic: N
  /** The partition's index in the topic, from 0. */
  readonly partition: number
  /** Its place in the partition. */
  readonly offset: number
  /** Milliseconds since the epoch, of the kind that `timestampType` says. */
  readonly timestamp: number
  /** Whether the producer set the timestamp or the broker when it appended. */
  readonly timestampType: TimestampType
  /** null when the record has no key. */
  readonly key: K | null
  /** As the topic's value serde makes it; null only where the serde is `nullable`. */
  readonly value: V
  /** In the order in which they were sent; names may repeat. */
  readonly headers: readonly RecordHeader[]
  /** The leader epoch in which it was appended. */
  readonly leaderEpoch: number
}

/** Headers on their way out: names to text or bytes, or a list where names repeat. */
export type HeadersInput = Readonly<Record<string, string | Uint8Array | null>> | readonly RecordHeader[]

/** A partition of a topic, by name. */
export interface TopicPartition {
  /** The topic's name. */
  readonly topic: string
  /** The partition's index in the topic, from 0. */
  readonly partition: number
}

/** How messages and maps name a partition: `orders-0`. */
export const partitionName = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
