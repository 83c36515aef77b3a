/** What a member of a group tells the application of its partitions, in order, and how long it waits for it. */
import { fc, it as prop } from '@fast-check/vitest'
import { afterEach, describe, expect, it } from 'vitest'
import type { Consumer } from '../../../src/clients/consumer/consumer.js'
import type { GroupConsumerOptions } from '../../../src/clients/consumer/consumer-options.js'
import { readPartition } from '../../../src/clients/consumer/read-partition.js'
import { RebalanceCallbacks, type Revocation } from '../../../src/clients/consumer/rebalance-callbacks.js'
import type { Assignor } from '../../../src/clients/group/assignor.js'
import { ConsumerGroup } from '../../../src/clients/group/consumer-group.js'
import { cooperativeStickyAssignor } from '../../../src/clients/group/cooperative-sticky-assignor.js'
import { rangeAssignor } from '../../../src/clients/group/range-assignor.js'
import type { Message, TopicPartition } from '../../../src/clients/message.js'
import { string } from '../../../src/clients/serdes/string.js'
import { Topic } from '../../../src/clients/topic.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { leaveGroup } from '../../../src/protocol/api/leave-group.js'
import { deferred } from '../../../src/runtime/abort.js'
import { Timers } from '../../../src/runtime/timers.js'
import { contextOver, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { openTestBroker } from '../../support/test-broker.js'

type Text = Message<string, string>

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close().catch(() => undefined)
})

const PARTITIONS = 4
const EAGER = [rangeAssignor]
const COOPERATIVE = [cooperativeStickyAssignor]

const openWorld = async (partitionAssigners: readonly Assignor[]) => {
  const test = await openTestBroker()
  const { broker, clock } = test
  open.push(broker)
  const id = await test.createTopic('orders', PARTITIONS)
  const definition = { name: 'orders', id, partitionCount: PARTITIONS, key: string, value: string }
  const context = contextOver(new DirectNetwork(broker, { clock, clientId: 'test' }), clock)
  const reached = async <T>(promise: Promise<T>): Promise<T> => {
    const settled = { is: false }
    const settle = (): void => void (settled.is = true)
    promise.then(settle, settle)
    for (let passed = 0; !settled.is && passed <= 400_000; passed += 25) await clock.advanceAsync(25)
    expect(settled.is).toBe(true)
    return promise
  }
  const join = (options: GroupConsumerOptions = {}): Promise<Consumer<Text>> => {
    const topic = new Topic<string, string>(definition, readPartition(context))
    const given = { partitionAssigners: [...partitionAssigners], ...options, topics: [topic] }
    const group = new ConsumerGroup<Topic<string, string>>(context, 'billing', given)
    open.push(group)
    return reached(group.join())
  }
  const until = (condition: () => boolean): Promise<void> =>
    reached(
      (async () => {
        while (!condition()) await turn()
      })(),
    )
  const produce = async (partition: number, ...values: string[]): Promise<void> => {
    expect((await test.produce(id, partition, values)).errorCode).toBe(0)
  }
  const expel = async (consumer: Consumer<Text>): Promise<void> => {
    const { memberId } = consumer.metadataForTransaction()
    const members = [{ memberId, groupInstanceId: null, reason: null }]
    await test.send(leaveGroup, { groupId: 'billing', memberId: '', members })
  }
  return { ...test, join, until, produce, reached, expel }
}

const numbers = (partitions: readonly TopicPartition[]): string =>
  partitions
    .map(({ partition }) => partition)
    .sort()
    .join()

/** A listener that keeps what it is told, and checks that each partition comes before it goes, and once. */
const keeping = (revoke?: (revocation: Revocation) => unknown) => {
  const heard: string[] = []
  const owned = new Set<number>()
  const gone = (partitions: readonly TopicPartition[]): void => {
    for (const { partition } of partitions) expect(owned.delete(partition)).toBe(true)
  }
  const rebalanceListener = {
    onPartitionsAssigned: (partitions: readonly TopicPartition[]) => {
      for (const { partition } of partitions) {
        expect(owned.has(partition)).toBe(false)
        owned.add(partition)
      }
      heard.push(`assigned ${numbers(partitions)}`)
    },
    onPartitionsRevoked: async (partitions: readonly TopicPartition[], revocation: Revocation) => {
      gone(partitions)
      heard.push(`revoked ${numbers(partitions)}`)
      await revoke?.(revocation)
    },
    onPartitionsLost: (partitions: readonly TopicPartition[]) => {
      gone(partitions)
      heard.push(`lost ${numbers(partitions)}`)
    },
  }
  return { heard, owned, rebalanceListener }
}

const sizeOf = (consumer: Consumer<Text>): number => consumer.assignment().length

describe('an eager member', () => {
  it('tells that all goes, then what comes, and at the end that it goes', async () => {
    const { join, until, reached } = await openWorld(EAGER)
    const { heard, rebalanceListener } = keeping()
    const first = await join({ rebalanceListener })
    expect(heard).toEqual(['assigned 0,1,2,3'])
    const second = await join()
    await until(() => heard.length === 3)
    expect(heard.slice(1, 2)).toEqual(['revoked 0,1,2,3'])
    expect(['assigned 0,1', 'assigned 2,3']).toContain(heard[2])
    expect(sizeOf(second)).toBe(2)
    await reached(first.close())
    expect(heard.slice(3)).toEqual([heard[2]?.replace('assigned', 'revoked')])
  })
})

describe('a cooperative member', () => {
  it('tells only of what moves', async () => {
    const { join, until } = await openWorld(COOPERATIVE)
    const { heard, owned, rebalanceListener } = keeping()
    const first = await join({ rebalanceListener })
    const second = await join()
    await until(() => sizeOf(second) === 2)
    expect(heard).toHaveLength(2)
    expect(heard[0]).toBe('assigned 0,1,2,3')
    expect(heard[1]).toMatch(/^revoked \d,\d$/)
    const moved = heard[1]?.slice(-3)
    await second.close()
    await until(() => sizeOf(first) === 4)
    expect(heard.slice(2)).toEqual([`assigned ${moved}`])
    expect([...owned].sort()).toEqual([0, 1, 2, 3])
  })
})

describe.each([
  ['eager', EAGER],
  ['cooperative', COOPERATIVE],
])('the callbacks of a member that is %s', (_name, assignors) => {
  it('hold up whoever is next, and are to be waited for', async () => {
    const { join, until, clock } = await openWorld(assignors)
    const done = deferred<undefined>()
    const { heard, rebalanceListener } = keeping(() => done.promise)
    await join({ rebalanceListener })
    const joining = join()
    await until(() => heard.length === 2)
    await clock.advanceAsync(5000)
    const others = await Promise.race([joining.then(sizeOf), turn().then(() => 0)])
    expect(others).toBe(0)
    done.resolve(undefined)
    const second = await joining
    await until(() => sizeOf(second) === 2)
  })

  it('hold up the first message until it is known that the partitions have come', async () => {
    const { join, until, produce, clock, reached } = await openWorld(assignors)
    await produce(0, 'a')
    const come = deferred<undefined>()
    let isCalled = false
    const joining = join({
      rebalanceListener: {
        onPartitionsAssigned: () => {
          isCalled = true
          return come.promise
        },
      },
    })
    await until(() => isCalled)
    const isIn = { is: false }
    void joining.then(() => (isIn.is = true))
    await clock.advanceAsync(1000)
    expect(isIn.is).toBe(false)
    come.resolve(undefined)
    const consumer = await joining
    const messages = consumer[Symbol.asyncIterator]()
    const next = await reached(messages.next())
    expect(next.value?.value).toBe('a')
  })

  it('may commit what was processed while the partitions go, and not afterwards', async () => {
    const { join, until, produce } = await openWorld(assignors)
    for (let partition = 0; partition < PARTITIONS; partition++) await produce(partition, `v${partition}`)
    const kept: Revocation[] = []
    const { heard, rebalanceListener } = keeping(async (revocation) => {
      kept.push(revocation)
      await revocation.commit()
    })
    const first = await join({ enableAutoCommit: false, rebalanceListener })
    const seen: string[] = []
    const running = first.run({ eachMessage: ({ value }) => void seen.push(value) })
    await until(() => seen.length === PARTITIONS)
    const second = await join({ enableAutoCommit: false })
    const again: string[] = []
    const runningToo = second.run({ eachMessage: ({ value }) => void again.push(value) })
    await until(() => sizeOf(second) === 2)
    for (let partition = 0; partition < PARTITIONS; partition++) await produce(partition, `w${partition}`)
    await until(() => seen.length + again.length === 2 * PARTITIONS)
    expect([...seen, ...again].sort()).toEqual(['v0', 'v1', 'v2', 'v3', 'w0', 'w1', 'w2', 'w3'])
    expect(heard[1]).toMatch(/^revoked/)
    const offsets = [{ topic: 'orders', partition: 0, offset: 1, leaderEpoch: -1 }]
    for (const offset of [offsets, undefined]) {
      await expect(kept[0]?.commit(offset)).rejects.toMatchObject({ code: 'REBALANCE_IN_PROGRESS' })
    }
    await Promise.all([first.close(), second.close()])
    await Promise.all([running, runningToo])
  })

  it('that throw are heard of as errors, and the rebalance goes on', async () => {
    const { join, until } = await openWorld(assignors)
    const first = await join({
      rebalanceListener: {
        onPartitionsRevoked: () => {
          throw new Error('no')
        },
      },
    })
    const errors: unknown[] = []
    first.events.on('error', (error) => errors.push(error))
    const second = await join()
    await until(() => sizeOf(second) === 2)
    expect(errors).toEqual([new Error('no')])
  })

  it('that do not end are waited for until maxPollIntervalMs is over', async () => {
    const { join, until, reached } = await openWorld(assignors)
    const { rebalanceListener } = keeping(() => deferred().promise)
    const first = await join({ maxPollIntervalMs: 20_000, rebalanceListener })
    // Who asks for no messages for that long leaves.
    const running = first.run({ eachMessage: () => undefined })
    const errors: unknown[] = []
    first.events.on('error', (error) => errors.push(error))
    const second = await join()
    await until(() => sizeOf(second) === 2 && sizeOf(first) === 2 && errors.length > 0)
    expect(errors).toEqual([expect.objectContaining({ code: 'REQUEST_TIMED_OUT' })])
    await reached(first.close())
    await running
  })

  it('tell what is lost when the session is over, where a commit is refused', async () => {
    const { join, until, expel } = await openWorld(assignors)
    const { heard, rebalanceListener } = keeping()
    await expel(await join({ enableAutoCommit: false, rebalanceListener }))
    await until(() => heard.length === 3)
    expect(heard).toEqual(['assigned 0,1,2,3', 'lost 0,1,2,3', 'assigned 0,1,2,3'])
  })

  it('tell of what is lost as revoked where there is nothing else, and refuse a commit', async () => {
    const { join, until, expel } = await openWorld(assignors)
    const refused: unknown[] = []
    const consumer = await join({
      enableAutoCommit: false,
      rebalanceListener: {
        onPartitionsRevoked: (_partitions, revocation) =>
          revocation.commit([]).catch((error: unknown) => refused.push(error)),
      },
    })
    await expel(consumer)
    await until(() => refused.length === 1)
    expect(refused[0]).toMatchObject({ code: 'REBALANCE_IN_PROGRESS' })
  })

  it('may go elsewhere in the partitions that have come', async () => {
    const { join, until, produce, reached } = await openWorld(assignors)
    for (let partition = 0; partition < PARTITIONS; partition++) await produce(partition, 'a', 'b', 'c')
    const second: { consumer?: Consumer<Text> } = {}
    const first = await join()
    second.consumer = await join({
      rebalanceListener: {
        onPartitionsAssigned: async (partitions) => {
          for (const partition of partitions) await second.consumer?.seek(partition, 2)
        },
      },
    })
    await until(() => second.consumer !== undefined && sizeOf(second.consumer) === 2)
    const before = new Set(second.consumer.assignment().map(({ partition }) => partition))
    await reached(first.close())
    await until(() => second.consumer !== undefined && sizeOf(second.consumer) === PARTITIONS)
    for (const partition of second.consumer.assignment()) {
      if (before.has(partition.partition)) continue
      expect(await reached(second.consumer.position(partition))).toBe(2)
    }
  })
})

describe.each([
  ['eager', EAGER],
  ['cooperative', COOPERATIVE],
])('of members that are %s, which come, leave and are expelled', (_name, assignors) => {
  const step = fc.tuple(
    fc.constantFrom('join', 'join', 'close', 'expel'),
    fc.nat({ max: 9 }),
    fc.nat({ max: 3000 }),
  )
  prop.prop([fc.array(step, { minLength: 3, maxLength: 10 })], { numRuns: 15 })(
    'nobody is told of a partition that another was not told to have lost (G1), and none is left over',
    async (steps) => {
      const { join, until, reached, expel, clock, broker } = await openWorld(assignors)
      const owners = new Map<number, number>()
      const wrong: string[] = []
      const members = new Map<number, Consumer<Text>>()
      const expelled = new Set<number>()
      const listenerOf = (member: number) => {
        const release = (partitions: readonly TopicPartition[], how: string): void => {
          for (const { partition } of partitions) {
            if (owners.get(partition) === member) owners.delete(partition)
            else if (!expelled.has(member)) wrong.push(`${member} ${how} ${partition}`)
          }
        }
        return {
          onPartitionsAssigned: (partitions: readonly TopicPartition[]) => {
            for (const { partition } of partitions) {
              const owner = owners.get(partition)
              if (owner !== undefined) wrong.push(`${member} got ${partition} of ${owner}`)
              owners.set(partition, member)
            }
          },
          // It takes a while, and whoever is next has to wait for it.
          onPartitionsRevoked: async (partitions: readonly TopicPartition[]) => {
            await turn()
            release(partitions, 'revoked')
          },
          onPartitionsLost: (partitions: readonly TopicPartition[]) => release(partitions, 'lost'),
        }
      }
      const add = async (member: number): Promise<void> => {
        members.set(member, await join({ enableAutoCommit: false, rebalanceListener: listenerOf(member) }))
      }
      const underWay: Promise<unknown>[] = [add(-1)]
      for (const [index, [what, which, pauseMs]] of steps.entries()) {
        await clock.advanceAsync(pauseMs)
        const [chosen, consumer] = [...members].at(which % Math.max(1, members.size)) ?? []
        if (what === 'join' && members.size < 5) underWay.push(add(index))
        else if (what === 'close' && members.size > 1 && chosen !== undefined && consumer !== undefined) {
          members.delete(chosen)
          underWay.push(reached(consumer.close()))
        } else if (what === 'expel' && chosen !== undefined && consumer !== undefined) {
          // Between two generations it has no member id to tell.
          const isDone = await expel(consumer).then(
            () => true,
            () => false,
          )
          if (!isDone) continue
          // Others may have them now, before it hears of it.
          expelled.add(chosen)
          for (const [partition, owner] of [...owners]) if (owner === chosen) owners.delete(partition)
        }
      }
      await Promise.all(underWay)
      const told = (member: number): number[] =>
        [...owners].flatMap(([partition, owner]) => (owner === member ? [partition] : [])).sort()
      const has = (consumer: Consumer<Text>): number[] =>
        consumer
          .assignment()
          .map(({ partition }) => partition)
          .sort()
      await until(
        () =>
          owners.size === PARTITIONS &&
          [...members].every(([member, consumer]) => told(member).join() === has(consumer).join()),
      )
      expect(wrong).toEqual([])
      for (const consumer of members.values()) await reached(consumer.close())
      expect(wrong).toEqual([])
      expect(owners.size).toBe(0)
      await broker.close()
    },
  )
})

it('refuses a listener with anything else in it', async () => {
  const { join } = await openWorld(EAGER)
  const rebalanceListener = Object.fromEntries([['onRevoked', () => undefined]])
  await expect((async () => join({ rebalanceListener }))()).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
})

it('commits nothing more once the callback is over, though the member may still', async () => {
  const clock = new ManualClock()
  const kept: Revocation[] = []
  const failures: unknown[] = []
  let commits = 0
  const hanging = [false, true]
  const callbacks = new RebalanceCallbacks(
    {
      onPartitionsRevoked: async (_partitions, revocation) => {
        kept.push(revocation)
        await revocation.commit()
        if (hanging.shift() === true) await deferred().promise
      },
    },
    {
      timers: new Timers(clock),
      timeoutMs: 1000,
      revocation: () => ({
        commit: async () => {
          commits++
        },
      }),
      failed: (error) => failures.push(error),
    },
  )
  const partitions = [{ topic: 'orders', partition: 0 }]
  await callbacks.assigned(partitions)
  await callbacks.revoked(partitions)
  await callbacks.assigned(partitions)
  const revoked = callbacks.revoked(partitions)
  await turn()
  await clock.advanceAsync(1000)
  await revoked
  expect(commits).toBe(2)
  for (const revocation of kept) {
    await expect(revocation.commit()).rejects.toMatchObject({ code: 'REBALANCE_IN_PROGRESS' })
  }
  expect(commits).toBe(2)
  expect(failures).toEqual([expect.objectContaining({ code: 'REQUEST_TIMED_OUT' })])
})
