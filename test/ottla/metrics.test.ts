/** `ottla.metrics()`: what goes through it is counted by the producer, the broker and the consumer alike. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { Ottla, string, type HistogramSnapshot, type Meter, type Topic } from '../../src/index.js'
import { turn } from '../support/client-context.js'
import { ManualClock } from '../support/manual-clock.js'

let clock: ManualClock
let ottla: Ottla

beforeEach(async () => {
  clock = new ManualClock()
  ottla = await Ottla.open({ clock, clientId: 'shop' })
})
afterEach(() => ottla.close())

const fill = async (name: string, count: number): Promise<Topic<Uint8Array, string>> => {
  const topic = await ottla.createTopic(name, { value: string })
  const records = Array.from({ length: count }, (_, index) => ({ value: `value ${index}` }))
  await ottla.producer().send(topic, records)
  return topic
}

describe('the metrics of an Ottla', () => {
  it('are those of its broker and of its clients, and agree', async () => {
    const topic = await fill('orders', 10)
    const consumer = ottla.consumer({ assign: [topic] })
    const messages = consumer[Symbol.asyncIterator]()
    for (let count = 0; count < 10; count++) await messages.next()
    const { sizeBytes } = await ottla.inspect('orders')
    await clock.advanceAsync(10_000)
    await turn()
    const metrics = ottla.metrics()
    const ofTopic = { topic: 'orders' }
    expect(metrics.get('MessagesInPerSec')).toEqual({ count: 10, rate: 10 / 40 })
    expect(metrics.get('BytesInPerSec', ofTopic)).toEqual({ count: sizeBytes, rate: sizeBytes / 40 })
    expect(metrics.get('BytesOutPerSec', ofTopic)?.count).toBe(sizeBytes)
    expect(metrics.get('byte-total', { ...ofTopic, 'client-id': 'shop-producer-1' })).toBe(sizeBytes)
    expect(metrics.get('bytes-consumed-total', { 'client-id': 'shop-consumer-2' })).toBe(sizeBytes)
    expect(metrics.get('records-consumed-total')).toBe(10)
    const log = { topic: 'orders', partition: '0' }
    expect(metrics.get('Size', log)).toBe(sizeBytes)
    expect(metrics.get('LogStartOffset', log)).toBe(0)
    expect(metrics.get('LogEndOffset', log)).toBe(10)
    expect(metrics.get('GlobalTopicCount')).toBe(1)
    expect(metrics.get('GlobalPartitionCount')).toBe(1)
    expect(metrics.get('OfflinePartitionsCount')).toBe(0)
    expect(metrics.get('RequestsPerSec', { request: 'Produce' })?.count).toBe(1)
    expect(metrics.get('TotalTimeMs', { request: 'Produce' })?.count).toBe(1)
    // The consumer waits for more.
    expect(metrics.get('NumDelayedOperations')).toBe(1)
  })

  it('count what was refused', async () => {
    const topic = await fill('orders', 1)
    const producer = ottla.producer()
    await ottla.admin.alterConfigs({ type: 'topic', name: 'orders' }, { 'max.message.bytes': 100 })
    await expect(producer.send(topic, { value: 'x'.repeat(1000) })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    })
    expect(ottla.metrics().get('FailedProduceRequestsPerSec', { topic: 'orders' })?.count).toBe(1)
    expect(ottla.metrics().get('TotalProduceRequestsPerSec', { topic: 'orders' })?.count).toBe(2)
  })

  it('tell of a group and of its members', async () => {
    const topic = await fill('orders', 3)
    const consumer = await ottla.consumerGroup('billing', { topics: [topic] }).join()
    const messages = consumer[Symbol.asyncIterator]()
    for (let count = 0; count < 3; count++) await messages.next()
    await consumer.commit()
    clock.advance(5000)
    const metrics = ottla.metrics()
    const member = { 'client-id': 'shop-consumer-billing-2' }
    expect(consumer.clientId).toBe(member['client-id'])
    expect(metrics.get('NumGroups')).toBe(1)
    expect(metrics.get('NumGroupsStable')).toBe(1)
    expect(metrics.get('assigned-partitions', member)).toBe(1)
    expect(metrics.get('commit-total', member)).toBe(1)
    expect(metrics.get('rebalance-total', member)).toBe(1)
    expect(metrics.get('last-rebalance-seconds-ago', member)).toBe(5)
    await clock.advanceAsync(10)
    expect(ottla.metrics().get('heartbeat-total', member)).toBeGreaterThan(0)
    await consumer.close()
    expect(ottla.metrics().get('assigned-partitions', member)).toBeUndefined()
    expect(ottla.metrics().get('NumGroupsEmpty')).toBe(1)
  })

  it('forget topics that are deleted', async () => {
    await fill('orders', 1)
    await ottla.admin.deleteTopics(['orders'])
    const brokers = ottla.metrics().all.filter(({ tags }) => tags['client-id'] === undefined)
    expect(brokers.filter(({ tags }) => tags.topic === 'orders')).toEqual([])
  })

  it('tell of a thousand partitions at most, and count the others', async () => {
    const many = await ottla.createTopic('many', { partitions: 1200, value: string })
    await ottla.inspect()
    await turn()
    const consumer = ottla.consumer({ assign: [many] })
    const sizes = ottla.metrics().all.filter(({ name }) => name === 'Size')
    const lags = consumer.metrics().all.filter(({ name }) => name === 'records-lag')
    expect([sizes.length, lags.length]).toEqual([1000, 1000])
    expect(ottla.metrics().get('GlobalPartitionCount')).toBe(1200)
    expect(consumer.metrics().get('assigned-partitions')).toBe(1200)
  })

  it('have types by their names', () => {
    const metrics = ottla.metrics()
    expectTypeOf(metrics.get('MessagesInPerSec')).toEqualTypeOf<Meter | undefined>()
    expectTypeOf(metrics.get('record-send-rate')).toEqualTypeOf<number | undefined>()
    expectTypeOf(metrics.get('TotalTimeMs')).toEqualTypeOf<HistogramSnapshot | undefined>()
    // @ts-expect-error there is none of this name
    expect(metrics.get('records-sent')).toBeUndefined()
  })
})
