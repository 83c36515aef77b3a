/** What a producer lets be in flight together, and what it leaves to the event loop. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Producer } from '../../../src/clients/producer/producer.js'
import type { ProducerOptions } from '../../../src/clients/producer/producer-options.js'
import type { ClientContext } from '../../../src/clients/context.js'
import { bytes } from '../../../src/clients/serdes/bytes.js'
import type { Serde } from '../../../src/clients/serdes/serde.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { ScriptedNetwork, type PendingProduce } from '../../support/scripted-cluster.js'

const NOT_LEADER_OR_FOLLOWER = 6
const NOT_ENOUGH_REPLICAS = 19
const MESSAGE_TOO_LARGE = 10

let clock: ManualClock
let network: ScriptedNetwork
let context: ClientContext
let producer: Producer

const open = (options: ProducerOptions = {}): Producer =>
  (producer = new Producer(context, { batchSize: 100, retryBackoffMs: 10, ...options }))

beforeEach(() => {
  clock = new ManualClock()
  network = new ScriptedNetwork([1, 2])
  context = contextOver(network, clock)
})

afterEach(async () => {
  network.autoAnswer = (pending) => pending.answer()
  for (const pending of network.produced) pending.answer()
  const closed = producer.close()
  await clock.advanceAsync(600_000)
  await closed
})

/** Batches of one record each: two do not fit into batchSize. */
const sendBatches = (count: number): Promise<unknown> => {
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < count; i++)
    sends.push(producer.send(topicHandle('t'), { value: new Uint8Array(60), partition: 0 }))
  return Promise.all(sends)
}

/** The first sequence number of each batch that was sent since `from`. */
const sequencesFrom = (from: number): number[] =>
  network.produced.slice(from).map(({ batches }) => batches[0]!.baseSequence)

/** The first batch of an identity goes alone; after it, several may. */
const establish = async (): Promise<void> => {
  const sent = sendBatches(1)
  await turn()
  network.produced[0]!.answer({ baseOffset: 0 })
  await sent
}

describe('in flight together are', () => {
  it('five, and no more than the broker remembers though the oldest alone is unanswered', async () => {
    network.addTopic('t')
    open()
    await establish()
    const sent = sendBatches(9)
    await turn()
    expect(sequencesFrom(1)).toEqual([1, 2, 3, 4, 5])
    // All but the oldest are answered. A sixth would have the broker forget it, should its answer be lost.
    for (const pending of network.produced.slice(2)) pending.answer({ baseOffset: 1 })
    await turn()
    expect(sequencesFrom(1)).toEqual([1, 2, 3, 4, 5])
    network.produced[1]!.answer({ baseOffset: 1 })
    await turn()
    expect(sequencesFrom(6)).toEqual([6, 7, 8, 9])
    for (const pending of network.produced.slice(6)) pending.answer({ baseOffset: 6 })
    await sent
  })

  it('not a batch that is sent again and those that were sent after it', async () => {
    network.addTopic('t')
    open()
    await establish()
    const sent = sendBatches(3)
    await turn()
    network.produced[1]!.answer({ errorCode: NOT_ENOUGH_REPLICAS })
    await clock.advanceAsync(50)
    expect(network.produced).toHaveLength(4)
    for (const pending of network.produced.slice(2)) pending.answer({ errorCode: 45 })
    await clock.advanceAsync(200)
    expect(sequencesFrom(4)).toEqual([1])
    network.autoAnswer = (pending) => pending.answer({ baseOffset: 1 })
    network.produced[4]!.answer({ baseOffset: 1 })
    await clock.advanceAsync(5000)
    expect(sequencesFrom(4)).toEqual([1, 2, 3])
    await sent
  })

  it('not batches to two brokers, of which the new leader may be the faster one', async () => {
    network.addTopic('t', [1, 1])
    open()
    await establish()
    const handle = topicHandle('t', { partitionCount: 2 })
    const first = producer.send(handle, { value: new Uint8Array(60), partition: 0 })
    const other = producer.send(handle, { value: new Uint8Array(60), partition: 1 })
    await turn()
    network.topics.get('t')!.leaders = [2, 2]
    const [both] = network.produced.slice(1) as [PendingProduce]
    expect(both.batches.map(({ partition }) => partition)).toEqual([0, 1])
    // Partition 1 learns of the new leader in another request, while partition 0 still waits for the old one.
    context.cluster.invalidate('t')
    await context.cluster.leader('t', 0)
    const second = producer.send(handle, { value: new Uint8Array(60), partition: 0 })
    await turn()
    expect(network.produced).toHaveLength(2)
    both.answer({ errorCode: NOT_LEADER_OR_FOLLOWER })
    network.autoAnswer = (pending) => pending.answer({ baseOffset: 5 })
    await clock.advanceAsync(5000)
    await Promise.all([first, other, second])
    const toPartition0 = network.produced
      .slice(2)
      .flatMap(({ nodeId, batches }) => batches.map((batch) => ({ nodeId, ...batch })))
      .filter(({ partition }) => partition === 0)
    expect(toPartition0.map(({ nodeId, baseSequence }) => [nodeId, baseSequence])).toEqual([
      [2, 1],
      [2, 2],
    ])
  })
})

describe('a batch that is too large for the topic', () => {
  it('is sent in halves, and what is too large by itself is told alone', async () => {
    network.addTopic('t')
    open({ batchSize: 10_000 })
    network.autoAnswer = (pending) => {
      const tooLarge = pending.batches[0]!.sizeBytes > 200
      pending.answer(tooLarge ? { errorCode: MESSAGE_TOO_LARGE } : { baseOffset: 7 })
    }
    const topic = topicHandle('t')
    const outcomes = Promise.allSettled(
      [50, 50, 50, 500, 50].map((size) => producer.send(topic, { value: new Uint8Array(size) })),
    )
    await clock.advanceAsync(5000)
    const codes = (await outcomes).map((outcome) =>
      outcome.status === 'fulfilled' ? 'stored' : (outcome.reason as { code: string }).code,
    )
    expect(codes).toEqual(['stored', 'stored', 'stored', 'MESSAGE_TOO_LARGE', 'stored'])
  })

  it('keeps flush waiting until its halves are stored', async () => {
    network.addTopic('t')
    open({ batchSize: 10_000 })
    const topic = topicHandle('t')
    const sent = producer.send(
      topic,
      Array.from({ length: 4 }, () => ({ value: new Uint8Array(50) })),
    )
    let isFlushed = false
    const flushed = producer.flush().then(() => (isFlushed = true))
    await turn()
    network.produced[0]!.answer({ errorCode: MESSAGE_TOO_LARGE })
    await turn()
    expect(network.produced).toHaveLength(2)
    expect(network.produced[1]!.batches[0]).toMatchObject({ baseSequence: 0, recordCount: 2 })
    expect(isFlushed).toBe(false)
    network.produced[1]!.answer({ baseOffset: 0 })
    await turn()
    expect(network.produced[2]!.batches[0]).toMatchObject({ baseSequence: 2, recordCount: 2 })
    expect(isFlushed).toBe(false)
    network.produced[2]!.answer({ baseOffset: 2 })
    await flushed
    expect((await sent).map(({ offset }) => offset)).toEqual([0, 1, 2, 3])
  })
})

describe('a large array', () => {
  /** A serde that takes its time: a millisecond of the test's clock per record. */
  const slow: Serde<number> = {
    name: 'slow',
    serialize(value) {
      clock.advance(1)
      if (value < 0) throw new Error('no good')
      return Uint8Array.of(value >> 8, value & 255)
    },
    deserialize: () => 0,
  }
  const numbers = (count: number): { value: number }[] =>
    Array.from({ length: count }, (_, value) => ({ value }))

  it('gives the event loop its turn, and no later send overtakes it', async () => {
    network.addTopic('t')
    open({ batchSize: 100_000 })
    network.autoAnswer = (pending) => pending.answer({ baseOffset: pending.batches[0]!.baseSequence })
    const topic = topicHandle('t', { key: bytes, value: slow })
    const startedAt = clock.monotonic()
    const large = producer.send(topic, numbers(1000))
    const encodedAtOnce = clock.monotonic() - startedAt
    // It looks at the clock after every 64 records.
    expect(encodedAtOnce).toBe(64)
    const later = producer.send(topic, { value: 1 })
    for (let i = 0; i < 100; i++) await turn()
    expect((await large).map(({ offset }) => offset)).toEqual(numbers(1000).map(({ value }) => value))
    expect((await later).offset).toBe(1000)
  })

  it('of which a late record is bad is not sent at all, and holds nobody up', async () => {
    network.addTopic('t')
    open()
    network.autoAnswer = (pending) => pending.answer({ baseOffset: pending.batches[0]!.baseSequence })
    const topic = topicHandle('t', { key: bytes, value: slow })
    const large = producer.send(topic, [...numbers(900), { value: -1 }])
    const later = producer.send(topic, { value: 1 })
    const refused = expect(large).rejects.toMatchObject({
      code: 'SERIALIZATION_FAILED',
      details: { index: 900, topic: 't' },
    })
    for (let i = 0; i < 100; i++) await turn()
    await refused
    expect((await later).offset).toBe(0)
  })
})

it('partitions that were added since the handle was made get records, too', async () => {
  network.addTopic('t', [1])
  open()
  network.autoAnswer = (pending) => pending.answer()
  const handle = topicHandle('t', { partitionCount: 1 })
  await producer.send(handle, { value: new Uint8Array(1) })
  await expect(producer.send(handle, { value: new Uint8Array(1), partition: 1 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
  network.topics.get('t')!.leaders = [1, 1]
  context.cluster.invalidate('t')
  await context.cluster.topic('t')
  await expect(producer.send(handle, { value: new Uint8Array(1), partition: 1 })).resolves.toMatchObject({
    partition: 1,
  })
})
