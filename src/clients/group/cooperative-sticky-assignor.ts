/** Kafka's CooperativeStickyAssignor, without its rack awareness. */
import {
  decodeCooperativeStickyUserData,
  encodeCooperativeStickyUserData,
} from '../../protocol/sticky-user-data.js'
import { partitionName } from '../message.js'
import type { AssignableMember, Assignor } from './assignor.js'
import { stickyAssignment } from './sticky-assignment.js'

/**
 * Shares partitions as {@link stickyAssignor} does, but members go on with theirs during a rebalance and give up only
 * what is to move (KIP-429): a partition that another member has still is left out, and shared in the rebalance that
 * follows when that member has given it up. With it as the only assignor a consumer rebalances cooperatively; all
 * members of a group have to have it.
 */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  rebalanceProtocols: ['cooperative', 'eager'],
  assign(assignable) {
    const { members } = assignable
    const claims = members.map((member) => {
      const generation = generationOf(member)
      return [member.memberId, { partitions: member.ownedPartitions, generation }] as const
    })
    const owners = new Map<string, string[]>()
    for (const [memberId, { partitions }] of claims) {
      for (const name of partitions.map(partitionName)) {
        owners.set(name, [...(owners.get(name) ?? []), memberId])
      }
    }
    const assignment = stickyAssignment(assignable, new Map(claims))
    for (const [memberId, partitions] of assignment) {
      // Even one with a worse claim has to give it up first.
      const free = partitions.filter((partition) =>
        (owners.get(partitionName(partition)) ?? []).every((owner) => owner === memberId),
      )
      assignment.set(memberId, free)
    }
    return assignment
  },
  userData: ({ generation }) => encodeCooperativeStickyUserData(generation),
}

/** Before version 2 of the subscription the generation was told in the user data. */
const generationOf = ({ generation, userData }: AssignableMember): number => {
  if (generation >= 0 || userData === null) return generation
  try {
    return decodeCooperativeStickyUserData(userData)
  } catch {
    return -1
  }
}
