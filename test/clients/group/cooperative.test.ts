/** Cooperative rebalancing on the embedded broker (KIP-429), with time in the test's hands. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Consumer } from '../../../src/clients/consumer/consumer.js'
import type { GroupConsumerOptions } from '../../../src/clients/consumer/consumer-options.js'
import { readPartition } from '../../../src/clients/consumer/read-partition.js'
import type { ClientContext } from '../../../src/clients/context.js'
import type { Assignor } from '../../../src/clients/group/assignor.js'
import { ConsumerGroup } from '../../../src/clients/group/consumer-group.js'
import { cooperativeStickyAssignor } from '../../../src/clients/group/cooperative-sticky-assignor.js'
import { rangeAssignor } from '../../../src/clients/group/range-assignor.js'
import { stickyAssignor } from '../../../src/clients/group/sticky-assignor.js'
import { partitionName, type Message } from '../../../src/clients/message.js'
import { string } from '../../../src/clients/serdes/string.js'
import { Topic } from '../../../src/clients/topic.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { leaveGroup } from '../../../src/protocol/api/leave-group.js'
import { contextOver, turn } from '../../support/client-context.js'
import { openTestBroker } from '../../support/test-broker.js'

type Text = Message<string, string>

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close().catch(() => undefined)
})

const PARTITIONS = 6

const openWorld = async () => {
  const test = await openTestBroker()
  const { broker, clock } = test
  open.push(broker)
  const id = await test.createTopic('orders', PARTITIONS)
  const definition = { name: 'orders', id, partitionCount: PARTITIONS, key: string, value: string }
  /** Another process: its network can be cut off. */
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
  const reached = async <T>(promise: Promise<T>): Promise<T> => {
    const settled = { is: false }
    const settle = (): void => void (settled.is = true)
    promise.then(settle, settle)
    for (let passed = 0; !settled.is && passed <= 200_000; passed += 25) await clock.advanceAsync(25)
    expect(settled.is).toBe(true)
    return promise
  }
  const join = (
    options: GroupConsumerOptions = {},
    from: ClientContext = context,
  ): Promise<Consumer<Text>> => {
    const topic = new Topic<string, string>(definition, readPartition(from))
    const given = { partitionAssigners: [cooperativeStickyAssignor], ...options, topics: [topic] }
    const group = new ConsumerGroup<Topic<string, string>>(from, 'billing', given)
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
  return { ...test, id, process, join, until, produce, reached }
}

const shareOf = (consumer: Consumer<Text>): string[] => consumer.assignment().map(partitionName).sort()
const ALL = Array.from({ length: PARTITIONS }, (_, index) => `orders-${index}`)

/** What a consumer hears. */
const heardBy = (consumer: Consumer<Text>): string[] => {
  const heard: string[] = []
  for (const event of ['assigned', 'revoked', 'lost'] as const) {
    consumer.events.on(event, (partitions) =>
      heard.push(
        `${event} ${partitions
          .map(({ partition }) => partition)
          .sort()
          .join()}`,
      ),
    )
  }
  consumer.events.on('error', (error) => heard.push(`error ${(error as { code: string }).code}`))
  return heard
}

describe('a cooperative group', () => {
  it('takes from a member what another is to have, and nothing else (G1)', async () => {
    const { join, until } = await openWorld()
    const first = await join()
    expect(shareOf(first)).toEqual(ALL)
    const heard = heardBy(first)
    const second = await join()
    await until(() => shareOf(second).length === 3)
    expect([...shareOf(first), ...shareOf(second)].sort()).toEqual(ALL)
    await until(() => heard.length === 3)
    const [revoked, ...assigned] = heard
    expect(revoked).toMatch(/^revoked \d,\d,\d$/)
    // Once in the rebalance that took them away, once in the one that gave them to the other.
    expect(assigned).toEqual([assigned[0], assigned[0]])
    expect(assigned[0]).toMatch(/^assigned \d,\d,\d$/)
  })

  it('is never at rest while a partition has two owners, or none', async () => {
    const { join, until, clock } = await openWorld()
    const members = [await join(), await join()]
    members.push(await join())
    await until(() => members.every((member) => shareOf(member).length === 2))
    await members.shift()?.close()
    await until(() => members.every((member) => shareOf(member).length === 3))
    await clock.advanceAsync(10_000)
    expect(members.flatMap(shareOf).sort()).toEqual(ALL)
  })

  it('goes on with what it has while it waits for a member that takes its time', async () => {
    const { join, process, produce, until, clock } = await openWorld()
    const first = await join()
    const values: string[] = []
    const running = first.run({ eachMessage: ({ value }) => void values.push(value) })
    const { context, die } = process()
    await join({}, context)
    await until(() => shareOf(first).length === 3)
    // It does not come back, and the next rebalance waits for it until its session ends.
    await die()
    const third = join()
    await clock.advanceAsync(2000)
    const mine = shareOf(first)
    expect(mine).toHaveLength(3)
    for (const name of mine) await produce(Number(name.slice(-1)), name)
    await until(() => values.length === 3)
    expect(values.sort()).toEqual(mine)
    await third
    await until(() => shareOf(first).length === 3)
    await first.close()
    await running
  })

  it('loses everything when it is expelled, and begins anew', async () => {
    const { join, send, until } = await openWorld()
    const first = await join({ enableAutoCommit: false })
    const heard = heardBy(first)
    const { memberId } = first.metadataForTransaction()
    const members = [{ memberId, groupInstanceId: null, reason: null }]
    await send(leaveGroup, { groupId: 'billing', memberId: '', members })
    await until(() => heard.length === 2)
    expect(heard).toEqual(['lost 0,1,2,3,4,5', 'assigned 0,1,2,3,4,5'])
    expect(first.metadataForTransaction().memberId).not.toBe(memberId)
  })

  it('commits what was processed before it gives a partition up (G3)', async () => {
    const { join, produce, until } = await openWorld()
    for (let partition = 0; partition < PARTITIONS; partition++) await produce(partition, `v${partition}`)
    const first = await join({ autoCommitIntervalMs: 1_000_000 })
    const seen: string[] = []
    const running = first.run({ eachMessage: ({ value }) => void seen.push(value) })
    await until(() => seen.length === PARTITIONS)
    const second = await join({ autoCommitIntervalMs: 1_000_000 })
    const again: string[] = []
    const runningToo = second.run({ eachMessage: ({ value }) => void again.push(value) })
    await until(() => shareOf(second).length === 3)
    for (let partition = 0; partition < PARTITIONS; partition++) await produce(partition, `w${partition}`)
    await until(() => seen.length + again.length === 2 * PARTITIONS)
    expect([...seen, ...again].sort()).toEqual(
      ['v', 'w'].flatMap((letter) => ALL.map((_, index) => `${letter}${index}`)).sort(),
    )
    await Promise.all([first.close(), second.close()])
    await Promise.all([running, runningToo])
  })

  it('with at-most-once hands nothing out twice, and goes on after the rebalance', async () => {
    const { join, produce, until } = await openWorld()
    const options = { delivery: 'at-most-once' } as const
    const first = await join(options)
    const seen: string[] = []
    const running = first.run({ eachMessage: ({ value }) => void seen.push(value) })
    for (let partition = 0; partition < PARTITIONS; partition++) await produce(partition, `v${partition}`)
    await until(() => seen.length === PARTITIONS)
    const second = await join(options)
    const runningToo = second.run({ eachMessage: ({ value }) => void seen.push(value) })
    await until(() => shareOf(second).length === 3)
    for (let partition = 0; partition < PARTITIONS; partition++) await produce(partition, `w${partition}`)
    await until(() => seen.length === 2 * PARTITIONS)
    expect(new Set(seen).size).toBe(2 * PARTITIONS)
    await Promise.all([first.close(), second.close()])
    await Promise.all([running, runningToo])
  })
})

describe('assignors', () => {
  it('that are not all fit for it make a member eager', async () => {
    const { join, until } = await openWorld()
    const partitionAssigners = [cooperativeStickyAssignor, rangeAssignor]
    const first = await join({ partitionAssigners })
    const heard = heardBy(first)
    const second = await join({ partitionAssigners })
    await until(() => shareOf(second).length === 3 && heard.length === 2)
    expect(heard[0]).toBe('revoked 0,1,2,3,4,5')
    expect(heard[1]).toMatch(/^assigned \d,\d,\d$/)
  })

  it('that are sticky let members keep what they had, though they gave it up meanwhile', async () => {
    const { join, until } = await openWorld()
    const partitionAssigners = [stickyAssignor]
    const [first, second] = [await join({ partitionAssigners }), await join({ partitionAssigners })]
    await until(() => shareOf(first).length === 3 && shareOf(second).length === 3)
    const before = [first, second].map(shareOf)
    const third = await join({ partitionAssigners })
    await until(() => [first, second, third].every((member) => shareOf(member).length === 2))
    for (const [index, member] of [first, second].entries()) {
      expect(before[index]).toEqual(expect.arrayContaining(shareOf(member)))
    }
  })

  it('that have no rebalance protocol in common are refused', async () => {
    const { join } = await openWorld()
    const refused = async (partitionAssigners: Assignor[]) => join({ partitionAssigners })
    const cooperativeOnly: Assignor = { ...rangeAssignor, name: 'own', rebalanceProtocols: ['cooperative'] }
    await expect(refused([cooperativeOnly, rangeAssignor])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it('that give a partition to two members, or away while its owner has it, are found out (G1)', async () => {
    const { join } = await openWorld()
    const twice: Assignor = {
      name: 'twice',
      assign: ({ members }) => {
        const all = ALL.map((_, partition) => ({ topic: 'orders', partition }))
        return new Map([
          ...members.map(({ memberId }) => [memberId, all] as const),
          ['nobody', [{ topic: 'orders', partition: 0 }]],
        ])
      },
    }
    await expect(join({ partitionAssigners: [twice] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })

    const hasty: Assignor = { ...rangeAssignor, name: 'hasty', rebalanceProtocols: ['cooperative'] }
    const first = await join({ partitionAssigners: [hasty] })
    const heard = heardBy(first)
    await join({ partitionAssigners: [hasty] })
    expect(heard).toEqual(expect.arrayContaining(['error INVALID_ARGUMENT']))
  })
})
