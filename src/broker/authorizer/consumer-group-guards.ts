/** Who may do what with groups of the consumer protocol (KIP-848): what Kafka's KafkaApis checks, and how it refuses. */
import { consumerGroupDescribe } from '../../protocol/api/consumer-group-describe.js'
import { consumerGroupHeartbeat } from '../../protocol/api/consumer-group-heartbeat.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { codeOf } from '../response-errors.js'
import type { Access } from './access.js'
import { each, guard, shown, whole, type Check, type Guard } from './check.js'

type Described = ResponseOf<typeof consumerGroupDescribe>['groups'][number]

const OPERATIONS_NOT_TOLD = -0x80000000

const refusal = (code: 'GROUP_AUTHORIZATION_FAILED' | 'TOPIC_AUTHORIZATION_FAILED') => ({
  throttleTimeMs: 0,
  errorCode: codeOf(code),
  errorMessage: null,
  memberId: null,
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
  assignment: null,
})

/** One topic that the client may not see is enough to refuse the request. */
const subscribedTopics: Check<typeof consumerGroupHeartbeat> = {
  needs: [{ operation: 'DESCRIBE', resourceType: 'TOPIC' }],
  run: (access, request: RequestOf<typeof consumerGroupHeartbeat>) =>
    (request.subscribedTopicNames ?? []).every((name) => access.may('DESCRIBE', 'TOPIC', name))
      ? { request }
      : { answer: refusal('TOPIC_AUTHORIZATION_FAILED') },
}

const nothingOf = (groupId: string, errorCode: number, errorMessage: string | null): Described => ({
  errorCode,
  errorMessage,
  groupId,
  groupState: '',
  groupEpoch: 0,
  assignmentEpoch: 0,
  assignorName: '',
  members: [],
  authorizedOperations: OPERATIONS_NOT_TOLD,
})

/** Whether the client may see all that the group's members have and are to have. */
const isAllSeen = (access: Access, { members }: Described): boolean =>
  members.every(({ assignment, targetAssignment }) =>
    [...assignment.topicPartitions, ...targetAssignment.topicPartitions].every(({ topicName }) =>
      access.may('DESCRIBE', 'TOPIC', topicName),
    ),
  )

/** The APIs of the consumer protocol. */
export const CONSUMER_GROUP_GUARDS: readonly Guard[] = [
  guard(
    consumerGroupHeartbeat,
    whole(
      consumerGroupHeartbeat,
      'READ',
      'GROUP',
      ({ groupId }) => groupId,
      () => refusal('GROUP_AUTHORIZATION_FAILED'),
    ),
    subscribedTopics,
  ),
  guard(
    consumerGroupDescribe,
    each(consumerGroupDescribe, 'DESCRIBE', 'GROUP', {
      of: ({ groupIds }) => groupIds,
      name: (groupId) => groupId,
      keep: (request, groupIds) => ({ ...request, groupIds }),
      add: (response, refused) => ({
        ...response,
        groups: [
          ...response.groups,
          ...refused.map((groupId) => nothingOf(groupId, codeOf('GROUP_AUTHORIZATION_FAILED'), null)),
        ],
      }),
    }),
    shown(consumerGroupDescribe, [{ operation: 'DESCRIBE', resourceType: 'TOPIC' }], (access, response) => ({
      ...response,
      groups: response.groups.map((group) =>
        isAllSeen(access, group)
          ? {
              ...group,
              authorizedOperations: access.operations(group.authorizedOperations, 'GROUP', group.groupId),
            }
          : nothingOf(
              group.groupId,
              codeOf('TOPIC_AUTHORIZATION_FAILED'),
              'The group has described topic(s) that the client is not authorized to describe.',
            ),
      ),
    })),
  ),
]
