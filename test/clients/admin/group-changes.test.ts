/** The admin client lists groups, sets their offsets and removes their members, over an embedded broker. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { leaveGroup } from '../../../src/protocol/api/leave-group.js'
import type { RequestOf } from '../../../src/protocol/schema.js'
import { contextOver } from '../../support/client-context.js'
import { ScriptedNetwork } from '../../support/scripted-cluster.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'
import { membersOf } from '../../support/test-members.js'

let test: TestBroker
let admin: Admin
let orders: string

beforeEach(async () => {
  test = await openTestBroker()
  admin = new Admin(
    contextOver(new DirectNetwork(test.broker, { clock: test.clock, clientId: 'app' }), test.clock),
  )
  orders = await test.createTopic('orders', 2)
})

afterEach(async () => test.broker.close())

const joinAlone = async () => {
  const members = membersOf(test)
  const memberId = await members.newId()
  const { generationId } = await members.join(memberId)
  await members.sync(memberId, generationId, { [memberId]: 'all' })
  return { members, memberId, generationId }
}

describe('offsets of a group', () => {
  it('are set, where nobody is a member, as its members would commit them', async () => {
    await admin.alterConsumerGroupOffsets('billing', [
      { topic: 'orders', partition: 0, offset: 7, metadata: 'by hand' },
      { topic: 'orders', partition: 1, offset: 0 },
    ])
    expect(await admin.listConsumerGroupOffsets('billing')).toEqual([
      { topic: 'orders', partition: 0, offset: 7, metadata: 'by hand' },
      { topic: 'orders', partition: 1, offset: 0, metadata: '' },
    ])
    expect(await membersOf(test).committed(orders)).toMatchObject({ offset: 7, metadata: 'by hand' })
    await admin.alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset: 3 }])
    const offsets = await admin.listConsumerGroupOffsets('billing')
    expect(offsets.map(({ offset }) => offset)).toEqual([3, 0])
    expect(await admin.listGroups()).toEqual([
      { groupId: 'billing', type: 'classic', protocolType: '', state: 'Empty' },
    ])
  })

  it('are not set under its members', async () => {
    const { members, memberId } = await joinAlone()
    const change = () =>
      admin.alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset: 7 }])
    await expect(change()).rejects.toMatchObject({
      code: 'UNKNOWN_MEMBER_ID',
      details: { groupId: 'billing', topic: 'orders', partition: 0 },
    })
    expect(await admin.listConsumerGroupOffsets('billing')).toEqual([])
    await members.leave(memberId)
    await change()
    expect(await admin.listConsumerGroupOffsets('billing')).toHaveLength(1)
  })

  it('are set where they can be, and the rest is told', async () => {
    const some = [
      { topic: 'orders', partition: 0, offset: 1 },
      { topic: 'orders', partition: 2, offset: 1 },
      { topic: 'gone', partition: 0, offset: 1 },
    ]
    const error: unknown = await admin
      .alterConsumerGroupOffsets('billing', some)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ITEMS_FAILED' })
    const { failed, succeeded } = (error as { details: Record<string, Map<string, unknown>> }).details
    expect([...failed!]).toEqual([
      ['orders-2', expect.objectContaining({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })],
      ['gone-0', expect.objectContaining({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })],
    ])
    expect([...succeeded!.keys()]).toEqual(['orders-0'])
    expect(await admin.listConsumerGroupOffsets('billing')).toHaveLength(1)
  })

  it.each([-1, 0.5, Number.NaN])('are whole numbers of at least 0, not %d', async (offset) => {
    await expect(
      admin.alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset }]),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('groups', () => {
  it('are listed by state, type and protocol', async () => {
    await joinAlone()
    await admin.alterConsumerGroupOffsets('by hand', [{ topic: 'orders', partition: 0, offset: 7 }])
    const idsOf = async (options: Parameters<Admin['listGroups']>[0]) =>
      (await admin.listGroups(options)).map(({ groupId }) => groupId).sort()
    expect(await idsOf({})).toEqual(['billing', 'by hand'])
    expect(await idsOf({ states: ['Stable'] })).toEqual(['billing'])
    expect(await idsOf({ states: ['Empty', 'PreparingRebalance'] })).toEqual(['by hand'])
    expect(await idsOf({ types: ['classic'] })).toEqual(['billing', 'by hand'])
    expect(await idsOf({ types: ['consumer', 'share'] })).toEqual([])
    expect(await idsOf({ protocolTypes: ['consumer'] })).toEqual(['billing'])
    expect(await idsOf({ protocolTypes: [''], states: ['Empty'] })).toEqual(['by hand'])
    await expect(idsOf({ states: ['stable' as never] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(idsOf({ types: ['Classic' as never] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('the coordinator', () => {
  const ORDERS = { topic: 'orders', partition: 0 }
  const NOT_COORDINATOR = 16
  const partitions = (errorCode: number) => [
    { name: 'orders', partitions: [{ partitionIndex: 0, errorCode, committedOffset: 5, metadata: '' }] },
  ]
  const described = { groupState: 'Empty', protocolType: '', protocolData: '', members: [] }

  it.each<[string, (scripted: Admin) => Promise<unknown>, (errorCode: number) => unknown]>([
    [
      'OffsetCommit',
      (scripted) => scripted.alterConsumerGroupOffsets('g', [{ ...ORDERS, offset: 5 }]),
      (errorCode) => ({ topics: partitions(errorCode) }),
    ],
    [
      'OffsetDelete',
      (scripted) => scripted.deleteConsumerGroupOffsets('g', [ORDERS]),
      (errorCode) => ({ errorCode, topics: partitions(0) }),
    ],
    [
      'OffsetFetch',
      (scripted) => scripted.listConsumerGroupOffsets('g'),
      (errorCode) => ({ groups: [{ groupId: 'g', errorCode, topics: partitions(0) }] }),
    ],
    [
      'DescribeGroups',
      (scripted) => scripted.describeGroups(['g']),
      (errorCode) => ({ groups: [{ groupId: 'g', errorCode, errorMessage: null, ...described }] }),
    ],
    [
      'DeleteGroups',
      (scripted) => scripted.deleteGroups(['g']),
      (errorCode) => ({ results: [{ groupId: 'g', errorCode }] }),
    ],
    [
      'LeaveGroup',
      (scripted) => scripted.removeMembersFromConsumerGroup('g', [{ memberId: 'm' }]),
      (errorCode) => ({ errorCode, members: [{ memberId: 'm', groupInstanceId: null, errorCode: 0 }] }),
    ],
  ])('is asked %s again where it has moved', async (api, call, answer) => {
    const network = new ScriptedNetwork([1, 2])
    let coordinator = 1
    network.overrides.set('FindCoordinator', () => ({
      coordinators: [{ key: 'g', nodeId: coordinator, host: 'h', port: 1, errorCode: 0, errorMessage: null }],
    }))
    network.overrides.set(api, (nodeId) => {
      coordinator = 2
      return answer(nodeId === 1 ? NOT_COORDINATOR : 0)
    })
    const asked = call(new Admin(contextOver(network, test.clock)))
    await test.clock.advanceAsync(1000)
    await asked
    expect(network.calls.filter((name) => name.startsWith(api))).toEqual([`${api}@1`, `${api}@2`])
  })
})

describe('members', () => {
  it('are removed by their ids, and those that are none are told', async () => {
    const { members, memberId, generationId } = await joinAlone()
    const error: unknown = await admin
      .removeMembersFromConsumerGroup('billing', [{ memberId }, { memberId: 'nobody' }])
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ITEMS_FAILED' })
    const { failed, succeeded } = (error as { details: Record<string, Map<string, unknown>> }).details
    expect([...failed!]).toEqual([
      [
        'nobody',
        expect.objectContaining({
          code: 'UNKNOWN_MEMBER_ID',
          details: { groupId: 'billing', memberId: 'nobody' },
        }),
      ],
    ])
    expect([...succeeded!]).toEqual([[memberId, memberId]])
    expect((await admin.describeGroups(['billing']))[0]).toMatchObject({ state: 'Empty', members: [] })
    // 25 is UNKNOWN_MEMBER_ID.
    expect(await members.heartbeat(memberId, generationId)).toBe(25)
    await expect(admin.removeMembersFromConsumerGroup('nobody', [{ memberId: 'm' }])).rejects.toMatchObject({
      code: 'UNKNOWN_MEMBER_ID',
    })
  })

  it('that are no consumers have no partitions', async () => {
    const members = membersOf(test)
    const { memberId } = await members.join('', { protocolType: 'connect' })
    const { generationId } = await members.join(memberId, { protocolType: 'connect' })
    await members.sync(memberId, generationId, { [memberId]: 'tasks' })
    const [group] = await admin.describeGroups(['billing'])
    expect(group).toMatchObject({ state: 'Stable', protocolType: 'connect' })
    expect(group!.members).toMatchObject([{ memberId, groupInstanceId: null, assignment: [] }])
  })

  it('are removed all at once', async () => {
    const { members, memberId: first } = await joinAlone()
    const second = await members.newId()
    const [joined] = await Promise.all([members.join(second), members.join(first)])
    const syncs = [first, second].map((id) =>
      members.sync(id, joined.generationId, id === joined.leader ? { [first]: 'a', [second]: 'b' } : {}),
    )
    await Promise.all(syncs)
    await admin.removeMembersFromConsumerGroup('billing', 'all')
    expect((await admin.describeGroups(['billing']))[0]).toMatchObject({ state: 'Empty', members: [] })
    await admin.removeMembersFromConsumerGroup('billing', 'all')
    await admin.removeMembersFromConsumerGroup('nobody', 'all')
  })

  it('may be named by their instance ids, and go with a reason', async () => {
    const network = new ScriptedNetwork()
    const asked: RequestOf<typeof leaveGroup>['members'][] = []
    network.overrides.set(leaveGroup.name, (_, request) => {
      const { members } = request as RequestOf<typeof leaveGroup>
      asked.push(members)
      return {
        throttleTimeMs: 0,
        errorCode: 0,
        members: members.map((member) => ({ ...member, errorCode: 0 })),
      }
    })
    const scripted = new Admin(contextOver(network, test.clock))
    await scripted.removeMembersFromConsumerGroup('g', [{ groupInstanceId: 'cashier-1' }, { memberId: 'm' }])
    await scripted.removeMembersFromConsumerGroup('g', [{ memberId: 'm' }], { reason: 'x'.repeat(300) })
    const reason = 'member was removed by an admin'
    expect(asked).toEqual([
      [
        { memberId: '', groupInstanceId: 'cashier-1', reason },
        { memberId: 'm', groupInstanceId: null, reason },
      ],
      [{ memberId: 'm', groupInstanceId: null, reason: 'x'.repeat(255) }],
    ])
  })
})
