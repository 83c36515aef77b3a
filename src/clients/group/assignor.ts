/** Assignors: how the leader of a group shares the partitions among the members. */
import type { TopicPartition } from '../message.js'

/**
 * How a member changes from generation to generation: `'eager'` gives everything up before it joins again;
 * `'cooperative'` goes on with what it has, and gives up only what another one is to have (KIP-429).
 */
export type RebalanceProtocol = 'eager' | 'cooperative'

/** What a member was assigned last, which it may have given up since. */
export interface LastAssignment {
  /** Its partitions. */
  readonly partitions: readonly TopicPartition[]
  /** The generation in which it was assigned them; -1 before the first. */
  readonly generation: number
}

/** A member as the assignor sees it. */
export interface AssignableMember {
  /** The id that the coordinator gave the member. */
  readonly memberId: string
  /** The name of a static member (KIP-345); null for others. */
  readonly groupInstanceId: string | null
  /** The topics that it subscribes to. */
  readonly topics: readonly string[]
  /** What it has not given up: nothing in an eager rebalance. */
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation in which it got them; -1 when it does not tell. */
  readonly generation: number
  /** What its assignor had to say: {@link Assignor.userData}; null for nothing. */
  readonly userData: Uint8Array | null
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
  /**
   * The rebalance protocols that it is fit for; default eager only. In a cooperative one it must not assign a
   * partition that another member owns still: it leaves it out, and shares it when that member has given it up.
   */
  readonly rebalanceProtocols?: readonly RebalanceProtocol[]
  /** The partitions of each member id; a member that is left out gets none. */
  assign(assignable: Assignable): ReadonlyMap<string, readonly TopicPartition[]>
  /** What a member tells the leader's assignor beside its topics and partitions, e.g. what it had; default nothing. */
  userData?(last: LastAssignment): Uint8Array | null
}

/** Whether `value` has the shape of an assignor. */
export const isAssignor = (value: unknown): value is Assignor => {
  if (typeof value !== 'object' || value === null) return false
  const { name, assign, userData, rebalanceProtocols } = value as Partial<Record<keyof Assignor, unknown>>
  return (
    typeof name === 'string' &&
    name.length > 0 &&
    typeof assign === 'function' &&
    (userData === undefined || typeof userData === 'function') &&
    (rebalanceProtocols === undefined ||
      (Array.isArray(rebalanceProtocols) &&
        rebalanceProtocols.length > 0 &&
        rebalanceProtocols.every((protocol) => protocol === 'eager' || protocol === 'cooperative')))
  )
}

/**
 * The rebalance protocol of a member with these assignors: the cooperative one if all are fit for it. undefined when
 * there is none that all are fit for.
 */
export const rebalanceProtocolOf = (assignors: readonly Assignor[]): RebalanceProtocol | undefined =>
  (['cooperative', 'eager'] as const).find((protocol) =>
    assignors.every(({ rebalanceProtocols = ['eager'] }) => rebalanceProtocols.includes(protocol)),
  )

/** Orders ids as Java's String.compareTo does, by UTF-16 code units, so that mixed groups agree. */
export const compareIds = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
