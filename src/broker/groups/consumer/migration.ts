/**
 * Groups change their protocol while members are in them (KIP-848): a classic group becomes a consumer group when the
 * first member of that protocol joins, and a classic one again when the last of them leaves.
 */
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  type Subscription,
} from '../../../protocol/consumer-protocol.js'
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import type { Uuid } from '../../../runtime/uuid.js'
import { ClassicGroup } from '../classic/classic-group.js'
import { GroupMember } from '../classic/group-member.js'
import { CONSUMER_PROTOCOL_TYPE } from '../group.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { ClassicMetadata, ConsumerMember } from './consumer-member.js'
import { ConsumerState, metadataHashOf, type Topics } from './consumer-state.js'
import { NO_PARTITIONS, type Partitions } from './partitions.js'

/** Partitions as the consumer protocol tells them, by the names of their topics. */
type NamedPartitions = readonly { readonly topic: string; readonly partitions: readonly number[] }[]

/**
 * The state of a consumer group with the members of a classic one, who have what they had.
 * @throws OttlaError GROUP_ID_NOT_FOUND when they cannot be understood.
 */
export const stateOfClassic = (group: ClassicGroup, topics: Topics): ConsumerState => {
  const state = new ConsumerState()
  const { generation } = group
  state.epoch = generation
  state.assignmentEpoch = generation
  for (const member of group.members.values()) {
    const target = assignedTo(group.groupId, member.assignment, topics)
    state.members.set(member.memberId, memberOfClassic(group, member, target))
    state.targets.set(member.memberId, target)
  }
  state.metadataHash = metadataHashOf(state, topics)
  return state
}

/** The classic group that a consumer group goes on as, with the members of `state`, who all speak that protocol. */
export const classicGroupOf = (
  group: ConsumerGroup,
  state: ConsumerState,
  topics: Topics,
  now: number,
): ClassicGroup => {
  const classic = new ClassicGroup(group.groupId, group)
  classic.generation = state.epoch
  classic.protocolType = CONSUMER_PROTOCOL_TYPE
  const members = [...state.members.values()].map(({ memberId, subscription }) => {
    const { instanceId, clientId, clientHost, rebalanceTimeoutMs } = subscription
    const { sessionTimeoutMs, supportedProtocols } = subscription.classic ?? UNKNOWN_CLIENT
    const member = new GroupMember(
      { memberId, groupInstanceId: instanceId, clientId, clientHost, protocolType: CONSUMER_PROTOCOL_TYPE },
      { protocols: supportedProtocols, sessionTimeoutMs, rebalanceTimeoutMs },
    )
    member.assignment = assignmentBytes(state.targets.get(memberId) ?? NO_PARTITIONS, topics)
    return member
  })
  classic.leaderId = members[0]?.memberId ?? null
  classic.restore(members, now)
  classic.protocolName = classic.selectProtocol()
  classic.subscribedTopics = classic.computeSubscribedTopics()
  return classic
}

/** What a classic member is told that it has. */
export const assignmentBytes = (
  partitions: Partitions | ConsumerMember['current']['assigned'],
  topics: Topics,
): Uint8Array =>
  encodeAssignment({
    assignedPartitions: [...partitions].flatMap(([topicId, of]) => {
      const topic = topics.topicById(topicId)
      return topic === undefined
        ? []
        : [{ topic: topic.name, partitions: [...of.keys()].sort((a, b) => a - b) }]
    }),
    userData: null,
  })

/** What a classic member says that it has, of topics that exist. */
export const partitionsByName = (named: NamedPartitions, topics: Topics): Partitions => {
  const partitions = new Map<Uuid, ReadonlySet<number>>()
  for (const { topic, partitions: of } of named) {
    const known = topics.topic(topic)
    if (known !== undefined && of.length > 0) partitions.set(known.id, new Set(of))
  }
  return partitions
}

const UNKNOWN_CLIENT: ClassicMetadata = { sessionTimeoutMs: 0, supportedProtocols: [] }

const memberOfClassic = (group: ClassicGroup, member: GroupMember, target: Partitions): ConsumerMember => {
  const { memberId, groupInstanceId, clientId, clientHost, terms } = member
  const { topics, rackId } = subscriptionOf(group, member)
  const { generation } = group
  return {
    memberId,
    subscription: {
      instanceId: groupInstanceId,
      rackId,
      clientId,
      clientHost,
      subscribedTopicNames: [...new Set(topics)].sort(),
      subscribedTopicRegex: '',
      rebalanceTimeoutMs: terms.rebalanceTimeoutMs,
      serverAssignor: null,
      classic: { sessionTimeoutMs: terms.sessionTimeoutMs, supportedProtocols: terms.protocols },
    },
    current: {
      state: 'STABLE',
      memberEpoch: generation,
      previousMemberEpoch: generation,
      assigned: new Map(
        [...target].map(([topicId, of]) => [topicId, new Map([...of].map((each) => [each, generation]))]),
      ),
      pendingRevocation: NO_PARTITIONS,
    },
  }
}

const subscriptionOf = (group: ClassicGroup, member: GroupMember): Subscription => {
  try {
    return decodeSubscription(member.metadataFor(group.protocolName ?? member.terms.protocols[0]?.name ?? ''))
  } catch (error) {
    throw malformed(group.groupId, error)
  }
}

const assignedTo = (groupId: string, assignment: Uint8Array, topics: Topics): Partitions => {
  if (assignment.length === 0) return NO_PARTITIONS
  let decoded
  try {
    decoded = decodeAssignment(assignment)
  } catch (error) {
    throw malformed(groupId, error)
  }
  if (decoded.userData !== null && decoded.userData.length > 0) {
    throw new OttlaError(
      'GROUP_ID_NOT_FOUND',
      `Cannot upgrade classic group ${groupId} to consumer group because an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting the upgrade.`,
    )
  }
  return partitionsByName(decoded.assignedPartitions, topics)
}

const malformed = (groupId: string, cause: unknown): OttlaError =>
  new OttlaError(
    'GROUP_ID_NOT_FOUND',
    `Cannot upgrade classic group ${groupId} to consumer group because the embedded consumer protocol is malformed.`,
    { cause },
  )
