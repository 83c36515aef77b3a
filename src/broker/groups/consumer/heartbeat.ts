/**
 * ConsumerGroupHeartbeat: what a member of a consumer group asks and tells, as a change of a draft of the group's
 * state (KIP-848). It joins with epoch 0; who leaves is not here.
 */
import type { consumerGroupHeartbeat } from '../../../protocol/api/consumer-group-heartbeat.js'
import type { RequestOf } from '../../../protocol/schema.js'
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import type { RequestContext } from '../../request-context.js'
import {
  bumpEpoch,
  forgetUnusedRegexes,
  memberOf,
  reconcileMember,
  replaceMember,
  staticMemberOf,
} from './consumer-changes.js'
import {
  LEFT_FOR_A_MOMENT_EPOCH,
  NOTHING_TOLD,
  NOTHING_YET,
  sameNames,
  sameSubscription,
  type ConsumerMember,
  type MemberSubscription,
} from './consumer-member.js'
import { metadataHashOf, type ConsumerState, type Topics } from './consumer-state.js'
import { fromTopicPartitions, hasPartition, type Partitions } from './partitions.js'
import { preferredAssignor, retarget, type AssignorName } from './target.js'
import { checkTopicRegex, matchingTopics } from './topic-regex.js'

export type HeartbeatRequest = RequestOf<typeof consumerGroupHeartbeat>

/** The epochs by which a member says that it leaves: for good, and for a moment. */
export const LEAVING_EPOCHS: ReadonlySet<number> = new Set([-1, LEFT_FOR_A_MOMENT_EPOCH])

/** From this version on a member makes its id itself (KIP-1082). */
const OWN_MEMBER_ID_SINCE = 1

/** What a change needs to know of the world. */
export interface ChangeWorld {
  readonly topics: Topics
  /** In milliseconds since the epoch. */
  readonly now: number
  /** `group.consumer.assignors`; the first is for groups where nobody votes. */
  readonly assignors: readonly [AssignorName, ...AssignorName[]]
  /** `group.consumer.assignment.interval.ms`. */
  readonly assignmentIntervalMs: number
  /** Whether topics may have come, grown or gone since the group was looked at last. */
  readonly isMetadataExpired: boolean
  /** Whether the member may know that the topic exists. */
  readonly isVisible: (topic: string) => boolean
}

/**
 * Checks what can be checked without the group.
 * @throws OttlaError INVALID_REQUEST, UNSUPPORTED_ASSIGNOR.
 */
export const checkHeartbeat = (
  request: HeartbeatRequest,
  apiVersion: number,
  assignors: readonly string[],
): void => {
  const refuse = (isWrong: boolean, message: string): void => {
    if (isWrong) throw new OttlaError('INVALID_REQUEST', message)
  }
  const { memberEpoch, serverAssignor } = request
  const needsId = apiVersion >= OWN_MEMBER_ID_SINCE || memberEpoch > 0 || memberEpoch === -1
  refuse(needsId && request.memberId.trim() === '', "MemberId can't be empty.")
  refuse(request.groupId.trim() === '', "GroupId can't be empty.")
  refuse(request.instanceId?.trim() === '', "InstanceId can't be empty.")
  refuse(request.rackId?.trim() === '', "RackId can't be empty.")
  if (memberEpoch === 0) {
    const { subscribedTopicNames, subscribedTopicRegex } = request
    refuse(request.rebalanceTimeoutMs === -1, 'RebalanceTimeoutMs must be provided in first request.')
    refuse(request.topicPartitions?.length !== 0, 'TopicPartitions must be empty when (re-)joining.')
    refuse(
      subscribedTopicNames === null && subscribedTopicRegex === null,
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    )
  } else if (memberEpoch === LEFT_FOR_A_MOMENT_EPOCH) {
    refuse(request.instanceId === null, "InstanceId can't be null.")
  } else refuse(memberEpoch < LEFT_FOR_A_MOMENT_EPOCH, 'MemberEpoch is invalid.')
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    throw new OttlaError(
      'UNSUPPORTED_ASSIGNOR',
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.`,
    )
  }
}

/**
 * Carries a heartbeat out in `draft`: the member as it was when it came, and as it is now.
 * @throws OttlaError FENCED_MEMBER_EPOCH, UNKNOWN_MEMBER_ID, UNRELEASED_INSTANCE_ID, FENCED_INSTANCE_ID,
 * INVALID_REGULAR_EXPRESSION.
 */
export const heartbeatIn = (
  draft: ConsumerState,
  request: HeartbeatRequest,
  memberId: string,
  context: RequestContext,
  world: ChangeWorld,
): { readonly before: ConsumerMember; readonly after: ConsumerMember } => {
  const told = request.topicPartitions === null ? null : fromTopicPartitions(request.topicPartitions)
  const before = memberFor(draft, request, memberId, told)
  const member = tell(draft, before, subscriptionOf(before.subscription, request, context))
  const hasSubscriptionChanged = subscribe(draft, before, member, world)
  updateTarget(draft, world)
  return { before, after: reconcileMember(draft, member, world.topics, hasSubscriptionChanged, told) }
}

/** Keeps what a member told, unless it is what is known already. */
export const tell = (
  draft: ConsumerState,
  member: ConsumerMember,
  subscription: MemberSubscription,
): ConsumerMember => {
  const isSame = draft.members.has(member.memberId) && sameSubscription(member.subscription, subscription)
  const told = isSame ? member : { ...member, subscription }
  draft.members.set(told.memberId, told)
  return told
}

/**
 * Follows what a member subscribes to, and the topics that there are: the group has another epoch when anything
 * changed. Whether the member's own subscription did.
 */
export const subscribe = (
  draft: ConsumerState,
  before: ConsumerMember,
  { subscription }: ConsumerMember,
  world: ChangeWorld,
): boolean => {
  const known = before.subscription
  const regex = subscription.subscribedTopicRegex ?? ''
  const isOtherRegex = (known.subscribedTopicRegex ?? '') !== regex
  const hasChanged = isOtherRegex || !sameNames(known.subscribedTopicNames, subscription.subscribedTopicNames)
  if (isOtherRegex) {
    if (regex !== '') checkTopicRegex(regex)
    forgetUnusedRegexes(draft)
  }
  if (hasChanged || world.isMetadataExpired) resolveRegexes(draft, world)
  if (hasChanged) bumpEpoch(draft, world.topics)
  else if (world.isMetadataExpired && metadataHashOf(draft, world.topics) !== draft.metadataHash) {
    bumpEpoch(draft, world.topics)
  }
  return hasChanged
}

/** Decides anew who is to have what, when something has changed and the last decision is old enough. */
export const updateTarget = (draft: ConsumerState, world: ChangeWorld): void => {
  if (draft.assignmentEpoch >= draft.epoch) return
  const { assignmentTimestamp } = draft
  const isTooSoon = world.now < assignmentTimestamp + world.assignmentIntervalMs
  if (assignmentTimestamp > 0 && isTooSoon) return
  retarget(draft, world.topics, preferredAssignor(draft, world.assignors[0]), world.now)
}

/** The member who speaks, before it has said anything. */
const memberFor = (
  draft: ConsumerState,
  request: HeartbeatRequest,
  memberId: string,
  told: Partitions | null,
): ConsumerMember => {
  const { groupId, instanceId, memberEpoch } = request
  if (memberEpoch === 0) return joiningMember(draft, memberId, instanceId)
  const member =
    instanceId === null ? memberOf(draft, groupId, memberId) : staticMemberOf(draft, instanceId, memberId)
  checkEpoch(member, memberEpoch, told)
  return member
}

const joiningMember = (draft: ConsumerState, memberId: string, instanceId: string | null): ConsumerMember => {
  const newcomer = { memberId, subscription: NOTHING_TOLD, current: NOTHING_YET }
  if (instanceId === null) return draft.members.get(memberId) ?? newcomer
  const known = draft.staticMember(instanceId)
  if (known === undefined) return draft.members.get(memberId) ?? newcomer
  if (known.subscription.classic === null && known.current.memberEpoch !== LEFT_FOR_A_MOMENT_EPOCH) {
    throw new OttlaError(
      'UNRELEASED_INSTANCE_ID',
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${known.memberId} member.`,
    )
  }
  return replaceMember(draft, known, memberId)
}

/** A member tells the epoch that it was told last; or the one before, when that answer was lost on the way (G2). */
const checkEpoch = (
  { current: { memberEpoch, previousMemberEpoch, assigned } }: ConsumerMember,
  received: number,
  told: Partitions | null,
): void => {
  if (received === memberEpoch) return
  const isInAssigned =
    told !== null &&
    [...told].every(([topicId, of]) =>
      [...of].every((partition) => hasPartition(assigned, topicId, partition)),
    )
  if (received < memberEpoch && received === previousMemberEpoch && isInAssigned) return
  throw new OttlaError(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a ${received > memberEpoch ? 'greater' : 'smaller'} member epoch (${received}) than the one known by the group coordinator (${memberEpoch}). The member must abandon all its partitions and rejoin.`,
  )
}

const subscriptionOf = (
  known: MemberSubscription,
  request: HeartbeatRequest,
  { clientId, clientHost }: RequestContext,
): MemberSubscription => ({
  instanceId: request.instanceId ?? known.instanceId,
  rackId: request.rackId ?? known.rackId,
  clientId: clientId ?? '',
  clientHost,
  subscribedTopicNames:
    request.subscribedTopicNames === null
      ? known.subscribedTopicNames
      : [...new Set(request.subscribedTopicNames)].sort(),
  subscribedTopicRegex: request.subscribedTopicRegex ?? known.subscribedTopicRegex,
  rebalanceTimeoutMs:
    request.rebalanceTimeoutMs === -1 ? known.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
  serverAssignor: request.serverAssignor ?? known.serverAssignor,
  classic: null,
})

/** Looks which topics the expressions mean now. */
const resolveRegexes = (draft: ConsumerState, { topics, now, isVisible }: ChangeWorld): void => {
  const regexes = new Set<string>()
  for (const { subscription } of draft.members.values()) {
    if (subscription.subscribedTopicRegex) regexes.add(subscription.subscribedTopicRegex)
  }
  if (regexes.size === 0) return
  const names = [...topics.topics()].flatMap(({ name, isInternal }) =>
    isInternal || !isVisible(name) ? [] : [name],
  )
  for (const regex of regexes) {
    const matching = matchingTopics(regex, names)
    const known = draft.regexes.get(regex)
    if (known !== undefined && sameNames(known.topics, matching)) continue
    draft.regexes.set(regex, { topics: matching, timestamp: now })
  }
}
