/** Members of a consumer group as scripts of heartbeats, so that a test can say what each sends and in which order. */
import { consumerGroupDescribe } from '../../src/protocol/api/consumer-group-describe.js'
import { consumerGroupHeartbeat } from '../../src/protocol/api/consumer-group-heartbeat.js'
import type { RequestOf, ResponseOf } from '../../src/protocol/schema.js'
import type { RequestContext } from '../../src/broker/request-context.js'
import type { TestBroker } from './test-broker.js'

/** A heartbeat that says nothing but who sends it. */
export const SILENT: RequestOf<typeof consumerGroupHeartbeat> = {
  groupId: 'billing',
  memberId: '',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: null,
}

export type Heartbeat = Partial<RequestOf<typeof consumerGroupHeartbeat>>
export type HeartbeatAnswer = ResponseOf<typeof consumerGroupHeartbeat>

/** What an answer assigns as `topicId-partition`, in order; null when it assigns nothing new. */
export const assignedBy = ({ assignment }: HeartbeatAnswer): string[] | null =>
  assignment === null
    ? null
    : assignment.topicPartitions
        .flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId}-${partition}`))
        .sort()

/** Requests of one group's members. */
export const consumerMembersOf = ({ send }: TestBroker, groupId = 'billing') => {
  const heartbeat = (request: Heartbeat, context: Partial<RequestContext> = {}): Promise<HeartbeatAnswer> =>
    send(consumerGroupHeartbeat, { ...SILENT, groupId, ...request }, { clientHost: '/127.0.0.1', ...context })
  return {
    heartbeat,
    /** Joins, and subscribes to `topics`. */
    join: (
      memberId: string,
      topics: readonly string[] | null,
      request: Heartbeat = {},
    ): Promise<HeartbeatAnswer> =>
      heartbeat({
        memberId,
        rebalanceTimeoutMs: 30_000,
        subscribedTopicNames: topics,
        topicPartitions: [],
        ...request,
      }),
    leave: (memberId: string, request: Heartbeat = {}): Promise<HeartbeatAnswer> =>
      heartbeat({ memberId, memberEpoch: -1, ...request }),
    describe: async (): Promise<ResponseOf<typeof consumerGroupDescribe>['groups'][number]> => {
      const request = { groupIds: [groupId], includeAuthorizedOperations: false }
      return (await send(consumerGroupDescribe, request)).groups[0]!
    },
  }
}
