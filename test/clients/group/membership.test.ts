/** Members of a group on the embedded broker, with time in the test's hands. */
import { afterEach, describe, expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import type { Consumer } from '../../../src/clients/consumer/consumer.js'
import type { GroupConsumerOptions } from '../../../src/clients/consumer/consumer-options.js'
import { readPartition } from '../../../src/clients/consumer/read-partition.js'
import type { ClientContext } from '../../../src/clients/context.js'
import { ConsumerGroup, type ConsumerGroupOptions } from '../../../src/clients/group/consumer-group.js'
import { roundRobinAssignor } from '../../../src/clients/group/round-robin-assignor.js'
import { partitionName, type Message } from '../../../src/clients/message.js'
import { string } from '../../../src/clients/serdes/string.js'
import { Topic } from '../../../src/clients/topic.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { leaveGroup } from '../../../src/protocol/api/leave-group.js'
import { contextOver, turn } from '../../support/client-context.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'

type Text = Message<string, string>

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) {
    // A process that died cannot take leave.
    await resource.close().catch((error: unknown) => expect(error).toMatchObject({ code: 'RESOURCE_CLOSED' }))
  }
})

interface World extends TestBroker {
  readonly context: ClientContext
  readonly topic: Topic<string, string>
  readonly group: (
    options?: Partial<ConsumerGroupOptions>,
    context?: ClientContext,
  ) => ConsumerGroup<Topic<string, string>>
  readonly join: (options?: GroupConsumerOptions, context?: ClientContext) => Promise<Consumer<Text>>
  /** Another process: its network can be cut off. */
  readonly process: () => { readonly context: ClientContext; readonly die: () => Promise<void> }
}

const openWorld = async (partitions = 6): Promise<World> => {
  const test = await openTestBroker()
  const { broker, clock } = test
  open.push(broker)
  const process = () => {
    const network = new DirectNetwork(broker, { clock, clientId: 'test' })
    const context = contextOver(network, clock)
    const die = async (): Promise<void> => {
      await network.close()
      context.timers.clear()
    }
    return { context, die }
  }
  const { context } = process()
  const id = await test.createTopic('orders', partitions)
  const definition = { name: 'orders', id, partitionCount: partitions, key: string, value: string }
  const topic = new Topic<string, string>(definition, readPartition(context))
  const group: World['group'] = (options = {}, from = context) => {
    const created = new ConsumerGroup<Topic<string, string>>(from, 'billing', { ...options, topics: [topic] })
    open.push(created)
    return created
  }
  const join: World['join'] = (options = {}, from = context) => reached(clock, group({}, from).join(options))
  return { ...test, context, topic, group, join, process }
}

/** Lets time pass until `promise` settles: members hear of each other by heartbeats. */
const reached = async <T>(clock: TestBroker['clock'], promise: Promise<T>, limitMs = 120_000): Promise<T> => {
  const settled = { is: false }
  const settle = (): void => void (settled.is = true)
  promise.then(settle, settle)
  for (let passed = 0; !settled.is && passed <= limitMs; passed += 25) await clock.advanceAsync(25)
  expect(settled.is).toBe(true)
  return promise
}

const until = (clock: TestBroker['clock'], condition: () => boolean, limitMs = 120_000): Promise<void> =>
  reached(
    clock,
    (async () => {
      while (!condition()) await turn()
    })(),
    limitMs,
  )

const shareOf = (consumer: Consumer<Text>): string[] => consumer.assignment().map(partitionName).sort()
const sharesOf = (...consumers: Consumer<Text>[]): string[] => consumers.flatMap(shareOf).sort()
const ALL = [0, 1, 2, 3, 4, 5].map((partition) => `orders-${partition}`)

describe('the members of a group', () => {
  it('share the partitions evenly, and one owner has each (G1)', async () => {
    const { join } = await openWorld()
    const first = await join()
    expect(shareOf(first)).toEqual(ALL)
    const second = await join()
    const third = await join()
    expect([first, second, third].map((consumer) => shareOf(consumer).length)).toEqual([2, 2, 2])
    expect(sharesOf(first, second, third)).toEqual(ALL)
  })

  it('hear of a new member within the heartbeat interval', async () => {
    const { join, clock } = await openWorld()
    await join({ heartbeatIntervalMs: 3000 })
    await clock.advanceAsync(60_000)
    const before = clock.monotonic()
    await join()
    expect(clock.monotonic() - before).toBeLessThanOrEqual(3000 + 25)
  })

  it('take over what one leaves', async () => {
    const { join, clock } = await openWorld()
    const [first, second, third] = [await join(), await join(), await join()]
    const events: string[] = []
    first.events.on('revoked', (partitions) => events.push(`revoked ${partitions.length}`))
    first.events.on('assigned', (partitions) => events.push(`assigned ${partitions.length}`))
    await third.close()
    await until(clock, () => sharesOf(first, second).length === 6)
    expect([shareOf(first).length, shareOf(second).length]).toEqual([3, 3])
    expect(sharesOf(first, second)).toEqual(ALL)
    expect(events).toEqual(['revoked 2', 'assigned 3'])
  })

  it('take over from one that dies, when its session has run out', async () => {
    const { join, clock, process } = await openWorld()
    const survivor = await join({ sessionTimeoutMs: 10_000 })
    const dying = process()
    await join({ sessionTimeoutMs: 10_000 }, dying.context)
    await until(clock, () => shareOf(survivor).length === 3)
    await dying.die()
    await clock.advanceAsync(9000)
    expect(shareOf(survivor).length).toBe(3)
    await until(clock, () => shareOf(survivor).length === 6, 3000)
  })

  it('share partitions that are added', async () => {
    const { join, clock, process } = await openWorld()
    const [first, second] = [await join(), await join()]
    // By somebody else: what the members know of the topic is out of date then.
    await new Admin(process().context).createPartitions('orders', 9)
    await until(clock, () => sharesOf(first, second).length === 9)
    expect([shareOf(first).length, shareOf(second).length].sort()).toEqual([4, 5])
  })

  it('may be more than there are partitions', async () => {
    const { join } = await openWorld(1)
    const [first, second] = [await join(), await join()]
    expect([shareOf(first).length, shareOf(second).length].sort()).toEqual([0, 1])
  })

  it('use the assignor that they agree on', async () => {
    const { join, group } = await openWorld()
    const options = { partitionAssigners: [roundRobinAssignor] }
    const first = await join(options)
    await join(options)
    expect(shareOf(first).map((name) => Number(name.at(-1)) % 2)).toSatisfy(
      (parities: number[]) => new Set(parities).size === 1,
    )
    expect((await group().describe()).protocol).toBe('roundrobin')
    await expect(join()).rejects.toMatchObject({ code: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it('see the partitions of the group and who has them', async () => {
    const { join, group } = await openWorld()
    await join()
    const { state, members } = await group().describe()
    expect(state).toBe('Stable')
    expect(members.flatMap(({ assignment }) => assignment.map(partitionName)).sort()).toEqual(ALL)
  })
})

describe('joining', () => {
  it('can be given up', async () => {
    const { group, clock, join, produce, topic } = await openWorld()
    await produce(topic.id, 0, ['a'])
    const busy = await join()
    // The member's turn holds the rebalance up, so the one who joins has to wait.
    const test = await turnOf(busy)
    const giving = new AbortController()
    const joining = group().join({ signal: giving.signal })
    const failed = expect(joining).rejects.toThrow('enough')
    await clock.advanceAsync(5000)
    giving.abort(new Error('enough'))
    await failed
    test.end()
  })

  it('ends with the group when that is closed', async () => {
    const { group, clock, join, produce, topic } = await openWorld()
    await produce(topic.id, 0, ['a'])
    const test = await turnOf(await join())
    const other = group()
    const failed = expect(other.join()).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await clock.advanceAsync(1000)
    await other.close()
    await failed
    await expect(other.join()).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    test.end()
  })

  it('fails with what the coordinator says', async () => {
    const { join } = await openWorld()
    await expect(join({ sessionTimeoutMs: 600, heartbeatIntervalMs: 100 })).rejects.toMatchObject({
      code: 'INVALID_SESSION_TIMEOUT',
    })
  })

  it.each([
    [{ topics: [] }, 'INVALID_ARGUMENT', 'topics'],
    [{ topics: ['orders'] }, 'INVALID_ARGUMENT', 'Topic'],
    [{ heartbeatIntervalMs: 50_000 }, 'INVALID_ARGUMENT', 'sessionTimeoutMs'],
    [{ sessionTimeout: 10_000 }, 'UNKNOWN_OPTION', 'sessionTimeoutMs'],
    [{ partitionAssigners: [] }, 'INVALID_ARGUMENT', 'partitionAssigners'],
    [{ partitionAssigners: ['range'] }, 'INVALID_ARGUMENT', 'assign'],
  ])('is refused with %o', async (options, code, hint) => {
    const { context, topic } = await openWorld()
    const create = () =>
      new ConsumerGroup(context, 'billing', { topics: [topic], ...options } as ConsumerGroupOptions)
    expect(create).toThrow(expect.objectContaining({ code, message: expect.stringContaining(hint) }))
  })

  it('needs a group id, and every topic once', async () => {
    const { context, topic } = await openWorld()
    expect(() => new ConsumerGroup(context, '', { topics: [topic] })).toThrow('id')
    expect(() => new ConsumerGroup(context, 'billing', { topics: [topic, topic] })).toThrow('once')
  })
})

/** Takes one message and stays in its turn. */
const turnOf = async (consumer: Consumer<Text>): Promise<{ end(): void }> => {
  const iterator = consumer[Symbol.asyncIterator]()
  await iterator.next()
  return { end: () => void iterator.return?.() }
}

describe('a rebalance', () => {
  const withTurn = async () => {
    const world = await openWorld(2)
    await world.produce(world.topic.id, 0, ['a', 'b', 'c'])
    await world.produce(world.topic.id, 1, ['x', 'y', 'z'])
    const first = await world.join()
    const seen: string[] = []
    let end = (): void => undefined
    const running = first.run({
      eachMessage: async ({ value }) => {
        await new Promise<void>((resolve) => (end = resolve))
        seen.push(value)
      },
    })
    await until(world.clock, () => first.lag({ topic: 'orders', partition: 0 }) !== undefined)
    await turn()
    return { ...world, first, seen, running, end: () => end() }
  }

  it('waits for the turn under way, and what it did is not done again', async () => {
    const { first, seen, end, running, clock, group, join, context } = await withTurn()
    const joining = join()
    await clock.advanceAsync(5000)
    expect(seen).toEqual([])
    end()
    const second = await joining
    expect(seen).toHaveLength(1)
    expect(await new Admin(context).listConsumerGroupOffsets('billing')).toContainEqual(
      expect.objectContaining({ offset: 1 }),
    )
    expect(sharesOf(first, second)).toEqual(['orders-0', 'orders-1'])
    expect((await group().describe()).members).toHaveLength(2)
    const rest: string[] = []
    const others = second.run({ eachMessage: ({ value }) => rest.push(value) })
    await until(clock, () => {
      end()
      return seen.length + rest.length === 6
    })
    expect([...seen, ...rest].sort()).toEqual(['a', 'b', 'c', 'x', 'y', 'z'])
    await Promise.all([first.close(), second.close()])
    await Promise.all([running, others])
  })

  it('waits no longer than maxPollIntervalMs; then the member is out, and comes back when it asks', async () => {
    const world = await openWorld(1)
    const { clock, topic, join, produce } = world
    await produce(topic.id, 0, ['a', 'b'])
    const slow = await join({ maxPollIntervalMs: 20_000 })
    const events: string[] = []
    slow.events.on('lost', (partitions) => events.push(`lost ${partitions.map(partitionName).join()}`))
    slow.events.on('error', (error) => events.push((error as { code: string }).code))
    const iterator = slow[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toMatchObject({ value: 'a' })
    await clock.advanceAsync(19_000)
    expect(events).toEqual([])
    await clock.advanceAsync(4000)
    expect(events).toContain('lost orders-0')
    expect(events).toContain('POLL_TIMED_OUT')
    expect(slow.assignment()).toEqual([])

    // Nothing was committed, so whoever comes gets it.
    const other = await join()
    expect((await other[Symbol.asyncIterator]().next()).value).toMatchObject({ value: 'a' })
    await other.close()
    const again = iterator.next()
    expect((await reached(clock, again)).value).toMatchObject({ value: 'a' })
    expect(shareOf(slow)).toEqual(['orders-0'])
  })

  it('is not needed by a member that waits for messages, however long', async () => {
    const { clock, join, topic, produce } = await openWorld(1)
    const consumer = await join({ maxPollIntervalMs: 10_000 })
    const ended: unknown[] = []
    consumer.events.on('lost', (partitions) => ended.push(partitions))
    consumer.events.on('error', (error) => ended.push(error))
    const next = consumer[Symbol.asyncIterator]().next()
    await clock.advanceAsync(100_000)
    expect(ended).toEqual([])
    expect(shareOf(consumer)).toEqual(['orders-0'])
    await produce(topic.id, 0, ['late'])
    expect((await reached(clock, next)).value).toMatchObject({ value: 'late' })
  })

  it('keeps what is fetched of partitions that stay, and hands none of it out twice', async () => {
    const { clock, join, topic, produce } = await openWorld(2)
    await produce(topic.id, 0, ['a0', 'a1', 'a2'])
    await produce(topic.id, 1, ['b0', 'b1', 'b2'])
    const first = await join()
    const seen: string[] = []
    const iterator = first[Symbol.asyncIterator]()
    for (let count = 0; count < 2; count++) seen.push((await iterator.next()).value!.value)
    const third = iterator.next().then((result) => seen.push(result.value!.value))
    await third
    const fourth = iterator.next().then((result) => seen.push(result.value!.value))
    await fourth
    // The fifth is asked for while a second member joins and takes a partition.
    const second = join()
    const rest = (async () => {
      for (;;) {
        const result = await iterator.next()
        if (result.done === true) break
        seen.push(result.value.value)
      }
    })()
    const joined = await second
    const others: string[] = []
    const running = joined.run({ eachMessage: ({ value }) => others.push(value) })
    await until(clock, () => seen.length + others.length >= 6)
    await clock.advanceAsync(2000)
    expect([...seen, ...others].sort()).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2'])
    await first.close()
    await joined.close()
    await Promise.all([rest, running])
  })
})

describe('commits', () => {
  it('of a member that was put out are refused, and it joins again (G2)', async () => {
    const { clock, join, topic, produce, send, broker, context } = await openWorld(1)
    await produce(topic.id, 0, ['a', 'b'])
    const consumer = await join()
    const lost: string[] = []
    consumer.events.on('lost', (partitions) => lost.push(...partitions.map(partitionName)))
    const [member] = (await new Admin(context).describeGroups(['billing']))[0]!.members
    await send(leaveGroup, {
      groupId: 'billing',
      memberId: '',
      members: [{ memberId: member!.memberId, groupInstanceId: null, reason: null }],
    })
    await expect(consumer.commit([{ topic: 'orders', partition: 0, offset: 2 }])).rejects.toMatchObject({
      code: 'UNKNOWN_MEMBER_ID',
    })
    expect(broker.isClosed).toBe(false)
    await until(clock, () => lost.length > 0 && shareOf(consumer).length === 1)
    expect(await consumer.committed()).toEqual([])
    await consumer.commit([{ topic: 'orders', partition: 0, offset: 2, metadata: 'note' }])
    expect(await consumer.committed()).toEqual([
      { topic: 'orders', partition: 0, offset: 2, leaderEpoch: -1, metadata: 'note' },
    ])
  })

  it('come at the interval, while there is something to commit, and not otherwise', async () => {
    const { clock, join, topic, produce } = await openWorld(1)
    await produce(topic.id, 0, ['a', 'b', 'c'])
    const consumer = await join({ autoCommitIntervalMs: 5000 })
    const commits: number[] = []
    consumer.events.on('committed', (offsets) => commits.push(...offsets.map(({ offset }) => offset)))
    const iterator = consumer[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.next()
    await clock.advanceAsync(4900)
    expect(commits).toEqual([])
    await clock.advanceAsync(200)
    // The second one is in its turn: only the first is processed.
    expect(commits).toEqual([1])
    await iterator.next()
    const fourth = iterator.next()
    await clock.advanceAsync(5000)
    expect(commits).toEqual([1, 3])
    await clock.advanceAsync(30_000)
    expect(commits).toEqual([1, 3])
    void fourth
  })

  it('come though a turn was longer than the interval', async () => {
    const { clock, join, topic, produce } = await openWorld(1)
    await produce(topic.id, 0, ['a', 'b', 'c'])
    const consumer = await join({ autoCommitIntervalMs: 5000 })
    const commits: number[] = []
    consumer.events.on('committed', (offsets) => commits.push(...offsets.map(({ offset }) => offset)))
    const iterator = consumer[Symbol.asyncIterator]()
    await iterator.next()
    await clock.advanceAsync(12_000)
    // Where it began, as Kafka does: the group is known to have been there.
    expect(commits).toEqual([0])
    await iterator.next()
    await iterator.next()
    await clock.advanceAsync(6000)
    expect(commits).toEqual([0, 2])
  })

  it('are left to the application when it wants', async () => {
    const { clock, join, topic, produce } = await openWorld(1)
    await produce(topic.id, 0, ['a', 'b', 'c'])
    const consumer = await join({ enableAutoCommit: false })
    const iterator = consumer[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.next()
    await clock.advanceAsync(60_000)
    expect(await consumer.committed()).toEqual([])
    await consumer.commit()
    expect(await consumer.committed()).toMatchObject([{ offset: 1, leaderEpoch: 0 }])
    await iterator.next()
    await consumer.close()
    const next = await join()
    expect((await next[Symbol.asyncIterator]().next()).value).toMatchObject({ value: 'b' })
  })

  it('on close hold what is processed: not the message of the turn that was left', async () => {
    const { join, topic, produce, group } = await openWorld(1)
    await produce(topic.id, 0, ['a', 'b', 'c'])
    const first = await join()
    const seen: string[] = []
    for await (const { value } of first) {
      seen.push(value)
      if (value === 'b') break
    }
    // The next loop begins with it too.
    for await (const { value } of first) {
      seen.push(value)
      break
    }
    await first.close()
    expect(seen).toEqual(['a', 'b', 'b'])
    expect(await group().committed()).toMatchObject([{ topic: 'orders', partition: 0, offset: 1 }])
    const second = await join()
    expect((await second[Symbol.asyncIterator]().next()).value).toMatchObject({ value: 'b' })
  })

  it('come before what they are for with at-most-once', async () => {
    const { join, topic, produce, group, process, clock } = await openWorld(1)
    await produce(topic.id, 0, ['a', 'b', 'c'])
    const dying = process()
    const options = { delivery: 'at-most-once', maxPollRecords: 2, sessionTimeoutMs: 6000 } as const
    const first = await join(options, dying.context)
    const iterator = first[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toMatchObject({ value: 'a' })
    expect(await group().committed()).toMatchObject([{ offset: 2 }])
    await dying.die()
    await clock.advanceAsync(7000)
    const second = await join(options)
    expect((await second[Symbol.asyncIterator]().next()).value).toMatchObject({ value: 'c' })
    await second.close()
    // What was committed ahead and not handed out is given back when there is time to.
    await produce(topic.id, 0, ['d', 'e'])
    const third = await join(options)
    expect((await third[Symbol.asyncIterator]().next()).value).toMatchObject({ value: 'd' })
    await third.close()
    expect(await group().committed()).toMatchObject([{ offset: 4 }])
  })

  it('keep the group where a latest position was, though nothing came', async () => {
    const { join, topic, produce } = await openWorld(1)
    await produce(topic.id, 0, ['before'])
    await (await join({ autoOffsetReset: 'latest' })).close()
    await produce(topic.id, 0, ['between'])
    const next = await join({ autoOffsetReset: 'latest' })
    expect((await next[Symbol.asyncIterator]().next()).value).toMatchObject({ value: 'between' })
  })
})
