/** What comes between a member of a group on the embedded broker and its partitions: long turns, stalls, lost topics. */
import { afterEach, describe, expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import { readPartition } from '../../../src/clients/consumer/read-partition.js'
import type { ClientContext } from '../../../src/clients/context.js'
import { ConsumerGroup } from '../../../src/clients/group/consumer-group.js'
import { commitOffsets, fetchCommitted } from '../../../src/clients/group/group-offsets.js'
import { Membership } from '../../../src/clients/group/membership.js'
import { cooperativeStickyAssignor } from '../../../src/clients/group/cooperative-sticky-assignor.js'
import { rangeAssignor } from '../../../src/clients/group/range-assignor.js'
import { partitionName, type TopicPartition } from '../../../src/clients/message.js'
import { string } from '../../../src/clients/serdes/string.js'
import { Topic } from '../../../src/clients/topic.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { createPartitions } from '../../../src/protocol/api/create-partitions.js'
import type { Channel } from '../../../src/protocol/channel.js'
import { contextOver, turn } from '../../support/client-context.js'
import type { ManualClock } from '../../support/manual-clock.js'
import { openTestBroker } from '../../support/test-broker.js'

const GROUP = 'billing'
const NOT_COORDINATOR = 16
const ILLEGAL_GENERATION = 22

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close()
})

/** What the coordinator answers in place of the broker, by API name; each is used once. */
type Overrides = Map<string, (response: object) => object | Promise<object>>

const openWorld = async (...names: string[]) => {
  const test = await openTestBroker()
  open.push(test.broker)
  const process = () => {
    const network = new DirectNetwork(test.broker, { clock: test.clock, clientId: 'test' })
    const context = contextOver(network, test.clock)
    const overrides: Overrides = new Map()
    const coordinator = context.cluster.coordinator.bind(context.cluster)
    context.cluster.coordinator = async (...args): Promise<Channel> => {
      const channel = await coordinator(...args)
      return {
        send: async (api, request, options) => {
          const response = await channel.send(api, request, options)
          const override = overrides.get(api.name)
          overrides.delete(api.name)
          return override === undefined ? response : ((await override(response)) as typeof response)
        },
      }
    }
    return { context, overrides }
  }
  const main = process()
  const topics: Topic<string, string>[] = []
  for (const name of names) {
    const definition = {
      name,
      id: await test.createTopic(name),
      partitionCount: 1,
      key: string,
      value: string,
    }
    topics.push(new Topic<string, string>(definition, readPartition(main.context)))
  }
  const group = new ConsumerGroup(main.context, GROUP, { topics })
  open.push(group)
  return { ...test, ...main, process, topics, group, admin: new Admin(main.context) }
}

/** A membership, and what its listener hears. */
const memberOf = (
  context: ClientContext,
  topics: readonly string[],
  { begin, giveUp }: { begin?: () => Promise<void>; giveUp?: () => Promise<void> } = {},
) => {
  const heard: string[] = []
  const list = (partitions: readonly TopicPartition[]): string => partitions.map(partitionName).sort().join()
  const options = {
    groupId: GROUP,
    topics,
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 500,
    rebalanceTimeoutMs: 30_000,
    partitionAssigners: [rangeAssignor],
    backoff: { retryBackoffMs: 100, retryBackoffMaxMs: 1000 },
  }
  const membership = new Membership(context, options, {
    revoked: (partitions) => {
      heard.push(`revoked ${list(partitions)}`)
      return giveUp?.() ?? Promise.resolve()
    },
    rejoining: () => undefined,
    lost: (partitions) => heard.push(`lost ${list(partitions)}`),
    assigned: (partitions, isContinuous) => {
      heard.push(`${isContinuous ? 'continues' : 'begins'} ${list(partitions)}`)
      return begin?.() ?? Promise.resolve()
    },
    heartbeat: () => undefined,
    failed: (error) => heard.push(`failed ${String(error)}`),
  })
  open.push({ close: () => membership.leave('the test is over') })
  return { membership, heard }
}

/** Lets time pass until `promise` settles. */
const reached = async <T>(clock: ManualClock, promise: Promise<T>, limitMs = 60_000): Promise<T> => {
  const settled = { is: false }
  const settle = (): void => void (settled.is = true)
  promise.then(settle, settle)
  for (let passed = 0; !settled.is && passed <= limitMs; passed += 25) await clock.advanceAsync(25)
  expect(settled.is).toBe(true)
  return promise
}

/** The same answer for every partition of a commit. */
const commitRefused =
  (errorCode: number) =>
  (response: object): object => {
    const { topics } = response as { topics: { partitions: object[] }[] }
    const refused = topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((partition) => ({ ...partition, errorCode })),
    }))
    return { ...response, topics: refused }
  }

describe('a commit', () => {
  it('follows the coordinator when that moves', async () => {
    const { context, overrides, clock } = await openWorld('orders')
    const { membership } = memberOf(context, ['orders'])
    await reached(clock, membership.join())
    overrides.set('OffsetCommit', commitRefused(NOT_COORDINATOR))
    await reached(clock, membership.commit([{ topic: 'orders', partition: 0, offset: 7 }]))
    expect(await fetchCommitted(context, GROUP, [{ topic: 'orders', partition: 0 }])).toMatchObject([
      { offset: 7 },
    ])
  })

  it('of a generation that is over is refused, and the member joins the next one (G2)', async () => {
    const { context, overrides, clock } = await openWorld('orders')
    const { membership, heard } = memberOf(context, ['orders'])
    await reached(clock, membership.join())
    const { memberId } = membership
    overrides.set('OffsetCommit', commitRefused(ILLEGAL_GENERATION))
    await expect(membership.commit([{ topic: 'orders', partition: 0, offset: 1 }])).rejects.toMatchObject({
      code: 'ILLEGAL_GENERATION',
    })
    await clock.advanceAsync(1000)
    expect(heard).toEqual(['begins orders-0', 'lost orders-0', 'begins orders-0'])
    // Only the generation was wrong.
    expect(membership.memberId).toBe(memberId)
  })
})

describe('a rebalance', () => {
  it('is not held up by one that cannot find out where to begin', async () => {
    const { context, process, clock } = await openWorld('orders', 'payments')
    let begins = 0
    const stuck = memberOf(context, ['orders'], {
      begin: () => (begins++ === 0 ? new Promise(() => undefined) : Promise.resolve()),
    })
    const joining = stuck.membership.join()
    await clock.advanceAsync(1000)
    expect(begins).toBe(1)
    await reached(clock, memberOf(process().context, ['payments']).membership.join(), 2000)
    await reached(clock, joining, 2000)
    expect(stuck.heard).toEqual(['begins orders-0', 'revoked orders-0', 'continues orders-0'])
  })

  it.each(['JoinGroup', 'SyncGroup'])('looks for the coordinator anew when %s finds it gone', async (api) => {
    const { context, overrides, clock } = await openWorld('orders')
    const forgotten: string[] = []
    const { cluster } = context
    const invalidate = cluster.invalidateCoordinator.bind(cluster)
    cluster.invalidateCoordinator = (groupId) => {
      forgotten.push(groupId)
      invalidate(groupId)
    }
    overrides.set(api, (response) => ({ ...response, errorCode: NOT_COORDINATOR }))
    const { membership, heard } = memberOf(context, ['orders'])
    await reached(clock, membership.join())
    expect(forgotten).toEqual([GROUP])
    expect(heard).toEqual(['begins orders-0'])
  })

  it('waits for a turn that is longer than the session', async () => {
    const { context, process, clock } = await openWorld('orders', 'payments')
    let endTurn = (): void => undefined
    const turns = new Promise<void>((resolve) => (endTurn = resolve))
    const busy = memberOf(context, ['orders'], { giveUp: () => turns })
    await reached(clock, busy.membership.join())
    const { memberId } = busy.membership
    const joining = memberOf(process().context, ['payments']).membership.join()
    // Sessions are 10 s, rebalances may take 30 s.
    await clock.advanceAsync(25_000)
    endTurn()
    await reached(clock, joining, 1000)
    await clock.advanceAsync(1000)
    expect(busy.heard).toEqual(['begins orders-0', 'revoked orders-0', 'continues orders-0'])
    expect(busy.membership.memberId).toBe(memberId)
  })

  it('announces only what came of it when another one overtook it', async () => {
    const { process, clock, group, overrides, admin } = await openWorld('orders')
    await admin.createPartitions('orders', 2)
    const other = memberOf(process().context, ['orders'])
    await reached(clock, other.membership.join())
    const consumer = await reached(clock, group.join())
    expect(consumer.assignment()).toHaveLength(1)
    const heard: string[] = []
    for (const event of ['assigned', 'revoked', 'lost'] as const) {
      consumer.events.on(event, (partitions) => heard.push(`${event} ${partitions.length}`))
    }
    // It gets both, and the answer where to begin is late.
    let answer = (): void => undefined
    const late = new Promise<void>((resolve) => (answer = resolve))
    overrides.set('OffsetFetch', (response) => late.then(() => response))
    await other.membership.leave('enough')
    await clock.advanceAsync(2000)
    expect(overrides.size).toBe(0)
    expect(heard).toEqual(['revoked 1'])
    await reached(clock, memberOf(process().context, ['orders']).membership.join(), 2000)
    answer()
    await clock.advanceAsync(2000)
    expect(heard).toEqual(['revoked 1', 'assigned 1'])
  })
})

describe('a member that was away', () => {
  // The loop may be woken by the very event that says so, before the member has begun to leave.
  it.each([-1, 0, 1, 2, 3, 5, 8])('comes back when it is asked %i microtasks later', async (microtasks) => {
    const { clock, topics, group, produce } = await openWorld('orders')
    const [orders] = topics
    await produce(orders!.id, 0, ['a'])
    const consumer = await reached(clock, group.join({ maxPollIntervalMs: 20_000 }))
    const iterator = consumer[Symbol.asyncIterator]()
    await iterator.next()
    const asked: Promise<unknown>[] = []
    consumer.events.on('error', (error) => {
      expect(error).toMatchObject({ code: 'POLL_TIMED_OUT' })
      const ask = (left: number): void => {
        if (left < 0) asked.push(iterator.next())
        else queueMicrotask(() => ask(left - 1))
      }
      ask(microtasks)
    })
    await clock.advanceAsync(24_000)
    expect(asked).toHaveLength(1)
    await produce(orders!.id, 0, ['b'])
    await reached(clock, asked[0]!)
    expect(consumer.assignment().map(partitionName)).toEqual(['orders-0'])
  })
})

it('has no more time for a turn because the group rebalances in the meantime', async () => {
  const { clock, topics, group, produce, send } = await openWorld('orders')
  await produce(topics[0]!.id, 0, ['a'])
  const consumer = await reached(
    clock,
    group.join({ maxPollIntervalMs: 20_000, partitionAssigners: [cooperativeStickyAssignor] }),
  )
  const errors: unknown[] = []
  consumer.events.on('error', (error) => errors.push(error))
  await consumer[Symbol.asyncIterator]().next()
  await clock.advanceAsync(15_000)
  const more = { name: 'orders', count: 2, assignments: null }
  await send(createPartitions, { topics: [more], timeoutMs: 1000, validateOnly: false })
  await clock.advanceAsync(1000)
  expect(consumer.assignment()).toHaveLength(2)
  expect(errors).toEqual([])
  await clock.advanceAsync(8000)
  expect(errors).toMatchObject([{ code: 'POLL_TIMED_OUT' }])
})

it('leaves when its time is up, although it waits for the group to rebalance at that moment', async () => {
  const { clock, topics, group, produce, send, overrides } = await openWorld('orders')
  await produce(topics[0]!.id, 0, ['a'])
  const consumer = await reached(
    clock,
    group.join({ maxPollIntervalMs: 20_000, partitionAssigners: [cooperativeStickyAssignor] }),
  )
  const errors: unknown[] = []
  consumer.events.on('error', (error) => errors.push(error))
  await consumer[Symbol.asyncIterator]().next()
  let answer = (): void => undefined
  const late = new Promise<void>((resolve) => (answer = resolve))
  overrides.set('JoinGroup', (response) => late.then(() => response))
  const more = { name: 'orders', count: 2, assignments: null }
  await send(createPartitions, { topics: [more], timeoutMs: 1000, validateOnly: false })
  await clock.advanceAsync(24_000)
  expect(overrides.size).toBe(0)
  expect(errors).toMatchObject([{ code: 'POLL_TIMED_OUT' }])
  answer()
  await clock.advanceAsync(1000)
  expect(consumer.assignment()).toEqual([])
})

describe('a topic that is deleted', () => {
  const consumed = async () => {
    const world = await openWorld('gone', 'stays')
    const [gone, stays] = world.topics
    await world.produce(gone!.id, 0, ['x'])
    await world.produce(stays!.id, 0, ['a', 'b'])
    const consumer = await reached(world.clock, world.group.join({ autoCommitIntervalMs: 1_000_000 }))
    const iterator = consumer[Symbol.asyncIterator]()
    for (let count = 0; count < 3; count++) await iterator.next()
    // All three are processed when the fourth is asked for.
    iterator.next().catch(() => undefined)
    await turn()
    await world.admin.deleteTopics(['gone'])
    return { ...world, consumer }
  }

  it('does not keep what was processed of others from being committed before it is given up', async () => {
    const { clock, consumer, group } = await consumed()
    const committedAtRevocation: unknown[] = []
    consumer.events.on(
      'revoked',
      () => void group.committed().then((all) => committedAtRevocation.push(...all)),
    )
    await clock.advanceAsync(5000)
    expect(committedAtRevocation).toMatchObject([{ topic: 'stays', offset: 2 }])
    expect(consumer.assignment().map(partitionName)).toEqual(['stays-0'])
  })

  it.each([true, false])('is told of when the rest is committed; known to be gone: %s', async (isKnown) => {
    const { context, process } = await openWorld('gone', 'stays')
    await context.cluster.topic('gone')
    await new Admin(process().context).deleteTopics(['gone'])
    if (isKnown) context.cluster.invalidate('gone')
    const committer = { groupId: GROUP, memberId: '', generation: -1 }
    const offsets = [
      { topic: 'gone', partition: 0, offset: 1 },
      { topic: 'stays', partition: 0, offset: 2 },
    ]
    // Nothing passes time here: it must not be tried again.
    await expect(commitOffsets(context, () => committer, offsets)).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining('gone'),
    })
    expect(await fetchCommitted(context, GROUP, [{ topic: 'stays', partition: 0 }])).toMatchObject([
      { offset: 2 },
    ])
    await expect(commitOffsets(context, () => committer, offsets.slice(0, 1))).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  it('has committed nothing, nor has one that was created again', async () => {
    const { context, admin, clock, createTopic, process } = await openWorld('gone', 'stays')
    const committer = { groupId: GROUP, memberId: '', generation: -1 }
    const partitions = ['gone', 'stays'].map((topic) => ({ topic, partition: 0 }))
    const other = process().context
    await commitOffsets(
      context,
      () => committer,
      partitions.map((partition) => ({ ...partition, offset: 3 })),
    )
    expect(await fetchCommitted(other, GROUP, partitions)).toHaveLength(2)
    await admin.deleteTopics(['gone'])
    const expected = [{ topic: 'stays', partition: 0, offset: 3 }]
    expect(await reached(clock, fetchCommitted(context, GROUP, partitions))).toMatchObject(expected)
    // The other process still knows it by the id that it had.
    await createTopic('gone')
    expect(await reached(clock, fetchCommitted(other, GROUP, partitions))).toMatchObject(expected)
  })

  it('while a member joins is no reason to fail', async () => {
    const { context, clock, group, admin, overrides } = await openWorld('gone', 'stays')
    // Between the sharing and the finding out where to begin.
    const ask = context.cluster.coordinator.bind(context.cluster)
    let isDeleted = false
    overrides.set('SyncGroup', (response) => {
      isDeleted = true
      return response
    })
    let deleting: Promise<unknown> | undefined
    context.cluster.coordinator = async (...args) => {
      if (isDeleted) {
        deleting ??= admin.deleteTopics(['gone']).then(() => context.cluster.invalidate('gone'))
        await deleting
      }
      return ask(...args)
    }
    const consumer = await reached(clock, group.join())
    expect(deleting).toBeDefined()
    expect(consumer.assignment().map(partitionName)).toEqual(['stays-0'])
  })
})
