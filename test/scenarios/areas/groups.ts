/** Groups: who is in, in which generation, and what is said to those who are not. */
import { any, capture, contains, lacks, text, type Area } from '../scenario.js'
import {
  BOTH_SYNC,
  GROUP_OF_ONE,
  SECOND_JOINS,
  commit,
  describeGroup,
  heartbeatOf,
  join,
  leave,
  newId,
  sync,
} from '../group-steps.js'

export const groupsArea: Area = {
  name: 'groups',
  scenarios: [
    {
      name: 'tells a new member its id first',
      source: 'GroupMetadataManager.classicGroupJoinNewDynamicMember (MEMBER_ID_REQUIRED)',
      steps: [
        join('', {
          errorCode: 'MEMBER_ID_REQUIRED',
          generationId: -1,
          leader: '',
          memberId: capture('one'),
          members: [],
        }),
        join('$one', {
          errorCode: 'NONE',
          generationId: 1,
          leader: '$one',
          memberId: '$one',
          protocolType: 'consumer',
          protocolName: 'range',
          members: [{ memberId: '$one', metadata: any }],
        }),
      ],
    },
    {
      name: 'lets a member of an older version in at once',
      source: 'JoinGroupRequest.requiresKnownMemberId',
      steps: [
        join(
          '',
          { errorCode: 'NONE', generationId: 1, memberId: capture('one'), leader: '$one' },
          { version: 3 },
        ),
      ],
    },
    {
      name: 'does not know a member id that it did not give',
      source: 'GroupMetadataManager.classicGroupJoinExistingMember (UNKNOWN_MEMBER_ID)',
      steps: [
        join('somebody', { errorCode: 'UNKNOWN_MEMBER_ID', memberId: 'somebody', generationId: -1 }),
        ...GROUP_OF_ONE,
        join('somebody', { errorCode: 'UNKNOWN_MEMBER_ID' }),
      ],
    },
    {
      name: 'refuses session timeouts out of range',
      source: 'GroupCoordinatorService.joinGroup (INVALID_SESSION_TIMEOUT)',
      steps: [
        join('', { errorCode: 'INVALID_SESSION_TIMEOUT', memberId: '' }, { sessionTimeoutMs: 10 }),
        join('', { errorCode: 'INVALID_SESSION_TIMEOUT' }, { sessionTimeoutMs: 5_999 }),
        join('', { errorCode: 'INVALID_SESSION_TIMEOUT' }, { sessionTimeoutMs: 1_800_001 }),
        join('', { errorCode: 'MEMBER_ID_REQUIRED' }, { sessionTimeoutMs: 1_800_000 }),
      ],
    },
    {
      name: 'refuses a group without a name',
      source: 'GroupCoordinatorService.isGroupIdNotEmpty',
      steps: [
        join('', { errorCode: 'INVALID_GROUP_ID' }, { groupId: '' }),
        sync('a', 1, { errorCode: 'INVALID_GROUP_ID' }, { groupId: '' }),
        heartbeatOf('a', 1, 'INVALID_GROUP_ID', { groupId: '' }),
      ],
    },
    {
      name: 'refuses a first member without protocols or their type',
      source: 'ClassicGroup.supportsProtocols',
      steps: [
        join('', { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' }, { protocols: [] }),
        join('', { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' }, { protocolType: '' }),
      ],
    },
    {
      name: 'refuses a member of another protocol type, or without a protocol that all have',
      source: 'ClassicGroup.supportsProtocols',
      steps: [
        ...GROUP_OF_ONE,
        join('', { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' }, { protocolType: 'connect' }),
        join('', { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' }, { protocols: ['roundrobin'] }),
      ],
    },
    {
      name: 'takes the protocol that all have and most prefer',
      source: 'ClassicGroup.selectProtocol',
      steps: [
        newId('one', { protocols: ['x', 'y'] }),
        join('$one', { generationId: 1, protocolName: 'x' }, { client: 'one', protocols: ['x', 'y'] }),
        sync(
          '$one',
          1,
          { errorCode: 'NONE' },
          { client: 'one', assignments: { $one: 'all' }, protocolName: 'x' },
        ),
        newId('two', { protocols: ['y', 'z'] }),
        join('$two', {}, { client: 'two', protocols: ['y', 'z'], later: 'join of two' }),
        heartbeatOf('$one', 1, 'REBALANCE_IN_PROGRESS', { client: 'one', eventually: true }),
        join('$one', { generationId: 2, protocolName: 'y' }, { client: 'one', protocols: ['x', 'y'] }),
        { answerOf: 'join of two', expect: { generationId: 2, protocolName: 'y' } },
      ],
    },
    {
      name: 'gives the leader what all have sent, and each its assignment',
      source: 'GroupMetadataManager.classicGroupSyncToClassicGroup',
      steps: [
        ...GROUP_OF_ONE,
        ...SECOND_JOINS,
        ...BOTH_SYNC,
        heartbeatOf('$one', 2, 'NONE'),
        heartbeatOf('$two', 2, 'NONE'),
      ],
    },
    {
      name: 'answers a follower when the leader has sent the assignments',
      source: 'GroupMetadataManager.classicGroupSyncToClassicGroup (COMPLETING_REBALANCE)',
      steps: [
        ...GROUP_OF_ONE,
        ...SECOND_JOINS,
        sync('$two', 2, {}, { client: 'two', later: 'sync of two' }),
        sync(
          '$one',
          2,
          { errorCode: 'NONE', assignment: text('mine') },
          { client: 'one', assignments: { $one: 'mine', $two: 'everything' } },
        ),
        {
          answerOf: 'sync of two',
          expect: {
            errorCode: 'NONE',
            assignment: text('everything'),
            protocolName: 'range',
            protocolType: 'consumer',
          },
        },
      ],
    },
    {
      name: 'gives a member that the leader forgot no bytes',
      source: 'GroupMetadataManager.classicGroupSyncToClassicGroup',
      ottlaDiffers: 'it gets an assignment of nothing, since clients cannot read no bytes',
      steps: [
        newId('one'),
        join('$one', { generationId: 1 }),
        sync('$one', 1, { errorCode: 'NONE', assignment: text('') }),
      ],
    },
    {
      name: 'gives the same assignment again in a stable group',
      source: 'GroupMetadataManager.classicGroupSyncToClassicGroup (STABLE)',
      steps: [...GROUP_OF_ONE, sync('$one', 1, { errorCode: 'NONE', assignment: text('all') })],
    },
    {
      name: 'syncs with those of this generation and of this protocol only',
      source: 'GroupMetadataManager.validateSyncGroup',
      steps: [
        ...GROUP_OF_ONE,
        sync('$one', 0, { errorCode: 'ILLEGAL_GENERATION', assignment: text('') }),
        sync('$one', 2, { errorCode: 'ILLEGAL_GENERATION' }),
        sync('somebody', 1, { errorCode: 'UNKNOWN_MEMBER_ID' }),
        sync(
          '$one',
          1,
          { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' },
          { protocolName: 'roundrobin', protocolType: 'consumer' },
        ),
        sync(
          '$one',
          1,
          { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' },
          { protocolName: 'range', protocolType: 'connect' },
        ),
        sync(
          '$one',
          1,
          { errorCode: 'NONE', assignment: text('all') },
          { protocolName: 'range', protocolType: 'consumer' },
        ),
      ],
    },
    {
      name: 'refuses to sync without the protocol, from version 5 on',
      source: 'SyncGroupRequest.areMandatoryProtocolTypeAndNamePresent',
      steps: [
        ...GROUP_OF_ONE,
        sync('$one', 1, { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' }, { protocolName: null }),
        sync('$one', 1, { errorCode: 'INCONSISTENT_GROUP_PROTOCOL' }, { protocolType: null }),
        sync('$one', 1, { errorCode: 'NONE', assignment: text('all') }, { version: 4 }),
      ],
    },
    {
      name: 'does not know anybody in a group that there is none of',
      source: 'GroupMetadataManager.classicGroupHeartbeat (UNKNOWN_MEMBER_ID)',
      steps: [
        heartbeatOf('somebody', 1, 'UNKNOWN_MEMBER_ID'),
        sync('somebody', 1, { errorCode: 'UNKNOWN_MEMBER_ID' }),
        {
          api: 'LeaveGroup',
          body: { groupId: '~billing', members: [{ memberId: 'somebody', groupInstanceId: null }] },
          expect: { errorCode: 'NONE', members: [{ memberId: 'somebody', errorCode: 'UNKNOWN_MEMBER_ID' }] },
        },
      ],
    },
    {
      name: 'takes heartbeats of members of this generation',
      source: 'GroupMetadataManager.validateClassicGroupHeartbeat',
      steps: [
        ...GROUP_OF_ONE,
        heartbeatOf('$one', 1, 'NONE'),
        heartbeatOf('$one', 0, 'ILLEGAL_GENERATION'),
        heartbeatOf('$one', 2, 'ILLEGAL_GENERATION'),
        heartbeatOf('somebody', 1, 'UNKNOWN_MEMBER_ID'),
      ],
    },
    {
      name: 'tells members by their heartbeats that the group rebalances',
      source: 'GroupMetadataManager.classicGroupHeartbeatToClassicGroup (PREPARING_REBALANCE)',
      steps: [
        ...GROUP_OF_ONE,
        ...SECOND_JOINS,
        heartbeatOf('$one', 2, 'NONE'),
        heartbeatOf('$one', 1, 'ILLEGAL_GENERATION'),
      ],
    },
    {
      name: 'refuses to sync while members are still joining',
      source: 'GroupMetadataManager.classicGroupSyncToClassicGroup (PREPARING_REBALANCE)',
      steps: [
        ...GROUP_OF_ONE,
        newId('two'),
        join('$two', {}, { client: 'two', later: 'join of two' }),
        heartbeatOf('$one', 1, 'REBALANCE_IN_PROGRESS', { client: 'one', eventually: true }),
        sync('$one', 1, { errorCode: 'REBALANCE_IN_PROGRESS' }, { client: 'one' }),
        leave('$one', 'NONE'),
        { answerOf: 'join of two', expect: { errorCode: 'NONE', generationId: 2, leader: '$two' } },
      ],
    },
    {
      name: 'begins a rebalance when a member leaves',
      source: 'GroupMetadataManager.removeMemberAndUpdateClassicGroup',
      steps: [
        ...GROUP_OF_ONE,
        ...SECOND_JOINS,
        ...BOTH_SYNC,
        leave('$two', 'NONE'),
        heartbeatOf('$one', 2, 'REBALANCE_IN_PROGRESS'),
        heartbeatOf('$two', 2, 'UNKNOWN_MEMBER_ID'),
        join(
          '$one',
          { errorCode: 'NONE', generationId: 3, members: [{ memberId: '$one' }] },
          { client: 'one' },
        ),
      ],
    },
    {
      name: 'answers for each member that leaves by itself',
      source: 'GroupMetadataManager.classicGroupLeaveToClassicGroup',
      steps: [
        ...GROUP_OF_ONE,
        {
          api: 'LeaveGroup',
          body: {
            groupId: '~billing',
            members: [
              { memberId: 'somebody', groupInstanceId: null },
              { memberId: '$one', groupInstanceId: null },
            ],
          },
          expect: {
            errorCode: 'NONE',
            members: [
              { memberId: 'somebody', errorCode: 'UNKNOWN_MEMBER_ID' },
              { memberId: '$one', errorCode: 'NONE' },
            ],
          },
        },
        describeGroup({ errorCode: 'NONE', groupState: 'Empty', members: [] }),
      ],
    },
    {
      name: 'lets a member of an older version leave alone',
      source: 'KafkaApis.handleLeaveGroupRequest, LeaveGroupResponse (version 2)',
      steps: [
        ...GROUP_OF_ONE,
        {
          api: 'LeaveGroup',
          version: 2,
          body: { groupId: '~billing', memberId: 'somebody' },
          expect: { errorCode: 'UNKNOWN_MEMBER_ID' },
        },
        {
          api: 'LeaveGroup',
          version: 2,
          body: { groupId: '~billing', memberId: '$one' },
          expect: { errorCode: 'NONE' },
        },
        heartbeatOf('$one', 1, 'UNKNOWN_MEMBER_ID'),
      ],
    },
    {
      name: 'goes on counting generations when it was empty',
      source: 'ClassicGroup.initNextGeneration',
      steps: [
        ...GROUP_OF_ONE,
        leave('$one', 'NONE'),
        newId('two'),
        join('$two', { errorCode: 'NONE', generationId: 3, leader: '$two' }, { client: 'two' }),
      ],
    },
    {
      name: 'answers a follower that joins again unchanged from what it has',
      source: 'GroupMetadataManager.classicGroupJoinExistingMember (STABLE)',
      steps: [
        ...GROUP_OF_ONE,
        ...SECOND_JOINS,
        ...BOTH_SYNC,
        join('$two', { errorCode: 'NONE', generationId: 2, leader: '$one', members: [] }, { client: 'two' }),
        heartbeatOf('$one', 2, 'NONE'),
      ],
    },
    {
      name: 'begins a rebalance when its leader joins again',
      source: 'GroupMetadataManager.classicGroupJoinExistingMember (leader rejoining)',
      steps: [
        ...GROUP_OF_ONE,
        join('$one', { errorCode: 'NONE', generationId: 2, leader: '$one' }, { client: 'one' }),
        heartbeatOf('$one', 1, 'ILLEGAL_GENERATION'),
      ],
    },
    {
      name: 'forgets who does not join within the rebalance timeout',
      source: 'GroupMetadataManager.maybeCompleteJoinElseSchedule, completeClassicGroupJoin',
      steps: [
        newId('one', { rebalanceTimeoutMs: 300 }),
        join('$one', { generationId: 1 }, { client: 'one', rebalanceTimeoutMs: 300 }),
        sync('$one', 1, { errorCode: 'NONE' }, { client: 'one', assignments: { $one: 'all' } }),
        newId('two', { rebalanceTimeoutMs: 300 }),
        join(
          '$two',
          { errorCode: 'NONE', generationId: 2, leader: '$two', members: [{ memberId: '$two' }] },
          { client: 'two', rebalanceTimeoutMs: 300 },
        ),
        heartbeatOf('$one', 1, 'UNKNOWN_MEMBER_ID'),
      ],
    },
    {
      name: 'describes a group in each of its states',
      source: 'GroupMetadataManager.describeGroups',
      steps: [
        ...GROUP_OF_ONE,
        describeGroup({
          errorCode: 'NONE',
          groupState: 'Stable',
          protocolType: 'consumer',
          protocolData: 'range',
          members: [
            { memberId: '$one', groupInstanceId: null, clientId: 'wire', memberAssignment: text('all') },
          ],
        }),
        newId('two'),
        join('$two', {}, { client: 'two', later: 'join of two' }),
        describeGroup({ groupState: 'PreparingRebalance', protocolData: '' }, { eventually: true }),
        join('$one', { generationId: 2 }, { client: 'one' }),
        { answerOf: 'join of two', expect: { errorCode: 'NONE' } },
        describeGroup({ groupState: 'CompletingRebalance', protocolData: '', members: [any, any] }),
      ],
    },
    {
      name: 'describes a group that there is none of as dead',
      source: 'GroupMetadataManager.describeGroups (GROUP_ID_NOT_FOUND)',
      steps: [
        describeGroup({ errorCode: 'GROUP_ID_NOT_FOUND', groupState: 'Dead', members: [] }),
        describeGroup({ errorCode: 'NONE', groupState: 'Dead', members: [] }, { version: 5 }),
      ],
    },
    {
      name: 'lists groups by state and type',
      source: 'GroupMetadataManager.listGroups',
      steps: [
        ...GROUP_OF_ONE,
        {
          api: 'ListGroups',
          body: {},
          expect: {
            errorCode: 'NONE',
            groups: contains({
              groupId: '~billing',
              protocolType: 'consumer',
              groupState: 'Stable',
              groupType: 'classic',
            }),
          },
        },
        {
          api: 'ListGroups',
          body: { statesFilter: ['Empty'] },
          expect: { groups: lacks({ groupId: '~billing' }) },
        },
        {
          api: 'ListGroups',
          body: { statesFilter: ['stable'] },
          expect: { groups: contains({ groupId: '~billing' }) },
        },
        {
          api: 'ListGroups',
          body: { typesFilter: ['consumer'] },
          expect: { groups: lacks({ groupId: '~billing' }) },
        },
        {
          api: 'ListGroups',
          body: { typesFilter: ['Classic'] },
          expect: { groups: contains({ groupId: '~billing' }) },
        },
      ],
    },
    {
      name: 'deletes a group that is empty, and no other',
      source: 'GroupMetadataManager.validateDeleteGroup',
      topics: { orders: {} },
      steps: [
        ...GROUP_OF_ONE,
        commit('$one', 1, 5),
        {
          api: 'DeleteGroups',
          body: { groupsNames: ['~billing', '~other'] },
          expect: {
            results: contains(
              { groupId: '~billing', errorCode: 'NON_EMPTY_GROUP' },
              { groupId: '~other', errorCode: 'GROUP_ID_NOT_FOUND' },
            ),
          },
        },
        leave('$one', 'NONE'),
        {
          api: 'DeleteGroups',
          body: { groupsNames: ['~billing'] },
          expect: { results: [{ errorCode: 'NONE' }] },
        },
        describeGroup({ errorCode: 'GROUP_ID_NOT_FOUND', groupState: 'Dead' }),
        {
          api: 'DeleteGroups',
          body: { groupsNames: ['~billing'] },
          expect: { results: [{ errorCode: 'GROUP_ID_NOT_FOUND' }] },
        },
      ],
    },
    {
      name: 'finds the coordinators of several groups, and of none without a name',
      source: 'KafkaApis.handleFindCoordinatorRequest',
      steps: [
        {
          api: 'FindCoordinator',
          body: { keyType: 0, coordinatorKeys: ['~billing', '~other'] },
          expect: {
            coordinators: [
              { key: '~billing', errorCode: 'NONE', nodeId: 1 },
              { key: '~other', errorCode: 'NONE', nodeId: 1 },
            ],
          },
        },
        {
          api: 'FindCoordinator',
          version: 3,
          body: { key: '~billing', keyType: 0 },
          expect: { errorCode: 'NONE', nodeId: 1 },
        },
        {
          api: 'FindCoordinator',
          version: 0,
          body: { key: '~billing' },
          expect: { errorCode: 'NONE', nodeId: 1 },
        },
        {
          api: 'FindCoordinator',
          version: 3,
          body: { key: '~billing', keyType: 9 },
          expect: { errorCode: 'INVALID_REQUEST' },
        },
      ],
    },
  ],
}
