/** Reading a partition: it begins and ends exactly where it is told to. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readPartition } from '../../../src/clients/consumer/read-partition.js'
import type { ReadOptions } from '../../../src/clients/topic.js'
import { encodeControlBatch } from '../../../src/record/control.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ConsumerWorld } from '../../support/consumer-world.js'
import { ManualClock } from '../../support/manual-clock.js'
import { batchAt, ScriptedLeaders } from '../../support/scripted-leaders.js'
import { SeededRandom } from '../../support/seeded-random.js'

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)

describe('a reading of a partition', () => {
  let world: ConsumerWorld
  const offsetsOf = async (options: ReadOptions): Promise<number[]> => {
    const offsets: number[] = []
    for await (const { offset } of world.topic.partition(0).read(options)) offsets.push(offset)
    return offsets
  }

  beforeEach(async () => {
    world = await ConsumerWorld.open(1)
    const random = new SeededRandom(3)
    while (world.produced[0]! < 30) await world.produce(random, 0)
  })
  afterEach(() => world.close())

  it('has every record from its first to its last, whatever the batches', async () => {
    const end = world.produced[0]!
    for (let to = 0; to <= end; to++) expect(await offsetsOf({ to })).toEqual(range(0, to))
    for (let from = 0; from <= end; from++)
      expect(await offsetsOf({ from, to: 'latest' })).toEqual(range(from, end))
  })

  it('waits for records that are not there yet when its end is beyond them', async () => {
    const end = world.produced[0]!
    const reading = offsetsOf({ from: end - 1, to: end + 1 })
    await turn()
    await world.produce(new SeededRandom(1), 0)
    expect(await reading).toEqual([end - 1, end])
  })

  it('follows without an end, until it is left', async () => {
    const end = world.produced[0]!
    const seen: number[] = []
    const producing = (async () => {
      const random = new SeededRandom(2)
      while (seen.length < 2) {
        await turn()
        await world.produce(random, 0)
      }
    })()
    for await (const { offset } of world.topic.partition(0).read({ from: 'latest' })) {
      seen.push(offset)
      if (seen.length === 2) break
    }
    await producing
    expect(seen[0]).toBeGreaterThanOrEqual(end)
    expect(seen[1]).toBe(seen[0]! + 1)
  })
})

describe('a reading from scripted leaders', () => {
  const read = (options: ReadOptions, closeSignal?: AbortSignal) => {
    const leaders = new ScriptedLeaders()
    leaders.addTopic('orders')
    const clock = new ManualClock()
    const reader = readPartition(contextOver(leaders, clock), closeSignal)
    return { leaders, clock, iterator: reader(topicHandle('orders'), 0, options)[Symbol.asyncIterator]() }
  }

  it('asks for nothing before it is asked, and for nothing after its end', async () => {
    const { leaders, clock, iterator } = read({ from: 99, to: 'latest' })
    await turn()
    expect(leaders.calls).toEqual([])
    const first = iterator.next()
    await turn()
    await turn()
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(99, ['last', 'beyond'])] } })
    expect((await first).value).toMatchObject({ offset: 99 })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(leaders.waiting).toEqual([])
    expect(clock.pendingCount).toBe(0)
  })

  it('ends though the last offsets hold nothing for consumers', async () => {
    const { leaders, iterator } = read({ from: 98, to: 'latest' })
    const first = iterator.next()
    await turn()
    await turn()
    const marker = encodeControlBatch({
      type: 'abort',
      coordinatorEpoch: 0,
      producerId: 1,
      producerEpoch: 0,
      timestamp: 1,
      baseOffset: 99,
      leaderEpoch: 0,
    })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(98, ['last'])] } })
    expect((await first).value).toMatchObject({ offset: 98 })
    const second = iterator.next()
    await turn()
    leaders.waiting[0]!.answer({ 'orders-0': { records: [marker] } })
    expect(await second).toEqual({ done: true, value: undefined })
  })

  it('takes times: from the first record at or after one, to the first at or after another', async () => {
    const { leaders, iterator } = read({ from: new Date(1040), to: new Date(1042) })
    const first = iterator.next()
    await turn()
    await turn()
    expect(leaders.waiting[0]!.offsets).toEqual({ 'orders-0': 40 })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(40, ['a', 'b', 'c'])] } })
    expect((await first).value).toMatchObject({ offset: 40 })
    expect((await iterator.next()).value).toMatchObject({ offset: 41 })
    expect(await iterator.next()).toMatchObject({ done: true })
  })

  it.each(['while it looks for its end', 'while it looks for its start', 'while it waits for records'])(
    'ends with the reason of a signal %s',
    async (when) => {
      const closing = new AbortController()
      const { leaders, clock, iterator } = read({ to: 'latest' }, closing.signal)
      const failures = when.endsWith('end') ? [6] : when.endsWith('start') ? [0, 6, 6] : []
      leaders.lookupErrors.push(...failures)
      const reason = new Error('closing')
      const failed = expect(iterator.next()).rejects.toBe(reason)
      await turn()
      await turn()
      closing.abort(reason)
      await failed
      await expect(iterator.next()).rejects.toBe(reason)
      expect(leaders.waiting).toEqual([])
      expect(clock.pendingCount).toBe(0)
    },
  )

  it('refuses what is no position', () => {
    expect(() => read({ from: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => read({ to: new Date(Number.NaN) })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})
