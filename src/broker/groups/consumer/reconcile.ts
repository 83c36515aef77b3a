/**
 * Where a member goes next on its way to its target: what it must give up first, what it gets at once, what it has to
 * wait for because another has it still (KIP-848). No partition is given before its last owner gave it up (G1).
 */
import type { Uuid } from '../../../runtime/uuid.js'
import type { CurrentAssignment } from './consumer-member.js'
import { hasPartition, type EpochPartitions, type Partitions } from './partitions.js'

/** What the member is moved towards. */
export interface Target {
  readonly epoch: number
  readonly partitions: Partitions
  /** The topics that the member subscribes to, which the target may not know of yet. */
  readonly subscribed: ReadonlySet<Uuid>
  readonly hasSubscriptionChanged: boolean
  /** All that members of the group have, or were told to give up and have not. */
  readonly owned: Partitions
}

/** The member's next assignment. `told` is what it says that it has; null when it does not say. */
export const reconcile = (
  current: CurrentAssignment,
  target: Target,
  told: Partitions | null,
): CurrentAssignment => {
  switch (current.state) {
    case 'STABLE':
      if (current.memberEpoch !== target.epoch) return advance(current, target, told)
      return target.hasSubscriptionChanged ? unsubscribe(current, target, told) : current
    case 'UNREVOKED_PARTITIONS':
      if (!mayOwn(told, current.pendingRevocation)) return advance(current, target, told)
      return target.hasSubscriptionChanged ? unsubscribe(current, target, told) : current
    case 'UNRELEASED_PARTITIONS':
      return advance(current, target, told)
  }
}

/** Who does not tell what it has may have anything. */
const mayOwn = (told: Partitions | null, partitions: EpochPartitions): boolean =>
  told === null ||
  [...partitions].some(([topicId, of]) =>
    [...of.keys()].some((partition) => hasPartition(told, topicId, partition)),
  )

/** Takes back what the member does not subscribe to any more; the target that knows of it is still to come. */
const unsubscribe = (
  current: CurrentAssignment,
  { subscribed }: Target,
  told: Partitions | null,
): CurrentAssignment => {
  const assigned = select(current.assigned, (topicId) => subscribed.has(topicId))
  const withdrawn = select(current.assigned, (topicId) => !subscribed.has(topicId))
  if (withdrawn.size === 0) return current
  const pendingRevocation = merge(current.pendingRevocation, withdrawn)
  const kept = { ...current, assigned, previousMemberEpoch: current.memberEpoch }
  return mayOwn(told, pendingRevocation)
    ? { ...kept, state: 'UNREVOKED_PARTITIONS', pendingRevocation }
    : kept
}

/** First what must go; when the member has none of that any more, what is free of that which is to come. */
const advance = (
  { memberEpoch, assigned, pendingRevocation }: CurrentAssignment,
  target: Target,
  told: Partitions | null,
): CurrentAssignment => {
  const isWanted = (topicId: Uuid, partition: number): boolean =>
    target.subscribed.has(topicId) && hasPartition(target.partitions, topicId, partition)
  const kept = select(assigned, isWanted)
  const withdrawn = select(assigned, (topicId, partition) => !isWanted(topicId, partition))
  const previousMemberEpoch = memberEpoch
  if (withdrawn.size > 0 && mayOwn(told, withdrawn)) {
    return {
      state: 'UNREVOKED_PARTITIONS',
      memberEpoch,
      previousMemberEpoch,
      assigned: kept,
      pendingRevocation: withdrawn,
    }
  }
  let isWaiting = false
  const given = new Map<Uuid, Map<number, number>>()
  for (const [topicId, partitions] of target.partitions) {
    if (!target.subscribed.has(topicId)) continue
    const ofTopic = new Map<number, number>(kept.get(topicId))
    for (const partition of partitions) {
      if (ofTopic.has(partition)) continue
      const isOwn = hasPartition(pendingRevocation, topicId, partition)
      if (hasPartition(target.owned, topicId, partition) && !isOwn) isWaiting = true
      else ofTopic.set(partition, target.epoch)
    }
    if (ofTopic.size > 0) given.set(topicId, ofTopic)
  }
  return {
    state: isWaiting ? 'UNRELEASED_PARTITIONS' : 'STABLE',
    memberEpoch: target.epoch,
    previousMemberEpoch,
    assigned: given,
    pendingRevocation: new Map(),
  }
}

const select = (
  partitions: EpochPartitions,
  isWanted: (topicId: Uuid, partition: number) => boolean,
): EpochPartitions => {
  const selected = new Map<Uuid, ReadonlyMap<number, number>>()
  for (const [topicId, of] of partitions) {
    const wanted = [...of].filter(([partition]) => isWanted(topicId, partition))
    if (wanted.length > 0) selected.set(topicId, new Map(wanted))
  }
  return selected
}

const merge = (left: EpochPartitions, right: EpochPartitions): EpochPartitions => {
  const merged = new Map(left)
  for (const [topicId, of] of right) merged.set(topicId, new Map([...(merged.get(topicId) ?? []), ...of]))
  return merged
}
