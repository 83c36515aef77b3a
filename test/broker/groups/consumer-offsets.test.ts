/** What a consumer group has committed, and who may commit, ask, list, describe and delete (KIP-848). */
import { describe, expect, it } from 'vitest'
import { codeOf } from '../../../src/broker/response-errors.js'
import { deleteGroups } from '../../../src/protocol/api/delete-groups.js'
import { describeGroups } from '../../../src/protocol/api/describe-groups.js'
import { listGroups } from '../../../src/protocol/api/list-groups.js'
import { offsetDelete } from '../../../src/protocol/api/offset-delete.js'
import { offsetFetch } from '../../../src/protocol/api/offset-fetch.js'
import { keptStorage } from '../../support/kept-storage.js'
import { openTestBroker } from '../../support/test-broker.js'
import { consumerMembersOf } from '../../support/test-consumer-members.js'
import { membersOf } from '../../support/test-members.js'

const open = async () => {
  const storage = keptStorage()
  const broker = await openTestBroker({ 'offsets.topic.num.partitions': 1 }, storage)
  const orders = await broker.createTopic('orders', 2)
  const { commit, committed, join: joinClassic, leave: leaveClassic } = membersOf(broker)
  const members = consumerMembersOf(broker)
  const fetchAs = async (memberId: string | null, memberEpoch: number): Promise<number> => {
    const topics = [{ name: '', topicId: orders, partitionIndexes: [0] }]
    const groups = [{ groupId: 'billing', memberId, memberEpoch, topics }]
    const answer = await broker.send(offsetFetch, { groupId: '', topics: null, groups, requireStable: true })
    return answer.groups[0]!.errorCode
  }
  return { ...broker, ...members, orders, commit, committed, fetchAs, joinClassic, leaveClassic, storage }
}

describe('a commit', () => {
  it("counts in the member's epoch, and is there when the broker is opened again (G3)", async () => {
    const { join, commit, orders, broker, storage } = await open()
    await join('a', ['orders'])
    expect(await commit('a', 2, orders, 7)).toBe(0)
    await broker.close()
    const again = await openTestBroker({}, storage)
    expect((await membersOf(again).committed(orders)).offset).toBe(7)
    expect(await consumerMembersOf(again).describe()).toMatchObject({ groupState: 'Stable', groupEpoch: 2 })
    expect(await membersOf(again).commit('a', 2, orders, 8)).toBe(0)
  })

  it("in an epoch that is not the member's is refused (G2)", async () => {
    const { join, commit, orders } = await open()
    await join('a', ['orders'])
    expect(await commit('a', 3, orders, 7)).toBe(codeOf('STALE_MEMBER_EPOCH'))
    expect(await commit('b', 2, orders, 7)).toBe(codeOf('UNKNOWN_MEMBER_ID'))
    expect(await commit('', -1, orders, 7)).toBe(codeOf('UNKNOWN_MEMBER_ID'))
  })

  it('in an older epoch counts for what the member has had ever since, and for nothing else (KIP-1251)', async () => {
    const { join, heartbeat, commit, orders, describe: look } = await open()
    await join('a', ['orders'])
    await join('b', ['orders'])
    const { assignment } = await heartbeat({ memberId: 'a', memberEpoch: 2 })
    await heartbeat({ memberId: 'a', memberEpoch: 2, topicPartitions: assignment!.topicPartitions })
    await heartbeat({ memberId: 'b', memberEpoch: 3 })
    const { members } = await look()
    const owner = members.find((member) => member.assignment.topicPartitions[0]?.partitions.includes(0))
    const [has, hasNot] =
      owner?.memberId === 'a' ? [0, codeOf('STALE_MEMBER_EPOCH')] : [codeOf('STALE_MEMBER_EPOCH'), 0]
    // Partition 0, which either of them has now: the first had it since epoch 2.
    expect(await commit('a', 2, orders, 7)).toBe(has)
    if (hasNot === 0) expect(await commit('b', 2, orders, 7)).toBe(codeOf('STALE_MEMBER_EPOCH'))
  })

  it('of nobody in particular counts while there are no members', async () => {
    const { join, leave, commit, committed, orders } = await open()
    await join('a', ['orders'])
    await leave('a')
    expect(await commit('', -1, orders, 9)).toBe(0)
    expect((await committed(orders)).offset).toBe(9)
  })
})

describe('a question for offsets', () => {
  it('is answered to nobody in particular, and to a member in its epoch', async () => {
    const { join, fetchAs } = await open()
    await join('a', ['orders'])
    expect(await fetchAs(null, -1)).toBe(0)
    expect(await fetchAs('a', 2)).toBe(0)
    expect(await fetchAs('a', 3)).toBe(codeOf('STALE_MEMBER_EPOCH'))
    expect(await fetchAs('b', 2)).toBe(codeOf('UNKNOWN_MEMBER_ID'))
  })
})

describe('the group', () => {
  it('is listed with its type and state', async () => {
    const { join, send, joinClassic } = await open()
    await join('a', ['orders'])
    await joinClassic()
    const list = (typesFilter: string[], statesFilter: string[] = []) =>
      send(listGroups, { statesFilter, typesFilter })
    const billing = {
      groupId: 'billing',
      protocolType: 'consumer',
      groupState: 'Stable',
      groupType: 'consumer',
    }
    expect((await list([])).groups).toEqual([billing])
    expect((await list(['Consumer'], ['stable'])).groups).toEqual([billing])
    expect((await list(['classic'])).groups).toEqual([])
    expect((await list([], ['Empty'])).groups).toEqual([])
  })

  it('is not described as a classic one', async () => {
    const { join, send } = await open()
    await join('a', ['orders'])
    const request = { groups: ['billing'], includeAuthorizedOperations: false }
    expect((await send(describeGroups, request)).groups[0]).toMatchObject({
      errorCode: codeOf('GROUP_ID_NOT_FOUND'),
      errorMessage: 'Group billing is not a classic group.',
      groupState: 'Dead',
    })
    expect((await send(describeGroups, request, { apiVersion: 5 })).groups[0]).toMatchObject({
      errorCode: 0,
      groupState: 'Dead',
    })
  })

  it('is deleted when nobody is in it, and is gone when the broker is opened again', async () => {
    const { join, leave, commit, orders, send, broker, storage } = await open()
    await join('a', ['orders'])
    await commit('a', 2, orders, 7)
    const remove = async () => (await send(deleteGroups, { groupsNames: ['billing'] })).results[0]!.errorCode
    expect(await remove()).toBe(codeOf('NON_EMPTY_GROUP'))
    await leave('a')
    expect(await remove()).toBe(0)
    expect(await remove()).toBe(codeOf('GROUP_ID_NOT_FOUND'))
    await broker.close()
    const again = await openTestBroker({}, storage)
    expect((await again.send(listGroups, { statesFilter: [], typesFilter: [] })).groups).toEqual([])
    expect((await membersOf(again).committed(orders)).offset).toBe(-1)
  })

  it('keeps offsets of topics that it subscribes to', async () => {
    const { join, leave, commit, committed, orders, send } = await open()
    await join('a', ['orders'])
    await commit('a', 2, orders, 7)
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }]
    const remove = async () =>
      (await send(offsetDelete, { groupId: 'billing', topics })).topics[0]!.partitions[0]!.errorCode
    expect(await remove()).toBe(codeOf('GROUP_SUBSCRIBED_TO_TOPIC'))
    await leave('a')
    expect(await remove()).toBe(0)
    expect((await committed(orders)).offset).toBe(-1)
  })
})

describe('an empty group of one protocol', () => {
  it('becomes one of the other with its offsets, and stays so when the broker is opened again', async () => {
    const { commit, join, leave, joinClassic, orders, broker, storage, send } = await open()
    await commit('', -1, orders, 3)
    await join('a', ['orders'])
    await leave('a')
    const { memberId } = await joinClassic()
    expect(memberId).not.toBe('')
    const type = async (to = send) =>
      (await to(listGroups, { statesFilter: [], typesFilter: [] })).groups[0]!.groupType
    expect(await type()).toBe('classic')
    await broker.close()
    const again = await openTestBroker({}, storage)
    expect(await type(again.send)).toBe('classic')
    expect((await membersOf(again).committed(orders)).offset).toBe(3)
  })
})
