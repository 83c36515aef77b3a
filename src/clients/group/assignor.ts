/** Assignors: how the leader of a group shares the partitions among the members. */
import type { TopicPartition } from '../message.js'

/** A member as the assignor sees it. */
export interface AssignableMember {
  /** The id that the coordinator gave the member. */
  readonly memberId: string
  /** The topics that it subscribes to. */
  readonly topics: readonly string[]
  /** What it owned in the generation before. */
  readonly ownedPartitions: readonly TopicPartition[]
}

/** What there is to share. */
export interface Assignable {
  /** The members that share, each with the topics it subscribes to. */
  readonly members: readonly AssignableMember[]
  /** How many partitions each topic has; a topic that does not exist is left out. */
  readonly partitionCounts: ReadonlyMap<string, number>
}

/**
 * Shares partitions among members: Kafka's ConsumerPartitionAssignor. The leader runs it, so the members of a group
 * have to agree on one by name. The same input has to give the same output.
 */
export interface Assignor {
  /** The protocol name under which members offer it, e.g. `range`. */
  readonly name: string
  /** The partitions of each member id; a member that is left out gets none. */
  assign(assignable: Assignable): ReadonlyMap<string, readonly TopicPartition[]>
}

/** Whether `value` has the shape of an assignor. */
export const isAssignor = (value: unknown): value is Assignor => {
  if (typeof value !== 'object' || value === null) return false
  const { name, assign } = value as Partial<Record<keyof Assignor, unknown>>
  return typeof name === 'string' && name.length > 0 && typeof assign === 'function'
}

/** Orders ids as Java's String.compareTo does, by UTF-16 code units, so that mixed groups agree. */
export const compareIds = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
