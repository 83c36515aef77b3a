/** What a run does about messages whose handler fails, and about records that cannot be decoded. */
import { int32, Ottla, string, type Message } from 'ottla'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let ottla: Ottla
beforeEach(async () => {
  ottla = await Ottla.open()
})
afterEach(() => ottla.close())

const QUICK = { retryBackoffMs: 1, retryBackoffMaxMs: 2 }

const headersOf = (message: Message): Record<string, string> =>
  Object.fromEntries(
    message.headers.map(({ key, value }) => [
      key.replace('__ottla.errors.', ''),
      new TextDecoder().decode(value!),
    ]),
  )

const all = async <M extends Message>(messages: AsyncIterable<M>): Promise<M[]> => {
  const found: M[] = []
  for await (const message of messages) found.push(message)
  return found
}

describe('a handler that fails', () => {
  it('gets its message again, so often and no more; then the run ends with its error', async () => {
    const topic = await ottla.createTopic('t', { value: string })
    await ottla.producer().send(topic, [{ value: 'good' }, { value: 'bad' }, { value: 'behind' }])
    const consumer = await ottla.consumerGroup('g', { topics: [topic] }).join()
    const seen: string[] = []
    const failure = new Error('no')
    const eachMessage = ({ value }: { value: string }): void => {
      seen.push(value)
      if (value === 'bad') throw failure
    }
    await expect(consumer.run({ eachMessage, onFailure: { ...QUICK, maxAttempts: 3 } })).rejects.toBe(failure)
    expect(seen).toEqual(['good', 'bad', 'bad', 'bad'])
    await consumer.commit()
    expect(await ottla.admin.listConsumerGroupOffsets('g')).toMatchObject([{ offset: 1 }])
  })

  it('lets its partition rest, in order, while others go on', async () => {
    const topic = await ottla.createTopic('t', { partitions: 2, value: string })
    await ottla.producer().send(topic, [
      { value: 'bad', partition: 0 },
      { value: 'behind', partition: 0 },
      { value: 'other 1', partition: 1 },
      { value: 'other 2', partition: 1 },
      { value: 'other 3', partition: 1 },
    ])
    const consumer = ottla.consumer({ assign: [topic], maxPollRecords: 1 })
    const seen: string[] = []
    const run = async (
      last: string,
      retryBackoffMs: number,
      handler = (_value: string): void => undefined,
    ) => {
      const stop = new AbortController()
      await consumer.run({
        signal: stop.signal,
        onFailure: { maxAttempts: 2, retryBackoffMs, retryBackoffMaxMs: retryBackoffMs },
        eachMessage: ({ value }) => {
          seen.push(value)
          if (value === last) stop.abort()
          handler(value)
        },
      })
    }
    // A rest that outlasts the test: what comes does so without it.
    await run('other 3', 1_000_000, (value) => {
      if (value === 'bad') throw new Error('not yet')
    })
    expect(seen.filter((value) => value === 'bad')).toEqual(['bad'])
    expect(seen.filter((value) => value !== 'bad')).toEqual(['other 1', 'other 2', 'other 3'])
    // The rest ended with its run; the message is still to be processed.
    await run('behind', 1)
    expect(seen.slice(4)).toEqual(['bad', 'behind'])
  })

  it('gives the message up to the dead letters, as it was and with what happened', async () => {
    const topic = await ottla.createTopic('t', { key: string, value: string })
    const dead = await ottla.createTopic('dead', { key: string, value: string })
    await ottla.producer().send(topic, [
      { key: 'a', value: 'good' },
      { key: 'b', value: 'bad', headers: { trace: 'x' }, timestamp: 1_700_000_000_000 },
      { key: 'c', value: 'behind' },
    ])
    const consumer = await ottla.consumerGroup('g', { topics: [topic] }).join()
    const seen: string[] = []
    const stop = new AbortController()
    await consumer.run({
      signal: stop.signal,
      onFailure: { ...QUICK, maxAttempts: 2, deadLetters: dead },
      eachMessage: ({ value }) => {
        seen.push(value)
        if (value === 'bad') throw new RangeError('too bad')
        if (value === 'behind') stop.abort()
      },
    })
    expect(seen).toEqual(['good', 'bad', 'bad', 'behind'])
    const [letter, ...more] = await all(dead.partition(0).read({ to: 'latest' }))
    expect(more).toEqual([])
    expect(letter).toMatchObject({ key: 'b', value: 'bad', timestamp: 1_700_000_000_000 })
    expect(headersOf(letter!)).toEqual({
      trace: 'x',
      topic: 't',
      partition: '0',
      offset: '1',
      code: 'RangeError',
      message: 'too bad',
      attempts: '2',
    })
    await consumer.commit()
    expect(await ottla.admin.listConsumerGroupOffsets('g')).toMatchObject([{ offset: 3 }])
  })

  it.each([[Object.create(null), '{}'] as const, [undefined, 'undefined'] as const, ['why', 'why'] as const])(
    'may fail with anything: %j',
    async (thrown: unknown, message) => {
      const topic = await ottla.createTopic('t', { value: string })
      const dead = await ottla.createTopic('dead', { value: string })
      await ottla.producer().send(topic, [{ value: 'bad' }, { value: 'last' }])
      const stop = new AbortController()
      await ottla.consumer({ assign: [topic] }).run({
        signal: stop.signal,
        onFailure: { maxAttempts: 1, deadLetters: dead },
        eachMessage: ({ value }) => {
          if (value === 'last') stop.abort()
          else throw thrown
        },
      })
      const [letter] = await all(dead.partition(0).read({ to: 'latest' }))
      expect(headersOf(letter!)).toMatchObject({ message, code: typeof thrown })
    },
  )

  it('has its attempts counted anew when its message comes through', async () => {
    const topic = await ottla.createTopic('t', { value: int32 })
    await ottla.producer().send(
      topic,
      Array.from({ length: 20 }, (_, value) => ({ value })),
    )
    const consumer = ottla.consumer({ assign: [topic] })
    const attempts = new Map<number, number>()
    const stop = new AbortController()
    await consumer.run({
      signal: stop.signal,
      onFailure: { ...QUICK, maxAttempts: 3 },
      eachMessage: ({ value }) => {
        attempts.set(value, (attempts.get(value) ?? 0) + 1)
        if (attempts.get(value)! < 3) throw new Error('twice')
        if (value === 19) stop.abort()
      },
    })
    expect([...attempts.values()]).toEqual(Array.from({ length: 20 }, () => 3))
  })
})

describe('a record that cannot be decoded', () => {
  it.each([1, 3])('goes to the dead letters as bytes, once (%s loops)', async (loops) => {
    const text = await ottla.createTopic('t', { value: string })
    const dead = await ottla.createTopic('dead', { value: string })
    const numbers = await ottla.topic('t', { value: int32 })
    const producer = ottla.producer()
    const consumer = await ottla.consumerGroup('g', { topics: [numbers] }).join()
    const seen: number[] = []
    const stop = new AbortController()
    const running = consumer.run({
      signal: stop.signal,
      partitionsConsumedConcurrently: loops,
      onFailure: { ...QUICK, deadLetters: dead },
      eachMessage: ({ value }) => {
        seen.push(value)
        if (value === 2) stop.abort()
      },
    })
    // All loops wait, and all of them wake when something comes.
    await producer.send(text, { value: 'no number' })
    await producer.send(numbers, { value: 2 })
    await running
    expect(seen).toEqual([2])
    const letters = await all(dead.partition(0).read({ to: 'latest' }))
    expect(letters.map(({ value }) => value)).toEqual(['no number'])
    expect(headersOf(letters[0]!)).toMatchObject({
      offset: '0',
      code: 'DESERIALIZATION_FAILED',
      attempts: '1',
    })
  })

  it('ends the run where there is nowhere to put it', async () => {
    const text = await ottla.createTopic('t', { value: string })
    const numbers = await ottla.topic('t', { value: int32 })
    await ottla.producer().send(text, { value: 'no number' })
    const consumer = ottla.consumer({ assign: [numbers] })
    await expect(consumer.run({ eachMessage: () => undefined, onFailure: QUICK })).rejects.toMatchObject({
      code: 'DESERIALIZATION_FAILED',
    })
  })
})

describe('the options', () => {
  it.each([
    [{ maxAttempts: 0 }, 'INVALID_ARGUMENT'],
    [{ retryBackoffMs: -1 }, 'INVALID_ARGUMENT'],
    [{ deadLetters: 'dead' }, 'INVALID_ARGUMENT'],
    [{ maxAttempt: 1 }, 'UNKNOWN_OPTION'],
    ['stop', 'INVALID_ARGUMENT'],
  ])('refuse %j', async (onFailure, code) => {
    const topic = await ottla.createTopic('t', { value: string })
    const consumer = ottla.consumer({ assign: [topic] })
    const options = { eachMessage: () => undefined, onFailure: onFailure as never }
    await expect(consumer.run(options)).rejects.toMatchObject({ code })
  })

  it('go with eachMessage alone', async () => {
    const topic = await ottla.createTopic('t', { value: string })
    const consumer = ottla.consumer({ assign: [topic] })
    const options = { eachBatch: () => undefined, onFailure: QUICK } as never
    await expect(consumer.run(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
