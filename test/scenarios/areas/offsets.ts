/** Committed offsets: who may commit, and what is found. */
import { any, contains, subscription, type Area, type RequestStep } from '../scenario.js'
import {
  BOTH_SYNC,
  GROUP_OF_ONE,
  SECOND_JOINS,
  commit,
  committed,
  heartbeatOf,
  join,
  leave,
  newId,
} from '../group-steps.js'

const orders = { orders: {} }
const NOWHERE = 'MkU3OEVBNTcwNTJENDM2Qg'
/** What stands where nothing was committed. */
const NOTHING = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 'NONE' }

const deleteOffset = (
  expect: Readonly<Record<string, unknown>>,
  topic = '~orders',
  partitionIndex = 0,
): RequestStep => ({
  api: 'OffsetDelete',
  body: { groupId: '~billing', topics: [{ name: topic, partitions: [{ partitionIndex }] }] },
  expect,
})

export const offsetsArea: Area = {
  name: 'offsets',
  scenarios: [
    {
      name: 'takes commits of nobody in particular, as long as the group has no members',
      source: 'ClassicGroup.validateOffsetCommit (no members)',
      topics: orders,
      steps: [
        commit('', -1, 7, { errorCode: 'NONE' }, { metadata: 'note', leaderEpoch: 0 }),
        committed({ committedOffset: 7, metadata: 'note', committedLeaderEpoch: 0, errorCode: 'NONE' }),
        ...GROUP_OF_ONE,
        commit('', -1, 8, { errorCode: 'UNKNOWN_MEMBER_ID' }),
        committed({ committedOffset: 7 }),
      ],
    },
    {
      name: 'refuses a generation of a group that there is none of',
      source: 'OffsetMetadataManager.validateOffsetCommit (GROUP_ID_NOT_FOUND, ILLEGAL_GENERATION)',
      topics: orders,
      steps: [
        commit('somebody', 1, 7, { errorCode: 'GROUP_ID_NOT_FOUND' }),
        commit('somebody', 1, 7, { errorCode: 'ILLEGAL_GENERATION' }, { version: 8 }),
      ],
    },
    {
      name: 'takes commits of members of this generation',
      source: 'ClassicGroup.validateOffsetCommit',
      topics: orders,
      steps: [
        ...GROUP_OF_ONE,
        commit('$one', 1, 3),
        commit('$one', 0, 4, { errorCode: 'ILLEGAL_GENERATION' }),
        commit('$one', 2, 4, { errorCode: 'ILLEGAL_GENERATION' }),
        commit('somebody', 1, 4, { errorCode: 'UNKNOWN_MEMBER_ID' }),
        committed({ committedOffset: 3 }),
      ],
    },
    {
      name: 'refuses commits while a generation waits for its assignments',
      source: 'ClassicGroup.validateOffsetCommit (COMPLETING_REBALANCE)',
      topics: orders,
      steps: [
        newId('one'),
        join('$one', { generationId: 1 }, { client: 'one' }),
        commit('$one', 1, 3, { errorCode: 'REBALANCE_IN_PROGRESS' }),
      ],
    },
    {
      name: 'takes commits of the old generation while members join the next one',
      source: 'ClassicGroup.validateOffsetCommit (PREPARING_REBALANCE)',
      topics: orders,
      steps: [
        ...GROUP_OF_ONE,
        newId('two'),
        join('$two', {}, { client: 'two', later: 'join of two' }),
        heartbeatOf('$one', 1, 'REBALANCE_IN_PROGRESS', { client: 'one', eventually: true }),
        commit('$one', 1, 5, { errorCode: 'NONE' }),
        join('$one', { generationId: 2 }, { client: 'one' }),
        { answerOf: 'join of two', expect: { errorCode: 'NONE' } },
        committed({ committedOffset: 5 }),
      ],
    },
    {
      name: 'refuses metadata above offset.metadata.max.bytes',
      source: 'OffsetMetadataManager.isMetadataInvalid',
      topics: orders,
      steps: [
        commit('', -1, 1, { errorCode: 'NONE' }, { metadata: 'm'.repeat(4096) }),
        commit('', -1, 2, { errorCode: 'OFFSET_METADATA_TOO_LARGE' }, { metadata: 'm'.repeat(4097) }),
        committed({ committedOffset: 1 }),
      ],
    },
    {
      name: 'commits metadata that is null as none',
      source: 'OffsetAndMetadata.fromRequest',
      topics: orders,
      steps: [
        commit('', -1, 1, { errorCode: 'NONE' }, { metadata: null }),
        committed({ committedOffset: 1, metadata: '' }),
      ],
    },
    {
      name: 'does not commit for a topic or partition that there is none of',
      source: 'KafkaApis.handleOffsetCommitRequest (UNKNOWN_TOPIC_OR_PARTITION)',
      topics: orders,
      steps: [
        commit('', -1, 1, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }, { topic: '~nothing' }),
        commit('', -1, 1, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }, { partition: 4 }),
      ],
    },
    {
      name: 'commits and finds by id, and does not know other ids',
      source: 'KafkaApis.handleOffsetCommitRequest (UNKNOWN_TOPIC_ID)',
      topics: orders,
      steps: [
        {
          api: 'OffsetCommit',
          version: 10,
          body: {
            groupId: '~billing',
            topics: [
              {
                topicId: '$ordersId',
                partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }],
              },
              {
                topicId: NOWHERE,
                partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }],
              },
            ],
          },
          expect: {
            topics: contains(
              { topicId: '$ordersId', partitions: [{ errorCode: 'NONE' }] },
              { topicId: NOWHERE, partitions: [{ errorCode: 'UNKNOWN_TOPIC_ID' }] },
            ),
          },
        },
        {
          api: 'OffsetFetch',
          version: 10,
          body: {
            groups: [
              {
                groupId: '~billing',
                topics: [
                  { topicId: '$ordersId', partitionIndexes: [0] },
                  { topicId: NOWHERE, partitionIndexes: [0] },
                ],
              },
            ],
          },
          expect: {
            groups: [
              {
                errorCode: 'NONE',
                topics: contains(
                  { topicId: '$ordersId', partitions: [{ committedOffset: 4, errorCode: 'NONE' }] },
                  { topicId: NOWHERE, partitions: [{ committedOffset: -1, errorCode: 'UNKNOWN_TOPIC_ID' }] },
                ),
              },
            ],
          },
        },
      ],
    },
    {
      name: 'finds nothing where nothing was committed, which is no error',
      source: 'OffsetMetadataManager.fetchOffsets (INVALID_OFFSET)',
      topics: orders,
      steps: [
        committed(NOTHING),
        commit('', -1, 7),
        committed(NOTHING, { partition: 9 }),
        committed(NOTHING, { topic: '~nothing' }),
      ],
    },
    {
      name: 'finds all that a group has committed',
      source: 'OffsetMetadataManager.fetchAllOffsets',
      topics: { orders: { partitions: 2 }, other: {} },
      steps: [
        commit('', -1, 7),
        commit('', -1, 8, { errorCode: 'NONE' }, { partition: 1 }),
        commit('', -1, 9, { errorCode: 'NONE' }, { topic: '~other' }),
        {
          api: 'OffsetFetch',
          version: 9,
          body: {
            groups: [
              { groupId: '~billing', topics: null },
              { groupId: '~nobody', topics: null },
            ],
          },
          expect: {
            groups: [
              {
                groupId: '~billing',
                errorCode: 'NONE',
                topics: contains(
                  {
                    name: '~orders',
                    partitions: contains(
                      { partitionIndex: 0, committedOffset: 7 },
                      { partitionIndex: 1, committedOffset: 8 },
                    ),
                  },
                  { name: '~other', partitions: [{ committedOffset: 9 }] },
                ),
              },
              { groupId: '~nobody', errorCode: 'NONE', topics: [] },
            ],
          },
        },
      ],
    },
    {
      name: 'finds them in the older form of the request too',
      source: 'OffsetFetchResponse (version 7)',
      topics: orders,
      steps: [
        commit('', -1, 7),
        {
          api: 'OffsetFetch',
          version: 7,
          body: { groupId: '~billing', topics: [{ name: '~orders', partitionIndexes: [0] }] },
          expect: {
            errorCode: 'NONE',
            topics: [
              { name: '~orders', partitions: [{ partitionIndex: 0, committedOffset: 7, errorCode: 'NONE' }] },
            ],
          },
        },
        {
          api: 'OffsetFetch',
          version: 5,
          body: { groupId: '~billing', topics: null },
          expect: { errorCode: 'NONE', topics: [{ name: '~orders', partitions: [{ committedOffset: 7 }] }] },
        },
      ],
    },
    {
      name: 'forgets what is deleted, of a group without members',
      source: 'OffsetMetadataManager.deleteOffsets',
      topics: orders,
      steps: [
        commit('', -1, 7),
        deleteOffset({
          errorCode: 'NONE',
          topics: [{ partitions: [{ partitionIndex: 0, errorCode: 'NONE' }] }],
        }),
        committed(NOTHING),
      ],
    },
    {
      name: 'does not delete what members are subscribed to',
      source: 'OffsetMetadataManager.deleteOffsets (GROUP_SUBSCRIBED_TO_TOPIC)',
      topics: { orders: {}, other: {} },
      steps: [
        ...GROUP_OF_ONE,
        commit('$one', 1, 7),
        commit('$one', 1, 8, { errorCode: 'NONE' }, { topic: '~other' }),
        deleteOffset({
          errorCode: 'NONE',
          topics: [{ partitions: [{ errorCode: 'GROUP_SUBSCRIBED_TO_TOPIC' }] }],
        }),
        deleteOffset({ errorCode: 'NONE', topics: [{ partitions: [{ errorCode: 'NONE' }] }] }, '~other'),
        committed({ committedOffset: 7 }),
        committed(NOTHING, { topic: '~other' }),
      ],
    },
    {
      name: 'does not delete offsets of a group, topic or partition that there is none of',
      source: 'KafkaApis.handleOffsetDeleteRequest',
      topics: orders,
      steps: [
        deleteOffset({ errorCode: 'GROUP_ID_NOT_FOUND', topics: [] }),
        commit('', -1, 7),
        deleteOffset(
          { errorCode: 'NONE', topics: [{ partitions: [{ errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }] }] },
          '~nothing',
        ),
        deleteOffset(
          { errorCode: 'NONE', topics: [{ partitions: [{ errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }] }] },
          '~orders',
          5,
        ),
      ],
    },
    {
      name: 'does not delete offsets of a group whose members are no consumers',
      source: 'ClassicGroup.validateOffsetDelete (NON_EMPTY_GROUP)',
      topics: orders,
      steps: [
        newId('one', { protocolType: 'connect' }),
        join('$one', { generationId: 1 }, { client: 'one', protocolType: 'connect' }),
        deleteOffset({ errorCode: 'NON_EMPTY_GROUP', topics: [] }),
      ],
    },
    {
      name: 'keeps what was committed when the members are gone',
      source: 'OffsetMetadataManager.cleanupExpiredOffsets',
      topics: orders,
      steps: [
        ...GROUP_OF_ONE,
        commit('$one', 1, 7),
        leave('$one', 'NONE'),
        committed({ committedOffset: 7 }),
      ],
    },
    {
      name: 'takes commits of a group whose name is empty',
      source: 'GroupCoordinatorService.commitOffsets (validateGroupId, which leaves it to old consumers)',
      ottlaDiffers: 'a group has a name',
      topics: orders,
      steps: [commit('', -1, 7, { errorCode: 'NONE' }, { groupId: '' })],
    },
    {
      name: 'takes offsets of both members of a stable group',
      source: 'ClassicGroup.validateOffsetCommit',
      topics: { orders: { partitions: 2 } },
      steps: [
        ...GROUP_OF_ONE,
        ...SECOND_JOINS,
        ...BOTH_SYNC,
        commit('$one', 2, 1),
        commit('$two', 2, 2, { errorCode: 'NONE' }, { partition: 1 }),
        commit('$two', 1, 3, { errorCode: 'ILLEGAL_GENERATION' }, { partition: 1 }),
        committed({ committedOffset: 2, metadata: any }, { partition: 1 }),
      ],
    },
    {
      name: 'gives the leader the subscriptions as they were sent',
      source: 'ClassicGroup.currentClassicGroupMembers',
      steps: [
        newId('one'),
        join(
          '$one',
          {
            generationId: 1,
            members: [{ memberId: '$one', metadata: subscription('~orders'), groupInstanceId: null }],
          },
          { client: 'one' },
        ),
        heartbeatOf('$one', 1, 'NONE'),
      ],
    },
  ],
}
