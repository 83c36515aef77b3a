/** What a broker tells those who listen. */
import type { DiskPolicy } from '../log/disk-budget.js'
import type { DroppedRecords, LogRecovery, RolledSegment } from '../log/log-events.js'
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

/** What was dropped at the start of a partition. */
export interface RetentionEvent extends DroppedRecords {
  /** The topic's name. */
  readonly topic: string
  /** The partition's number in it. */
  readonly partition: number
}

/** A segment of a partition that is full, or old enough, and the next that begins. */
export interface SegmentRolledEvent extends RolledSegment {
  /** The topic's name. */
  readonly topic: string
  /** The partition's number in it. */
  readonly partition: number
}

/** How a partition was opened that was not closed. */
export interface LogRecoveredEvent extends LogRecovery {
  /** The topic's name. */
  readonly topic: string
  /** The partition's number in it. */
  readonly partition: number
}

/** The disk budget, and how much of it is used. */
export interface DiskBudgetEvent {
  /** The bytes of all batches that are stored or on their way. */
  readonly usedBytes: number
  /** `ottla.disk.max.bytes`. */
  readonly maxBytes: number
  /** `ottla.disk.policy`: what happens while it is used up. */
  readonly policy: DiskPolicy
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

/** A transaction whose producer did not end it in time. */
export interface TransactionTimedOutEvent {
  /** Whose it was. */
  readonly transactionalId: string
  /** How long it was allowed to take, in milliseconds: `transactionTimeoutMs` of the producer. */
  readonly timeoutMs: number
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
  /** A transaction was aborted because its time was up, and its producer is fenced. */
  transactionTimedOut: [event: TransactionTimedOutEvent]
  /** The oldest records of a partition were dropped: by retention, the disk budget or DeleteRecords. */
  recordsDropped: [event: RetentionEvent]
  /** A partition's active segment was rolled: what lies below may be compacted and dropped. */
  segmentRolled: [event: SegmentRolledEvent]
  /** A partition was not closed when the process ended before, and was read through from its last checkpoint on. */
  logRecovered: [event: LogRecoveredEvent]
  /** A batch did not fit into the disk budget, so its policy decides; told once until `diskBudgetRelieved`. */
  diskBudgetReached: [event: DiskBudgetEvent]
  /** A sixteenth of the disk budget is free again. */
  diskBudgetRelieved: [event: DiskBudgetEvent]
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
