/** Groups that change their protocol while members are in them (KIP-848), without a pause in which nobody has anything. */
import { describe, expect, it } from 'vitest'
import { codeOf } from '../../../src/broker/response-errors.js'
import { heartbeat as classicHeartbeat } from '../../../src/protocol/api/heartbeat.js'
import { joinGroup } from '../../../src/protocol/api/join-group.js'
import { leaveGroup } from '../../../src/protocol/api/leave-group.js'
import { listGroups } from '../../../src/protocol/api/list-groups.js'
import { syncGroup } from '../../../src/protocol/api/sync-group.js'
import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/protocol/consumer-protocol.js'
import { keptStorage } from '../../support/kept-storage.js'
import { openTestBroker } from '../../support/test-broker.js'
import { assignedBy, consumerMembersOf } from '../../support/test-consumer-members.js'

interface Owned {
  readonly topic: string
  readonly partitions: readonly number[]
}

const open = async (configs = {}) => {
  const storage = keptStorage()
  const broker = await openTestBroker(configs, storage)
  const { send } = broker
  const orders = await broker.createTopic('orders', 4)
  const join = (memberId: string, ownedPartitions: readonly Owned[] = []) =>
    send(
      joinGroup,
      {
        groupId: 'billing',
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 30_000,
        memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocols: [
          {
            name: 'range',
            metadata: encodeSubscription({
              topics: ['orders'],
              userData: null,
              ownedPartitions,
              generationId: -1,
              rackId: null,
            }),
          },
        ],
        reason: null,
      },
      { clientHost: '/127.0.0.1' },
    )
  const sync = async (
    memberId: string,
    generationId: number,
    given: Record<string, readonly Owned[]> = {},
  ) => {
    const answer = await send(syncGroup, {
      groupId: 'billing',
      generationId,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: Object.entries(given).map(([id, assignedPartitions]) => ({
        memberId: id,
        assignment: encodeAssignment({ assignedPartitions, userData: null }),
      })),
    })
    const has = answer.errorCode === 0 ? decodeAssignment(answer.assignment).assignedPartitions : []
    return { errorCode: answer.errorCode, has: has.flatMap(({ partitions }) => [...partitions]) }
  }
  const beat = async (memberId: string, generationId: number): Promise<number> =>
    (await send(classicHeartbeat, { groupId: 'billing', generationId, memberId, groupInstanceId: null }))
      .errorCode
  /** A classic group with one member, which has everything. */
  const startClassic = async (): Promise<string> => {
    const { memberId } = await join('')
    await join(memberId)
    await sync(memberId, 1, { [memberId]: [{ topic: 'orders', partitions: [0, 1, 2, 3] }] })
    return memberId
  }
  const typeOf = async (): Promise<string> =>
    (await send(listGroups, { statesFilter: [], typesFilter: [] })).groups[0]!.groupType
  return {
    ...broker,
    orders,
    classic: { join, sync, beat, startClassic },
    consumer: consumerMembersOf(broker),
    typeOf,
    storage,
  }
}

describe('a member of the consumer protocol in a classic group', () => {
  it('makes it a consumer group, in which the other keeps what it has until it gives it up (G1)', async () => {
    const { classic, consumer, typeOf, orders } = await open()
    const old = await classic.startClassic()
    const joined = await consumer.join('new', ['orders'])
    expect(joined).toMatchObject({ errorCode: 0, memberEpoch: 2 })
    expect(assignedBy(joined)).toEqual([])
    expect(await typeOf()).toBe('consumer')
    expect(await consumer.describe()).toMatchObject({
      groupEpoch: 2,
      members: expect.arrayContaining([
        expect.objectContaining({ memberId: old, memberEpoch: 1, memberType: 0 }),
        expect.objectContaining({ memberId: 'new', memberEpoch: 2, memberType: 1 }),
      ]) as unknown,
    })
    // The classic member is told to join again, first with all that it has, then without what it gave up.
    expect(await classic.beat(old, 1)).toBe(codeOf('REBALANCE_IN_PROGRESS'))
    const all = [{ topic: 'orders', partitions: [0, 1, 2, 3] }]
    expect(await classic.join(old, all)).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: '',
      members: [],
    })
    const { has } = await classic.sync(old, 1)
    expect(has).toHaveLength(2)
    expect(assignedBy(await consumer.heartbeat({ memberId: 'new', memberEpoch: 2 }))).toBeNull()
    expect(await classic.beat(old, 1)).toBe(codeOf('REBALANCE_IN_PROGRESS'))
    expect((await classic.join(old, [{ topic: 'orders', partitions: has }])).generationId).toBe(2)
    expect((await classic.sync(old, 2)).has).toEqual(has)
    expect(await classic.beat(old, 2)).toBe(0)
    const given = assignedBy(await consumer.heartbeat({ memberId: 'new', memberEpoch: 2 })) ?? []
    expect([...given, ...has.map((index) => `${orders}-${index}`)].sort()).toEqual(
      [0, 1, 2, 3].map((index) => `${orders}-${index}`),
    )
    expect((await consumer.describe()).groupState).toBe('Stable')
  })

  it('is there after the broker was opened again, and so is the other', async () => {
    const { classic, consumer, broker, storage } = await open()
    const old = await classic.startClassic()
    await consumer.join('new', ['orders'])
    await broker.close()
    const again = consumerMembersOf(await openTestBroker({}, storage))
    const { members } = await again.describe()
    expect(members.map(({ memberId, memberType }) => [memberId, memberType]).sort()).toEqual(
      [
        [old, 0],
        ['new', 1],
      ].sort(),
    )
  })

  it('is refused where the group may not change', async () => {
    const { classic, consumer, typeOf } = await open({ 'group.consumer.migration.policy': 'downgrade' })
    await classic.startClassic()
    expect(await consumer.join('new', ['orders'])).toMatchObject({
      errorCode: codeOf('GROUP_ID_NOT_FOUND'),
      errorMessage:
        'Cannot upgrade classic group billing to consumer group because online upgrade is disabled.',
    })
    expect(await typeOf()).toBe('classic')
  })

  it('makes it a classic group again when it is the last of its kind to leave', async () => {
    const { classic, consumer, typeOf, broker, storage } = await open()
    const old = await classic.startClassic()
    await consumer.join('new', ['orders'])
    await consumer.leave('new')
    expect(await typeOf()).toBe('classic')
    expect(await classic.beat(old, 1)).toBe(codeOf('ILLEGAL_GENERATION'))
    const joined = await classic.join(old)
    expect(joined).toMatchObject({ errorCode: 0, leader: old })
    const all = [{ topic: 'orders', partitions: [0, 1, 2, 3] }]
    expect((await classic.sync(old, joined.generationId, { [old]: all })).has).toEqual([0, 1, 2, 3])
    await broker.close()
    const again = await openTestBroker({}, storage)
    const { groups } = await again.send(listGroups, { statesFilter: [], typesFilter: [] })
    expect(groups).toMatchObject([{ groupType: 'classic', groupState: 'Stable' }])
  })
})

describe('a member of the classic protocol in a consumer group', () => {
  it('joins, shares, and is out when it is not heard of', async () => {
    const { classic, consumer, clock, orders } = await open()
    await consumer.join('new', ['orders'])
    const { memberId, errorCode } = await classic.join('')
    expect(errorCode).toBe(codeOf('MEMBER_ID_REQUIRED'))
    const joined = await classic.join(memberId)
    expect(joined).toMatchObject({ errorCode: 0, memberId, generationId: 3, protocolName: 'range' })
    expect(await classic.sync(memberId, 3)).toEqual({ errorCode: 0, has: [] })
    const { assignment } = await consumer.heartbeat({ memberId: 'new', memberEpoch: 2 })
    await consumer.heartbeat({
      memberId: 'new',
      memberEpoch: 2,
      topicPartitions: assignment!.topicPartitions,
    })
    // What it waits for is free now: it is told to fetch it.
    expect(await classic.beat(memberId, 3)).toBe(codeOf('REBALANCE_IN_PROGRESS'))
    await classic.join(memberId)
    expect((await classic.sync(memberId, 3)).has).toHaveLength(2)
    expect(await classic.beat(memberId, 3)).toBe(0)
    await clock.advanceAsync(10_000)
    expect(await classic.beat(memberId, 3)).toBe(codeOf('UNKNOWN_MEMBER_ID'))
    const alone = await consumer.heartbeat({ memberId: 'new', memberEpoch: 3 })
    expect(assignedBy(alone)).toEqual([0, 1, 2, 3].map((index) => `${orders}-${index}`))
  })

  it('of another generation, or of a member of the other protocol, is refused (G2)', async () => {
    const { classic, consumer } = await open()
    await consumer.join('new', ['orders'])
    const { memberId } = await classic.join('')
    await classic.join(memberId)
    expect(await classic.beat(memberId, 2)).toBe(codeOf('ILLEGAL_GENERATION'))
    expect((await classic.sync(memberId, 2)).errorCode).toBe(codeOf('ILLEGAL_GENERATION'))
    expect(await classic.beat('new', 2)).toBe(codeOf('UNKNOWN_MEMBER_ID'))
  })

  it('leaves as ever, and members of the other protocol can be taken out the same way', async () => {
    const { classic, consumer, send } = await open()
    await consumer.join('new', ['orders'])
    await consumer.join('other', ['orders'])
    const { memberId } = await classic.join('')
    await classic.join(memberId)
    const members = [memberId, 'other', 'nobody'].map((id) => ({
      memberId: id,
      groupInstanceId: null,
      reason: null,
    }))
    const answer = await send(leaveGroup, { groupId: 'billing', memberId: '', members })
    expect(answer.members.map(({ errorCode }) => errorCode)).toEqual([0, 0, codeOf('UNKNOWN_MEMBER_ID')])
    expect((await consumer.describe()).members.map((member) => member.memberId)).toEqual(['new'])
  })
})
