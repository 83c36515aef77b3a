/**
 * What happens to a consumer group: changes of a draft of its state, without a clock, a timer or a log. A heartbeat
 * is heartbeat.ts.
 */
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import {
  isReconciledTo,
  LEFT_FOR_A_MOMENT_EPOCH,
  sameAssignment,
  type ConsumerMember,
  type CurrentAssignment,
} from './consumer-member.js'
import { metadataHashOf, type ConsumerState, type Topics } from './consumer-state.js'
import { NO_PARTITIONS, type EpochPartitions, type Partitions } from './partitions.js'
import { reconcile } from './reconcile.js'

/**
 * The member.
 * @throws OttlaError UNKNOWN_MEMBER_ID.
 */
export const memberOf = (state: ConsumerState, groupId: string, memberId: string): ConsumerMember => {
  const member = state.members.get(memberId)
  if (member !== undefined) return member
  throw new OttlaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${groupId}.`)
}

/**
 * The static member of this name and id.
 * @throws OttlaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID.
 */
export const staticMemberOf = (
  state: ConsumerState,
  instanceId: string,
  memberId: string,
): ConsumerMember => {
  const member = state.staticMember(instanceId)
  if (member === undefined) throw new OttlaError('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
  if (member.memberId === memberId) return member
  throw new OttlaError(
    'FENCED_INSTANCE_ID',
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`,
  )
}

/** The group has another epoch, and a new target is due. */
export const bumpEpoch = (draft: ConsumerState, topics: Topics): void => {
  draft.epoch++
  draft.metadataHash = metadataHashOf(draft, topics)
}

/** Takes members out, whatever they have. */
export const removeMembers = (draft: ConsumerState, memberIds: Iterable<string>, topics: Topics): void => {
  for (const memberId of memberIds) {
    draft.members.delete(memberId)
    draft.targets.delete(memberId)
  }
  forgetUnusedRegexes(draft)
  bumpEpoch(draft, topics)
}

/** Forgets what expressions meant that nobody subscribes with any more. */
export const forgetUnusedRegexes = (draft: ConsumerState): void => {
  for (const regex of draft.regexes.keys()) if (draft.countOfRegex(regex) === 0) draft.regexes.delete(regex)
}

/** A static member leaves for a moment: it keeps what it has, and whatever it was to give up counts as given up. */
export const leaveForAMoment = (draft: ConsumerState, member: ConsumerMember): void => {
  const assigned = new Map<string, ReadonlyMap<number, number>>()
  for (const [topicId, of] of member.current.assigned) {
    assigned.set(topicId, new Map([...of.keys()].map((partition) => [partition, 0])))
  }
  const { state, previousMemberEpoch } = member.current
  setCurrent(draft, member, {
    state,
    memberEpoch: LEFT_FOR_A_MOMENT_EPOCH,
    previousMemberEpoch,
    assigned,
    pendingRevocation: NO_PARTITIONS,
  })
}

/** A static member is back under another id, and takes over what it had. */
export const replaceMember = (
  draft: ConsumerState,
  old: ConsumerMember,
  memberId: string,
): ConsumerMember => {
  const target = draft.targets.get(old.memberId) ?? NO_PARTITIONS
  draft.members.delete(old.memberId)
  draft.targets.delete(old.memberId)
  const current = { ...old.current, memberEpoch: 0, previousMemberEpoch: 0 }
  const member = { memberId, subscription: old.subscription, current }
  draft.members.set(memberId, member)
  draft.targets.set(memberId, target)
  return member
}

/** Moves a member towards its target; `told` is what it says that it has, null when it does not say. */
export const reconcileMember = (
  draft: ConsumerState,
  member: ConsumerMember,
  topics: Topics,
  hasSubscriptionChanged: boolean,
  told: Partitions | null,
): ConsumerMember => {
  const { current } = member
  if (!hasSubscriptionChanged && isReconciledTo(current, draft.assignmentEpoch)) return member
  const next = reconcile(
    current,
    {
      epoch: draft.assignmentEpoch,
      partitions: draft.targets.get(member.memberId) ?? NO_PARTITIONS,
      subscribed: draft.topicIdsOf(member, topics),
      hasSubscriptionChanged,
      owned: draft.owned(),
    },
    told,
  )
  return sameAssignment(current, next) ? member : setCurrent(draft, member, next)
}

/** Whether the member waits for partitions that others have still. */
export const isWaitingForOthers = (state: ConsumerState, { memberId, current }: ConsumerMember): boolean => {
  if (current.state !== 'UNRELEASED_PARTITIONS') return false
  const owned = state.owned()
  const has = (of: EpochPartitions, topicId: string, partition: number): boolean =>
    of.get(topicId)?.has(partition) === true
  for (const [topicId, partitions] of state.targets.get(memberId) ?? NO_PARTITIONS) {
    for (const partition of partitions) {
      if (!has(current.assigned, topicId, partition) && owned.get(topicId)?.has(partition) === true)
        return true
    }
  }
  return false
}

const setCurrent = (
  draft: ConsumerState,
  member: ConsumerMember,
  current: CurrentAssignment,
): ConsumerMember => {
  const changed = { ...member, current }
  draft.members.set(member.memberId, changed)
  return changed
}
