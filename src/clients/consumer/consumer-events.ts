/** What a consumer tells those who listen. */
import type { OffsetToCommit } from '../group/group-offsets.js'
import type { TopicPartition } from '../message.js'

/** Event name to arguments. */
export type ConsumerEvents = Readonly<{
  /** These partitions, and no others, are this consumer's now. */
  assigned: [partitions: readonly TopicPartition[]]
  /** These were given up in order: what was processed is committed. Eagerly these are all; those that stay are assigned again. */
  revoked: [partitions: readonly TopicPartition[]]
  /** These are gone without order, as after a session that expired: what was not committed is delivered again. */
  lost: [partitions: readonly TopicPartition[]]
  /** These offsets are committed. */
  committed: [offsets: readonly OffsetToCommit[]]
  /** Something failed that nobody waits for: a commit at the interval, or a request that is tried again. */
  error: [error: unknown]
}>
