/** How a member of a group behaves, and who hears what becomes of its partitions. */
import type { TopicPartition } from '../message.js'
import type { Backoff } from '../retry.js'
import type { JoinTerms } from './group-requests.js'

/** How a member behaves. */
export interface MembershipOptions extends JoinTerms {
  readonly heartbeatIntervalMs: number
  readonly backoff: Backoff
}

/** What becomes of the partitions. */
export interface MembershipListener {
  /**
   * These are about to be given up: no turn may begin, the one under way may end, and what was processed is to be
   * committed. The membership waits for it, for the rebalance timeout at most.
   */
  revoked(partitions: readonly TopicPartition[]): Promise<void>
  /** Cooperatively: it joins again with what it has, and cannot commit until it has heard what is to become of that. */
  rejoining(): void
  /** These are no longer ours, and others may have them already: nothing may be committed. */
  lost(partitions: readonly TopicPartition[]): void
  /**
   * These, and no others, are ours in the new generation. `isContinuous` says that nobody else can have had those
   * that were ours before; cooperatively it is always so, as the others are lost first. The next rebalance does not wait for it: the group cannot go on without us.
   */
  assigned(partitions: readonly TopicPartition[], isContinuous: boolean): Promise<void>
  /** A heartbeat that was sent at `sentAt`, on the monotonic clock, is answered. */
  heartbeat(sentAt: number): void
  /** The membership is over, for a reason that trying again would not help. */
  failed(error: unknown): void
}
