/** What an assignor must not do, whoever wrote it: it is found before anybody hears of the assignment (G1). */
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import { partitionName, type TopicPartition } from '../message.js'
import type { AssignableMember, RebalanceProtocol } from './assignor.js'

/**
 * Checks what an assignor made.
 * @throws OttlaError INVALID_ARGUMENT when a partition has two owners, or, in a cooperative rebalance, goes to one
 * member while another has not given it up.
 */
export const checkAssignment = (
  assignor: string,
  assignment: ReadonlyMap<string, readonly TopicPartition[]>,
  members: readonly AssignableMember[],
  protocol: RebalanceProtocol,
): void => {
  const owners = new Map<string, string>()
  for (const [memberId, partitions] of assignment) {
    for (const name of partitions.map(partitionName)) {
      const other = owners.get(name)
      if (other !== undefined) {
        throw refused(assignor, name, `one owner, but ${other} and ${memberId} are to have it`)
      }
      owners.set(name, memberId)
    }
  }
  if (protocol === 'eager') return
  for (const { memberId, ownedPartitions } of members) {
    for (const name of ownedPartitions.map(partitionName)) {
      const next = owners.get(name) ?? memberId
      if (next !== memberId)
        throw refused(assignor, name, `none until ${memberId} has given it up, not ${next}`)
    }
  }
}

const refused = (assignor: string, name: string, expected: string): Error =>
  invalidArgument(`What the assignor ${assignor} makes of partition`, name, expected)
