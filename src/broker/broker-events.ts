/** What a broker tells those who listen. */
import type { OttlaError } from '../runtime/errors/ottla-error.js'

/** What happened to a topic. */
export interface TopicEvent {
  /** The topic's name. */
  readonly topic: string
  /** How many partitions it has now. */
  readonly partitions: number
}

/** What happened to a group. */
export interface GroupEvent {
  /** The group's name. */
  readonly groupId: string
  /** The number of its generation; rises with every rebalance. */
  readonly generation: number
  /** The ids of its members. */
  readonly members: readonly string[]
}

/** What a sweep of retention did. */
export interface RetentionEvent {
  /** The bytes of all batches that it dropped. */
  readonly bytes: number
}

/** Event name to arguments. */
export type BrokerEvents = Readonly<{
  /** A topic was created, and is durable. */
  topicCreated: [event: TopicEvent]
  /** A topic was deleted with its records. */
  topicDeleted: [event: Pick<TopicEvent, 'topic'>]
  /** A topic has more partitions; `partitions` is their number now. */
  partitionsAdded: [event: TopicEvent]
  /** A group has a new generation, whose members are known; they receive their assignments next. */
  groupRebalanced: [event: GroupEvent]
  /** The last member of a group is gone. */
  groupEmpty: [event: Pick<GroupEvent, 'groupId'>]
  /** Retention dropped old records. */
  recordsDropped: [event: RetentionEvent]
  /** The storage refuses everything until the broker was closed and opened again. */
  storageFailed: [error: OttlaError]
}>
