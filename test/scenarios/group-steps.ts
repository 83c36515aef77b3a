/** The requests of group members, as steps. The group is `~billing`; a member's connection has the member's name. */
import { any, capture, subscription, text, type RequestStep } from './scenario.js'
import type { StepOptions } from './steps.js'

type Expected = Readonly<Record<string, unknown>>

const GROUP = '~billing'
const OK = { errorCode: 'NONE' }

/** JoinGroup of the member `member`. */
export const join = (
  memberId: string,
  expect: Expected,
  options: StepOptions & {
    readonly groupId?: string
    readonly protocols?: readonly string[]
    readonly protocolType?: string
    readonly sessionTimeoutMs?: number
    readonly rebalanceTimeoutMs?: number
    readonly groupInstanceId?: string
    readonly topic?: string
  } = {},
): RequestStep => {
  const {
    groupId = GROUP,
    topic = '~orders',
    protocols = ['range'],
    protocolType = 'consumer',
    sessionTimeoutMs = 10_000,
    rebalanceTimeoutMs = 10_000,
    groupInstanceId = null,
    ...rest
  } = options
  return {
    api: 'JoinGroup',
    body: {
      groupId,
      memberId,
      groupInstanceId,
      protocolType,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocols: protocols.map((name) => ({ name, metadata: subscription(topic) })),
    },
    expect,
    ...rest,
  }
}

/** Gets a member's id, which `$member` stands for then. */
export const newId = (member: string, options: Parameters<typeof join>[2] = {}): RequestStep =>
  join('', { errorCode: 'MEMBER_ID_REQUIRED', memberId: capture(member) }, { client: member, ...options })

/** SyncGroup; `assignments` are texts by member id. */
export const sync = (
  memberId: string,
  generationId: number,
  expect: Expected,
  options: StepOptions & {
    readonly groupId?: string
    readonly assignments?: Readonly<Record<string, string>>
    readonly protocolName?: string | null
    readonly protocolType?: string | null
    readonly groupInstanceId?: string
  } = {},
): RequestStep => {
  const {
    groupId = GROUP,
    assignments = {},
    protocolName = 'range',
    protocolType = 'consumer',
    groupInstanceId = null,
    ...rest
  } = options
  return {
    api: 'SyncGroup',
    body: {
      groupId,
      memberId,
      generationId,
      groupInstanceId,
      protocolType,
      protocolName,
      assignments: Object.entries(assignments).map(([id, of]) => ({ memberId: id, assignment: text(of) })),
    },
    expect,
    ...rest,
  }
}

/** A group of one member in generation 1, whose id `$one` stands for. */
export const GROUP_OF_ONE: readonly RequestStep[] = [
  newId('one'),
  join('$one', { errorCode: 'NONE', generationId: 1, leader: '$one' }, { client: 'one' }),
  sync(
    '$one',
    1,
    { errorCode: 'NONE', assignment: text('all') },
    { client: 'one', assignments: { $one: 'all' } },
  ),
]

/** A second member, `$two`, joins; both are in generation 2 then, and `$one` leads. */
export const SECOND_JOINS = [
  newId('two'),
  join('$two', {}, { client: 'two', later: 'join of two' }),
  heartbeatOf('$one', 1, 'REBALANCE_IN_PROGRESS', { client: 'one', eventually: true }),
  join(
    '$one',
    { errorCode: 'NONE', generationId: 2, leader: '$one', members: [any, any] },
    { client: 'one' },
  ),
  {
    answerOf: 'join of two',
    expect: { errorCode: 'NONE', generationId: 2, leader: '$one', memberId: '$two', members: [] },
  },
] as const

/** Both get their assignments in generation 2. */
export const BOTH_SYNC = [
  sync(
    '$one',
    2,
    { errorCode: 'NONE', assignment: text('first') },
    {
      client: 'one',
      assignments: { $one: 'first', $two: 'second' },
    },
  ),
  sync('$two', 2, { errorCode: 'NONE', assignment: text('second') }, { client: 'two' }),
] as const

/** Heartbeat, answered with this error. */
export function heartbeatOf(
  memberId: string,
  generationId: number,
  errorCode: string,
  options: StepOptions & { readonly groupId?: string; readonly groupInstanceId?: string } = {},
): RequestStep {
  const { groupId = GROUP, groupInstanceId = null, ...rest } = options
  return {
    api: 'Heartbeat',
    body: { groupId, memberId, generationId, groupInstanceId },
    expect: { errorCode },
    ...rest,
  }
}

/** LeaveGroup of one member. */
export const leave = (
  memberId: string,
  errorCode: string,
  options: StepOptions & { readonly groupId?: string; readonly groupInstanceId?: string } = {},
): RequestStep => {
  const { groupId = GROUP, groupInstanceId = null, ...rest } = options
  return {
    api: 'LeaveGroup',
    body: { groupId, members: [{ memberId, groupInstanceId }] },
    expect: { errorCode: 'NONE', members: [{ memberId, groupInstanceId, errorCode }] },
    ...rest,
  }
}

/** DescribeGroups of `~billing`. */
export const describeGroup = (expect: Expected, options: StepOptions = {}): RequestStep => ({
  api: 'DescribeGroups',
  body: { groups: [GROUP] },
  expect: { groups: [{ groupId: GROUP, ...expect }] },
  ...options,
})

/** OffsetCommit of partition 0 of `~orders`. */
export const commit = (
  memberId: string,
  generation: number,
  offset: number,
  expect: Expected = OK,
  options: StepOptions & {
    readonly groupId?: string
    readonly topic?: string
    readonly partition?: number
    readonly metadata?: string | null
    readonly groupInstanceId?: string
    readonly leaderEpoch?: number
  } = {},
): RequestStep => {
  const {
    groupId = GROUP,
    topic = '~orders',
    partition = 0,
    metadata = '',
    groupInstanceId = null,
    leaderEpoch = -1,
    ...rest
  } = options
  return {
    api: 'OffsetCommit',
    version: 9,
    body: {
      groupId,
      memberId,
      generationIdOrMemberEpoch: generation,
      groupInstanceId,
      topics: [
        {
          name: topic,
          partitions: [
            {
              partitionIndex: partition,
              committedOffset: offset,
              committedMetadata: metadata,
              committedLeaderEpoch: leaderEpoch,
            },
          ],
        },
      ],
    },
    expect: { topics: [{ name: topic, partitions: [{ partitionIndex: partition, ...expect }] }] },
    ...rest,
  }
}

/** OffsetFetch of partition 0 of `~orders`. */
export const committed = (
  expect: Expected,
  options: StepOptions & {
    readonly groupId?: string
    readonly topic?: string
    readonly partition?: number
    readonly requireStable?: boolean
    readonly memberId?: string | null
    readonly memberEpoch?: number
  } = {},
): RequestStep => {
  const {
    groupId = GROUP,
    topic = '~orders',
    partition = 0,
    requireStable = false,
    memberId = null,
    memberEpoch = -1,
    ...rest
  } = options
  return {
    api: 'OffsetFetch',
    version: 9,
    body: {
      groups: [{ groupId, memberId, memberEpoch, topics: [{ name: topic, partitionIndexes: [partition] }] }],
      requireStable,
    },
    expect: {
      groups: [
        {
          groupId,
          errorCode: 'NONE',
          topics: [{ name: topic, partitions: [{ partitionIndex: partition, ...expect }] }],
        },
      ],
    },
    ...rest,
  }
}
