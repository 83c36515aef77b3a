/** How long committed offsets are kept (KIP-211), as Kafka's ClassicGroup and OffsetMetadataManager decide it. */
import { describe, expect, it } from 'vitest'
import { listGroups } from '../../src/protocol/api/list-groups.js'
import { offsetCommit } from '../../src/protocol/api/offset-commit.js'
import { keptStorage } from '../support/kept-storage.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'
import { membersOf } from '../support/test-members.js'

const NOT_COORDINATOR = 16
const MINUTE = 60_000
const CONFIGS = { 'offsets.retention.minutes': 10, 'offsets.retention.check.interval.ms': 1000 }
const SESSION_MS = 30 * MINUTE

const groupsOf = async ({ send }: TestBroker): Promise<string[]> =>
  (await send(listGroups, { statesFilter: [], typesFilter: [] })).groups.map(({ groupId }) => groupId)

/** Long enough that a check happens as well. */
const afterCheck = (test: TestBroker, ms: number): Promise<void> => test.clock.advanceAsync(ms + 1000)

/** One member in a generation of its own, of another process if so asked. */
const stable = async (test: TestBroker, clientHost = 'in-process') => {
  const members = membersOf(test)
  const options = { sessionTimeoutMs: SESSION_MS, clientHost }
  const { memberId: id } = await members.join('', options)
  const { generationId } = await members.join(id, options)
  await members.sync(id, generationId, { [id]: 'all' })
  return { ...members, id, generationId }
}

describe('offsets of a group without members', () => {
  it('expire when it has been empty for long enough, and the group with them, whenever they were committed', async () => {
    const storage = keptStorage()
    const test = await openTestBroker(CONFIGS, storage)
    const topic = await test.createTopic('orders')
    const { id, generationId, commit, leave, committed } = await stable(test)
    expect(await commit(id, generationId, topic, 7)).toBe(0)
    await afterCheck(test, 15 * MINUTE)
    expect((await committed(topic)).offset).toBe(7)
    await leave(id)
    await test.clock.advanceAsync(10 * MINUTE - 1)
    expect((await committed(topic)).offset).toBe(7)
    await afterCheck(test, 1)
    expect((await committed(topic)).offset).toBe(-1)
    expect(await groupsOf(test)).toEqual([])
    await test.broker.close()

    const again = await openTestBroker({}, storage, test.clock)
    expect((await membersOf(again).committed(topic)).offset).toBe(-1)
    expect(await groupsOf(again)).toEqual([])
    await again.broker.close()
  })

  it('expire at the same time when the broker was restarted meanwhile', async () => {
    const storage = keptStorage()
    const before = await openTestBroker(CONFIGS, storage)
    const topic = await before.createTopic('orders')
    const { id, generationId, commit, leave } = await stable(before)
    await commit(id, generationId, topic, 7)
    await leave(id)
    await before.clock.advanceAsync(6 * MINUTE)
    await before.broker.close()
    const test = await openTestBroker(CONFIGS, storage, before.clock)
    await test.clock.advanceAsync(4 * MINUTE - 1)
    expect((await membersOf(test).committed(topic)).offset).toBe(7)
    await afterCheck(test, 1)
    expect((await membersOf(test).committed(topic)).offset).toBe(-1)
    await test.broker.close()
  })

  it('are kept from the restart on that its members did not live to see', async () => {
    const storage = keptStorage()
    const first = await openTestBroker(CONFIGS, storage)
    const topic = await first.createTopic('orders')
    const { id, generationId, commit } = await stable(first)
    await commit(id, generationId, topic, 7)
    await first.clock.advanceAsync(20 * MINUTE)
    await first.broker.close()

    const second = await openTestBroker(CONFIGS, storage, first.clock)
    await afterCheck(second, 6 * MINUTE)
    expect((await membersOf(second).committed(topic)).offset).toBe(7)
    await second.broker.close()

    // Another restart does not begin anew.
    const third = await openTestBroker(CONFIGS, storage, first.clock)
    await afterCheck(third, 4 * MINUTE)
    expect((await membersOf(third).committed(topic)).offset).toBe(-1)
    await third.broker.close()
  })

  it('expire each by its own commit when there never was a member', async () => {
    const test = await openTestBroker(CONFIGS)
    const [orders, other] = [await test.createTopic('orders'), await test.createTopic('other')]
    const { commit, committed } = membersOf(test)
    await commit('', -1, orders, 7)
    await test.clock.advanceAsync(5 * MINUTE)
    await commit('', -1, other, 8)
    await afterCheck(test, 5 * MINUTE)
    expect((await committed(orders)).offset).toBe(-1)
    expect((await committed(other)).offset).toBe(8)
    expect(await groupsOf(test)).toEqual(['billing'])
    await afterCheck(test, 5 * MINUTE)
    expect(await groupsOf(test)).toEqual([])
    await test.broker.close()
  })

  it('expire when a client of before KIP-211 says, also after a restart', async () => {
    const storage = keptStorage()
    const before = await openTestBroker(CONFIGS, storage)
    const topic = await before.createTopic('orders')
    await before.send(
      offsetCommit,
      {
        groupId: 'billing',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        retentionTimeMs: 60 * MINUTE,
        topics: [
          {
            name: 'orders',
            topicId: topic,
            partitions: [
              { partitionIndex: 0, committedOffset: 7, committedLeaderEpoch: -1, committedMetadata: null },
            ],
          },
        ],
      },
      { apiVersion: 4 },
    )
    await before.clock.advanceAsync(30 * MINUTE)
    await before.broker.close()
    const test = await openTestBroker(CONFIGS, storage, before.clock)
    await test.clock.advanceAsync(30 * MINUTE - 1)
    expect((await membersOf(test).committed(topic)).offset).toBe(7)
    await afterCheck(test, 1)
    expect((await membersOf(test).committed(topic)).offset).toBe(-1)
    await test.broker.close()
  })

  it('a group that has none is gone with the next check, but not one that somebody is about to join', async () => {
    const test = await openTestBroker(CONFIGS)
    const { id, leave, newId, join } = await stable(test)
    await leave(id)
    const late = await newId()
    await afterCheck(test, 0)
    expect((await join(late)).errorCode).toBe(0)
    await leave(late)
    await afterCheck(test, 0)
    expect(await groupsOf(test)).toEqual([])
    await test.broker.close()
  })
})

describe('offsets of a group with members', () => {
  it('expire by their commit where no member subscribes to the topic, and nowhere else', async () => {
    const test = await openTestBroker(CONFIGS)
    const [orders, other] = [await test.createTopic('orders'), await test.createTopic('other')]
    const { id, generationId, commit, committed, heartbeat } = await stable(test)
    await commit(id, generationId, orders, 7)
    await commit(id, generationId, other, 8)
    await test.clock.advanceAsync(10 * MINUTE - 1)
    expect((await committed(other)).offset).toBe(8)
    await afterCheck(test, 1)
    expect((await committed(other)).offset).toBe(-1)
    expect((await committed(orders)).offset).toBe(7)
    expect(await heartbeat(id, generationId)).toBe(0)
    await test.broker.close()
  })

  it('do not expire while the group rebalances', async () => {
    const test = await openTestBroker(CONFIGS)
    const other = await test.createTopic('other')
    const { id, generationId, commit, committed, join } = await stable(test)
    await commit(id, generationId, other, 8)
    await test.clock.advanceAsync(10 * MINUTE - 2000)
    // A second member waits for the first to join again, at most for the rebalance timeout of 30 seconds.
    const waiting = join((await join('', { sessionTimeoutMs: SESSION_MS })).memberId)
    await afterCheck(test, 3000)
    expect((await committed(other)).offset).toBe(8)
    await test.broker.close()
    expect((await waiting).errorCode).toBe(NOT_COORDINATOR)
  })
})

it.each(Array.from({ length: 40 }, (_, index) => index - 20))(
  'a commit that comes while offsets expire counts, %i steps after the check began',
  async (steps) => {
    const storage = keptStorage()
    // One partition only, so that the check comes to the group at once.
    const test = await openTestBroker({ ...CONFIGS, 'offsets.topic.num.partitions': 1 }, storage)
    const topic = await test.createTopic('orders')
    const { commit } = membersOf(test)
    await commit('', -1, topic, 7)
    await test.clock.advanceAsync(10 * MINUTE - 500)
    const pass = async (count: number): Promise<void> => {
      for (let step = 0; step < count; step++) await Promise.resolve()
    }
    let committing: Promise<number> | undefined
    if (steps < 0) {
      committing = commit('', -1, topic, 9)
      await pass(-steps)
    }
    test.clock.advance(1000)
    await pass(steps)
    committing ??= commit('', -1, topic, 9)
    expect(await committing).toBe(0)
    await afterCheck(test, 0)
    expect((await membersOf(test).committed(topic)).offset).toBe(9)
    await test.broker.close()
    const again = await openTestBroker({}, storage, test.clock)
    expect((await membersOf(again).committed(topic)).offset).toBe(9)
    await again.broker.close()
  },
)
