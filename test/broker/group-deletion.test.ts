/** DeleteGroups and OffsetDelete, as Kafka's ClassicGroup and OffsetMetadataManager decide them. */
import { describe, expect, it } from 'vitest'
import { offsetsPartitionOf } from '../../src/broker/groups/java-hash.js'
import { deleteGroups } from '../../src/protocol/api/delete-groups.js'
import { describeGroups } from '../../src/protocol/api/describe-groups.js'
import { listGroups } from '../../src/protocol/api/list-groups.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import { offsetDelete } from '../../src/protocol/api/offset-delete.js'
import { offsetCommitKey } from '../../src/protocol/coordinator-records.js'
import { decodeVersioned, leadingVersion } from '../../src/protocol/versioned-record.js'
import { openBatch } from '../../src/record/decode.js'
import { ZERO_UUID } from '../../src/runtime/uuid.js'
import { keptStorage } from '../support/kept-storage.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'
import { membersOf } from '../support/test-members.js'

const UNKNOWN_TOPIC_OR_PARTITION = 3
const INVALID_GROUP_ID = 24
const UNKNOWN_MEMBER_ID = 25
const NON_EMPTY_GROUP = 68
const GROUP_ID_NOT_FOUND = 69
const GROUP_SUBSCRIBED_TO_TOPIC = 86

const remove = async ({ send }: TestBroker, ...groupsNames: string[]): Promise<number[]> =>
  (await send(deleteGroups, { groupsNames })).results.map(({ errorCode }) => errorCode)

const removeOffset = async ({ send }: TestBroker, name: string, partition = 0, groupId = 'billing') => {
  const { errorCode, topics } = await send(offsetDelete, {
    groupId,
    topics: [{ name, partitions: [{ partitionIndex: partition }] }],
  })
  return errorCode === 0 ? topics[0]!.partitions[0]!.errorCode : { group: errorCode, topics }
}

/** The topics whose offsets would be left if `__consumer_offsets` were compacted: the last value of each key counts. */
const compactedTopics = async (test: TestBroker): Promise<string[]> => {
  const [offsetsTopic] = (
    await test.send(metadata, {
      topics: [{ name: '__consumer_offsets', topicId: ZERO_UUID }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
  ).topics
  const { records } = await test.fetch(offsetsTopic!.topicId, offsetsPartitionOf('billing', 50), 0)
  const last = new Map<string, Uint8Array | null>()
  for (const batch of records ?? []) {
    const cursor = await openBatch(batch)
    while (cursor.next()) last.set(Buffer.from(cursor.key!).toString('hex'), cursor.value)
  }
  return [...last].flatMap(([hex, value]) => {
    const key = Buffer.from(hex, 'hex')
    if (value === null || leadingVersion(key) !== offsetCommitKey.key) return []
    return [decodeVersioned(offsetCommitKey, key).topic]
  })
}

/** One member whose generation has begun. */
const stable = async (test: TestBroker, protocolType = 'consumer') => {
  const members = membersOf(test)
  const { memberId: id } = await members.join('', { protocolType })
  const { generationId } = await members.join(id, { protocolType })
  await members.sync(id, generationId, { [id]: 'all' })
  return { ...members, id, generationId }
}

describe('deleting a group', () => {
  it('takes its offsets along, also after a restart', async () => {
    const storage = keptStorage()
    const test = await openTestBroker({}, storage)
    const topicId = await test.createTopic('orders')
    const { id, generationId, commit, leave, committed } = await stable(test)
    expect(await commit(id, generationId, topicId, 7)).toBe(0)
    expect(await remove(test, 'billing', 'nobody', '')).toEqual([
      NON_EMPTY_GROUP,
      GROUP_ID_NOT_FOUND,
      GROUP_ID_NOT_FOUND,
    ])
    expect(await committed(topicId)).toMatchObject({ offset: 7 })
    await leave(id)
    expect(await remove(test, 'billing')).toEqual([0])
    expect(await remove(test, 'billing')).toEqual([GROUP_ID_NOT_FOUND])
    expect(await committed(topicId)).toMatchObject({ offset: -1 })
    await test.broker.close()

    const again = await openTestBroker({}, storage)
    expect(await membersOf(again).committed(topicId)).toMatchObject({ offset: -1 })
    expect((await again.send(listGroups, { statesFilter: [], typesFilter: [] })).groups).toEqual([])
    await again.broker.close()
  })

  it('is refused while members join, and lets who has only an id begin anew', async () => {
    const test = await openTestBroker({ 'group.initial.rebalance.delay.ms': 3000 })
    const { newId, join } = membersOf(test)
    const id = await newId()
    const joining = join(await newId())
    expect(await remove(test, 'billing')).toEqual([NON_EMPTY_GROUP])
    await test.clock.advanceAsync(3000)
    await test.clock.advanceAsync(30_000)
    const { memberId } = await joining
    await membersOf(test).leave(memberId)
    const late = await newId()
    expect(await remove(test, 'billing')).toEqual([0])
    for (const gone of [id, late]) expect((await join(gone)).errorCode).toBe(UNKNOWN_MEMBER_ID)
    await test.broker.close()
  })

  it('leaves nothing of a commit that is on its way, and everything of one that comes after', async () => {
    const storage = keptStorage()
    const test = await openTestBroker({}, storage)
    const [orders, other] = [await test.createTopic('orders'), await test.createTopic('other')]
    const { commit } = membersOf(test)
    expect(await commit('', -1, orders, 1)).toBe(0)
    const [before, deleted, after] = await Promise.all([
      commit('', -1, other, 2),
      remove(test, 'billing'),
      commit('', -1, orders, 3),
    ])
    expect([before, deleted, after]).toEqual([0, [0], 0])
    const left = async (broker: TestBroker): Promise<number[]> => [
      (await membersOf(broker).committed(orders)).offset,
      (await membersOf(broker).committed(other)).offset,
    ]
    expect(await left(test)).toEqual([3, -1])
    await test.broker.close()
    const again = await openTestBroker({}, storage)
    expect(await left(again)).toEqual([3, -1])
    expect(await compactedTopics(again)).toEqual(['orders'])
    await again.broker.close()
  })
})

describe('deleting offsets of a group', () => {
  it('takes those of a topic that nobody in it subscribes to, also after a restart', async () => {
    const storage = keptStorage()
    const test = await openTestBroker({}, storage)
    const [orders, other] = [await test.createTopic('orders'), await test.createTopic('other')]
    const { id, generationId, commit, committed } = await stable(test)
    await commit(id, generationId, orders, 1)
    await commit(id, generationId, other, 2)
    expect(await removeOffset(test, 'orders')).toBe(GROUP_SUBSCRIBED_TO_TOPIC)
    expect(await removeOffset(test, 'other')).toBe(0)
    expect(await removeOffset(test, 'other')).toBe(0)
    expect(await removeOffset(test, 'other', 1)).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect(await removeOffset(test, 'nothing')).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect([(await committed(orders)).offset, (await committed(other)).offset]).toEqual([1, -1])
    await test.broker.close()
    const again = await openTestBroker({}, storage)
    const { committed: kept } = membersOf(again)
    expect([(await kept(orders)).offset, (await kept(other)).offset]).toEqual([1, -1])
    await again.broker.close()
  })

  it('works on a group whose consumers have left, and on one that never had any', async () => {
    const test = await openTestBroker()
    const orders = await test.createTopic('orders')
    const simple = membersOf(test)
    await simple.commit('', -1, orders, 1)
    expect(await removeOffset(test, 'orders')).toBe(0)
    const { id, generationId, commit, leave, committed } = await stable(test)
    await commit(id, generationId, orders, 2)
    await leave(id)
    expect(await removeOffset(test, 'orders')).toBe(0)
    expect(await committed(orders)).toMatchObject({ offset: -1 })
    await test.broker.close()
  })

  it('is refused as a whole without a group, and for members that are no consumers', async () => {
    const test = await openTestBroker()
    await test.createTopic('orders')
    expect(await removeOffset(test, 'orders')).toEqual({ group: GROUP_ID_NOT_FOUND, topics: [] })
    expect(await removeOffset(test, 'orders', 0, '')).toEqual({ group: INVALID_GROUP_ID, topics: [] })
    await stable(test, 'connect')
    expect(await removeOffset(test, 'orders')).toEqual({ group: NON_EMPTY_GROUP, topics: [] })
    await test.broker.close()
  })

  it('takes one that is on its way', async () => {
    const test = await openTestBroker()
    const orders = await test.createTopic('orders')
    const { commit, committed } = membersOf(test)
    expect(await Promise.all([commit('', -1, orders, 1), removeOffset(test, 'orders')])).toEqual([0, 0])
    expect(await committed(orders)).toMatchObject({ offset: -1 })
    expect(await compactedTopics(test)).toEqual([])
    await test.broker.close()
  })

  it('leaves an offset that is committed after it', async () => {
    const test = await openTestBroker()
    const orders = await test.createTopic('orders')
    const { commit, committed } = membersOf(test)
    await commit('', -1, orders, 1)
    await Promise.all([commit('', -1, orders, 2), removeOffset(test, 'orders'), commit('', -1, orders, 3)])
    expect(await committed(orders)).toMatchObject({ offset: 3 })
    expect(await removeOffset(test, 'orders')).toBe(0)
    expect(await committed(orders)).toMatchObject({ offset: -1 })
    await test.broker.close()
  })
})

describe('groups in every state', () => {
  it('are listed by state and type, and described with protocol and members once they are stable', async () => {
    const test = await openTestBroker()
    const { send } = test
    const states = async (statesFilter: string[], typesFilter: string[] = []): Promise<string[]> =>
      (await send(listGroups, { statesFilter, typesFilter })).groups.map(({ groupState }) => groupState)
    const described = async (): Promise<unknown> =>
      (await send(describeGroups, { groups: ['billing'], includeAuthorizedOperations: false })).groups[0]
    const { newId, join, sync, leave } = membersOf(test)
    const [first, second] = [await newId(), await newId()]
    expect(await states([])).toEqual(['Empty'])

    const joins = [join(first)]
    expect(await states(['preparingrebalance', 'Stable'])).toEqual(['PreparingRebalance'])
    expect(await described()).toMatchObject({
      groupState: 'PreparingRebalance',
      protocolType: 'consumer',
      protocolData: '',
      members: [{ memberId: first, memberMetadata: new Uint8Array(), memberAssignment: new Uint8Array() }],
    })
    await Promise.all([...joins, join(second)])
    expect(await states(['CompletingRebalance'])).toEqual(['CompletingRebalance'])
    expect(await described()).toMatchObject({
      groupState: 'CompletingRebalance',
      protocolData: '',
      members: [{ memberMetadata: new Uint8Array() }, { memberMetadata: new Uint8Array() }],
    })
    await Promise.all([sync(second, 1), sync(first, 1, { [first]: 'zero', [second]: 'one' })])
    expect(await states(['STABLE'], ['Classic'])).toEqual(['Stable'])
    expect(await states(['STABLE'], ['consumer'])).toEqual([])
    expect(await states(['Empty', 'Dead'])).toEqual([])
    expect(await described()).toMatchObject({
      groupState: 'Stable',
      protocolData: 'range',
      members: [
        { memberId: first, clientId: 'test', memberAssignment: new TextEncoder().encode('zero') },
        { memberId: second, clientId: 'test', memberAssignment: new TextEncoder().encode('one') },
      ],
    })
    await leave(first, second)
    expect(await states(['empty'])).toEqual(['Empty'])
    expect(await described()).toMatchObject({ groupState: 'Empty', protocolData: '', members: [] })
    await test.broker.close()
  })

  it('that do not exist are dead, from version 6 on an error, and tell their operations when asked', async () => {
    const test = await openTestBroker()
    const { commit } = membersOf(test)
    await commit('', -1, await test.createTopic('orders'), 1)
    const request = { groups: ['billing', 'nobody'], includeAuthorizedOperations: true }
    // READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS and ALTER_CONFIGS, as bits of AclOperation's codes.
    const operations = 0b1101_0100_1000
    const old = await test.send(describeGroups, request, { apiVersion: 5 })
    expect(old.groups).toMatchObject([
      { errorCode: 0, groupState: 'Empty', authorizedOperations: operations },
      { errorCode: 0, groupState: 'Dead', authorizedOperations: operations },
    ])
    const { groups } = await test.send(describeGroups, request)
    expect(groups).toMatchObject([
      { errorCode: 0, groupState: 'Empty' },
      { errorCode: GROUP_ID_NOT_FOUND, errorMessage: 'Group nobody not found.', groupState: 'Dead' },
    ])
    await test.broker.close()
  })
})
