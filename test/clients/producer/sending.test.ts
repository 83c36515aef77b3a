/** What a producer sends, and when: batches, order, retries, timeouts and bounds, against a scripted cluster. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Producer } from '../../../src/clients/producer/producer.js'
import type { ProducerOptions } from '../../../src/clients/producer/producer-options.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { ScriptedNetwork } from '../../support/scripted-cluster.js'

const KAFKA = {
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  MESSAGE_TOO_LARGE: 10,
  NOT_ENOUGH_REPLICAS: 19,
  TOPIC_AUTHORIZATION_FAILED: 29,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  UNKNOWN_PRODUCER_ID: 59,
}

const value = (size: number): { value: Uint8Array } => ({ value: new Uint8Array(size) })

let clock: ManualClock
let network: ScriptedNetwork
let producers: Producer[]

beforeEach(() => {
  clock = new ManualClock()
  network = new ScriptedNetwork()
  network.addTopic('t', [1])
  producers = []
})

afterEach(async () => {
  network.autoAnswer = (pending) => pending.answer()
  for (const pending of network.produced) pending.answer()
  const closing = Promise.all(producers.map((producer) => producer.close()))
  await clock.advanceAsync(600_000)
  await closing
})

const open = (options: ProducerOptions = {}): Producer => {
  const producer = new Producer(contextOver(network, clock), options)
  producers.push(producer)
  return producer
}

const topic = (partitionCount = 1) => topicHandle('t', { partitionCount })

/** A producer that has stored one batch, so that its identity and the leader are known: sequence 1 is next. */
const openWarm = async (options: ProducerOptions = {}): Promise<Producer> => {
  const producer = open(options)
  const first = producer.send(topic(), value(1))
  await turn()
  network.produced[0]!.answer()
  await first
  network.produced.length = 0
  network.calls.length = 0
  return producer
}

/** Sends one record in a turn of its own, so that it is a batch of its own. */
const sendBatch = async (producer: Producer): Promise<void> => {
  producer.send(topic(), value(1)).catch(() => undefined)
  await turn()
}

const outcome = async (sent: Promise<unknown>): Promise<string> => {
  let state = 'pending'
  sent.then(
    () => (state = 'stored'),
    (error: unknown) => (state = OttlaError.is(error) ? error.code : String(error)),
  )
  await turn()
  return state
}

const sequences = (): number[] =>
  network.produced.flatMap(({ batches }) => batches.map((b) => b.baseSequence))

describe('batches', () => {
  it('hold what was sent in one turn', async () => {
    const producer = await openWarm()
    const sends = Array.from({ length: 10 }, () => producer.send(topic(), value(10)))
    await turn()
    expect(network.produced.map(({ batches }) => batches.map((b) => b.recordCount))).toEqual([[10]])
    network.produced[0]!.answer({ baseOffset: 40 })
    const offsets = (await Promise.all(sends)).map(({ offset }) => offset)
    expect(offsets).toEqual([40, 41, 42, 43, 44, 45, 46, 47, 48, 49])
  })

  it('are no larger than batchSize, and a larger record is one by itself', async () => {
    const producer = await openWarm({ batchSize: 1000 })
    const sent = producer.send(topic(), [
      ...Array.from({ length: 20 }, () => value(200)),
      value(3000),
      value(1),
    ])
    network.autoAnswer = (pending) => pending.answer()
    await sent
    const batches = network.produced.flatMap(({ batches }) => batches)
    expect(batches.reduce((count, batch) => count + batch.recordCount, 0)).toBe(22)
    for (const batch of batches) expect(batch.sizeBytes <= 1000 || batch.recordCount === 1).toBe(true)
    expect(batches.some((batch) => batch.recordCount >= 3)).toBe(true)
  })

  it('wait lingerMs for more, unless they are full or flushed', async () => {
    const producer = await openWarmLingering()
    const first = producer.send(topic(), value(10))
    await clock.advanceAsync(9)
    const second = producer.send(topic(), value(10))
    expect(network.produced).toHaveLength(0)
    await clock.advanceAsync(1)
    expect(network.produced.map(({ batches }) => batches[0]!.recordCount)).toEqual([2])
    network.produced[0]!.answer()
    await Promise.all([first, second])

    const full = producer.send(
      topic(),
      Array.from({ length: 3 }, () => value(500)),
    )
    await turn()
    expect(network.produced.length).toBeGreaterThan(1)
    network.autoAnswer = (pending) => pending.answer()
    for (const pending of network.produced) pending.answer()
    await producer.flush()
    await full
  })

  const openWarmLingering = async (): Promise<Producer> => {
    const producer = open({ lingerMs: 10, batchSize: 1000 })
    const first = producer.send(topic(), value(1))
    await clock.advanceAsync(10)
    network.produced[0]!.answer()
    await first
    network.produced.length = 0
    return producer
  }

  it('of several partitions share a request to their leader', async () => {
    network.addTopic('t', [1, 1, 1])
    const producer = open()
    network.autoAnswer = (pending) => pending.answer()
    const sent = await producer.send(
      topic(3),
      [0, 1, 2, 0].map((partition) => ({ ...value(1), partition })),
    )
    expect(network.produced).toHaveLength(1)
    expect(network.produced[0]!.batches.map((b) => [b.partition, b.recordCount])).toEqual([
      [0, 2],
      [1, 1],
      [2, 1],
    ])
    expect(sent.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [0, 1],
    ])
  })

  it('tell the time that the broker gave, if it gave one', async () => {
    const producer = await openWarm()
    const sent = producer.send(topic(), [
      { ...value(1), timestamp: 5 },
      { ...value(1), timestamp: new Date(6) },
    ])
    await turn()
    network.produced[0]!.answer({ baseOffset: 0 })
    expect((await sent).map(({ timestamp }) => timestamp)).toEqual([5, 6])
    const stamped = producer.send(topic(), value(1))
    await turn()
    network.produced[1]!.answer({ logAppendTimeMs: 99 })
    expect((await stamped).timestamp).toBe(99)
  })
})

describe('turns', () => {
  it('go round: partitions whose batches fill every request starve no other', async () => {
    network.addTopic(
      't',
      Array.from({ length: 10 }, () => 1),
    )
    const producer = open({ batchSize: 500, maxRequestSize: 2000, maxInFlightRequestsPerConnection: 1 })
    network.autoAnswer = (pending) => pending.answer()
    const records = Array.from({ length: 100 }, (_, index) => ({ ...value(400), partition: index % 10 }))
    await producer.send(topic(10), records)
    const served = network.produced.map(({ batches }) => batches.map(({ partition }) => partition))
    for (const request of served) expect(request).toHaveLength(4)
    // Four to a request: after three requests all ten have been served.
    expect(new Set(served.slice(0, 3).flat()).size).toBe(10)
  })
})

describe('order', () => {
  it('is kept by sequence numbers, five requests at once', async () => {
    const producer = await openWarm()
    for (let i = 0; i < 8; i++) await sendBatch(producer)
    expect(sequences()).toEqual([1, 2, 3, 4, 5])
    network.produced[0]!.answer()
    await turn()
    // The three that waited meanwhile are one batch, or three; none may overtake.
    expect(sequences()[5]).toBe(6)
  })

  it('is kept when one of several in flight has to be sent again (P1, P2)', async () => {
    const producer = await openWarm({ retryBackoffMs: 10 })
    for (let i = 0; i < 3; i++) await sendBatch(producer)
    expect(sequences()).toEqual([1, 2, 3])
    const [a, b, c] = network.produced
    a!.answer({ errorCode: KAFKA.NOT_ENOUGH_REPLICAS })
    b!.answer({ errorCode: KAFKA.OUT_OF_ORDER_SEQUENCE_NUMBER })
    c!.answer({ errorCode: KAFKA.OUT_OF_ORDER_SEQUENCE_NUMBER })
    await turn()
    network.produced.length = 0
    network.autoAnswer = (pending) => pending.answer()
    await clock.advanceAsync(5000)
    const again = network.produced.flatMap(({ batches }) => batches)
    expect(again.map((batch) => batch.baseSequence)).toEqual([1, 2, 3])
    expect(new Set(again.map((batch) => batch.producerId)).size).toBe(1)
    expect(network.countOf('InitProducerId')).toBe(0)
  })

  it('is kept whichever answer comes first', async () => {
    const producer = await openWarm({ retryBackoffMs: 10 })
    for (let i = 0; i < 3; i++) await sendBatch(producer)
    const [a, b, c] = network.produced
    c!.answer({ errorCode: KAFKA.OUT_OF_ORDER_SEQUENCE_NUMBER })
    await turn()
    b!.answer({ errorCode: KAFKA.OUT_OF_ORDER_SEQUENCE_NUMBER })
    await turn()
    a!.answer({ errorCode: KAFKA.NOT_ENOUGH_REPLICAS })
    await turn()
    network.produced.length = 0
    network.autoAnswer = (pending) => pending.answer()
    await clock.advanceAsync(5000)
    expect(sequences()).toEqual([1, 2, 3])
  })

  it('takes a lost answer for stored, when the broker says that it is a duplicate', async () => {
    const producer = await openWarm({ retryBackoffMs: 10 })
    const sent = producer.send(topic(), value(1))
    await turn()
    network.produced[0]!.fail(new OttlaError('NETWORK_EXCEPTION'))
    await clock.advanceAsync(100)
    network.produced[1]!.answer({ errorCode: KAFKA.DUPLICATE_SEQUENCE_NUMBER })
    expect((await sent).offset).toBe(-1)
    expect(sequences()).toEqual([1, 1])
  })

  it.each(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID'] as const)(
    'goes on under a new identity after %s',
    async (code) => {
      const producer = await openWarm({ retryBackoffMs: 10 })
      for (let i = 0; i < 2; i++) await sendBatch(producer)
      const [a, b] = network.produced
      const old = a!.batches[0]!.producerId
      a!.answer({ errorCode: KAFKA[code] })
      b!.answer({ errorCode: KAFKA[code] })
      network.produced.length = 0
      const stored: [number, number][] = []
      network.autoAnswer = (pending) => {
        const [batch] = pending.batches
        if (batch!.producerId === old) pending.answer({ errorCode: KAFKA[code] })
        else {
          stored.push([batch!.baseSequence, batch!.recordCount])
          pending.answer()
        }
      }
      await clock.advanceAsync(5000)
      expect(stored).toEqual([
        [0, 1],
        [1, 1],
      ])
    },
  )

  it('leaves a hole behind nobody: what follows a refused batch has a new identity', async () => {
    const producer = await openWarm()
    const refused = producer.send(topic(), value(1))
    await turn()
    network.produced[0]!.answer({ errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED })
    await expect(refused).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
    const next = producer.send(topic(), value(1))
    await turn()
    const [first, second] = network.produced.flatMap(({ batches }) => batches)
    expect(second!.producerId).not.toBe(first!.producerId)
    expect(second!.baseSequence).toBe(0)
    network.produced[1]!.answer()
    await next
  })

  it('lets nothing of a new identity overtake what is in flight under the old one', async () => {
    const producer = await openWarm({ retryBackoffMs: 10 })
    for (let i = 0; i < 2; i++) await sendBatch(producer)
    network.produced[0]!.answer({ errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED })
    await turn()
    await sendBatch(producer)
    await clock.advanceAsync(50)
    // The second is still without an answer, and the third must not be stored before it.
    expect(network.produced).toHaveLength(2)
    network.produced[1]!.answer({ errorCode: KAFKA.OUT_OF_ORDER_SEQUENCE_NUMBER })
    const stored: number[] = []
    network.autoAnswer = (pending) => {
      stored.push(pending.batches[0]!.baseSequence)
      pending.answer()
    }
    await clock.advanceAsync(5000)
    expect(stored).toEqual([0, 1])
  })

  it('sends nothing beside the first batch of an identity, which the broker would take at any sequence', async () => {
    const producer = open()
    for (let i = 0; i < 3; i++) await sendBatch(producer)
    expect(sequences()).toEqual([0])
    network.produced[0]!.answer()
    await turn()
    expect(sequences()[1]).toBe(1)
  })

  it('without idempotence is one request at a time to a partition', async () => {
    const producer = open({ enableIdempotence: false })
    for (let i = 0; i < 3; i++) await sendBatch(producer)
    expect(network.produced).toHaveLength(1)
    expect(network.produced[0]!.batches[0]!.producerId).toBe(-1)
    expect(network.countOf('InitProducerId')).toBe(0)
  })
})

describe('errors', () => {
  it('that pass are tried again, later and later', async () => {
    const producer = await openWarm({ retryBackoffMs: 100, retryBackoffMaxMs: 1000 })
    const times: number[] = []
    network.autoAnswer = (pending) => {
      times.push(clock.monotonic())
      pending.answer({ errorCode: times.length < 7 ? KAFKA.NOT_ENOUGH_REPLICAS : 0 })
    }
    const sent = producer.send(topic(), value(1))
    await clock.advanceAsync(10_000)
    expect(await outcome(sent)).toBe('stored')
    const waits = times.slice(1).map((time, index) => time - times[index]!)
    // KIP-580: doubled every time up to the maximum, with 20 % jitter.
    const expected = [100, 200, 400, 800, 1000, 1000]
    expect(waits).toHaveLength(expected.length)
    waits.forEach((wait, index) => {
      expect(wait).toBeGreaterThanOrEqual(expected[index]! * 0.8 - 1)
      expect(wait).toBeLessThanOrEqual(expected[index]! * 1.2 + 1)
    })
  })

  it('that pass are given up after `retries`', async () => {
    const producer = await openWarm({ retries: 2, retryBackoffMs: 1 })
    network.autoAnswer = (pending) => pending.answer({ errorCode: KAFKA.NOT_ENOUGH_REPLICAS })
    const sent = producer.send(topic(), value(1))
    sent.catch(() => undefined)
    await clock.advanceAsync(1000)
    expect(await outcome(sent)).toBe('NOT_ENOUGH_REPLICAS')
    expect(network.produced).toHaveLength(3)
  })

  it('name the partition', async () => {
    const producer = await openWarm()
    network.autoAnswer = (pending) => pending.answer({ errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED })
    await expect(producer.send(topic(), value(1))).rejects.toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
      details: { topic: 't', partition: 0 },
    })
  })

  it('of one partition leave the others alone', async () => {
    network.addTopic('t', [1, 1])
    const producer = open()
    const sends = [0, 1].map((partition) => producer.send(topic(2), { ...value(1), partition }))
    await turn()
    network.produced[0]!.answer({ errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED }, { baseOffset: 7 })
    await expect(sends[0]).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
    expect((await sends[1])!.offset).toBe(7)
  })

  it('of a topic that is not there come at once', async () => {
    const producer = open()
    await expect(producer.send(topicHandle('nowhere'), value(1))).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      details: { topic: 'nowhere' },
    })
    expect(network.countOf('Metadata')).toBe(1)
  })

  it('of a topic that was deleted, too', async () => {
    const producer = await openWarm({ retryBackoffMs: 10 })
    network.topics.delete('t')
    network.autoAnswer = (pending) => pending.answer({ errorCode: KAFKA.UNKNOWN_TOPIC_OR_PARTITION })
    const sent = producer.send(topic(), value(1))
    sent.catch(() => undefined)
    await clock.advanceAsync(100)
    expect(await outcome(sent)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  it('without an identity wait until the brokers are back', async () => {
    const producer = open()
    network.overrides.set('InitProducerId', () => new OttlaError('NETWORK_EXCEPTION'))
    const sent = producer.send(topic(), value(1))
    await clock.advanceAsync(60_000)
    expect(await outcome(sent)).toBe('pending')
    network.overrides.clear()
    network.autoAnswer = (pending) => pending.answer()
    await clock.advanceAsync(10_000)
    expect(await outcome(sent)).toBe('stored')
  })

  it('follow the partition to its new leader', async () => {
    network = new ScriptedNetwork([1, 2])
    network.addTopic('t', [1])
    const producer = await openWarm({ retryBackoffMs: 10 })
    network.topics.get('t')!.leaders = [2]
    const sent = producer.send(topic(), value(1))
    await turn()
    expect(network.produced[0]!.nodeId).toBe(1)
    network.produced[0]!.answer({ errorCode: KAFKA.NOT_LEADER_OR_FOLLOWER })
    await clock.advanceAsync(100)
    expect(network.produced[1]!.nodeId).toBe(2)
    expect(sequences()).toEqual([1, 1])
    network.produced[1]!.answer({ baseOffset: 3 })
    expect((await sent).offset).toBe(3)
  })
})

describe('time', () => {
  it('for a request is requestTimeoutMs; then it is sent again', async () => {
    const producer = await openWarm({ requestTimeoutMs: 1000, deliveryTimeoutMs: 10_000, retryBackoffMs: 10 })
    const sent = producer.send(topic(), value(1))
    await clock.advanceAsync(1500)
    expect(sequences()).toEqual([1, 1])
    // The answer to the first attempt is too late to count, whatever it says.
    network.produced[0]!.answer({ baseOffset: 1000 })
    await turn()
    network.produced[1]!.answer({ baseOffset: 5 })
    expect((await sent).offset).toBe(5)
  })

  it('that is up leaves the bytes of the request to the broker, and sends others', async () => {
    const producer = await openWarm({ requestTimeoutMs: 1000, deliveryTimeoutMs: 10_000, retryBackoffMs: 10 })
    const sent = producer.send(topic(), value(1))
    await clock.advanceAsync(1500)
    const [first, second] = network.produced.map(
      ({ request }) => request.topicData[0]!.partitionData[0]!.records![0]!,
    )
    expect(second).toEqual(first)
    expect(second!.buffer).not.toBe(first!.buffer)
    network.produced[1]!.answer()
    await sent
  })

  it('for a delivery is deliveryTimeoutMs', async () => {
    const producer = await openWarm({ requestTimeoutMs: 1000, deliveryTimeoutMs: 3000 })
    network.autoAnswer = (pending) => pending.answer({ errorCode: KAFKA.NOT_ENOUGH_REPLICAS })
    const sent = producer.send(topic(), value(1))
    sent.catch(() => undefined)
    await clock.advanceAsync(2900)
    expect(await outcome(sent)).toBe('pending')
    await clock.advanceAsync(200)
    expect(await outcome(sent)).toBe('DELIVERY_TIMED_OUT')
  })

  it('for a delivery counts while no leader is there, and while nobody answers', async () => {
    network.topics.get('t')!.leaders = [-1]
    const producer = open({ requestTimeoutMs: 1000, deliveryTimeoutMs: 3000 })
    const sent = producer.send(topic(), value(1))
    sent.catch(() => undefined)
    await clock.advanceAsync(3100)
    expect(await outcome(sent)).toBe('DELIVERY_TIMED_OUT')
    network.topics.get('t')!.leaders = [1]
    const silent = producer.send(topic(), value(1))
    silent.catch(() => undefined)
    await clock.advanceAsync(3100)
    expect(await outcome(silent)).toBe('DELIVERY_TIMED_OUT')
  })
})

describe('acks', () => {
  it('0 asks for no answer and gets no offset', async () => {
    const producer = open({ acks: 0 })
    const sent = await producer.send(topic(), [value(1), value(1)])
    expect(sent.map(({ offset }) => offset)).toEqual([-1, -1])
    expect(network.produced[0]!.request.acks).toBe(0)
    network.produced[0]!.fail(new Error('lost'))
    await turn()
  })

  it.each([
    ['all', -1],
    [-1, -1],
    [1, 1],
  ] as const)('%s', async (acks, onTheWire) => {
    const producer = open({ acks })
    network.autoAnswer = (pending) => pending.answer()
    await producer.send(topic(), value(1))
    expect(network.produced[0]!.request.acks).toBe(onTheWire)
  })
})

describe('memory', () => {
  it('is bounded by bufferMemory: sends wait for room, in their order', async () => {
    const producer = await openWarm({ bufferMemory: 1000, batchSize: 100 })
    const order: number[] = []
    const sends = [0, 1, 2, 3].map((index) =>
      producer.send(topic(), { value: new Uint8Array(600).fill(index) }).then(() => order.push(index)),
    )
    await turn()
    expect(network.produced).toHaveLength(1)
    for (let i = 0; i < 4; i++) {
      network.produced[i]!.answer()
      await turn()
      await turn()
    }
    await Promise.all(sends)
    expect(order).toEqual([0, 1, 2, 3])
    expect(sequences()).toEqual([1, 2, 3, 4])
  })

  it('is given to nobody out of turn: a small send waits behind a large one', async () => {
    const producer = await openWarm({ bufferMemory: 1000, batchSize: 100 })
    const sends = [600, 900, 10].map((size) => producer.send(topic(), value(size)))
    await turn()
    expect(network.produced).toHaveLength(1)
    network.autoAnswer = (pending) => pending.answer({ baseOffset: pending.batches[0]!.baseSequence })
    network.produced[0]!.answer({ baseOffset: 1 })
    await clock.advanceAsync(0)
    await turn()
    const offsets = (await Promise.all(sends)).map(({ offset }) => offset)
    expect(offsets).toEqual([1, 2, 3])
  })

  it('does not linger while somebody waits for room', async () => {
    const producer = open({ bufferMemory: 1000, lingerMs: 10_000 })
    network.autoAnswer = (pending) => pending.answer()
    const sends = [0, 1].map(() => producer.send(topic(), value(600)))
    await clock.advanceAsync(0)
    expect(await outcome(sends[0]!)).toBe('stored')
    await clock.advanceAsync(10_000)
    expect(await outcome(sends[1]!)).toBe('stored')
  })

  it('is exhausted after maxBlockMs, or when the signal says so', async () => {
    const producer = await openWarm({ bufferMemory: 1000, maxBlockMs: 500 })
    const first = producer.send(topic(), value(900))
    const second = producer.send(topic(), value(900))
    const stop = new AbortController()
    const third = producer.send(topic(), value(900), { signal: stop.signal })
    for (const sent of [second, third]) sent.catch(() => undefined)
    await turn()
    stop.abort(new Error('enough'))
    await expect(third).rejects.toThrow('enough')
    await clock.advanceAsync(500)
    await expect(second).rejects.toMatchObject({ code: 'BUFFER_EXHAUSTED' })
    network.produced[0]!.answer()
    await first
    const fourth = producer.send(topic(), value(900))
    await turn()
    expect(network.produced).toHaveLength(2)
    network.produced[1]!.answer()
    await fourth
  })

  it('takes what is larger than it when nothing else is held', async () => {
    const producer = await openWarm({ bufferMemory: 1000 })
    network.autoAnswer = (pending) => pending.answer()
    expect((await producer.send(topic(), value(5000))).partition).toBe(0)
    const many = await producer.send(
      topic(),
      Array.from({ length: 50 }, () => value(100)),
    )
    expect(many).toHaveLength(50)
  })
})

describe('records that are no good', () => {
  it('are refused when they are larger than maxRequestSize', async () => {
    const producer = open({ maxRequestSize: 1000 })
    await expect(producer.send(topic(), value(1000))).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      details: { topic: 't' },
    })
    expect(network.produced).toHaveLength(0)
  })

  it('keep all others of their array back, and are named', async () => {
    const producer = open()
    const bad = [value(1), value(1), { value: 'text' as never }, value(1)]
    await expect(producer.send(topic(), bad)).rejects.toMatchObject({
      code: 'SERIALIZATION_FAILED',
      message: expect.stringContaining('Record 2 of 4') as string,
      details: { index: 2, topic: 't', field: 'value' },
    })
    await turn()
    expect(network.produced).toHaveLength(0)
    expect(network.calls).toEqual([])
  })

  it.each([
    ['no record', undefined as never, 'INVALID_ARGUMENT'],
    ['no value', {} as never, 'SERIALIZATION_FAILED'],
    ['a key of another kind', { ...value(1), key: 7 as never }, 'SERIALIZATION_FAILED'],
    ['a partition that is not there', { ...value(1), partition: 1 }, 'INVALID_ARGUMENT'],
    ['half a partition', { ...value(1), partition: 0.5 }, 'INVALID_ARGUMENT'],
    ['a time before time', { ...value(1), timestamp: -5 }, 'INVALID_ARGUMENT'],
    ['no time', { ...value(1), timestamp: new Date(Number.NaN) }, 'INVALID_ARGUMENT'],
    ['a header that is a number', { ...value(1), headers: { a: 1 as never } }, 'INVALID_ARGUMENT'],
    ['headers that are text', { ...value(1), headers: 'a' as never }, 'INVALID_ARGUMENT'],
  ])('%s', async (_, record, code) => {
    const producer = open()
    await expect(producer.send(topic(), record)).rejects.toMatchObject({ code })
    await expect(producer.send(topic(), [record])).rejects.toMatchObject({ code })
    await expect(producer.send('t' as never, value(1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(network.calls).toEqual([])
  })

  it('none at all is nothing to do', async () => {
    expect(await open().send(topic(), [])).toEqual([])
  })
})

describe('a custom partitioner', () => {
  beforeEach(() => void network.addTopic('t', [1, 1, 1, 1]))

  it('chooses by key and value, and is not asked when the record says', async () => {
    const asked: unknown[] = []
    const producer = open({
      partitioner: (input) => {
        asked.push(input)
        return input.key![0]!
      },
    })
    network.autoAnswer = (pending) => pending.answer()
    const sent = await producer.send(topic(4), [
      { key: new Uint8Array([3]), value: new Uint8Array([9]) },
      { key: new Uint8Array([3]), ...value(1), partition: 1 },
    ])
    expect(sent.map(({ partition }) => partition)).toEqual([3, 1])
    expect(asked).toEqual([
      { topic: 't', key: new Uint8Array([3]), value: new Uint8Array([9]), partitionCount: 4 },
    ])
  })

  it.each([
    ['an index that is not there', () => 4],
    ['less than none', () => -1],
    ['no number', () => undefined as never],
    ['a promise', () => Promise.resolve(1) as never],
  ])('that answers %s fails the send', async (_, partitioner) => {
    const producer = open({ partitioner })
    await expect(producer.send(topic(4), value(1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(producer.send(topic(4), [value(1)])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(network.produced).toHaveLength(0)
  })

  it('that throws fails the send, which tells why', async () => {
    const producer = open({
      partitioner: () => {
        throw new Error('no idea')
      },
    })
    await expect(producer.send(topic(4), value(1))).rejects.toThrow('no idea')
  })
})

describe('keyless records', () => {
  it('stay with a partition for a batch, and spread over all', async () => {
    network.addTopic('t', [1, 1, 1, 1])
    const producer = open({ batchSize: 1000 })
    network.autoAnswer = (pending) => pending.answer()
    const sent = await producer.send(
      topic(4),
      Array.from({ length: 4000 }, () => value(100)),
    )
    const partitions = sent.map(({ partition }) => partition)
    const changes = partitions.filter((partition, index) => index > 0 && partition !== partitions[index - 1])
    // KIP-794: a partition is left when it has got batchSize bytes, and each gets its share.
    expect(changes.length).toBeGreaterThan(4000 / 12)
    expect(changes.length).toBeLessThan(4000 / 5)
    for (let partition = 0; partition < 4; partition++) {
      const share = partitions.filter((one) => one === partition).length
      expect(share).toBeGreaterThan(800)
      expect(share).toBeLessThan(1200)
    }
  })
})

describe('closing', () => {
  it('sends what is there first, and refuses what comes after', async () => {
    const producer = open({ lingerMs: 60_000 })
    const sent = producer.send(topic(), value(1))
    const closing = producer.close()
    network.autoAnswer = (pending) => pending.answer()
    await clock.advanceAsync(0)
    await closing
    expect(await outcome(sent)).toBe('stored')
    await expect(producer.send(topic(), value(1))).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await expect(producer.flush()).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    expect(clock.pendingCount).toBe(0)
  })

  it('sends what waits for room, too', async () => {
    const producer = open({ bufferMemory: 1000 })
    const sends = [0, 1, 2].map(() => producer.send(topic(), value(900)))
    const closing = producer.close()
    network.autoAnswer = (pending) => pending.answer()
    await clock.advanceAsync(0)
    await closing
    for (const sent of sends) expect(await outcome(sent)).toBe('stored')
  })

  it.each(['Produce', 'InitProducerId', 'Metadata'])('ends though nobody answers %s', async (api) => {
    const producer = open({ requestTimeoutMs: 1000, deliveryTimeoutMs: 5000 })
    network.overrides.set(api, () => new OttlaError('NETWORK_EXCEPTION'))
    const sent = producer.send(topic(), value(1))
    sent.catch(() => undefined)
    let isClosed = false
    const closing = producer.close().then(() => (isClosed = true))
    await clock.advanceAsync(30_000)
    expect(isClosed).toBe(true)
    await closing
    expect(['DELIVERY_TIMED_OUT', 'NETWORK_EXCEPTION', 'RESOURCE_CLOSED']).toContain(await outcome(sent))
    await clock.advanceAsync(30_000)
    expect(clock.pendingCount).toBe(0)
  })
})

describe('flush', () => {
  it('sends at once what lingers, and waits for it', async () => {
    const producer = open({ lingerMs: 60_000 })
    const sent = producer.send(topic(), value(1))
    let isFlushed = false
    const flushing = producer.flush().then(() => (isFlushed = true))
    await turn()
    expect(network.produced).toHaveLength(1)
    expect(isFlushed).toBe(false)
    network.produced[0]!.answer()
    await flushing
    await sent
  })
})
