/** Who a member of a group is, as a transaction has to say with its offsets (KIP-447). */

/** A member of a generation; a member of an older one is refused, so that a zombie commits nothing. */
export interface ConsumerGroupMetadata {
  /** The group's name. */
  readonly groupId: string
  /** Rises with every rebalance; -1 without one. */
  readonly generationId: number
  /** The member's id, from the coordinator. */
  readonly memberId: string
  /** The name of a static member (KIP-345); null for others. */
  readonly groupInstanceId: string | null
}
