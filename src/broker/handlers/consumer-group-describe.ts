/** ConsumerGroupDescribe: epochs, assignor and members of consumer groups, with what each has and is to have. */
import type { consumerGroupDescribe } from '../../protocol/api/consumer-group-describe.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { GROUP_OPERATIONS, OPERATIONS_NOT_ASKED_FOR } from '../authorized-operations.js'
import type { ConsumerMember } from '../groups/consumer/consumer-member.js'
import type { ConsumerState } from '../groups/consumer/consumer-state.js'
import type { EpochPartitions, Partitions } from '../groups/consumer/partitions.js'
import { preferredAssignor } from '../groups/consumer/target.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Described = ResponseOf<typeof consumerGroupDescribe>['groups'][number]
type DescribedMember = Described['members'][number]

/** Kafka's numbers of what a member speaks. */
const MEMBER_TYPES = { CLASSIC: 0, CONSUMER: 1 } as const

export const handleConsumerGroupDescribe: Handler<typeof consumerGroupDescribe> = async (
  services,
  request,
) => {
  const operations = request.includeAuthorizedOperations ? GROUP_OPERATIONS : OPERATIONS_NOT_ASKED_FOR
  const groups: Described[] = []
  for (const groupId of request.groupIds) {
    const group = await describe(services, groupId)
    groups.push(group.errorCode === 0 ? { ...group, authorizedOperations: operations } : group)
  }
  return { throttleTimeMs: 0, groups }
}

const describe = async (services: BrokerServices, groupId: string): Promise<Described> => {
  const nothing: Described = {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED_FOR,
  }
  if (groupId === '') return { ...nothing, errorCode: codeOf('INVALID_GROUP_ID') }
  try {
    const { state, durable } = await services.groups.findConsumerGroup(groupId)
    const [fallback] = services.configs['group.consumer.assignors']
    return {
      ...nothing,
      groupState: state,
      groupEpoch: durable.epoch,
      assignmentEpoch: durable.assignmentEpoch,
      assignorName: preferredAssignor(durable, fallback),
      members: [...durable.members.values()].map((member) => describeMember(services, durable, member)),
    }
  } catch (error) {
    return { ...nothing, ...responseErrorOf(error) }
  }
}

const describeMember = (
  services: BrokerServices,
  { targets }: ConsumerState,
  { memberId, subscription, current }: ConsumerMember,
): DescribedMember => ({
  memberId,
  instanceId: subscription.instanceId,
  rackId: subscription.rackId,
  memberEpoch: current.memberEpoch,
  clientId: subscription.clientId,
  clientHost: subscription.clientHost,
  subscribedTopicNames: subscription.subscribedTopicNames,
  subscribedTopicRegex: subscription.subscribedTopicRegex,
  assignment: assignmentOf(services, current.assigned, current.pendingRevocation),
  targetAssignment: assignmentOf(services, targets.get(memberId) ?? new Map()),
  memberType: subscription.classic === null ? MEMBER_TYPES.CONSUMER : MEMBER_TYPES.CLASSIC,
})

/** Partitions of topics that exist, what a member is to give up and has not told of included. */
const assignmentOf = (
  { metadata }: BrokerServices,
  ...all: readonly (Partitions | EpochPartitions)[]
): DescribedMember['assignment'] => {
  const topics = new Map<string, { topicId: string; topicName: string; partitions: number[] }>()
  for (const [topicId, of] of all.flatMap((partitions) => [...partitions])) {
    const topic = metadata.topicById(topicId)
    if (topic === undefined) continue
    const { partitions } = topics.get(topicId) ?? { partitions: [] }
    topics.set(topicId, { topicId, topicName: topic.name, partitions: [...partitions, ...of.keys()] })
  }
  return { topicPartitions: [...topics.values()] }
}
