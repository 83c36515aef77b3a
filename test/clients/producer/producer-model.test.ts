/** Whatever goes wrong between them and the broker: records are stored once, in order, and where the producer says. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { RecordMetadata } from '../../../src/clients/producer/delivery.js'
import { Producer } from '../../../src/clients/producer/producer.js'
import { string } from '../../../src/clients/serdes/string.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { NaiveLeader } from '../../support/naive-leader.js'
import { ScriptedNetwork, type PendingProduce } from '../../support/scripted-cluster.js'
import { SeededRandom } from '../../support/seeded-random.js'

const PARTITION_COUNT = 2

interface Sent {
  readonly value: string
  readonly partition: number
  metadata?: RecordMetadata
  error?: unknown
}

/** What a run may meet, by how likely it is. */
interface Faults {
  /** Refused before it was stored, with a retriable error. */
  readonly refused: number
  /** Stored, but the answer is lost. */
  readonly lost: number
  /** Never answered; stored or not. */
  readonly silent: number
  /** The broker forgets its producers. */
  readonly forgotten?: number
  readonly maxMessageBytes?: number
}

const run = async (seed: number, recordCount: number, options: object, faults: Faults) => {
  const random = new SeededRandom(seed)
  const clock = new ManualClock()
  const network = new ScriptedNetwork()
  network.addTopic('orders', [1, 1])
  const orders = topicHandle('orders', { partitionCount: PARTITION_COUNT, key: string, value: string })
  const leader = new NaiveLeader()
  leader.maxMessageBytes = faults.maxMessageBytes ?? Infinity
  const producer = new Producer(contextOver(network, clock), {
    batchSize: 200,
    retryBackoffMs: 5,
    ...options,
  })
  const waiting: PendingProduce[] = []
  network.autoAnswer = (pending) => waiting.push(pending)

  const meet = (pending: PendingProduce): void => {
    if (random.next() < (faults.forgotten ?? 0)) leader.forgetProducers()
    const chance = random.next()
    if (chance < faults.silent) {
      if (random.next() < 0.5) leader.handle(pending)
    } else if (chance < faults.silent + faults.lost) {
      leader.handle(pending)
      pending.fail(new OttlaError('NETWORK_EXCEPTION'))
    } else pending.answer(...leader.handle(pending, () => random.next() >= faults.refused))
  }

  const sent: Sent[] = []
  const outcomes: Promise<unknown>[] = []
  const send = (): void => {
    const count = random.oneOf([1, 1, 1, 5, 12])
    const records: Sent[] = Array.from({ length: count }, () => ({
      value: `v${sent.length}-${'x'.repeat(random.below(30))}`,
      partition: random.below(PARTITION_COUNT),
    })).map((record, index) => ({ ...record, value: `${sent.length + index}:${record.value}` }))
    sent.push(...records)
    const input = records.map(({ value, partition }) => ({ value, partition }))
    outcomes.push(
      (count === 1
        ? producer.send(orders, input[0]!).then((metadata) => [metadata])
        : producer.send(orders, input)
      ).then(
        (metadata) => records.forEach((record, index) => (record.metadata = metadata[index]!)),
        (error: unknown) => records.forEach((record) => (record.error = error)),
      ),
    )
  }
  while (sent.length < recordCount) {
    send()
    if (random.next() < 0.3) await turn()
    // A broker carries out the requests of a connection in their order.
    while (waiting.length > 0 && random.next() < 0.6) meet(waiting.shift()!)
    if (random.next() < 0.2) await clock.advanceAsync(random.below(20))
  }
  const state = { isOver: false }
  const closed = producer.close().then(() => (state.isOver = true))
  for (let count = 0; count < 5000 && !state.isOver; count++) {
    await turn()
    while (waiting.length > 0) meet(waiting.shift()!)
    await clock.advanceAsync(50)
  }
  expect(state.isOver).toBe(true)
  await closed
  await Promise.all(outcomes)
  return { sent, leader, clock }
}

const positions = (stored: readonly string[], values: readonly string[]): number[] =>
  values.map((value) => stored.indexOf(value))

const rising = (numbers: readonly number[]): boolean =>
  numbers.every((number, index) => index === 0 || number > numbers[index - 1]!)

describe('a producer and a broker between which things go wrong', () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 })

  test.prop([seeds, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 10 })], { numRuns: 60 })(
    'stores every record once, in order, where it says',
    async (seed, maxInFlightRequestsPerConnection, lingerMs) => {
      const { sent, leader } = await run(
        seed,
        80,
        { maxInFlightRequestsPerConnection, lingerMs, requestTimeoutMs: 500 },
        { refused: 0.15, lost: 0.1, silent: 0.05 },
      )
      for (const { error } of sent) expect(error).toBeUndefined()
      for (let partition = 0; partition < PARTITION_COUNT; partition++) {
        const own = sent.filter((record) => record.partition === partition)
        expect(leader.valuesOf(partition)).toEqual(own.map(({ value }) => value))
        expect(own.map(({ metadata }) => metadata!.offset)).toEqual(own.map((_, offset) => offset))
        for (const { metadata } of own) expect(metadata).toMatchObject({ topic: 'orders', partition })
      }
    },
  )

  test.prop([seeds], { numRuns: 40 })(
    'keeps the order though some records are given up, and stores none twice',
    async (seed) => {
      const { sent, leader } = await run(
        seed,
        80,
        { retries: 1, requestTimeoutMs: 100, deliveryTimeoutMs: 300 },
        { refused: 0.3, lost: 0.1, silent: 0.1 },
      )
      for (let partition = 0; partition < PARTITION_COUNT; partition++) {
        const stored = leader.valuesOf(partition)
        expect(new Set(stored).size).toBe(stored.length)
        const acknowledged = sent.filter(
          (record) => record.partition === partition && record.metadata !== undefined,
        )
        const places = positions(
          stored,
          acknowledged.map(({ value }) => value),
        )
        expect(places).toEqual(acknowledged.map(({ metadata }) => metadata!.offset))
        expect(rising(places)).toBe(true)
      }
    },
  )

  test.prop([seeds], { numRuns: 40 })('splits batches that are too large for the topic', async (seed) => {
    const { sent, leader } = await run(
      seed,
      60,
      { batchSize: 1000, requestTimeoutMs: 500 },
      { refused: 0.1, lost: 0.1, silent: 0, maxMessageBytes: 250 },
    )
    for (let partition = 0; partition < PARTITION_COUNT; partition++) {
      const own = sent.filter((record) => record.partition === partition)
      for (const { error } of own) expect(error).toBeUndefined()
      expect(leader.valuesOf(partition)).toEqual(own.map(({ value }) => value))
      expect(own.map(({ metadata }) => metadata!.offset)).toEqual(own.map((_, offset) => offset))
    }
  })

  test.prop([seeds], { numRuns: 30 })('keeps the order without idempotence', async (seed) => {
    const { sent, leader } = await run(
      seed,
      60,
      { enableIdempotence: false },
      { refused: 0.2, lost: 0, silent: 0 },
    )
    for (let partition = 0; partition < PARTITION_COUNT; partition++) {
      const own = sent.filter((record) => record.partition === partition)
      expect(leader.valuesOf(partition)).toEqual(own.map(({ value }) => value))
    }
  })

  test.prop([seeds], { numRuns: 30 })('keeps the order when sends wait for room', async (seed) => {
    const { sent, leader } = await run(
      seed,
      80,
      { bufferMemory: 600, lingerMs: 5 },
      { refused: 0.1, lost: 0.05, silent: 0 },
    )
    for (let partition = 0; partition < PARTITION_COUNT; partition++) {
      const own = sent.filter((record) => record.partition === partition)
      for (const { error } of own) expect(error).toBeUndefined()
      expect(leader.valuesOf(partition)).toEqual(own.map(({ value }) => value))
    }
  })
})
