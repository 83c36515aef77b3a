/** The consumer against leaders that do what the test says: what is fetched when, and what becomes of the answers. */
import { afterEach, describe, expect, it } from 'vitest'
import { Consumer } from '../../../src/clients/consumer/consumer.js'
import type { ConsumerOptions } from '../../../src/clients/consumer/consumer-options.js'
import type { Message } from '../../../src/clients/message.js'
import { string } from '../../../src/clients/serdes/string.js'
import type { Serde } from '../../../src/clients/serdes/serde.js'
import type { Topic } from '../../../src/clients/topic.js'
import { encodeControlBatch } from '../../../src/record/control.js'
import { BatchBuilder } from '../../../src/record/encode.js'
import { toUtf8 } from '../../../src/runtime/bytes.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { batchAt, ScriptedLeaders } from '../../support/scripted-leaders.js'

type Text = Message<string, string>

const KAFKA = { OFFSET_OUT_OF_RANGE: 1, NOT_LEADER_OR_FOLLOWER: 6, TOPIC_AUTHORIZATION_FAILED: 29 }

const open: Consumer[] = []
afterEach(async () => {
  for (const consumer of open.splice(0)) await consumer.close()
})

interface World {
  readonly consumer: Consumer<Text>
  readonly leaders: ScriptedLeaders
  readonly clock: ManualClock
  readonly errors: unknown[]
}

const consume = async (
  options: Partial<ConsumerOptions> = {},
  { partitions = [1], value = string }: { partitions?: number[]; value?: Serde<string> } = {},
): Promise<World> => {
  const leaders = new ScriptedLeaders()
  leaders.addTopic('orders', partitions)
  const clock = new ManualClock()
  const topic: Topic<string, string> = topicHandle('orders', {
    partitionCount: partitions.length,
    key: string,
    value,
  })
  const consumer = new Consumer<Text>(contextOver(leaders, clock), { assign: [topic], ...options })
  open.push(consumer)
  const errors: unknown[] = []
  consumer.events.on('error', (error) => errors.push(error))
  await turn()
  await turn()
  return { consumer, leaders, clock, errors }
}

/** Takes as many values as are there, without asking for one that is not. */
const take = async (iterator: AsyncIterator<Text>, count: number): Promise<string[]> => {
  const values: string[] = []
  for (let taken = 0; taken < count; taken++) {
    const result = await iterator.next()
    if (result.done === true) break
    values.push(result.value.value)
  }
  return values
}

const at = { topic: 'orders', partition: 0 }

describe('fetching', () => {
  it('begins at the start, and hands out what comes, in order', async () => {
    const { consumer, leaders } = await consume()
    expect(leaders.waiting.map(({ offsets }) => offsets)).toEqual([{ 'orders-0': 0 }])
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'b']), batchAt(2, ['c'])] } })
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 3)).toEqual(['a', 'b', 'c'])
    expect(await consumer.position(at)).toBe(3)
    expect(consumer.lag(at)).toBe(97)
  })

  it('has the next long poll under way before a loop sees what the last one brought', async () => {
    const { consumer, leaders } = await consume()
    const seen: number[] = []
    const running = consumer.run({ eachMessage: () => seen.push(leaders.fetches.length) })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a'])] } })
    await turn()
    expect(seen).toEqual([2])
    expect(leaders.fetches[1]!.offsets).toEqual({ 'orders-0': 1 })
    await consumer.close()
    await running
  })

  it('has one fetch under way per leader, for all its partitions', async () => {
    const { leaders } = await consume({}, { partitions: [1, 2, 1] })
    expect(leaders.waiting.map(({ nodeId, offsets }) => [nodeId, Object.keys(offsets).sort()])).toEqual([
      [1, ['orders-0', 'orders-2']],
      [2, ['orders-1']],
    ])
  })

  it('sends the limits that it was given', async () => {
    const { leaders } = await consume({
      fetchMinBytes: 7,
      fetchMaxWaitMs: 77,
      fetchMaxBytes: 777,
      maxPartitionFetchBytes: 7777,
      isolationLevel: 'read_committed',
    })
    expect(leaders.waiting[0]!.request).toMatchObject({
      minBytes: 7,
      maxWaitMs: 77,
      maxBytes: 777,
      isolationLevel: 1,
    })
    expect(leaders.waiting[0]!.request.topics[0]!.partitions[0]!.partitionMaxBytes).toBe(7777)
  })

  it.each([
    ['latest' as const, 100],
    [new Date(1040), 40],
    [new Date(5000), 100],
    [17, 17],
  ])('begins at %s', async (from, expected) => {
    const { leaders } = await consume({ from })
    expect(leaders.waiting[0]!.offsets).toEqual({ 'orders-0': expected })
  })

  it('stops when nobody consumes: what is fetched ahead has a bound', async () => {
    const batch = batchAt(0, ['x'.repeat(1000)])
    const { leaders } = await consume(
      { maxPrefetchBytes: batch.length * 5, maxPartitionFetchBytes: batch.length * 3 },
      { partitions: [1, 1, 1] },
    )
    let bytes = 0
    const next = [0, 0, 0]
    for (let round = 0; round < 50 && leaders.waiting.length > 0; round++) {
      const [pending] = leaders.waiting
      let room = pending!.request.maxBytes
      const answers: Record<string, { records: Uint8Array[] }> = {}
      for (const name of Object.keys(pending!.offsets)) {
        // The first batch comes even if it is over the limit, as brokers do it.
        if (room < batch.length && Object.keys(answers).length > 0) continue
        const partition = Number(name.at(-1))
        const record = batchAt(next[partition]!++, ['x'.repeat(1000)])
        answers[name] = { records: [record] }
        bytes += record.length
        room -= record.length
      }
      pending!.answer(answers)
      await turn()
    }
    expect(leaders.waiting).toEqual([])
    expect(bytes).toBeGreaterThanOrEqual(batch.length * 5)
    expect(bytes).toBeLessThanOrEqual(batch.length * 6)
  })

  it('goes on when a loop has made room', async () => {
    const { consumer, leaders } = await consume({ maxPartitionFetchBytes: 1, maxPollRecords: 1 })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'b'])] } })
    await turn()
    expect(leaders.waiting).toEqual([])
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 2)).toEqual(['a', 'b'])
    const third = iterator.next()
    await turn()
    expect(leaders.waiting.map(({ offsets }) => offsets)).toEqual([{ 'orders-0': 2 }])
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(2, ['c'])] } })
    expect((await third).value).toMatchObject({ value: 'c' })
  })

  it('gives a long poll up that leaves out a partition for which a loop waits', async () => {
    const { consumer, leaders } = await consume({ maxPartitionFetchBytes: 1 }, { partitions: [1, 1] })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a'])] } })
    await turn()
    // Partition 0 holds enough: the long poll is for partition 1 alone.
    const [second] = leaders.waiting
    expect(second!.offsets).toEqual({ 'orders-1': 0 })
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 1)).toEqual(['a'])
    const next = iterator.next()
    await turn()
    await turn()
    expect(second!.isAborted).toBe(true)
    expect(leaders.waiting.map(({ offsets }) => offsets)).toEqual([{ 'orders-0': 1, 'orders-1': 0 }])
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(1, ['b'])] } })
    expect((await next).value).toMatchObject({ value: 'b' })
  })

  it('decodes compressed batches, and goes on behind them', async () => {
    const { consumer, leaders } = await consume({ maxPollRecords: 2 })
    const builder = new BatchBuilder()
    for (const value of ['a', 'b', 'c']) builder.append(1, null, toUtf8(value), [])
    const batch = await builder.buildCompressed('gzip', { baseOffset: 0, leaderEpoch: 0 })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batch, batchAt(3, ['d'])] } })
    expect(await take(consumer[Symbol.asyncIterator](), 4)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('hands out nothing before the offset it asked for', async () => {
    const { consumer, leaders } = await consume({ from: 2 })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'b', 'c', 'd'])] } })
    expect(await take(consumer[Symbol.asyncIterator](), 2)).toEqual(['c', 'd'])
  })

  it('leaves control batches out, and is behind them', async () => {
    const { consumer, leaders } = await consume()
    const marker = encodeControlBatch({
      type: 'commit',
      coordinatorEpoch: 0,
      producerId: 7,
      producerEpoch: 0,
      timestamp: 1,
      baseOffset: 1,
      leaderEpoch: 0,
    })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a']), marker] } })
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 1)).toEqual(['a'])
    const next = iterator.next()
    await turn()
    expect(await consumer.position(at)).toBe(2)
    expect(leaders.waiting[0]!.offsets).toEqual({ 'orders-0': 2 })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(2, ['b'])] } })
    expect((await next).value).toMatchObject({ value: 'b', offset: 2 })
  })

  it('leaves what was aborted out, up to the marker', async () => {
    const { consumer, leaders } = await consume({ isolationLevel: 'read_committed' })
    const by = (producerId: number, baseSequence: number) => ({
      producerId,
      producerEpoch: 0,
      baseSequence,
      isTransactional: true,
    })
    const end = (type: 'abort' | 'commit', producerId: number, baseOffset: number): Uint8Array =>
      encodeControlBatch({
        type,
        coordinatorEpoch: 0,
        producerId,
        producerEpoch: 0,
        timestamp: 1,
        baseOffset,
        leaderEpoch: 0,
      })
    leaders.waiting[0]!.answer({
      'orders-0': {
        records: [
          batchAt(0, ['committed by 7'], by(7, 0)),
          batchAt(1, ['aborted by 8'], by(8, 0)),
          batchAt(2, ['plain']),
          end('abort', 8, 3),
          end('commit', 7, 4),
          batchAt(5, ['committed by 8'], by(8, 1)),
          end('commit', 8, 6),
        ],
        abortedTransactions: [{ producerId: 8, firstOffset: 1 }],
      },
    })
    expect(await take(consumer[Symbol.asyncIterator](), 3)).toEqual([
      'committed by 7',
      'plain',
      'committed by 8',
    ])
  })
})

describe('a position that is not there', () => {
  const outOfRange = { 'orders-0': { errorCode: KAFKA.OFFSET_OUT_OF_RANGE } }

  it.each([
    ['earliest' as const, 20],
    ['latest' as const, 90],
  ])('becomes the %s one', async (autoOffsetReset, expected) => {
    const { leaders, errors } = await consume({ autoOffsetReset, from: 5 })
    leaders.offsets.set('orders-0', { start: 20, end: 90 })
    leaders.waiting[0]!.answer(outOfRange)
    await turn()
    expect(leaders.waiting.map(({ offsets }) => offsets)).toEqual([{ 'orders-0': expected }])
    expect(errors).toMatchObject([{ code: 'OFFSET_OUT_OF_RANGE' }])
  })

  it('is an error of the loop when there is no reset, until the application goes elsewhere', async () => {
    const { consumer, leaders } = await consume({ autoOffsetReset: 'none', from: 5 })
    leaders.waiting[0]!.answer(outOfRange)
    const failing = consumer[Symbol.asyncIterator]().next()
    await expect(failing).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      details: { topic: 'orders', partition: 0, offset: 5 },
    })
    await expect(consumer.run({ eachMessage: () => undefined })).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
    })
    await consumer.seek(at, 30)
    await turn()
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(30, ['there'])] } })
    expect(await take(consumer[Symbol.asyncIterator](), 1)).toEqual(['there'])
  })

  it('is an error at once when there is none to begin with and no reset', async () => {
    const { consumer, leaders } = await consume({ autoOffsetReset: 'none' })
    await expect(consumer[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'NO_OFFSET_FOR_PARTITION',
    })
    await expect(consumer.position(at)).rejects.toMatchObject({ code: 'NO_OFFSET_FOR_PARTITION' })
    expect(leaders.fetches).toEqual([])
  })

  it('goes back to where the log was truncated', async () => {
    const { leaders, errors } = await consume({ from: 50 })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(50, ['a'], { leaderEpoch: 3 })] } })
    await turn()
    expect(leaders.waiting[0]!.request.topics[0]!.partitions[0]).toMatchObject({
      fetchOffset: 51,
      lastFetchedEpoch: 3,
    })
    leaders.waiting[0]!.answer({ 'orders-0': { divergingEpoch: { epoch: 2, endOffset: 44 } } })
    await turn()
    expect(leaders.waiting[0]!.offsets).toEqual({ 'orders-0': 44 })
    expect(errors).toMatchObject([{ code: 'OFFSET_OUT_OF_RANGE' }])
  })
})

describe('errors on the way', () => {
  it('asks the new leader after the old one has said that it is none', async () => {
    const { leaders, clock, errors } = await consume()
    leaders.leaders.set('orders', [2])
    leaders.waiting[0]!.answer({ 'orders-0': { errorCode: KAFKA.NOT_LEADER_OR_FOLLOWER } })
    await turn()
    expect(leaders.waiting).toEqual([])
    await clock.advanceAsync(200)
    await turn()
    expect(leaders.waiting.map(({ nodeId, offsets }) => [nodeId, offsets])).toEqual([[2, { 'orders-0': 0 }]])
    expect(errors).toMatchObject([{ code: 'NOT_LEADER_OR_FOLLOWER' }])
  })

  it('tries again, later each time, and tells of the first failure only', async () => {
    const { leaders, clock, errors } = await consume({ retryBackoffMs: 100, retryBackoffMaxMs: 400 })
    const down = new OttlaError('NETWORK_EXCEPTION', 'gone')
    for (const least of [80, 160, 320, 320]) {
      leaders.waiting[0]!.fail(down)
      await turn()
      await clock.advanceAsync(least - 1)
      expect(leaders.waiting).toEqual([])
      // Jitter is a fifth to either side.
      await clock.advanceAsync(least / 2 + 2)
      await turn()
      expect(leaders.waiting).toHaveLength(1)
    }
    expect(errors).toEqual([down])
  })

  it('looks a position up again that could not be looked up', async () => {
    const { leaders, clock, consumer } = await consume()
    leaders.lookupErrors.push(KAFKA.NOT_LEADER_OR_FOLLOWER)
    const sought = consumer.seek(at, 'latest')
    await turn()
    await clock.advanceAsync(150)
    await sought
    expect(await consumer.position(at)).toBe(100)
  })

  it('ends the loop with an error that trying again would not help', async () => {
    const { consumer, leaders } = await consume()
    const next = consumer[Symbol.asyncIterator]().next()
    leaders.waiting[0]!.answer({ 'orders-0': { errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED } })
    await expect(next).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
  })

  it('ends the loop when the topic is gone', async () => {
    const { consumer, leaders, clock } = await consume()
    const next = consumer[Symbol.asyncIterator]().next()
    leaders.leaders.delete('orders')
    leaders.waiting[0]!.answer({ 'orders-0': { errorCode: 100 } })
    await turn()
    const failed = expect(next).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    await clock.advanceAsync(200)
    await failed
  })

  it('names the record that cannot be decoded, and does not pass it', async () => {
    const value: Serde<string> = {
      name: 'picky',
      serialize: toUtf8,
      deserialize: (encoded) => {
        const text = string.deserialize(encoded)
        if (text === 'bad') throw new Error('I do not like it.')
        return text
      },
    }
    const { consumer, leaders } = await consume({}, { value })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'bad', 'c'])] } })
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 1)).toEqual(['a'])
    const expected = {
      code: 'DESERIALIZATION_FAILED',
      details: { topic: 'orders', partition: 0, offset: 1, serde: 'picky', part: 'value' },
    }
    await expect(iterator.next()).rejects.toMatchObject(expected)
    await expect(consumer[Symbol.asyncIterator]().next()).rejects.toMatchObject(expected)
    expect(await consumer.position(at)).toBe(1)
    await consumer.seek(at, 2)
    const behind = take(consumer[Symbol.asyncIterator](), 1)
    await turn()
    await turn()
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'bad', 'c'])] } })
    expect(await behind).toEqual(['c'])
  })

  it('says which batch is damaged', async () => {
    const { consumer, leaders } = await consume()
    const damaged = batchAt(0, ['a', 'b'])
    damaged[damaged.length - 1] = 9
    leaders.waiting[0]!.answer({ 'orders-0': { records: [damaged] } })
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 1)).toEqual(['a'])
    await expect(iterator.next()).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      details: { topic: 'orders', partition: 0 },
    })
  })
})

describe('pausing and seeking', () => {
  it('hands out nothing of a paused partition, not even what is decoded, and loses nothing', async () => {
    const { consumer, leaders } = await consume({}, { partitions: [1, 1] })
    leaders.waiting[0]!.answer({
      'orders-0': { records: [batchAt(0, ['a', 'b', 'c'])] },
      'orders-1': { records: [batchAt(0, ['x'])] },
    })
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 1)).toEqual(['a'])
    consumer.pause([at])
    expect(consumer.paused()).toEqual([at])
    expect(await take(iterator, 1)).toEqual(['x'])
    const next = iterator.next()
    await turn()
    await turn()
    leaders.waiting[0]!.answer({})
    await turn()
    // Only the other one is fetched.
    expect(leaders.waiting.map(({ offsets }) => Object.keys(offsets))).toEqual([['orders-1']])
    consumer.resume([at])
    expect((await next).value).toMatchObject({ value: 'b' })
    expect(await take(iterator, 1)).toEqual(['c'])
    expect(consumer.paused()).toEqual([])
  })

  it('goes on in the same turn when a pause is taken back in it', async () => {
    const { consumer, leaders } = await consume()
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'b'])] } })
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 1)).toEqual(['a'])
    consumer.pause()
    consumer.resume()
    expect(await take(iterator, 1)).toEqual(['b'])
  })

  it('drops what was fetched, and what is on its way, when it goes elsewhere', async () => {
    const { consumer, leaders } = await consume()
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'b'])] } })
    const iterator = consumer[Symbol.asyncIterator]()
    expect(await take(iterator, 1)).toEqual(['a'])
    const [stale] = leaders.waiting
    await consumer.seek(at, 40)
    const next = iterator.next()
    stale!.answer({ 'orders-0': { records: [batchAt(2, ['stale'])] } })
    await turn()
    await turn()
    expect(leaders.waiting.map(({ offsets }) => offsets)).toEqual([{ 'orders-0': 40 }])
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(40, ['fresh'])] } })
    expect((await next).value).toMatchObject({ value: 'fresh', offset: 40 })
  })

  it('refuses partitions that are not its own, and positions that are none', async () => {
    const { consumer } = await consume()
    const other = { topic: 'orders', partition: 7 }
    await expect(consumer.seek(other, 0)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(consumer.position(other)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(() => consumer.pause([other])).toThrow('orders-7')
    await expect(consumer.seek(at, -1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(consumer.seek(at, new Date(Number.NaN))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('does not let a paused partition keep the room of the others', async () => {
    const { consumer, leaders } = await consume({ maxPrefetchBytes: 1 }, { partitions: [1, 1] })
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a'])] } })
    await turn()
    expect(leaders.waiting).toEqual([])
    consumer.pause([at])
    const next = consumer[Symbol.asyncIterator]().next()
    await turn()
    expect(leaders.waiting.map(({ offsets }) => offsets)).toEqual([{ 'orders-1': 0 }])
    leaders.waiting[0]!.answer({ 'orders-1': { records: [batchAt(0, ['x'])] } })
    expect((await next).value).toMatchObject({ value: 'x' })
    consumer.resume([at])
    const resumed = take(consumer[Symbol.asyncIterator](), 1)
    await turn()
    await turn()
    expect(leaders.waiting[0]!.offsets['orders-0']).toBe(0)
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a'])] } })
    expect(await resumed).toEqual(['a'])
  })
})

describe('closing', () => {
  it('ends the loops that wait, gives the fetches up, and answers nothing more', async () => {
    const { consumer, leaders, clock } = await consume()
    const next = consumer[Symbol.asyncIterator]().next()
    const running = consumer.run({ eachMessage: () => undefined })
    await turn()
    const [pending] = leaders.waiting
    await consumer.close()
    expect(await next).toEqual({ done: true, value: undefined })
    await running
    expect(pending!.isAborted).toBe(true)
    expect(clock.pendingCount).toBe(0)
    await expect(consumer.position(at)).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await expect(consumer.run({ eachMessage: () => undefined })).rejects.toMatchObject({
      code: 'RESOURCE_CLOSED',
    })
    expect(await consumer[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined })
  })

  it('ends a wait for a position', async () => {
    const { consumer, leaders } = await consume()
    leaders.lookupErrors.push(...Array.from({ length: 10 }, () => KAFKA.NOT_LEADER_OR_FOLLOWER))
    const seeking = consumer.seek(at, 'latest')
    const position = consumer.position(at)
    const ended = expect(position).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await turn()
    await consumer.close()
    await ended
    await seeking
  })

  it('from within a turn ends the loop', async () => {
    const { consumer, leaders } = await consume()
    leaders.waiting[0]!.answer({ 'orders-0': { records: [batchAt(0, ['a', 'b'])] } })
    const seen: string[] = []
    for await (const { value } of consumer) {
      seen.push(value)
      await consumer.close()
    }
    expect(seen).toEqual(['a'])
  })
})

describe('options', () => {
  const topic = topicHandle('orders')
  const create = (options: object): (() => Consumer) => {
    const context = contextOver(new ScriptedLeaders(), new ManualClock())
    return () => new Consumer(context, options as ConsumerOptions)
  }

  it.each([
    [{}, 'INVALID_ARGUMENT', 'assign'],
    [{ assign: [] }, 'INVALID_ARGUMENT', 'assign'],
    [{ assign: ['orders'] }, 'INVALID_ARGUMENT', 'assign'],
    [{ assign: [topic], fetchMaxBites: 1 }, 'UNKNOWN_OPTION', 'fetchMaxBytes'],
    [{ assign: [topic], from: 1.5 }, 'INVALID_ARGUMENT', 'from'],
    [{ assign: [topic], autoOffsetReset: 'never' }, 'INVALID_ARGUMENT', 'autoOffsetReset'],
    [{ assign: [topic], maxPollRecords: 0 }, 'INVALID_ARGUMENT', 'maxPollRecords'],
    [{ assign: [topic], delivery: 'at-most-once' }, 'INVALID_ARGUMENT', 'groupId'],
    [
      { assign: [topic], groupId: 'g', delivery: 'at-most-once', enableAutoCommit: false },
      'INVALID_ARGUMENT',
      'enableAutoCommit',
    ],
  ])('%o is refused', (options, code, hint) => {
    expect(create(options)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(hint) }))
  })

  it('commit needs a group', async () => {
    const { consumer } = await consume()
    await expect(consumer.commit()).rejects.toMatchObject({ code: 'INVALID_GROUP_ID' })
    await expect(consumer.committed()).rejects.toMatchObject({ code: 'INVALID_GROUP_ID' })
  })
})
