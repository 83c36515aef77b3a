/** The consumer's metrics, against leaders that do what the test says, in virtual time. */
import { afterEach, describe, expect, it } from 'vitest'
import { Consumer } from '../../../src/clients/consumer/consumer.js'
import type { ConsumerOptions } from '../../../src/clients/consumer/consumer-options.js'
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

const consume = async (options: Partial<ConsumerOptions> = {}, partitions = [1]) => {
  const leaders = new ScriptedLeaders()
  leaders.addTopic('orders', partitions)
  const clock = new ManualClock()
  const topic = topicHandle('orders', { partitionCount: partitions.length, key: string, value: string })
  const consumer = new Consumer<Text>(contextOver(leaders, clock), { assign: [topic], ...options })
  open.push(consumer)
  await turn()
  await turn()
  return { consumer, leaders, clock, messages: consumer[Symbol.asyncIterator]() }
}

const take = async (messages: AsyncIterator<Text>, count: number): Promise<void> => {
  for (let taken = 0; taken < count; taken++) await messages.next()
}

describe('the metrics of a consumer', () => {
  it('tell of fetches, and of what was consumed of them', async () => {
    const { consumer, leaders, clock, messages } = await consume()
    const batches = [batchAt(0, ['a', 'b']), batchAt(2, ['c'])]
    const sizeBytes = batches.reduce((sum, batch) => sum + batch.length, 0)
    clock.advance(12)
    leaders.waiting[0]!.answer({ 'orders-0': { records: batches } })
    await turn()
    expect(consumer.metrics().get('records-consumed-total')).toBe(0)
    await take(messages, 3)
    clock.advance(8)
    const metrics = consumer.metrics()
    const ofTopic = { topic: 'orders' }
    expect(metrics.get('fetch-latency-avg')).toBe(12)
    expect(metrics.get('fetch-latency-max')).toBe(12)
    expect(metrics.get('fetch-latency')).toMatchObject({ count: 1, sum: 12, max: 12 })
    expect(metrics.get('fetch-total')).toBe(1)
    expect(metrics.get('fetch-rate')).toBeCloseTo(1 / 30.008, 9)
    for (const tags of [{}, ofTopic]) {
      expect(metrics.get('fetch-size-avg', tags)).toBe(sizeBytes)
      expect(metrics.get('fetch-size-max', tags)).toBe(sizeBytes)
      expect(metrics.get('records-per-request-avg', tags)).toBe(3)
      expect(metrics.get('records-consumed-total', tags)).toBe(3)
      expect(metrics.get('records-consumed-rate', tags)).toBeCloseTo(3 / 30.008, 9)
      expect(metrics.get('bytes-consumed-total', tags)).toBe(sizeBytes)
    }
  })

  it('count a record once, though its chunk is given back and taken again', async () => {
    const { consumer, leaders, messages } = await consume({ maxPollRecords: 2 })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'b', 'c', 'd'])] } })
    await turn()
    await take(messages, 1)
    await messages.return!()
    expect(consumer.metrics().get('records-consumed-total')).toBe(2)
    const again = consumer[Symbol.asyncIterator]()
    await take(again, 2)
    expect(consumer.metrics().get('records-consumed-total')).toBe(2)
    await take(again, 1)
    expect(consumer.metrics().get('records-consumed-total')).toBe(4)
  })

  it('tell how far a partition is behind its end and ahead of its start', async () => {
    const { consumer, leaders, messages } = await consume()
    leaders.offsets.set('orders-0', { start: 0, end: 100 })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'b', 'c'])], highWatermark: 10 } })
    await turn()
    await take(messages, 1)
    const where = { topic: 'orders', partition: '0' }
    const metrics = consumer.metrics()
    // One was handed out: nine are left.
    expect(metrics.get('records-lag', where)).toBe(9)
    expect(metrics.get('records-lead', where)).toBe(1)
    // Measured when the chunk was taken, at offset 0.
    expect(metrics.get('records-lag-max', where)).toBe(10)
    expect(metrics.get('records-lag-max')).toBe(10)
    expect(metrics.get('records-lag-avg', where)).toBe(10)
    expect(metrics.get('records-lead-min', where)).toBe(0)
    expect(metrics.get('records-lead-min')).toBe(0)
  })

  it('tell of the partitions that it has, and of no others', async () => {
    const { consumer } = await consume({}, [1, 1])
    const metrics = consumer.metrics()
    expect(metrics.get('assigned-partitions')).toBe(2)
    const lags = metrics.all.filter(({ name }) => name === 'records-lag')
    expect(lags.map(({ tags }) => tags)).toEqual([
      { 'client-id': 'test-consumer-1', topic: 'orders', partition: '0' },
      { 'client-id': 'test-consumer-1', topic: 'orders', partition: '1' },
    ])
    // Nobody told it where the partition ends.
    expect(lags.map(({ value }) => value)).toEqual([NaN, NaN])
  })

  it('tell of no group where there is none', async () => {
    const { consumer } = await consume()
    expect(consumer.metrics().get('rebalance-total')).toBeUndefined()
    expect(consumer.metrics().get('commit-total')).toBe(0)
  })
})
