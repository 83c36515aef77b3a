/**
 * A member of a consumer group as data that never changes: what it told of itself, and where it stands on its way to
 * what it is to have. Both are written as one record each, whenever there is a new one.
 */
import { NO_PARTITIONS, sameEpochPartitions, type EpochPartitions } from './partitions.js'

/** The epoch of a static member that has left for a moment and keeps its place (KIP-848). */
export const LEFT_FOR_A_MOMENT_EPOCH = -2

/** Kafka's states of a member. */
export type MemberState = 'STABLE' | 'UNREVOKED_PARTITIONS' | 'UNRELEASED_PARTITIONS'

/** What a member is known by when it speaks the classic protocol (online migration). */
export interface ClassicMetadata {
  readonly sessionTimeoutMs: number
  /** In the member's order of preference; the first is its group's protocol to it. */
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Uint8Array }[]
}

/** What a member told. */
export interface MemberSubscription {
  /** The name of a static member (KIP-345); null for others. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** In order, each once. */
  readonly subscribedTopicNames: readonly string[]
  /** Empty or null without one. */
  readonly subscribedTopicRegex: string | null
  /** How long it may take to give up partitions, in milliseconds. */
  readonly rebalanceTimeoutMs: number
  /** The assignor it votes for; null when it leaves that to others. */
  readonly serverAssignor: string | null
  /** Null when it speaks the consumer protocol. */
  readonly classic: ClassicMetadata | null
}

/** What a member has, and since when. */
export interface CurrentAssignment {
  readonly state: MemberState
  /** 0 for one that has just joined, {@link LEFT_FOR_A_MOMENT_EPOCH} for one that is away. */
  readonly memberEpoch: number
  /** A member that missed the answer to its last heartbeat still tells this one. */
  readonly previousMemberEpoch: number
  readonly assigned: EpochPartitions
  /** What it was told to give up and has not said that it did. */
  readonly pendingRevocation: EpochPartitions
}

/** A member. */
export interface ConsumerMember {
  readonly memberId: string
  readonly subscription: MemberSubscription
  readonly current: CurrentAssignment
}

/** What a member that is new has. */
export const NOTHING_YET: CurrentAssignment = {
  state: 'STABLE',
  memberEpoch: 0,
  previousMemberEpoch: 0,
  assigned: NO_PARTITIONS,
  pendingRevocation: NO_PARTITIONS,
}

/** What is known of a member that has told nothing. */
export const NOTHING_TOLD: MemberSubscription = {
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  subscribedTopicNames: [],
  subscribedTopicRegex: null,
  rebalanceTimeoutMs: -1,
  serverAssignor: null,
  classic: null,
}

/** Whether nothing is left to do for the member until there is a new target. */
export const isReconciledTo = ({ state, memberEpoch }: CurrentAssignment, targetEpoch: number): boolean =>
  state === 'STABLE' && memberEpoch === targetEpoch

/** Whether both say the same. */
export const sameAssignment = (left: CurrentAssignment, right: CurrentAssignment): boolean =>
  left === right ||
  (left.state === right.state &&
    left.memberEpoch === right.memberEpoch &&
    left.previousMemberEpoch === right.previousMemberEpoch &&
    sameEpochPartitions(left.assigned, right.assigned) &&
    sameEpochPartitions(left.pendingRevocation, right.pendingRevocation))

/** Whether both say the same. */
export const sameSubscription = (left: MemberSubscription, right: MemberSubscription): boolean =>
  left === right ||
  (left.instanceId === right.instanceId &&
    left.rackId === right.rackId &&
    left.clientId === right.clientId &&
    left.clientHost === right.clientHost &&
    sameNames(left.subscribedTopicNames, right.subscribedTopicNames) &&
    left.subscribedTopicRegex === right.subscribedTopicRegex &&
    left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
    left.serverAssignor === right.serverAssignor &&
    sameClassic(left.classic, right.classic))

/** Whether both are the same names in the same order. */
export const sameNames = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((name, index) => name === right[index])

const sameClassic = (left: ClassicMetadata | null, right: ClassicMetadata | null): boolean => {
  if (left === null || right === null) return left === right
  return (
    left.sessionTimeoutMs === right.sessionTimeoutMs &&
    left.supportedProtocols.length === right.supportedProtocols.length &&
    left.supportedProtocols.every(({ name, metadata }, index) => {
      const other = right.supportedProtocols[index]
      return (
        other?.name === name &&
        other.metadata.length === metadata.length &&
        metadata.every((byte, at) => byte === other.metadata[at])
      )
    })
  )
}
