/** Groups of the consumer protocol (KIP-848): epochs, static members, and what other APIs say of such groups. */
import type { Area, RequestStep } from '../scenario.js'
import { any, capture } from '../scenario.js'
import { commit } from '../group-steps.js'
import type { StepOptions } from '../steps.js'

const GROUP = '~billing'

/** ConsumerGroupHeartbeat of `memberId` in `memberEpoch`. */
const heartbeat = (
  memberId: string,
  memberEpoch: number,
  expect: Readonly<Record<string, unknown>>,
  { told = {}, ...options }: StepOptions & { readonly told?: Readonly<Record<string, unknown>> } = {},
): RequestStep => ({
  api: 'ConsumerGroupHeartbeat',
  body: { groupId: GROUP, memberId, memberEpoch, ...told },
  expect,
  ...options,
})

const SUBSCRIBED = { rebalanceTimeoutMs: 10_000, subscribedTopicNames: ['~orders'], topicPartitions: [] }
const ALL = { topicPartitions: [{ topicId: '$ordersId', partitions: [0, 1] }] }

/** Kafka's coordinator hears of a topic a little later than those who ask for its leader. */
const COORDINATOR_KNOWS_TOPIC: RequestStep = {
  api: 'ConsumerGroupHeartbeat',
  body: { groupId: '~probe', memberId: 'probe', memberEpoch: 0, ...SUBSCRIBED },
  expect: { errorCode: 'NONE', assignment: ALL },
  eventually: true,
}

/** The first member, `one`, has everything in epoch 2. */
const ONE_JOINS = heartbeat(
  'one',
  0,
  {
    errorCode: 'NONE',
    errorMessage: null,
    memberId: 'one',
    memberEpoch: 2,
    heartbeatIntervalMs: 5000,
    assignment: ALL,
  },
  { told: SUBSCRIBED },
)
const STATIC = { instanceId: 'instance' }
const topics = { orders: { partitions: 2 } }

const describe = (expect: Readonly<Record<string, unknown>>): RequestStep => ({
  api: 'ConsumerGroupDescribe',
  body: { groupIds: [GROUP] },
  expect: { groups: [expect] },
})

const scenarios: Area['scenarios'] = [
  {
    name: 'gives a member alone everything',
    source: 'GroupMetadataManager.consumerGroupHeartbeat',
    topics,
    steps: [
      ONE_JOINS,
      heartbeat('one', 2, { errorCode: 'NONE', memberEpoch: 2, assignment: null }),
      describe({
        errorCode: 'NONE',
        groupState: 'Stable',
        groupEpoch: 2,
        assignmentEpoch: 2,
        assignorName: 'uniform',
        members: [
          {
            memberId: 'one',
            memberEpoch: 2,
            instanceId: null,
            rackId: null,
            subscribedTopicNames: ['~orders'],
            assignment: {
              topicPartitions: [{ topicId: '$ordersId', topicName: '~orders', partitions: [0, 1] }],
            },
            targetAssignment: {
              topicPartitions: [{ topicId: '$ordersId', topicName: '~orders', partitions: [0, 1] }],
            },
            memberType: 1,
          },
        ],
      }),
    ],
  },
  {
    name: 'makes a member without an id one in version 0',
    source: 'GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid',
    topics,
    steps: [
      heartbeat(
        '',
        0,
        { errorCode: 'NONE', memberId: capture('made'), memberEpoch: 2 },
        { told: SUBSCRIBED, version: 0 },
      ),
      heartbeat(
        '',
        0,
        { errorCode: 'INVALID_REQUEST', errorMessage: "MemberId can't be empty." },
        { told: SUBSCRIBED },
      ),
    ],
  },
  {
    name: 'gives up to a second member one after the other',
    source: 'CurrentAssignmentBuilder.computeNextAssignment',
    topics,
    steps: [
      ONE_JOINS,
      heartbeat('two', 0, { errorCode: 'NONE', assignment: { topicPartitions: [] } }, { told: SUBSCRIBED }),
      // Kafka decides anew a second after it decided last.
      heartbeat(
        'two',
        0,
        { errorCode: 'NONE', memberEpoch: 3, assignment: { topicPartitions: [] } },
        {
          told: SUBSCRIBED,
          eventually: true,
        },
      ),
      heartbeat('one', 2, {
        errorCode: 'NONE',
        memberEpoch: 2,
        assignment: { topicPartitions: [{ topicId: '$ordersId', partitions: [capture('kept')] }] },
      }),
      heartbeat('two', 3, { errorCode: 'NONE', memberEpoch: 3, assignment: null }),
      heartbeat('one', 2, { errorCode: 'NONE', memberEpoch: 3 }, { told: { topicPartitions: [] } }),
      heartbeat('two', 3, {
        errorCode: 'NONE',
        memberEpoch: 3,
        assignment: { topicPartitions: [{ topicId: '$ordersId', partitions: [any] }] },
      }),
    ],
  },
  {
    name: 'fences a member of another epoch',
    source: 'GroupMetadataManager.throwIfConsumerGroupMemberEpochIsInvalid',
    topics,
    steps: [
      heartbeat('one', 2, {
        errorCode: 'GROUP_ID_NOT_FOUND',
        errorMessage: any,
      }),
      ONE_JOINS,
      heartbeat('one', 3, {
        errorCode: 'FENCED_MEMBER_EPOCH',
        errorMessage:
          'The consumer group member has a greater member epoch (3) than the one known by the group coordinator (2). The member must abandon all its partitions and rejoin.',
        memberId: null,
        memberEpoch: 0,
        assignment: null,
      }),
      heartbeat('two', 2, {
        errorCode: 'UNKNOWN_MEMBER_ID',
        errorMessage: any,
      }),
    ],
  },
  {
    name: 'lets a member leave',
    source: 'GroupMetadataManager.consumerGroupLeave',
    topics,
    steps: [
      ONE_JOINS,
      heartbeat('one', -1, { errorCode: 'NONE', memberId: 'one', memberEpoch: -1, heartbeatIntervalMs: 0 }),
      heartbeat('one', -1, { errorCode: 'UNKNOWN_MEMBER_ID' }),
      describe({ errorCode: 'NONE', groupState: 'Empty', groupEpoch: 3, assignmentEpoch: 2, members: [] }),
    ],
  },
  {
    name: 'lets a static member leave for a moment and come back',
    source: 'GroupMetadataManager.consumerGroupStaticMemberGroupLeave',
    topics,
    steps: [
      heartbeat('one', 0, { errorCode: 'NONE', memberEpoch: 2 }, { told: { ...SUBSCRIBED, ...STATIC } }),
      heartbeat(
        'two',
        0,
        {
          errorCode: 'UNRELEASED_INSTANCE_ID',
          errorMessage:
            'Static member two with instance id instance cannot join the group because the instance id is owned by one member.',
        },
        { told: { ...SUBSCRIBED, ...STATIC } },
      ),
      heartbeat('one', -2, { errorCode: 'NONE', memberId: 'one', memberEpoch: -2 }, { told: STATIC }),
      heartbeat(
        'two',
        0,
        { errorCode: 'NONE', memberId: 'two', memberEpoch: 2, assignment: ALL },
        { told: { ...SUBSCRIBED, ...STATIC } },
      ),
      heartbeat(
        'one',
        2,
        {
          errorCode: 'FENCED_INSTANCE_ID',
          errorMessage: 'Static member one with instance id instance was fenced by member two.',
        },
        { told: STATIC },
      ),
      heartbeat(
        'one',
        2,
        { errorCode: 'UNKNOWN_MEMBER_ID', errorMessage: 'Instance id nobody is unknown.' },
        { told: { instanceId: 'nobody' } },
      ),
    ],
  },
  {
    name: 'refuses what cannot be meant',
    source: 'GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid',
    topics,
    steps: [
      heartbeat('one', 0, {
        errorCode: 'INVALID_REQUEST',
        errorMessage: 'RebalanceTimeoutMs must be provided in first request.',
      }),
      heartbeat(
        'one',
        0,
        { errorCode: 'INVALID_REQUEST', errorMessage: 'TopicPartitions must be empty when (re-)joining.' },
        {
          told: { rebalanceTimeoutMs: 1 },
        },
      ),
      heartbeat('one', -2, { errorCode: 'INVALID_REQUEST', errorMessage: "InstanceId can't be null." }),
      heartbeat('one', -3, { errorCode: 'INVALID_REQUEST', errorMessage: 'MemberEpoch is invalid.' }),
      heartbeat(
        'one',
        0,
        {
          errorCode: 'UNSUPPORTED_ASSIGNOR',
          errorMessage: 'ServerAssignor best is not supported. Supported assignors: uniform, range.',
        },
        { told: { ...SUBSCRIBED, serverAssignor: 'best' } },
      ),
      heartbeat(
        'one',
        0,
        { errorCode: 'INVALID_REGULAR_EXPRESSION' },
        {
          told: { rebalanceTimeoutMs: 1, topicPartitions: [], subscribedTopicRegex: '(' },
        },
      ),
    ],
  },
  {
    name: 'refuses a commit in another epoch',
    source: 'ConsumerGroup.validateOffsetCommit',
    topics,
    steps: [
      ONE_JOINS,
      commit('one', 2, 7),
      commit('one', 3, 7, { errorCode: 'STALE_MEMBER_EPOCH' }),
      commit('two', 2, 7, { errorCode: 'UNKNOWN_MEMBER_ID' }),
      commit('one', 2, 7, { errorCode: 'UNSUPPORTED_VERSION' }, { version: 8 }),
      {
        api: 'OffsetFetch',
        body: {
          groups: [
            {
              groupId: GROUP,
              memberId: 'one',
              memberEpoch: 3,
              topics: [{ topicId: '$ordersId', partitionIndexes: [0] }],
            },
          ],
        },
        expect: { groups: [{ errorCode: 'STALE_MEMBER_EPOCH' }] },
      },
    ],
  },
  {
    name: 'is no classic group',
    source: 'GroupMetadataManager.describeGroups',
    topics,
    steps: [
      ONE_JOINS,
      {
        api: 'DescribeGroups',
        body: { groups: [GROUP] },
        expect: {
          groups: [
            {
              errorCode: 'GROUP_ID_NOT_FOUND',
              errorMessage: any,
              groupState: 'Dead',
            },
          ],
        },
      },
      {
        api: 'DeleteGroups',
        body: { groupsNames: [GROUP] },
        expect: { results: [{ errorCode: 'NON_EMPTY_GROUP' }] },
      },
      heartbeat('one', -1, { errorCode: 'NONE' }),
      { api: 'DeleteGroups', body: { groupsNames: [GROUP] }, expect: { results: [{ errorCode: 'NONE' }] } },
      describe({ errorCode: 'GROUP_ID_NOT_FOUND', errorMessage: any }),
    ],
  },
]

export const consumerGroupsArea: Area = {
  name: 'consumer groups',
  scenarios: scenarios.map(({ steps, ...scenario }) => ({
    ...scenario,
    steps: [COORDINATOR_KNOWS_TOPIC, ...steps],
  })),
}
