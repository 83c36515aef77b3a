/** Callback style: what handlers get, how many run at a time, and what happens when one throws. */
import { afterEach, describe, expect, it } from 'vitest'
import { Consumer } from '../../../src/clients/consumer/consumer.js'
import type { RunOptions } from '../../../src/clients/consumer/run.js'
import type { Message } from '../../../src/clients/message.js'
import { string } from '../../../src/clients/serdes/string.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { batchAt, ScriptedLeaders } from '../../support/scripted-leaders.js'

type Text = Message<string, string>

const open: Consumer[] = []
afterEach(async () => {
  for (const consumer of open.splice(0)) await consumer.close()
})

/** A consumer of three partitions with four messages each: `0/0` to `2/3`. */
const consume = async (maxPollRecords = 500): Promise<Consumer<Text>> => {
  const leaders = new ScriptedLeaders()
  leaders.addTopic('orders', [1, 1, 1])
  const topic = topicHandle<string, string>('orders', { partitionCount: 3, key: string, value: string })
  const consumer = new Consumer<Text>(contextOver(leaders, new ManualClock()), {
    assign: [topic],
    maxPollRecords,
  })
  open.push(consumer)
  await turn()
  await turn()
  const recordsOf = (partition: number): Uint8Array[] => [
    batchAt(
      0,
      [0, 1, 2, 3].map((offset) => `${partition}/${offset}`),
    ),
  ]
  leaders.waiting[0]!.answer({
    'orders-0': { records: recordsOf(0) },
    'orders-1': { records: recordsOf(1) },
    'orders-2': { records: recordsOf(2) },
  })
  await turn()
  return consumer
}

describe('run', () => {
  it('hands batches out with what is known of their partition', async () => {
    const consumer = await consume(3)
    const batches: unknown[] = []
    const ending = new AbortController()
    await consumer.run({
      signal: ending.signal,
      eachBatch: (batch) => {
        const { topic, partition, firstOffset, lastOffset, highWatermark, lag } = batch
        expect([...batch]).toEqual(batch.messages)
        batches.push({ topic, partition, firstOffset, lastOffset, highWatermark, lag })
        if (batches.length === 6) ending.abort()
      },
    })
    expect(batches).toHaveLength(6)
    expect(batches).toContainEqual({
      topic: 'orders',
      partition: 1,
      firstOffset: 0,
      lastOffset: 2,
      highWatermark: 100,
      lag: 97,
    })
    expect(batches).toContainEqual(expect.objectContaining({ partition: 1, firstOffset: 3, lastOffset: 3 }))
  })

  it.each([1, 2, 3])('consumes %i partitions at a time, each of them in order', async (concurrency) => {
    const consumer = await consume()
    const busy = new Set<number>()
    const seen: string[][] = [[], [], []]
    let most = 0
    const ending = new AbortController()
    await consumer.run({
      signal: ending.signal,
      partitionsConsumedConcurrently: concurrency,
      eachMessage: async ({ partition, value }) => {
        expect(busy.has(partition)).toBe(false)
        busy.add(partition)
        most = Math.max(most, busy.size)
        await turn()
        busy.delete(partition)
        seen[partition]!.push(value)
        if (seen.flat().length === 12) ending.abort()
      },
    })
    expect(most).toBe(concurrency)
    expect(seen).toEqual([0, 1, 2].map((partition) => [0, 1, 2, 3].map((offset) => `${partition}/${offset}`)))
  })

  it('rejects with what a handler throws, after the turns under way; that message comes again', async () => {
    const consumer = await consume()
    const seen: string[] = []
    const running = consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async ({ partition, offset, value }) => {
        if (partition === 0 && offset === 1) throw new Error('not this one')
        await turn()
        seen.push(value)
      },
    })
    await expect(running).rejects.toThrow('not this one')
    expect(seen).not.toContain('0/1')
    expect(await consumer.position({ topic: 'orders', partition: 0 })).toBe(1)
    const ending = new AbortController()
    await consumer.run({
      signal: ending.signal,
      eachMessage: ({ value }) => {
        seen.push(value)
        if (seen.length === 12) ending.abort()
      },
    })
    // Every message once: what was processed before the error does not come again.
    expect([...seen].sort()).toEqual(
      [0, 1, 2].flatMap((partition) => [0, 1, 2, 3].map((offset) => `${partition}/${offset}`)),
    )
  })

  it('hands a batch out again whose handler has failed', async () => {
    const consumer = await consume()
    const offsets: number[][] = []
    const attempt = consumer.run({
      eachBatch: ({ messages }) => {
        offsets.push(messages.map(({ offset }) => offset))
        throw new Error('no')
      },
    })
    await expect(attempt).rejects.toThrow('no')
    expect(offsets).toEqual([[0, 1, 2, 3]])
    expect(await consumer.position({ topic: 'orders', partition: 0 })).toBe(0)
  })

  it('stops between two messages when the signal aborts', async () => {
    const consumer = await consume()
    const ending = new AbortController()
    const seen: string[] = []
    await consumer.run({
      signal: ending.signal,
      eachMessage: ({ value }) => {
        seen.push(value)
        ending.abort()
      },
    })
    expect(seen).toHaveLength(1)
  })

  const handler = (): void => undefined
  it.each([
    [{}, 'INVALID_ARGUMENT'],
    [{ eachMessage: handler, eachBatch: handler }, 'INVALID_ARGUMENT'],
    [{ eachMessage: 'print' }, 'INVALID_ARGUMENT'],
    [{ eachMessage: handler, partitionsConsumedConcurrently: 0 }, 'INVALID_ARGUMENT'],
    [{ eachMesage: handler }, 'UNKNOWN_OPTION'],
  ])('refuses %o', async (options, code) => {
    const consumer = await consume()
    await expect(consumer.run(options as RunOptions<Text>)).rejects.toMatchObject({ code })
  })
})
