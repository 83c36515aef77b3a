/** Admin requests about groups of the consumer protocol, in which the broker decides who gets what (KIP-848). */
import { consumerGroupDescribe } from '../../protocol/api/consumer-group-describe.js'
import type { Channel } from '../../protocol/channel.js'
import type { ResponseOf } from '../../protocol/schema.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import type { AdminOptions } from './admin-options.js'
import { askCoordinator } from './coordinator.js'
import { groupError } from './group-error.js'
import { Outcomes } from './outcomes.js'

type Described = ResponseOf<typeof consumerGroupDescribe>['groups'][number]
type DescribedAssignment = Described['members'][number]['assignment']

/** A member of a consumer group. */
export interface ConsumerGroupMember {
  /** The id that the member gave itself. */
  readonly memberId: string
  /** The name of a static member (KIP-345); null for others. */
  readonly groupInstanceId: string | null
  /** The rack that it says it is in; null when it does not say. */
  readonly rackId: string | null
  /** What the member's client calls itself. */
  readonly clientId: string
  /** Where it is: an address, or `in-process`. */
  readonly clientHost: string
  /** The epoch that it has come to; -2 for a static member that has left for a moment. */
  readonly epoch: number
  /** The topics that it subscribes to by their names. */
  readonly topics: readonly string[]
  /** The expression that it subscribes with; null without one. */
  readonly topicRegex: string | null
  /** What it has, and what it was told to give up and has not. */
  readonly assignment: readonly TopicPartition[]
  /** What it is to have. */
  readonly targetAssignment: readonly TopicPartition[]
  /** The protocol that it speaks; null when the broker does not say. */
  readonly protocol: 'classic' | 'consumer' | null
}

/** A consumer group with its members. */
export interface ConsumerGroupDescription {
  /** The group's name. */
  readonly groupId: string
  /** `Empty`, `Assigning`, `Reconciling`, `Stable` or `Dead`. */
  readonly state: string
  /** Rises with every change of members, subscriptions and topics. */
  readonly epoch: number
  /** The epoch that the members' targets are for. */
  readonly assignmentEpoch: number
  /** The assignor that most members want. */
  readonly assignor: string
  /** Its members, with their partitions. */
  readonly members: readonly ConsumerGroupMember[]
}

export const describeConsumerGroups = async (
  context: ClientContext,
  groupIds: readonly string[],
  { signal }: AdminOptions,
): Promise<readonly ConsumerGroupDescription[]> => {
  const outcomes = new Outcomes<ConsumerGroupDescription>(groupIds)
  const describe = (groupId: string): Promise<ConsumerGroupDescription> => {
    const ask = async (coordinator: Channel): Promise<ConsumerGroupDescription> => {
      const request = { groupIds: [groupId], includeAuthorizedOperations: false }
      const { groups } = await coordinator.send(consumerGroupDescribe, request, { signal })
      for (const group of groups) {
        if (group.errorCode !== 0) throw groupError(groupId, group.errorCode, group.errorMessage)
        return descriptionOf(group)
      }
      throw groupError(groupId, GROUP_ID_NOT_FOUND)
    }
    return askCoordinator(context, { of: groupId, ask, signal })
  }
  await Promise.all(groupIds.map((groupId) => outcomes.attempt(groupId, () => describe(groupId))))
  return outcomes.results()
}

const GROUP_ID_NOT_FOUND = 69
/** What a member speaks, by Kafka's numbers. */
const PROTOCOLS = ['classic', 'consumer'] as const

const descriptionOf = (group: Described): ConsumerGroupDescription => ({
  groupId: group.groupId,
  state: group.groupState,
  epoch: group.groupEpoch,
  assignmentEpoch: group.assignmentEpoch,
  assignor: group.assignorName,
  members: group.members.map(({ memberId, instanceId, rackId, clientId, clientHost, ...member }) => ({
    memberId,
    groupInstanceId: instanceId,
    rackId,
    clientId,
    clientHost,
    epoch: member.memberEpoch,
    topics: member.subscribedTopicNames,
    topicRegex: member.subscribedTopicRegex === '' ? null : member.subscribedTopicRegex,
    assignment: partitionsOf(member.assignment),
    targetAssignment: partitionsOf(member.targetAssignment),
    protocol: PROTOCOLS[member.memberType] ?? null,
  })),
})

const partitionsOf = ({ topicPartitions }: DescribedAssignment): TopicPartition[] =>
  topicPartitions.flatMap(({ topicName, partitions }) =>
    partitions.map((partition) => ({ topic: topicName, partition })),
  )
