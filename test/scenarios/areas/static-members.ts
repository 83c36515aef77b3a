/** Static members (KIP-345): who has an instance's name, and who had it. */
import { any, capture, text, type Area } from '../scenario.js'
import { describeGroup, heartbeatOf, commit, join, leave, sync } from '../group-steps.js'

const first = { groupInstanceId: 'first' }
const stable = [
  join(
    '',
    { errorCode: 'NONE', generationId: 1, memberId: capture('one'), leader: '$one' },
    { ...first, client: 'one' },
  ),
  sync(
    '$one',
    1,
    { errorCode: 'NONE', assignment: text('all') },
    { ...first, client: 'one', assignments: { $one: 'all' } },
  ),
]

export const staticMembersArea: Area = {
  name: 'static members',
  scenarios: [
    {
      name: 'lets a static member in without an id',
      source: 'GroupMetadataManager.classicGroupJoinNewStaticMember',
      steps: [...stable, heartbeatOf('$one', 1, 'NONE', first)],
    },
    {
      name: 'gives who comes back in a stable group a new id, and the same generation',
      source: 'GroupMetadataManager.updateStaticMemberThenRebalanceOrCompleteJoin',
      steps: [
        ...stable,
        join(
          '',
          { errorCode: 'NONE', generationId: 1, memberId: capture('again'), leader: any },
          { ...first, client: 'one' },
        ),
        sync('$again', 1, { errorCode: 'NONE', assignment: text('all') }, { ...first, client: 'one' }),
      ],
    },
    {
      name: 'fences the one whose name another has now',
      source: 'ClassicGroup.validateMember (FENCED_INSTANCE_ID)',
      topics: { orders: {} },
      steps: [
        ...stable,
        join('', { errorCode: 'NONE', memberId: capture('again') }, { ...first, client: 'two' }),
        heartbeatOf('$one', 1, 'FENCED_INSTANCE_ID', first),
        sync('$one', 1, { errorCode: 'FENCED_INSTANCE_ID' }, first),
        join('$one', { errorCode: 'FENCED_INSTANCE_ID' }, first),
        commit('$one', 1, 3, { errorCode: 'FENCED_INSTANCE_ID' }, first),
        leave('$one', 'FENCED_INSTANCE_ID', first),
        heartbeatOf('$again', 1, 'NONE', first),
      ],
    },
    {
      name: 'does not know an instance that never joined',
      source: 'ClassicGroup.validateMember (UNKNOWN_MEMBER_ID)',
      steps: [
        ...stable,
        heartbeatOf('$one', 1, 'UNKNOWN_MEMBER_ID', { groupInstanceId: 'second' }),
        join('$one', { errorCode: 'UNKNOWN_MEMBER_ID' }, { groupInstanceId: 'second' }),
        leave('', 'UNKNOWN_MEMBER_ID', { groupInstanceId: 'second' }),
      ],
    },
    {
      name: 'lets an instance be removed by its name alone',
      source: 'GroupMetadataManager.classicGroupLeaveToClassicGroup (groupInstanceId)',
      steps: [
        ...stable,
        leave('', 'NONE', first),
        describeGroup({ groupState: 'Empty' }),
        heartbeatOf('$one', 1, 'UNKNOWN_MEMBER_ID', first),
      ],
    },
    {
      name: 'describes a static member by its name',
      source: 'ClassicGroupMember.describe',
      steps: [
        ...stable,
        describeGroup({ groupState: 'Stable', members: [{ memberId: '$one', groupInstanceId: 'first' }] }),
      ],
    },
    {
      name: 'rebalances when who comes back prefers another protocol',
      source: 'GroupMetadataManager.updateStaticMemberThenRebalanceOrCompleteJoin',
      steps: [
        ...stable,
        join(
          '',
          {
            errorCode: 'NONE',
            generationId: 2,
            memberId: capture('again'),
            leader: '$again',
            protocolName: 'roundrobin',
          },
          { ...first, protocols: ['roundrobin', 'range'], client: 'one' },
        ),
      ],
    },
  ],
}
