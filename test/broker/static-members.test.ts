/** Static members (KIP-345), as Kafka's GroupMetadataManager treats them. */
import { describe, expect, it } from 'vitest'
import { describeGroups } from '../../src/protocol/api/describe-groups.js'
import { heartbeat } from '../../src/protocol/api/heartbeat.js'
import { joinGroup } from '../../src/protocol/api/join-group.js'
import { leaveGroup } from '../../src/protocol/api/leave-group.js'
import { offsetCommit } from '../../src/protocol/api/offset-commit.js'
import { syncGroup } from '../../src/protocol/api/sync-group.js'
import { encodeSubscription } from '../../src/protocol/consumer-protocol.js'
import type { ResponseOf } from '../../src/protocol/schema.js'
import { keptStorage } from '../support/kept-storage.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'
import { textOf } from '../support/test-members.js'

const UNKNOWN_MEMBER_ID = 25
const REBALANCE_IN_PROGRESS = 27
const GROUP_MAX_SIZE_REACHED = 81
const FENCED_INSTANCE_ID = 82

const SESSION_MS = 10_000
const REBALANCE_MS = 30_000

type Joined = ResponseOf<typeof joinGroup>

/** Static members of one group: each request names one by its instance id and its member id. */
const staticMembers = ({ send }: TestBroker) => {
  const metadata = encodeSubscription({
    topics: ['orders'],
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
  })
  return {
    join: (
      groupInstanceId: string | null,
      memberId = '',
      { protocols = ['range'], apiVersion = 9, sessionTimeoutMs = SESSION_MS } = {},
    ): Promise<Joined> =>
      send(
        joinGroup,
        {
          groupId: 'billing',
          sessionTimeoutMs,
          rebalanceTimeoutMs: REBALANCE_MS,
          memberId,
          groupInstanceId,
          protocolType: 'consumer',
          protocols: protocols.map((name) => ({ name, metadata })),
          reason: null,
        },
        { apiVersion },
      ),
    sync: (
      groupInstanceId: string | null,
      { memberId, generationId }: Joined,
      assignments: Record<string, string> = {},
    ): Promise<ResponseOf<typeof syncGroup>> =>
      send(syncGroup, {
        groupId: 'billing',
        generationId,
        memberId,
        groupInstanceId,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: Object.entries(assignments).map(([id, text]) => ({
          memberId: id,
          assignment: new TextEncoder().encode(text),
        })),
      }),
    heartbeat: async (groupInstanceId: string | null, { memberId, generationId }: Joined): Promise<number> =>
      (await send(heartbeat, { groupId: 'billing', generationId, memberId, groupInstanceId })).errorCode,
    commit: async (
      groupInstanceId: string | null,
      { memberId, generationId }: Joined,
      topicId: string,
    ): Promise<number> => {
      const answer = await send(offsetCommit, {
        groupId: 'billing',
        generationIdOrMemberEpoch: generationId,
        memberId,
        groupInstanceId,
        retentionTimeMs: -1,
        topics: [
          {
            name: '',
            topicId,
            partitions: [
              { partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' },
            ],
          },
        ],
      })
      return answer.topics[0]!.partitions[0]!.errorCode
    },
    leave: async (...members: { memberId: string; groupInstanceId: string | null }[]): Promise<number[]> => {
      const request = {
        groupId: 'billing',
        memberId: '',
        members: members.map((m) => ({ ...m, reason: null })),
      }
      return (await send(leaveGroup, request)).members.map(({ errorCode }) => errorCode)
    },
    describe: async () => {
      const request = { groups: ['billing'], includeAuthorizedOperations: false }
      return (await send(describeGroups, request)).groups[0]!
    },
  }
}

/** A leads, B follows; both are static, and have their assignment. */
const twoStatic = async (test: TestBroker) => {
  const members = staticMembers(test)
  const first = await members.join('A')
  await members.sync('A', first, { [first.memberId]: 'all' })
  const late = members.join('B')
  const [a, b] = await Promise.all([members.join('A', first.memberId), late])
  const following = members.sync('B', b)
  await members.sync('A', a, { [a.memberId]: 'one', [b.memberId]: 'two' })
  expect(textOf(await following)).toBe('two')
  return { ...members, a, b }
}

describe('a static member', () => {
  it('joins at once, without being told an id first', async () => {
    const test = await openTestBroker()
    expect(await staticMembers(test).join('A')).toMatchObject({
      errorCode: 0,
      generationId: 1,
      members: [{ groupInstanceId: 'A' }],
    })
    await test.broker.close()
  })

  it('that comes back is given a new id and its assignment, and the others hear nothing of it', async () => {
    const test = await openTestBroker()
    const { join, sync, heartbeat, a, b } = await twoStatic(test)
    const back = await join('B')
    expect(back).toMatchObject({ errorCode: 0, generationId: 2, leader: a.memberId, skipAssignment: false })
    expect(back.memberId).not.toBe(b.memberId)
    expect(textOf(await sync('B', back))).toBe('two')
    expect(await heartbeat('A', a)).toBe(0)
    expect(await heartbeat('B', back)).toBe(0)
    await test.broker.close()
  })

  it('that leads and comes back is told to leave the assignment as it is', async () => {
    const test = await openTestBroker()
    const { join, sync, heartbeat, b } = await twoStatic(test)
    const back = await join('A')
    expect(back).toMatchObject({
      errorCode: 0,
      generationId: 2,
      leader: back.memberId,
      skipAssignment: true,
    })
    expect(back.members.map(({ groupInstanceId }) => groupInstanceId).sort()).toEqual(['A', 'B'])
    expect(textOf(await sync('A', back))).toBe('one')
    expect(await heartbeat('B', b)).toBe(0)
    await test.broker.close()
  })

  it('that leads and cannot be told so believes that another one leads', async () => {
    const test = await openTestBroker()
    const { join, sync, a } = await twoStatic(test)
    const back = await join('A', '', { apiVersion: 8 })
    expect(back).toMatchObject({ errorCode: 0, leader: a.memberId, members: [], skipAssignment: false })
    expect(textOf(await sync('A', back))).toBe('one')
    await test.broker.close()
  })

  it('G2: fences the one that it was before, in everything', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const { join, sync, heartbeat, commit, leave, b } = await twoStatic(test)
    const back = await join('B')
    expect(await heartbeat('B', b)).toBe(FENCED_INSTANCE_ID)
    expect(await commit('B', b, topic)).toBe(FENCED_INSTANCE_ID)
    expect((await sync('B', b)).errorCode).toBe(FENCED_INSTANCE_ID)
    expect((await join('B', b.memberId)).errorCode).toBe(FENCED_INSTANCE_ID)
    expect(await leave({ memberId: b.memberId, groupInstanceId: 'B' })).toEqual([FENCED_INSTANCE_ID])
    expect(await heartbeat(null, b)).toBe(UNKNOWN_MEMBER_ID)
    expect(await heartbeat('C', back)).toBe(UNKNOWN_MEMBER_ID)
    expect(await commit('B', back, topic)).toBe(0)
    await test.broker.close()
  })

  it('that waits for the others is fenced by the one that takes its place', async () => {
    const test = await openTestBroker()
    const { join, a, b } = await twoStatic(test)
    const waiting = join('A', a.memberId)
    const taking = join('A')
    expect(await waiting).toMatchObject({ errorCode: FENCED_INSTANCE_ID })
    const [leader, follower] = await Promise.all([taking, join('B', b.memberId)])
    expect([leader.generationId, follower.generationId]).toEqual([3, 3])
    await test.broker.close()
  })

  it('that comes back before the leader has shared makes the group begin anew', async () => {
    const test = await openTestBroker()
    const { join, sync, a, b } = await twoStatic(test)
    const [leader, follower] = await Promise.all([join('A', a.memberId), join('B', b.memberId)])
    const syncing = sync('B', follower)
    const back = join('B')
    expect((await syncing).errorCode).toBe(FENCED_INSTANCE_ID)
    expect((await sync('A', leader)).errorCode).toBe(REBALANCE_IN_PROGRESS)
    expect((await join('A', a.memberId)).generationId).toBe(4)
    expect((await back).generationId).toBe(4)
    await test.broker.close()
  })

  it('that comes back with a preference that changes the protocol makes the group rebalance', async () => {
    const test = await openTestBroker()
    const { join, sync, heartbeat } = staticMembers(test)
    const protocols = ['range', 'sticky']
    const first = await join('A', '', { protocols })
    await sync('A', first, { [first.memberId]: 'all' })
    const back = await join('A', '', { protocols: ['sticky', 'range'] })
    expect(back).toMatchObject({
      errorCode: 0,
      generationId: 2,
      protocolName: 'sticky',
      skipAssignment: false,
    })
    expect(await heartbeat('A', back)).toBe(0)
    await test.broker.close()
  })

  it('is shared among though it missed the rebalance, as long as its session lasts', async () => {
    const test = await openTestBroker()
    const { join, sync } = staticMembers(test)
    const first = await join('A', '', { sessionTimeoutMs: 100_000 })
    await sync('A', first, { [first.memberId]: 'all' })
    const second = join('B')
    await test.clock.advanceAsync(REBALANCE_MS + 1)
    // Nobody but B has joined, so B leads; A would find its assignment if it came back.
    const leader = await second
    expect(leader).toMatchObject({ generationId: 2, leader: leader.memberId })
    expect(leader.members.map(({ groupInstanceId }) => groupInstanceId).sort()).toEqual(['A', 'B'])
    await test.broker.close()
  })

  it('is out when its session ends while the group rebalances', async () => {
    const test = await openTestBroker()
    const { join, sync, heartbeat, describe: described, a } = await twoStatic(test)
    const again = join('A', a.memberId)
    // Its session would have ended before the rebalance does.
    await test.clock.advanceAsync(SESSION_MS + 1)
    const leader = await again
    expect(leader.members.map(({ groupInstanceId }) => groupInstanceId)).toEqual(['A'])
    await sync('A', leader, { [leader.memberId]: 'all' })
    expect(await heartbeat('A', leader)).toBe(0)
    expect((await described()).members.map(({ groupInstanceId }) => groupInstanceId)).toEqual(['A'])
    await test.broker.close()
  })

  it('is left by whoever removes it by its name, or by itself', async () => {
    const test = await openTestBroker()
    const { leave, heartbeat, describe: described, a } = await twoStatic(test)
    expect((await described()).members.map(({ groupInstanceId }) => groupInstanceId).sort()).toEqual([
      'A',
      'B',
    ])
    expect(
      await leave({ memberId: '', groupInstanceId: 'B' }, { memberId: '', groupInstanceId: 'C' }),
    ).toEqual([0, UNKNOWN_MEMBER_ID])
    expect(await heartbeat('A', a)).toBe(REBALANCE_IN_PROGRESS)
    expect(await leave({ memberId: a.memberId, groupInstanceId: 'A' })).toEqual([0])
    expect(await described()).toMatchObject({ groupState: 'Empty', members: [] })
    await test.broker.close()
  })

  it('finds its assignment again after the broker was restarted, though it lived in its process', async () => {
    const storage = keptStorage()
    const before = await openTestBroker({}, storage)
    await twoStatic(before)
    await before.broker.close()
    const test = await openTestBroker({}, storage, before.clock)
    const { join, sync } = staticMembers(test)
    const back = await join('B')
    expect(back).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(textOf(await sync('B', back))).toBe('two')
    await test.broker.close()
    // Its new id is what was written last.
    const again = await openTestBroker({}, storage, before.clock)
    expect(await staticMembers(again).heartbeat('B', back)).toBe(0)
    await again.broker.close()
  })

  it('comes back into a full group, which no other may join', async () => {
    const test = await openTestBroker({ 'group.max.size': 2 })
    const { join } = await twoStatic(test)
    expect((await join('C')).errorCode).toBe(GROUP_MAX_SIZE_REACHED)
    expect((await join('B')).errorCode).toBe(0)
    await test.broker.close()
  })
})
