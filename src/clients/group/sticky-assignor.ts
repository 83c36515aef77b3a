/** Kafka's StickyAssignor, without its rack awareness. */
import { decodeStickyUserData, encodeStickyUserData } from '../../protocol/sticky-user-data.js'
import type { AssignableMember, Assignor } from './assignor.js'
import { flattenPartitions, groupPartitions } from './partitions-by-topic.js'
import { stickyAssignment, type Claim } from './sticky-assignment.js'

/**
 * Shares partitions as evenly as possible, whatever the members subscribe to, and lets each keep what it had as far
 * as that allows. It is eager: members give everything up during a rebalance and get most of it back;
 * {@link cooperativeStickyAssignor} spares them that. Source: KIP-54, KIP-341.
 */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  assign: (assignable) =>
    stickyAssignment(
      assignable,
      new Map(assignable.members.map((member) => [member.memberId, claimOf(member)])),
    ),
  userData: ({ partitions, generation }) =>
    generation < 0 ? null : encodeStickyUserData({ owned: groupPartitions(partitions), generation }),
}

/** What a member says it had; nothing when that cannot be read, as in Kafka. */
const claimOf = ({ userData }: AssignableMember): Claim => {
  if (userData === null || userData.length === 0) return { partitions: [], generation: -1 }
  try {
    const { owned, generation } = decodeStickyUserData(userData)
    return { partitions: flattenPartitions(owned), generation }
  } catch {
    return { partitions: [], generation: -1 }
  }
}
