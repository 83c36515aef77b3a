/** How loops end, fail and wait: on close, on signals, at records that cannot be read, and where nothing is. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Consumer } from '../../../src/clients/consumer/consumer.js'
import { int32 } from '../../../src/clients/serdes/numbers.js'
import { string } from '../../../src/clients/serdes/string.js'
import { Topic } from '../../../src/clients/topic.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { ConsumerWorld, type Text } from '../../support/consumer-world.js'
import { SeededRandom } from '../../support/seeded-random.js'

// What --expose-gc would give to all tests.
setFlagsFromString('--expose-gc')
const reclaimMemory = runInNewContext('gc') as () => void

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (OttlaError.is(error) ? error.code : error),
  )

describe('the loops of a consumer', () => {
  let world: ConsumerWorld
  const random = new SeededRandom(7)
  const consumerOf = (options: object = {}): Consumer<Text> =>
    new Consumer<Text>(world.main.context, { assign: [world.topic], ...options }, world.main.root)

  beforeEach(async () => {
    world = await ConsumerWorld.open(2)
    while (world.produced[0]! < 20) await world.produce(random, 0)
  })
  afterEach(() => world.close())

  it('answer calls of next that were not awaited one after another, in order and without losing one', async () => {
    const iterator = consumerOf({ assign: [world.topic.partition(0)], maxPollRecords: 3 })[
      Symbol.asyncIterator
    ]()
    const results = await Promise.all(Array.from({ length: 20 }, () => iterator.next()))
    expect(results.map(({ value }) => value?.offset)).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })

  it('go on with the partition of an iterator that was made by hand and forgotten, from its unfinished message', async () => {
    const consumer = consumerOf({ assign: [world.topic.partition(0)], maxPollRecords: 3 })
    const forget = async (): Promise<unknown> => (await consumer[Symbol.asyncIterator]().next()).value?.offset
    expect(await forget()).toBe(0)
    const seen: number[] = []
    const stop = new AbortController()
    const running = consumer.run({ signal: stop.signal, eachMessage: ({ offset }) => seen.push(offset) })
    await expect
      .poll(() => {
        reclaimMemory()
        return seen.length
      })
      .toBe(world.produced[0])
    expect(seen).toEqual(seen.map((_, index) => index))
    stop.abort()
    await running
  })

  it('end when the consumer closes while they wait', async () => {
    const consumer = consumerOf({ from: 'latest' })
    const iterator = consumer[Symbol.asyncIterator]()
    const waiting = iterator.next()
    const running = consumer.run({ eachMessage: () => undefined })
    const position = consumer.position({ topic: 'orders', partition: 0 })
    await turn()
    await consumer.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await expect(running).resolves.toBeUndefined()
    await position.catch(() => undefined)
    expect((await iterator.next()).done).toBe(true)
    expect(await codeOf(consumer.run({ eachMessage: () => undefined }))).toBe('RESOURCE_CLOSED')
    expect(await codeOf(consumer.seek({ topic: 'orders', partition: 0 }, 0))).toBe('RESOURCE_CLOSED')
    expect(await codeOf(consumer.endOffsets([{ topic: 'orders', partition: 0 }]))).toBe('RESOURCE_CLOSED')
  })

  it('may close their consumer from within', async () => {
    const consumer = consumerOf()
    let seen = 0
    for await (const message of consumer) {
      expect(message.offset).toBe(seen++)
      await consumer.close()
    }
    expect(seen).toBe(1)
    const other = consumerOf()
    let ran = 0
    let closing: Promise<void> | undefined
    await other.run({
      eachMessage: () => {
        ran++
        // Not awaited: closing waits for the handler.
        closing = other.close()
      },
    })
    await closing
    expect(ran).toBe(1)
  })

  it('end with run when the signal aborts, also one that has aborted before', async () => {
    const consumer = consumerOf({ from: 'latest' })
    const ending = new AbortController()
    const running = consumer.run({ eachBatch: () => undefined, signal: ending.signal })
    await turn()
    ending.abort()
    await running
    await consumer.run({ eachBatch: () => undefined, signal: ending.signal })
  })

  it('stop at a record that its serde does not read, say which, and go on behind it after a seek', async () => {
    const { id, partitionCount } = world.topic
    const wrong = new Topic(
      { name: 'orders', id, partitionCount, key: string, value: int32 } as const,
      () => {
        throw new Error('This handle reads nothing.')
      },
    )
    const consumer = new Consumer(world.main.context, { assign: [wrong.partition(0)] }, world.main.root)
    const first = async (): Promise<unknown> => {
      for await (const message of consumer) return message
      return undefined
    }
    const error: unknown = await first().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'DESERIALIZATION_FAILED',
      details: { topic: 'orders', partition: 0, offset: 0, serde: int32.name },
    })
    expect(await codeOf(first())).toBe('DESERIALIZATION_FAILED')
    await consumer.seek({ topic: 'orders', partition: 0 }, 5)
    await expect(first()).rejects.toMatchObject({ details: { offset: 5 } })
  })

  it('without a reset fail where there is no position, and where the position is out of range', async () => {
    const nowhere = consumerOf({ autoOffsetReset: 'none' })
    expect(await codeOf(nowhere[Symbol.asyncIterator]().next())).toBe('NO_OFFSET_FOR_PARTITION')
    const beyond = consumerOf({ autoOffsetReset: 'none', from: 10_000 })
    expect(await codeOf(beyond[Symbol.asyncIterator]().next())).toBe('OFFSET_OUT_OF_RANGE')
    await beyond.seek({ topic: 'orders', partition: 0 }, 3)
    await beyond.seek({ topic: 'orders', partition: 1 }, 0)
    const { value } = (await beyond[Symbol.asyncIterator]().next()) as { value: Text }
    expect(value.offset).toBe(3)
  })

  it('begin anew where autoOffsetReset says when the position is out of range', async () => {
    const consumer = consumerOf({ assign: [world.topic.partition(0)], from: 10_000 })
    const { value } = (await consumer[Symbol.asyncIterator]().next()) as { value: Text }
    expect(value.offset).toBe(0)
  })

  it('leave the event loop its turns while there is always more', async () => {
    for (let batch = 0; batch < 4000; batch++) await world.produce(random, 0)
    const end = world.produced[0]!
    let turns = 0
    let isOver = false
    const count = (): void => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    for await (const { offset } of consumerOf({ assign: [world.topic.partition(0)] }))
      if (offset === end - 1) break
    isOver = true
    // Some tens of thousands of records take longer than the few milliseconds that are one's due.
    expect(turns).toBeGreaterThan(2)
  })
})

describe('reading a partition', () => {
  let world: ConsumerWorld
  const offsetsOf = async (options: object): Promise<number[]> => {
    const offsets: number[] = []
    for await (const { offset } of world.topic.partition(0).read(options)) offsets.push(offset)
    return offsets
  }
  const range = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, index) => from + index)

  beforeEach(async () => {
    world = await ConsumerWorld.open(2)
    const random = new SeededRandom(9)
    while (world.produced[0]! < 40) await world.produce(random, 0)
  })
  afterEach(() => world.close())

  it('ends exactly at its end', async () => {
    const end = world.produced[0]!
    expect(await offsetsOf({ to: 'latest' })).toEqual(range(0, end))
    expect(await offsetsOf({ from: 7, to: 23 })).toEqual(range(7, 23))
    expect(await offsetsOf({ from: 7, to: 7 })).toEqual([])
    expect(await offsetsOf({ from: 9, to: 7 })).toEqual([])
    expect(await offsetsOf({ from: 'latest', to: 'latest' })).toEqual([])
    expect(await offsetsOf({ to: 'earliest' })).toEqual([])
    for await (const message of world.topic.partition(1).read({ to: 'latest' }))
      expect.unreachable(`${message.offset}`)
  })

  it('can be done several times at once, and left', async () => {
    const reading = world.topic.partition(0).read({ to: 'latest' })
    const all = async (): Promise<number> => {
      let seen = 0
      for await (const { offset } of reading) expect(offset).toBe(seen++)
      return seen
    }
    expect(await Promise.all([all(), all()])).toEqual([world.produced[0], world.produced[0]])
    for await (const { offset } of reading) if (offset === 3) break
  })

  it('ends with the reason of its signal, and fails at an offset that is not there', async () => {
    const ending = new AbortController()
    const reading = offsetsOf({ from: 'latest', signal: ending.signal })
    await turn()
    const reason = new Error('enough')
    ending.abort(reason)
    await expect(reading).rejects.toBe(reason)
    expect(await codeOf(offsetsOf({ from: 10_000 }))).toBe('OFFSET_OUT_OF_RANGE')
  })
})
