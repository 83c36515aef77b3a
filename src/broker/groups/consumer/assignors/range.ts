/**
 * Range: of each topic every subscriber gets a row of neighbours, in the same order for all topics, so that equal
 * partitions of topics of equal size meet in one member. Who has what already does not count.
 */
import type { Uuid } from '../../../../runtime/uuid.js'
import type { AssignmentMember, Assignor } from './assignor.js'

/** Assigns by rows of neighbours. */
export const assignRange: Assignor = (members, partitionCount) => {
  const ordered = [...members].sort(byName)
  const subscribers = new Map<Uuid, AssignmentMember[]>()
  for (const member of ordered) {
    for (const topicId of member.topicIds) {
      const others = subscribers.get(topicId)
      if (others === undefined) subscribers.set(topicId, [member])
      else others.push(member)
    }
  }
  const targets = new Map(ordered.map(({ memberId }) => [memberId, new Map<Uuid, ReadonlySet<number>>()]))
  for (const [topicId, those] of subscribers) {
    const count = partitionCount(topicId)
    const quota = Math.floor(count / those.length)
    const extra = count % those.length
    let next = 0
    those.forEach(({ memberId }, index) => {
      const size = quota + (index < extra ? 1 : 0)
      const row = Array.from({ length: size }, (_, at) => next + at)
      next += size
      if (size > 0) targets.get(memberId)?.set(topicId, new Set(row))
    })
  }
  return targets
}

/** Static members by their names first: those stay when their ids change. */
const byName = (left: AssignmentMember, right: AssignmentMember): number => {
  if (left.instanceId !== null && right.instanceId !== null) {
    return compare(left.instanceId, right.instanceId)
  }
  if (left.instanceId !== null) return -1
  if (right.instanceId !== null) return 1
  return compare(left.memberId, right.memberId)
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
