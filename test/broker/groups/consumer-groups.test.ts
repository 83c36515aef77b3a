/** Groups of the consumer protocol (KIP-848): members join, are given partitions, give them up, leave and are lost. */
import { describe, expect, it } from 'vitest'
import { codeOf } from '../../../src/broker/response-errors.js'
import { openTestBroker } from '../../support/test-broker.js'
import { assignedBy, consumerMembersOf } from '../../support/test-consumer-members.js'

const open = async (configs = {}) => {
  const broker = await openTestBroker(configs)
  const orders = await broker.createTopic('orders', 4)
  return { ...broker, orders, ...consumerMembersOf(broker) }
}
const all = (topicId: string, ...partitions: number[]) => partitions.map((index) => `${topicId}-${index}`)
const owned = (topicId: string, ...partitions: number[]) => [{ topicId, partitions }]

describe('a member alone', () => {
  it('has all partitions at once, in epoch 2', async () => {
    const { join, orders, describe: look } = await open()
    const answer = await join('a', ['orders'])
    expect(answer).toMatchObject({ errorCode: 0, memberId: 'a', memberEpoch: 2, heartbeatIntervalMs: 5000 })
    expect(assignedBy(answer)).toEqual(all(orders, 0, 1, 2, 3))
    expect(await look()).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 2,
      assignmentEpoch: 2,
      assignorName: 'uniform',
    })
  })

  it('is not told again what it has', async () => {
    const { join, heartbeat } = await open()
    await join('a', ['orders'])
    expect(await heartbeat({ memberId: 'a', memberEpoch: 2 })).toMatchObject({
      memberEpoch: 2,
      assignment: null,
    })
  })

  it('is given a topic that is created later, and partitions that are added', async () => {
    const { join, heartbeat, createTopic } = await open()
    expect(assignedBy(await join('a', ['later']))).toEqual([])
    const later = await createTopic('later', 2)
    const answer = await heartbeat({ memberId: 'a', memberEpoch: 2, topicPartitions: [] })
    expect(answer.memberEpoch).toBe(3)
    expect(assignedBy(answer)).toEqual(all(later, 0, 1))
  })

  it('leaves an empty group behind', async () => {
    const { join, leave, describe: look } = await open()
    await join('a', ['orders'])
    expect(await leave('a')).toMatchObject({ errorCode: 0, memberId: 'a', memberEpoch: -1 })
    expect(await look()).toMatchObject({ groupState: 'Empty', groupEpoch: 3, members: [] })
  })

  it('is out when it is not heard of for a session', async () => {
    const { join, heartbeat, clock } = await open()
    await join('a', ['orders'])
    clock.advance(44_999)
    expect(await heartbeat({ memberId: 'a', memberEpoch: 2 })).toMatchObject({ errorCode: 0 })
    clock.advance(45_000)
    expect(await heartbeat({ memberId: 'a', memberEpoch: 2 })).toMatchObject({
      errorCode: codeOf('UNKNOWN_MEMBER_ID'),
      errorMessage: 'Member a is not a member of group billing.',
    })
  })
})

describe('two members', () => {
  it('get a partition only when the other has given it up (G1)', async () => {
    const { join, heartbeat, orders, describe: look } = await open()
    await join('a', ['orders'])
    const second = await join('b', ['orders'])
    expect(second.memberEpoch).toBe(3)
    expect(assignedBy(second)).toEqual([])
    // The first is told what it keeps, in its old epoch, until it has given up the rest.
    const told = await heartbeat({ memberId: 'a', memberEpoch: 2 })
    expect(told.memberEpoch).toBe(2)
    const kept = assignedBy(told) ?? []
    expect(kept).toHaveLength(2)
    expect(assignedBy(await heartbeat({ memberId: 'b', memberEpoch: 3 }))).toBeNull()
    expect((await look()).groupState).toBe('Reconciling')
    const keptIndexes = kept.map((name) => Number(name.at(-1)))
    const done = await heartbeat({
      memberId: 'a',
      memberEpoch: 2,
      topicPartitions: owned(orders, ...keptIndexes),
    })
    expect(done.memberEpoch).toBe(3)
    const given = assignedBy(await heartbeat({ memberId: 'b', memberEpoch: 3 })) ?? []
    expect([...kept, ...given].sort()).toEqual(all(orders, 0, 1, 2, 3))
    expect((await look()).groupState).toBe('Stable')
  })

  it('do not wait longer for one that gives nothing up than its rebalance timeout', async () => {
    const { join, heartbeat, orders, clock } = await open()
    await join('a', ['orders'], { rebalanceTimeoutMs: 10_000 })
    await join('b', ['orders'])
    await heartbeat({ memberId: 'a', memberEpoch: 2 })
    clock.advance(9_999)
    expect(await heartbeat({ memberId: 'a', memberEpoch: 2 })).toMatchObject({ errorCode: 0 })
    clock.advance(1)
    expect(await heartbeat({ memberId: 'a', memberEpoch: 2 })).toMatchObject({
      errorCode: codeOf('UNKNOWN_MEMBER_ID'),
    })
    const answer = await heartbeat({ memberId: 'b', memberEpoch: 3 })
    expect(assignedBy(answer)).toEqual(all(orders, 0, 1, 2, 3))
  })
})

describe("an epoch that is not the member's", () => {
  it('is refused, the last one before excepted (G2)', async () => {
    const { join, heartbeat } = await open()
    await join('a', ['orders'])
    const greater = await heartbeat({ memberId: 'a', memberEpoch: 3 })
    expect(greater.errorCode).toBe(codeOf('FENCED_MEMBER_EPOCH'))
    expect(greater.errorMessage).toContain(
      'a greater member epoch (3) than the one known by the group coordinator (2)',
    )
    await join('b', ['orders'])
    await heartbeat({ memberId: 'a', memberEpoch: 2, topicPartitions: [] })
    // It has epoch 3 now; the answer that told so may have been lost.
    expect(await heartbeat({ memberId: 'a', memberEpoch: 2, topicPartitions: [] })).toMatchObject({
      errorCode: 0,
      memberEpoch: 3,
    })
    expect((await heartbeat({ memberId: 'a', memberEpoch: 2 })).errorCode).toBe(codeOf('FENCED_MEMBER_EPOCH'))
  })
})
