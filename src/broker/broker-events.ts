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

/** What a pass of compaction over one partition did. */
export interface CompactionEvent {
  /** The topic's name. */
  readonly topic: string
  /** The partition's number in it. */
  readonly partition: number
  /** The bytes of the batches that it went through. */
  readonly bytesBefore: number
  /** The bytes that it left of them. */
  readonly bytesAfter: number
  /** How many records it went through, transaction markers included. */
  readonly recordsBefore: number
  /** How many of them it left. */
  readonly recordsAfter: number
  /** How long it took, in milliseconds, the pauses that it makes for others included. */
  readonly durationMs: number
}

/** A pass of compaction that failed. */
export interface CompactionFailedEvent extends Pick<CompactionEvent, 'topic' | 'partition'> {
  /** Why. */
  readonly error: unknown
}

/** A partition that went off line. */
export interface PartitionOfflineEvent {
  /** The topic's name. */
  readonly topic: string
  /** The partition's number in it. */
  readonly partition: number
  /** Why; its `details` name the file and the place where the storage knows them. */
  readonly error: OttlaError
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
  /** A partition was compacted. */
  logCompacted: [event: CompactionEvent]
  /** A partition could not be compacted, and is as it was; it is tried again, and this is told once until it works. */
  compactionFailed: [event: CompactionFailedEvent]
  /**
   * A partition went off line: its storage failed, or damage was found below its end. It answers with that error until
   * the log was opened again; the others go on.
   */
  partitionOffline: [event: PartitionOfflineEvent]
  /** The storage refuses everything until the broker was closed and opened again. */
  storageFailed: [error: OttlaError]
}>
