/**
 * What every group has, whatever protocol its members speak: committed offsets, and what the coordinator asks of it.
 * The two kinds are classic/classic-group.ts, whose members find out together who gets what, and
 * consumer/consumer-group.ts, where the broker decides (KIP-848).
 */
import { CommittedOffsets, type CommittedOffset } from './committed-offsets.js'
import type { CoordinatorRecord } from './coordinator-record.js'
import { PendingOffsets } from './pending-offsets.js'

/** Kafka's types of groups, as far as there are groups of them here. */
export type GroupType = 'classic' | 'consumer'

/** Kafka's states of groups of either type. */
export type GroupState =
  'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

/** The protocol type of consumers, whose metadata the broker can read. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** Who commits: a member of a generation or epoch, or nobody in particular. */
export interface Committer {
  readonly groupId: string
  readonly memberId: string
  /** In a consumer group the member's epoch; -1 for one who is no member. */
  readonly generation: number
  readonly groupInstanceId: string | null
}

/** A commit that is to be let through or refused. */
export interface CommitAttempt extends Committer {
  readonly apiVersion: number
  readonly isTransactional: boolean
  /** What it commits. */
  readonly partitions: readonly CommittedPartition[]
}

/** A partition that an offset is committed for. */
export interface CommittedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

/** A group of either type. */
export abstract class Group {
  abstract readonly type: GroupType
  abstract readonly state: GroupState
  /** What its members have in common; null while it never had any. */
  abstract readonly protocolType: string | null
  /** Whether nobody is a member, or was given the id of one. */
  abstract readonly isEmpty: boolean
  /** Whether nobody ever was a member. */
  abstract readonly isUnused: boolean
  readonly groupId: string
  readonly offsets: CommittedOffsets
  readonly pendingOffsets: PendingOffsets

  /** @param known The group of this id that it takes the place of, whose offsets it goes on with. */
  constructor(groupId: string, known?: Group) {
    this.groupId = groupId
    this.offsets = known?.offsets ?? new CommittedOffsets()
    this.pendingOffsets = known?.pendingOffsets ?? new PendingOffsets()
  }

  /** Whether nothing would be lost with it. */
  get isVoid(): boolean {
    return this.isEmpty && this.offsets.size === 0 && this.pendingOffsets.size === 0
  }

  /** Whether its members subscribe to `topic`, or may do so. */
  abstract subscribesTo(topic: string): boolean

  /** Since when nobody needs an offset of a topic that nobody subscribes to; undefined while somebody may need it. */
  abstract expiryBase(): ((committed: CommittedOffset) => number) | undefined

  /**
   * Lets a commit through.
   * @throws OttlaError that says why this one may not commit (G2).
   */
  abstract checkCommit(attempt: CommitAttempt): void

  /**
   * Lets a member ask for offsets; null stands for nobody in particular.
   * @throws OttlaError STALE_MEMBER_EPOCH, ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID in a consumer group.
   */
  abstract checkFetch(memberId: string | null, memberEpoch: number): void

  /** The records that remove it from the log, its offsets aside. */
  abstract tombstones(): CoordinatorRecord[]

  /** Forgets who was given the id of a member and has not joined with it. */
  abstract forgetPendingMembers(): void
}
