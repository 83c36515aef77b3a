/**
 * Groups as scripts of requests and responses, with time in the test's hands. Expectations are those of Kafka's
 * GroupMetadataManager; G1 to G4 are the invariants of groups.
 */
import { describe, expect, it } from 'vitest'
import { createPartitions } from '../../src/protocol/api/create-partitions.js'
import { describeGroups } from '../../src/protocol/api/describe-groups.js'
import { findCoordinator } from '../../src/protocol/api/find-coordinator.js'
import { listGroups } from '../../src/protocol/api/list-groups.js'
import { decodeAssignment } from '../../src/protocol/consumer-protocol.js'
import { offsetsPartitionOf } from '../../src/broker/groups/java-hash.js'
import { keptStorage } from '../support/kept-storage.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'
import { membersOf, textOf } from '../support/test-members.js'

const ILLEGAL_GENERATION = 22
const INCONSISTENT_GROUP_PROTOCOL = 23
const UNKNOWN_MEMBER_ID = 25
const INVALID_SESSION_TIMEOUT = 26
const REBALANCE_IN_PROGRESS = 27
const INVALID_REQUEST = 42
const OFFSET_METADATA_TOO_LARGE = 12
const MEMBER_ID_REQUIRED = 79
const GROUP_MAX_SIZE_REACHED = 81
const UNKNOWN_TOPIC_ID = 100

/** Two members in the same generation, with their assignments. */
const twoMembers = async (test: TestBroker) => {
  const members = membersOf(test)
  const [first, second] = [await members.newId(), await members.newId()]
  const [one, two] = await Promise.all([members.join(first), members.join(second)])
  const generation = one.generationId
  const follower = members.sync(second, generation)
  const leader = await members.sync(first, generation, { [first]: 'zero', [second]: 'one' })
  return { ...members, first, second, one, two, generation, leader, follower: await follower }
}

describe('joining', () => {
  it('first gives a new member its id', async () => {
    const test = await openTestBroker()
    const { join } = membersOf(test)
    const answer = await join()
    expect(answer).toMatchObject({ errorCode: MEMBER_ID_REQUIRED, generationId: -1, members: [] })
    expect(answer.memberId).toMatch(/^test-/)
    expect(await join(answer.memberId)).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: answer.memberId,
      memberId: answer.memberId,
    })
    await test.broker.close()
  })

  it('answers when all who have an id are in, names the first as leader, and tells only it of the others', async () => {
    const test = await openTestBroker()
    const { first, second, one, two } = await twoMembers(test)
    expect(one).toMatchObject({
      errorCode: 0,
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: first,
    })
    expect(one.members.map(({ memberId }) => memberId)).toEqual([first, second])
    expect(two).toMatchObject({ errorCode: 0, generationId: 1, leader: first, members: [] })
    await test.broker.close()
  })

  it('chooses the protocol that most members prefer among those that all support', async () => {
    const test = await openTestBroker()
    const { newId, join } = membersOf(test)
    const ids = [await newId(), await newId(), await newId()]
    const answers = await Promise.all([
      join(ids[0], { protocols: ['range', 'sticky', 'own'] }),
      join(ids[1], { protocols: ['sticky', 'range'] }),
      join(ids[2], { protocols: ['sticky', 'range'] }),
    ])
    expect(answers.map(({ protocolName }) => protocolName)).toEqual(['sticky', 'sticky', 'sticky'])
    expect((await join('', { protocols: ['other'] })).errorCode).toBe(INCONSISTENT_GROUP_PROTOCOL)
    expect((await join('', { protocolType: 'connect' })).errorCode).toBe(INCONSISTENT_GROUP_PROTOCOL)
    await test.broker.close()
  })

  it('refuses session timeouts out of range, unknown ids and too many members', async () => {
    const test = await openTestBroker({ 'group.max.size': 1 })
    const { join, newId } = membersOf(test)
    expect((await join('', { sessionTimeoutMs: 5999 })).errorCode).toBe(INVALID_SESSION_TIMEOUT)
    expect((await join('', { sessionTimeoutMs: 1_800_001 })).errorCode).toBe(INVALID_SESSION_TIMEOUT)
    expect((await join('nobody')).errorCode).toBe(UNKNOWN_MEMBER_ID)
    await join(await newId())
    expect((await join()).errorCode).toBe(GROUP_MAX_SIZE_REACHED)
    await test.broker.close()
  })

  it('waits for more members during the initial delay', async () => {
    const test = await openTestBroker({ 'group.initial.rebalance.delay.ms': 3000 })
    const { join, newId } = membersOf(test)
    const first = join(await newId())
    await test.clock.advanceAsync(2000)
    const second = join(await newId())
    await test.clock.advanceAsync(1000)
    await test.clock.advanceAsync(3000)
    expect([(await first).generationId, (await second).generationId]).toEqual([1, 1])
    await test.broker.close()
  })
})

describe('generations', () => {
  it('G4: hands a member nothing before the leader has assigned, and then exactly its part', async () => {
    const test = await openTestBroker()
    const members = membersOf(test)
    const [first, second] = [await members.newId(), await members.newId()]
    await Promise.all([members.join(first), members.join(second)])
    let isAnswered = false
    const follower = members.sync(second, 1).then((answer) => {
      isAnswered = true
      return answer
    })
    await new Promise(setImmediate)
    expect(isAnswered).toBe(false)
    expect(textOf(await members.sync(first, 1, { [first]: 'zero', [second]: 'one' }))).toBe('zero')
    expect(textOf(await follower)).toBe('one')
    expect(textOf(await members.sync(second, 1))).toBe('one')
    await test.broker.close()
  })

  it('G4: gives a member that the leader forgot an assignment of nothing, not zero bytes', async () => {
    const test = await openTestBroker()
    const { join, newId, sync } = membersOf(test)
    const id = await newId()
    await join(id)
    expect(decodeAssignment((await sync(id, 1)).assignment).assignedPartitions).toEqual([])
    await test.broker.close()
  })

  it('G1: a member that joins ends the generation for those that are there', async () => {
    const test = await openTestBroker()
    const { first, second, generation, heartbeat, sync, join, newId } = await twoMembers(test)
    const third = join(await newId())
    await new Promise(setImmediate)
    expect(await heartbeat(first, generation)).toBe(REBALANCE_IN_PROGRESS)
    expect((await sync(first, generation)).errorCode).toBe(REBALANCE_IN_PROGRESS)
    const again = await Promise.all([join(first), join(second), third])
    expect(again.map(({ generationId }) => generationId)).toEqual([2, 2, 2])
    expect(await heartbeat(first, generation)).toBe(ILLEGAL_GENERATION)
    await test.broker.close()
  })

  it('G1: a member that does not come back by the rebalance timeout is out', async () => {
    const test = await openTestBroker()
    const { first, second, heartbeat, generation, join, newId } = await twoMembers(test)
    const third = join(await newId())
    const back = join(first)
    for (let beat = 0; beat < 6; beat++) {
      await test.clock.advanceAsync(4900)
      expect(await heartbeat(second, generation)).toBe(REBALANCE_IN_PROGRESS)
    }
    await test.clock.advanceAsync(5000)
    expect((await third).generationId).toBe(2)
    expect((await back).members).toHaveLength(2)
    expect(await heartbeat(second, generation)).toBe(UNKNOWN_MEMBER_ID)
    await test.broker.close()
  })

  it('a member that falls silent for its session timeout is out, and the others rebalance', async () => {
    const test = await openTestBroker()
    const { first, second, heartbeat, generation, join } = await twoMembers(test)
    await test.clock.advanceAsync(6000)
    expect(await heartbeat(first, generation)).toBe(0)
    await test.clock.advanceAsync(4000)
    expect(await heartbeat(second, generation)).toBe(UNKNOWN_MEMBER_ID)
    expect(await heartbeat(first, generation)).toBe(REBALANCE_IN_PROGRESS)
    expect(await join(first)).toMatchObject({ errorCode: 0, generationId: 2, leader: first })
    await test.broker.close()
  })

  it('a member that leaves lets the others rebalance at once; the last one leaves the group empty', async () => {
    const test = await openTestBroker()
    const empty: string[] = []
    test.broker.events.on('groupEmpty', ({ groupId }) => empty.push(groupId))
    const { first, second, leave, heartbeat, generation, join } = await twoMembers(test)
    expect(await leave(first, 'nobody')).toEqual([0, UNKNOWN_MEMBER_ID])
    expect(await heartbeat(second, generation)).toBe(REBALANCE_IN_PROGRESS)
    expect(await join(second)).toMatchObject({ generationId: 2, leader: second })
    expect(await leave(second)).toEqual([0])
    expect(empty).toEqual(['billing'])
    const described = await test.send(describeGroups, {
      groups: ['billing'],
      includeAuthorizedOperations: false,
    })
    expect(described.groups[0]).toMatchObject({ groupState: 'Empty', members: [] })
    const listed = await test.send(listGroups, { statesFilter: ['empty'], typesFilter: [] })
    expect(listed.groups).toEqual([
      { groupId: 'billing', protocolType: 'consumer', groupState: 'Empty', groupType: 'classic' },
    ])
    await test.broker.close()
  })

  it('one that is waiting for the leader is told of a rebalance', async () => {
    const test = await openTestBroker()
    const { join, newId, sync } = membersOf(test)
    const [first, second] = [await newId(), await newId()]
    await Promise.all([join(first), join(second)])
    const waiting = sync(second, 1)
    const third = await newId()
    const joins = [join(third), join(first), join(second)]
    expect((await waiting).errorCode).toBe(REBALANCE_IN_PROGRESS)
    expect((await Promise.all(joins)).map(({ generationId }) => generationId)).toEqual([2, 2, 2])
    await test.broker.close()
  })

  it('members that never sync are out after the rebalance timeout', async () => {
    const test = await openTestBroker()
    const { join, newId, sync, heartbeat } = membersOf(test)
    const [first, second] = [await newId(), await newId()]
    await Promise.all([join(first), join(second)])
    await sync(first, 1, { [first]: 'zero', [second]: 'one' })
    for (let beat = 0; beat < 6; beat++) {
      await test.clock.advanceAsync(4900)
      await Promise.all([heartbeat(first, 1), heartbeat(second, 1)])
    }
    await test.clock.advanceAsync(1000)
    expect(await heartbeat(second, 1)).toBe(UNKNOWN_MEMBER_ID)
    expect(await heartbeat(first, 1)).toBe(REBALANCE_IN_PROGRESS)
    await test.broker.close()
  })

  it('partitions added to a topic that the group subscribes to start a rebalance', async () => {
    const test = await openTestBroker()
    await test.createTopic('orders')
    await test.createTopic('other')
    const { first, generation, heartbeat } = await twoMembers(test)
    const add = (name: string) =>
      test.send(createPartitions, {
        topics: [{ name, count: 2, assignments: null }],
        timeoutMs: 1,
        validateOnly: false,
      })
    await add('other')
    expect(await heartbeat(first, generation)).toBe(0)
    await add('orders')
    expect(await heartbeat(first, generation)).toBe(REBALANCE_IN_PROGRESS)
    await test.broker.close()
  })
})

describe('offsets', () => {
  it('G3: what was committed is there after a restart, with the group and its generation', async () => {
    const storage = keptStorage()
    const before = await openTestBroker({}, storage)
    const topic = await before.createTopic('orders', 2)
    const { first, generation, commit } = await twoMembers(before)
    expect(await commit(first, generation, topic, 42)).toBe(0)
    await before.broker.close()
    const after = await openTestBroker({}, storage)
    const members = membersOf(after)
    expect(await members.committed(topic)).toEqual({ offset: 42, metadata: 'note', errorCode: 0 })
    expect(await members.committed(topic, 1)).toEqual({ offset: -1, metadata: '', errorCode: 0 })
    expect((await members.join(await members.newId())).generationId).toBe(generation + 1)
    await after.broker.close()
  })

  it('members of other processes are still there after a restart; those of this process died with it', async () => {
    const storage = keptStorage()
    const before = await openTestBroker({}, storage)
    const old = membersOf(before)
    const [local, remote] = [await old.newId(), await old.newId()]
    await Promise.all([old.join(local), old.join(remote, { clientHost: '10.0.0.7' })])
    await Promise.all([old.sync(remote, 1), old.sync(local, 1, { [local]: 'zero', [remote]: 'one' })])
    await before.broker.close()
    const after = await openTestBroker({}, storage)
    const { heartbeat, join } = membersOf(after)
    expect(await heartbeat(local, 1)).toBe(UNKNOWN_MEMBER_ID)
    expect(await heartbeat(remote, 1)).toBe(REBALANCE_IN_PROGRESS)
    expect(await join(remote)).toMatchObject({ errorCode: 0, generationId: 2, leader: remote })
    await after.broker.close()
  })

  it('G2: a stale generation and a stranger can neither commit nor heartbeat', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const { first, generation, commit, heartbeat, committed } = await twoMembers(test)
    expect(await commit(first, generation - 1, topic, 1)).toBe(ILLEGAL_GENERATION)
    expect(await commit('stranger', generation, topic, 1)).toBe(UNKNOWN_MEMBER_ID)
    expect(await commit('', -1, topic, 1)).toBe(UNKNOWN_MEMBER_ID)
    expect(await heartbeat(first, generation + 1)).toBe(ILLEGAL_GENERATION)
    expect(await heartbeat('stranger', generation)).toBe(UNKNOWN_MEMBER_ID)
    expect((await committed(topic)).offset).toBe(-1)
    await test.broker.close()
  })

  it('G2: nobody commits between join and sync', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const { join, newId, commit } = membersOf(test)
    const id = await newId()
    await join(id)
    expect(await commit(id, 1, topic, 1)).toBe(REBALANCE_IN_PROGRESS)
    await test.broker.close()
  })

  it('a commit without a member is for groups without members', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const { commit, committed } = membersOf(test)
    expect(await commit('', -1, topic, 7)).toBe(0)
    expect((await committed(topic)).offset).toBe(7)
    expect(await commit('', -1, topic, 8, 'x'.repeat(4097))).toBe(OFFSET_METADATA_TOO_LARGE)
    expect(await commit('', -1, 'MkU3OEVBNTcwNTJENDM2Qg', 8)).toBe(UNKNOWN_TOPIC_ID)
    expect((await committed(topic)).offset).toBe(7)
    await test.broker.close()
  })

  it('hashes groups to partitions as Java does', () => {
    // "a".hashCode() is 97, "".hashCode() is 0, and that of "polygenelubricants" is Integer.MIN_VALUE.
    expect([
      offsetsPartitionOf('a', 50),
      offsetsPartitionOf('', 50),
      offsetsPartitionOf('polygenelubricants', 50),
    ]).toEqual([47, 0, 0])
  })

  it('finds this broker for every group and transactional id', async () => {
    const test = await openTestBroker()
    const find = (keyType: number, apiVersion: number) =>
      test.send(
        findCoordinator,
        { key: 'a', keyType, coordinatorKeys: apiVersion >= 4 ? ['a', 'b'] : [] },
        { apiVersion },
      )
    expect(
      (await find(0, 6)).coordinators.map(({ key, nodeId, errorCode }) => [key, nodeId, errorCode]),
    ).toEqual([
      ['a', 1, 0],
      ['b', 1, 0],
    ])
    expect(await find(0, 3)).toMatchObject({ nodeId: 1, errorCode: 0, coordinators: [] })
    expect((await find(1, 6)).coordinators[0]).toMatchObject({ key: 'a', nodeId: 1, errorCode: 0 })
    expect((await find(2, 6)).coordinators[0]).toMatchObject({ nodeId: -1, errorCode: INVALID_REQUEST })
    await test.broker.close()
  })
})
