/** Several messages of a partition at a time: each key in order, no commit past a message that is not processed. */
import { fc, it as prop } from '@fast-check/vitest'
import { bytes, json, nullable, Ottla, string, type Message, type Topic } from 'ottla'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { turn } from '../../support/client-context.js'
import { SeededRandom } from '../../support/seeded-random.js'

let ottla: Ottla
beforeEach(async () => {
  ottla = await Ottla.open({ configs: { 'group.initial.rebalance.delay.ms': 0 } })
})
afterEach(() => ottla.close())

const MAX_ATTEMPTS = 3
const QUICK = { retryBackoffMs: 1, retryBackoffMaxMs: 2, maxAttempts: MAX_ATTEMPTS }

/** What has become of the records of one partition, as the handlers tell it. */
class Tally {
  readonly busy = new Map<string, number>()
  readonly attempts: number[]
  readonly isDone: boolean[]
  /** What is thrown in a handler would be taken for its failure. */
  readonly violations: string[] = []
  most = 0

  constructor(readonly keys: readonly (string | null)[]) {
    this.attempts = keys.map(() => 0)
    this.isDone = keys.map(() => false)
  }

  begin({ offset, key }: Message<string, string>): void {
    const name = key ?? `none of ${offset}`
    if (this.busy.has(name)) this.violations.push(`${name} is handled twice at a time`)
    const isOpen = (other: number): boolean => this.keys[other] === key && !this.isDone[other]
    for (let before = 0; key !== null && before < offset; before++)
      if (isOpen(before)) this.violations.push(`${offset} comes before ${before}, of the same key`)
    this.busy.set(name, offset)
    this.most = Math.max(this.most, this.busy.size)
    this.attempts[offset] = (this.attempts[offset] ?? 0) + 1
  }

  end({ offset, key }: Message<string, string>, hasFailed: boolean): void {
    this.busy.delete(key ?? `none of ${offset}`)
    if (!hasFailed || this.attempts[offset] === MAX_ATTEMPTS) this.isDone[offset] = true
  }

  /** The first offset that is not settled. */
  get settled(): number {
    const first = this.isDone.indexOf(false)
    return first < 0 ? this.isDone.length : first
  }
}

const send = (topic: Topic<string, string>, keys: readonly (string | null)[]) =>
  ottla.producer().send(
    topic,
    keys.map((key, index) => ({ ...(key === null ? {} : { key }), value: String(index) })),
  )

describe('the messages of a partition', () => {
  prop.prop(
    {
      seed: fc.integer(),
      keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', null), { minLength: 1, maxLength: 60 }),
      keysConsumedConcurrently: fc.integer({ min: 2, max: 5 }),
      maxPollRecords: fc.integer({ min: 1, max: 30 }),
    },
    { numRuns: 60 },
  )(
    'are processed in the order of each key, whatever fails and whoever is interrupted',
    async ({ seed, keys, ...options }) => {
      const random = new SeededRandom(seed)
      const name = `t${random.next()}`
      const topic = await ottla.createTopic(name, { key: string, value: string })
      const deadLetters = await ottla.createTopic(`${name}.dead`)
      await send(topic, keys)
      const failing = keys.map(() => (random.below(8) === 0 ? 1 + random.below(MAX_ATTEMPTS) : 0))
      const tally = new Tally(keys)
      for (let life = 0; tally.settled < keys.length; life++) {
        expect(life).toBeLessThan(100)
        const group = ottla.consumerGroup(name, { topics: [topic] })
        const consumer = await group.join({ maxPollRecords: options.maxPollRecords, autoCommitIntervalMs: 1 })
        consumer.events.on('committed', (offsets) => {
          for (const { offset } of offsets)
            if (offset > tally.settled) tally.violations.push(`${offset} is committed at ${tally.settled}`)
        })
        const stop = new AbortController()
        let left = life < 4 ? random.below(40) : Infinity
        await consumer.run({
          keysConsumedConcurrently: options.keysConsumedConcurrently,
          signal: stop.signal,
          onFailure: { ...QUICK, deadLetters },
          eachMessage: async (message) => {
            // What was processed behind a gap may come again when another consumer takes over.
            if (tally.isDone[message.offset] === true) return
            tally.begin(message)
            const { offset } = message
            for (let turns = random.below(4); turns > 0; turns--) await turn()
            const hasFailed = (tally.attempts[offset] ?? 0) <= (failing[offset] ?? 0)
            tally.end(message, hasFailed)
            if (left-- === 0 || tally.settled === keys.length) stop.abort()
            if (hasFailed) throw new Error(`${offset} fails`)
          },
        })
        await consumer.close()
        const [committed] = await ottla.admin.listConsumerGroupOffsets(name)
        expect(committed?.offset ?? 0).toBeLessThanOrEqual(tally.settled)
      }
      expect(tally.violations).toEqual([])
      expect(tally.most).toBeLessThanOrEqual(options.keysConsumedConcurrently)
    },
  )

  it('are processed at the same time when their keys differ, as many as asked for', async () => {
    const topic = await ottla.createTopic('t', { key: string, value: string })
    await send(topic, ['a', 'a', 'b', null, null, 'c', 'd'])
    const consumer = ottla.consumer({ assign: [topic] })
    const begun: string[] = []
    let go = (): void => undefined
    const held = new Promise<void>((resolve) => (go = resolve))
    const stop = new AbortController()
    const running = consumer.run({
      signal: stop.signal,
      keysConsumedConcurrently: 4,
      eachMessage: ({ value }) => {
        begun.push(value)
        if (begun.length === 7) stop.abort()
        return held
      },
    })
    await expect.poll(() => begun.length).toBe(4)
    for (let turns = 0; turns < 10; turns++) await turn()
    expect(begun).toEqual(['0', '2', '3', '4'])
    go()
    await running
    expect([...begun].sort()).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    await consumer.close()
  })

  it('behind a failure go on when they have another key, and wait when they have the same', async () => {
    const topic = await ottla.createTopic('t', { key: string, value: string })
    await send(topic, ['a', 'a', 'b', 'b'])
    const consumer = ottla.consumer({ assign: [topic] })
    const seen: string[] = []
    const stop = new AbortController()
    await consumer.run({
      signal: stop.signal,
      keysConsumedConcurrently: 2,
      onFailure: { ...QUICK },
      eachMessage: ({ value }) => {
        seen.push(value)
        if (value === '1') stop.abort()
        if (seen.length === 1) throw new Error('once')
      },
    })
    expect(seen).toEqual(['0', '2', '3', '0', '1'])
    await consumer.close()
  })

  it('end the run with the first error where there is no policy, once those under way are done', async () => {
    const topic = await ottla.createTopic('t', { key: string, value: string })
    await send(topic, ['a', 'b', 'c'])
    const consumer = ottla.consumer({ assign: [topic] })
    const seen: string[] = []
    const failure = new Error('no')
    const running = consumer.run({
      keysConsumedConcurrently: 2,
      eachMessage: async ({ value }) => {
        seen.push(`begins ${value}`)
        await turn()
        if (value === '0') throw failure
        await turn()
        seen.push(`ends ${value}`)
      },
    })
    await expect(running).rejects.toBe(failure)
    expect(seen).toEqual(['begins 0', 'begins 1', 'ends 1'])
    await consumer.close()
  })
})

describe('a key', () => {
  it.each([
    ['bytes', bytes, [Uint8Array.of(1, 255), Uint8Array.of(1, 255), Uint8Array.of(2)]],
    ['an object', json<{ id: number }>(), [{ id: 1 }, { id: 1 }, { id: 2 }]],
    ['null behind a serde', nullable(string), ['a', 'a', 'b']],
  ])('is known by what it is: %s', async (_, serde, keys) => {
    const topic = await ottla.createTopic('t', { key: serde as typeof bytes, value: string })
    await ottla.producer().send(
      topic,
      keys.map((key, index) => ({ key: key as Uint8Array, value: String(index) })),
    )
    const consumer = ottla.consumer({ assign: [topic] })
    const seen: string[] = []
    const stop = new AbortController()
    await consumer.run({
      signal: stop.signal,
      keysConsumedConcurrently: 3,
      eachMessage: async ({ value }) => {
        seen.push(`begins ${value}`)
        await turn()
        seen.push(`ends ${value}`)
        if (value === '1') stop.abort()
      },
    })
    expect(seen.indexOf('begins 1')).toBeGreaterThan(seen.indexOf('ends 0'))
    expect(seen.indexOf('begins 2')).toBeLessThan(seen.indexOf('ends 0'))
    await consumer.close()
  })
})

it('is an affair of single messages: batches are refused', async () => {
  const topic = await ottla.createTopic('t')
  const consumer = ottla.consumer({ assign: [topic] })
  const batches = { eachBatch: () => undefined, keysConsumedConcurrently: 2 }
  // @ts-expect-error the compiler says so too
  await expect(consumer.run(batches)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await expect(
    consumer.run({ eachMessage: () => undefined, keysConsumedConcurrently: 0 }),
  ).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('keysConsumed') as string,
  })
  await consumer.close()
})
