/** The producer's metrics, over a scripted cluster in virtual time: what each of them counts, and beside a naive model. */
import { fc, test } from '@fast-check/vitest'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProducerMetrics } from '../../../src/clients/producer/producer-metrics.js'
import type { ProducerOptions } from '../../../src/clients/producer/producer-options.js'
import { Producer } from '../../../src/clients/producer/producer.js'
import { HEADER_BYTES } from '../../../src/record/header.js'
import type { Metrics } from '../../../src/runtime/metrics/metrics.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { ScriptedNetwork } from '../../support/scripted-cluster.js'

/** Kafka's error codes. */
const KAFKA = { NOT_ENOUGH_REPLICAS: 19, TOPIC_AUTHORIZATION_FAILED: 29, MESSAGE_TOO_LARGE: 10 }

const open: {
  readonly producer: Producer
  readonly network: ScriptedNetwork
  readonly clock: ManualClock
}[] = []
afterEach(async () => {
  for (const { producer, network, clock } of open.splice(0)) {
    network.autoAnswer = (pending) => pending.answer()
    for (const pending of network.produced) pending.answer()
    const closed = producer.close()
    await clock.advanceAsync(600_000)
    await closed
  }
})

const world = (options: ProducerOptions = {}, topics = ['orders']) => {
  const clock = new ManualClock()
  const network = new ScriptedNetwork()
  for (const topic of topics) network.addTopic(topic)
  const producer = new Producer(contextOver(network, clock), { enableIdempotence: false, ...options })
  open.push({ producer, network, clock })
  return { clock, network, producer }
}

const orders = topicHandle('orders')
/** The figures of these names, as an object. */
const figures = (
  metrics: Metrics<ProducerMetrics>,
  names: readonly (keyof ProducerMetrics)[],
  tags?: Readonly<Record<string, string>>,
): Record<string, unknown> => Object.fromEntries(names.map((name) => [name, metrics.get(name, tags)]))

/** A record without key and headers: varint length, attributes, timestamp, offset, key, value, header count. */
const recordBytes = (valueBytes: number): number => valueBytes + 6 + (valueBytes < 64 ? 1 : 2)

describe('the metrics of a producer', () => {
  it('tell of batches, requests and the time that they take', async () => {
    const { clock, network, producer } = world()
    const sent = producer.send(
      orders,
      Array.from({ length: 3 }, () => ({ value: new Uint8Array(40) })),
    )
    await turn()
    expect(producer.metrics().get('requests-in-flight')).toBe(1)
    expect(producer.metrics().get('buffer-available-bytes')).toBeLessThan(33_554_432 - 3 * 40)
    clock.advance(7)
    network.produced[0]!.answer({ baseOffset: 0 })
    await sent
    clock.advance(3)
    const [batch] = network.produced[0]!.batches
    const metrics = producer.metrics()
    expect(batch!.sizeBytes).toBe(HEADER_BYTES + 3 * recordBytes(40))
    expect(
      figures(metrics, [
        'record-send-total',
        'record-send-rate',
        'records-per-request-avg',
        'batch-size-avg',
        'batch-size-max',
        'compression-rate-avg',
        'record-queue-time-avg',
        'request-latency-avg',
        'request-latency-max',
        'requests-in-flight',
        'buffer-total-bytes',
        'buffer-available-bytes',
        'record-error-total',
        'record-retry-total',
      ]),
    ).toEqual({
      'record-send-total': 3,
      'record-send-rate': 3 / 30.01,
      'records-per-request-avg': 3,
      'batch-size-avg': batch!.sizeBytes,
      'batch-size-max': batch!.sizeBytes,
      'compression-rate-avg': 1,
      'record-queue-time-avg': 0,
      'request-latency-avg': 7,
      'request-latency-max': 7,
      'requests-in-flight': 0,
      'buffer-total-bytes': 33_554_432,
      'buffer-available-bytes': 33_554_432,
      'record-error-total': 0,
      'record-retry-total': 0,
    })
    expect(metrics.get('request-latency')).toMatchObject({ count: 1, sum: 7, min: 7, max: 7, p99: 7 })
    expect(metrics.get('byte-total', { topic: 'orders' })).toBe(batch!.sizeBytes)
  })

  it('are called as in Kafka, with what they belong to', async () => {
    const { network, producer } = world()
    network.autoAnswer = (pending) => pending.answer()
    await producer.send(orders, { value: new Uint8Array(1) })
    const named = [...producer.metrics()].filter(({ name }) => name === 'record-send-total')
    expect(named).toEqual([
      {
        group: 'producer-metrics',
        name: 'record-send-total',
        tags: { 'client-id': 'test-producer-1' },
        value: 1,
      },
      {
        group: 'producer-topic-metrics',
        name: 'record-send-total',
        tags: { 'client-id': 'test-producer-1', topic: 'orders' },
        value: 1,
      },
    ])
    expect(producer.clientId).toBe('test-producer-1')
  })

  it('tell how long a batch lingered', async () => {
    const { clock, network, producer } = world({ lingerMs: 20 })
    network.autoAnswer = (pending) => pending.answer()
    const sent = producer.send(orders, { value: new Uint8Array(1) })
    await clock.advanceAsync(20)
    await sent
    expect(producer.metrics().get('record-queue-time-max')).toBe(20)
  })

  it('count what is sent again, and what fails', async () => {
    const { clock, network, producer } = world({ retryBackoffMs: 5 })
    const again = producer.send(orders, [{ value: new Uint8Array(1) }, { value: new Uint8Array(1) }])
    await turn()
    network.produced[0]!.answer({ errorCode: KAFKA.NOT_ENOUGH_REPLICAS })
    await clock.advanceAsync(1000)
    network.produced[1]!.answer({ baseOffset: 0 })
    await again
    const failed = producer.send(orders, { value: new Uint8Array(1) })
    await turn()
    network.produced[2]!.answer({ errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED })
    await expect(failed).rejects.toThrow()
    const names = ['record-send-total', 'record-retry-total', 'record-error-total'] as const
    const expected = { 'record-send-total': 5, 'record-retry-total': 2, 'record-error-total': 1 }
    expect(figures(producer.metrics(), names)).toEqual(expected)
    expect(figures(producer.metrics(), names, { topic: 'orders' })).toEqual(expected)
  })

  it('count batches that were cut in halves', async () => {
    const { network, producer } = world()
    const sent = producer.send(orders, [{ value: new Uint8Array(9) }, { value: new Uint8Array(9) }])
    await turn()
    network.autoAnswer = (pending) => pending.answer()
    network.produced[0]!.answer({ errorCode: KAFKA.MESSAGE_TOO_LARGE })
    await sent
    expect(producer.metrics().get('batch-split-total')).toBe(1)
  })

  it('tell how small compression makes batches', async () => {
    const { network, producer } = world({ compressionType: 'gzip' })
    network.autoAnswer = (pending) => pending.answer()
    await producer.send(orders, { value: new Uint8Array(5000) })
    const plainBytes = HEADER_BYTES + recordBytes(5000) + 1
    const metrics = producer.metrics()
    const ratio = network.produced[0]!.batches[0]!.sizeBytes / plainBytes
    expect(metrics.get('compression-rate-avg')).toBeCloseTo(ratio, 3)
    expect(metrics.get('compression-rate', { topic: 'orders' })).toBeCloseTo(ratio, 3)
  })

  it('tell how long sends waited for room, and which found none', async () => {
    const { clock, network, producer } = world({ bufferMemory: 100, maxBlockMs: 50 })
    const first = producer.send(orders, { value: new Uint8Array(80) })
    const second = producer.send(orders, { value: new Uint8Array(80) })
    await turn()
    expect(producer.metrics().get('waiting-threads')).toBe(1)
    await clock.advanceAsync(15)
    network.produced[0]!.answer({ baseOffset: 0 })
    await first
    await turn()
    expect(producer.metrics().get('bufferpool-wait-time-ns-total')).toBe(15_000_000)
    expect(producer.metrics().get('bufferpool-wait-ratio')).toBeCloseTo(0.015 / 30, 9)
    const third = producer.send(orders, { value: new Uint8Array(80) })
    const refused = expect(third).rejects.toMatchObject({ code: 'BUFFER_EXHAUSTED' })
    await clock.advanceAsync(50)
    await refused
    expect(producer.metrics().get('buffer-exhausted-total')).toBe(1)
    expect(producer.metrics().get('waiting-threads')).toBe(0)
    network.produced[1]!.answer({ baseOffset: 1 })
    await second
  })

  it('tell how long flush took', async () => {
    const { clock, network, producer } = world({ lingerMs: 1000 })
    const sent = producer.send(orders, { value: new Uint8Array(1) })
    await turn()
    const flushed = producer.flush()
    await turn()
    clock.advance(4)
    network.produced[0]!.fail(new OttlaError('TOPIC_AUTHORIZATION_FAILED'))
    await expect(sent).rejects.toThrow()
    await flushed
    expect(producer.metrics().get('flush-time-ns-total')).toBe(4_000_000)
  })

  const step = fc.record({
    topic: fc.constantFrom('a', 'b', 'c'),
    count: fc.integer({ min: 1, max: 20 }),
    latency: fc.integer({ min: 0, max: 50 }),
    pause: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 40_000 })),
    isRefused: fc.boolean(),
  })
  test.prop([fc.array(step, { minLength: 1, maxLength: 15 })], { numRuns: 60 })(
    'come to what a list of all that was sent comes to',
    async (steps) => {
      const { clock, network, producer } = world({}, ['a', 'b', 'c'])
      const sent: { topic: string; count: number; bytes: number; latency: number; isRefused: boolean }[] = []
      for (const { topic, count, latency, pause, isRefused } of steps) {
        const records = Array.from({ length: count }, () => ({ value: new Uint8Array(10) }))
        const sending = producer.send(topicHandle(topic), records)
        const settled = sending.then(
          () => undefined,
          () => undefined,
        )
        await turn()
        const pending = network.produced.at(-1)!
        clock.advance(latency)
        pending.answer(isRefused ? { errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED } : { baseOffset: 0 })
        await settled
        sent.push({ topic, count, bytes: pending.batches[0]!.sizeBytes, latency, isRefused })
        clock.advance(pause)
      }
      const metrics = producer.metrics()
      const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
      const latencies = metrics.get('request-latency')
      expect(latencies).toMatchObject({ count: sent.length, sum: sum(sent.map(({ latency }) => latency)) })
      expect(metrics.get('record-send-total')).toBe(sum(sent.map(({ count }) => count)))
      for (const topic of ['a', 'b', 'c']) {
        const ofTopic = sent.filter((batch) => batch.topic === topic)
        const refused = ofTopic.filter(({ isRefused }) => isRefused)
        const expected =
          ofTopic.length === 0
            ? { 'record-send-total': undefined, 'byte-total': undefined, 'record-error-total': undefined }
            : {
                'record-send-total': sum(ofTopic.map(({ count }) => count)),
                'byte-total': sum(ofTopic.map(({ bytes }) => bytes)),
                'record-error-total': sum(refused.map(({ count }) => count)),
              }
        const names = ['record-send-total', 'byte-total', 'record-error-total'] as const
        expect(figures(metrics, names, { topic })).toEqual(expected)
      }
    },
  )
})
