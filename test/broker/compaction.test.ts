/** Compaction in a broker: when it comes round, what it leaves to those who fetch, and which configs say what to it. */
import { describe, expect, it } from 'vitest'
import { describeConfigs } from '../../src/protocol/api/describe-configs.js'
import { deleteTopics } from '../../src/protocol/api/delete-topics.js'
import { incrementalAlterConfigs } from '../../src/protocol/api/incremental-alter-configs.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import { produce } from '../../src/protocol/api/produce.js'
import { openBatch } from '../../src/record/decode.js'
import { encodeBatch } from '../../src/record/encode.js'
import { readUtf8, toUtf8 } from '../../src/runtime/bytes.js'
import { ZERO_UUID } from '../../src/runtime/uuid.js'
import type { CompactionEvent } from '../../src/broker/broker-events.js'
import { keptStorage } from '../support/kept-storage.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'
import { membersOf } from '../support/test-members.js'

const INVALID_RECORD = 87
const BACKOFF_MS = 15_000
const SEGMENT_MS = 1000

type Pair = readonly [key: string | null, value: string | null]

const write = async (test: TestBroker, topicId: string, pairs: readonly Pair[], partition = 0) => {
  const timestamp = test.clock.now()
  const batch = encodeBatch(
    pairs.map(([key, value]) => ({
      timestamp,
      key: key === null ? null : toUtf8(key),
      value: value === null ? null : toUtf8(value),
      headers: [],
    })),
  )
  const { responses } = await test.send(produce, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: '', topicId, partitionData: [{ index: partition, records: [batch] }] }],
  })
  return responses[0]!.partitionResponses[0]!
}

/** Writes each pair as a batch, and then one that makes what was written so far no longer the active segment. */
const writeAndRoll = async (test: TestBroker, topicId: string, pairs: readonly Pair[], partition = 0) => {
  for (const pair of pairs) expect((await write(test, topicId, [pair], partition)).errorCode).toBe(0)
  test.clock.advance(SEGMENT_MS + 1)
  await write(test, topicId, [['roll', String(test.clock.now())]], partition)
}

/** Lets compaction come round, and waits until the event loop has nothing of it left to do. */
const comeRound = async ({ clock }: TestBroker, ms = BACKOFF_MS): Promise<void> => {
  await clock.advanceAsync(ms)
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const everything = async (test: TestBroker, topicId: string, partition = 0, from = 0) => {
  const seen: string[] = []
  for (let offset = from; ;) {
    const { records, errorCode, highWatermark } = await test.fetch(topicId, partition, offset)
    expect(errorCode).toBe(0)
    if (records === null || records.length === 0) {
      expect(offset).toBe(highWatermark)
      return seen
    }
    for (const batch of records) {
      const cursor = await openBatch(batch)
      while (cursor.next()) {
        const text = (of: Uint8Array | null) => of && readUtf8(of, 0, of.length)
        if (text(cursor.key) !== 'roll')
          seen.push(`${cursor.offset} ${text(cursor.key)}=${text(cursor.value)}`)
      }
      offset = cursor.header.lastOffset + 1
    }
  }
}

const alter = (test: TestBroker, name: string, configs: Readonly<Record<string, string>>) =>
  test.send(incrementalAlterConfigs, {
    resources: [
      {
        resourceType: 2,
        resourceName: name,
        configs: Object.entries(configs).map(([config, value]) => ({
          name: config,
          configOperation: 0,
          value,
        })),
      },
    ],
    validateOnly: false,
  })

const COMPACT = { 'cleanup.policy': 'compact', 'segment.ms': String(SEGMENT_MS) }

const compactions = (test: TestBroker): CompactionEvent[] => {
  const events: CompactionEvent[] = []
  test.broker.events.on('logCompacted', (event) => events.push(event))
  return events
}

describe('a topic that is compacted', () => {
  it('C1, C2: keeps the newest of each key at its offset, tells so, and goes on being read over the gaps', async () => {
    const storage = keptStorage()
    const test = await openTestBroker({}, storage)
    const events = compactions(test)
    const topicId = await test.createTopic('t', 2, { ...COMPACT, 'min.cleanable.dirty.ratio': '0.01' })
    await writeAndRoll(
      test,
      topicId,
      [
        ['a', '1'],
        ['b', '1'],
        ['a', '2'],
        ['c', '1'],
        ['b', '2'],
      ],
      1,
    )
    await comeRound(test)
    const left = ['2 a=2', '3 c=1', '4 b=2']
    expect(await everything(test, topicId, 1)).toEqual(left)
    expect(await everything(test, topicId, 1, 1), 'from within a gap').toEqual(left)
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ topic: 't', partition: 1, recordsBefore: 5, recordsAfter: 3 })
    expect(events[0]!.bytesAfter).toBeLessThan(events[0]!.bytesBefore)
    await comeRound(test)
    expect(events, 'nothing new, nothing to do').toHaveLength(1)
    await test.broker.close()
    const again = await openTestBroker({}, storage, test.clock)
    expect(await everything(again, topicId, 1)).toEqual(left)
    await writeAndRoll(again, topicId, [['c', null]], 1)
    const later = compactions(again)
    await comeRound(again)
    expect(await everything(again, topicId, 1)).toEqual(['2 a=2', '4 b=2', '6 c=null'])
    expect(later).toHaveLength(1)
    await again.broker.close()
  })

  it('refuses records without a key, and names each of them', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('t', 1, COMPACT)
    const answer = await write(test, topicId, [
      ['a', '1'],
      [null, '2'],
      ['b', '1'],
      [null, null],
    ])
    expect(answer.errorCode).toBe(INVALID_RECORD)
    expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 3])
    expect(await everything(test, topicId)).toEqual([])
    expect((await write(test, topicId, [['a', '1']])).recordErrors).toEqual([])
    await test.broker.close()
  })

  it('that is deleted, or whose broker is closed, while it is compacted, is no failure', async () => {
    const configs = { 'log.cleaner.io.max.bytes.per.second': 100 }
    const test = await openTestBroker(configs)
    const failures: unknown[] = []
    test.broker.events.on('compactionFailed', (event) => failures.push(event))
    test.broker.events.on('storageFailed', (event) => failures.push(event))
    const [gone, kept] = [
      await test.createTopic('gone', 1, COMPACT),
      await test.createTopic('kept', 1, COMPACT),
    ]
    for (const id of [gone, kept])
      await writeAndRoll(test, id, [
        ['a', '1'],
        ['a', '2'],
      ])
    await comeRound(test)
    await test.send(deleteTopics, {
      topics: [{ name: null, topicId: gone }],
      topicNames: [],
      timeoutMs: 1000,
    })
    await comeRound(test, 20_000)
    expect(await everything(test, kept)).toEqual(['1 a=2'])
    await writeAndRoll(test, kept, [['a', '3']])
    await comeRound(test, BACKOFF_MS)
    await test.broker.close()
    expect(failures).toEqual([])
  })
})

describe('the configs of compaction', () => {
  it('cleanup.policy: what is compacted may become so, and cease to, while the broker runs', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('t', 1, { 'segment.ms': String(SEGMENT_MS) })
    await writeAndRoll(test, topicId, [
      ['a', '1'],
      [null, 'x'],
      ['a', '2'],
    ])
    await comeRound(test)
    expect(await everything(test, topicId)).toHaveLength(3)
    await alter(test, 't', { 'cleanup.policy': 'compact,delete' })
    await comeRound(test)
    expect(await everything(test, topicId)).toEqual(['2 a=2'])
    await alter(test, 't', { 'cleanup.policy': 'delete' })
    await writeAndRoll(test, topicId, [
      ['a', '3'],
      ['a', '4'],
    ])
    await comeRound(test)
    expect(await everything(test, topicId)).toEqual(['2 a=2', '4 a=3', '5 a=4'])
    await test.broker.close()
  })

  it('min.cleanable.dirty.ratio: a log that is less dirty waits, until it is told not to', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('t', 1, COMPACT)
    const many = Array.from({ length: 20 }, (_, i): Pair => [`key ${i}`, 'x'])
    await writeAndRoll(test, topicId, many)
    await comeRound(test)
    await writeAndRoll(test, topicId, [['key 0', 'y']])
    await comeRound(test)
    expect(await everything(test, topicId)).toHaveLength(21)
    await alter(test, 't', { 'min.cleanable.dirty.ratio': '0.01' })
    await comeRound(test)
    expect(await everything(test, topicId)).toHaveLength(20)
    await test.broker.close()
  })

  it('max.compaction.lag.ms: what waits longer is compacted, however little it is, and leaves the active segment', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('t', 1, {
      ...COMPACT,
      'min.cleanable.dirty.ratio': '1',
      'segment.ms': '900000000',
    })
    await writeAndRoll(test, topicId, [
      ['a', '1'],
      ['a', '2'],
    ])
    await comeRound(test)
    expect(await everything(test, topicId)).toHaveLength(2)
    await alter(test, 't', { 'max.compaction.lag.ms': '20000' })
    test.clock.advance(20_000)
    await write(test, topicId, [['b', '1']])
    await comeRound(test)
    expect(await everything(test, topicId)).toEqual(['1 a=2', '3 b=1'])
    await test.broker.close()
  })

  it('min.compaction.lag.ms: what is younger stays as it is', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('t', 1, { ...COMPACT, 'min.compaction.lag.ms': '60000' })
    await writeAndRoll(test, topicId, [
      ['a', '1'],
      ['a', '2'],
    ])
    await comeRound(test)
    expect(await everything(test, topicId)).toHaveLength(2)
    await alter(test, 't', { 'min.compaction.lag.ms': '10000' })
    await comeRound(test)
    expect(await everything(test, topicId)).toEqual(['1 a=2'])
    await test.broker.close()
  })

  it('C4, delete.retention.ms: a deletion is told for so long, and then no more', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('t', 1, { ...COMPACT, 'delete.retention.ms': '60000' })
    const round = async () => {
      await writeAndRoll(test, topicId, [['b', String(test.clock.now())]])
      await comeRound(test)
      return (await everything(test, topicId)).filter((record) => record.includes('a='))
    }
    await writeAndRoll(test, topicId, [
      ['a', '1'],
      ['a', null],
    ])
    expect(await round()).toEqual(['1 a=null'])
    expect(await round()).toEqual(['1 a=null'])
    test.clock.advance(60_000)
    expect(await round()).toEqual([])
    await test.broker.close()
  })

  it('log.cleaner.enable and log.cleaner.backoff.ms: whether, and how often', async () => {
    for (const [configs, expected] of [
      [{ 'log.cleaner.enable': false }, 2],
      [{ 'log.cleaner.backoff.ms': 60_000 }, 2],
      [{ 'log.cleaner.backoff.ms': 10_000 }, 1],
    ] as const) {
      const test = await openTestBroker(configs)
      const topicId = await test.createTopic('t', 1, COMPACT)
      await writeAndRoll(test, topicId, [
        ['a', '1'],
        ['a', '2'],
      ])
      await comeRound(test, 20_000)
      expect(await everything(test, topicId), JSON.stringify(configs)).toHaveLength(expected)
      await test.broker.close()
    }
  })

  it('log.cleaner.io.max.bytes.per.second: it takes its time', async () => {
    const test = await openTestBroker({ 'log.cleaner.io.max.bytes.per.second': 10 })
    const topicId = await test.createTopic('t', 1, COMPACT)
    await writeAndRoll(test, topicId, [
      ['a', '1'],
      ['a', '2'],
    ])
    // Two batches of 70 bytes and more, read twice, and one of them written.
    await comeRound(test, BACKOFF_MS + 25_000)
    expect(await everything(test, topicId)).toHaveLength(2)
    await comeRound(test, 60_000)
    expect(await everything(test, topicId)).toHaveLength(1)
    await test.broker.close()
  })

  it('log.cleaner.* stand for what a topic leaves out', async () => {
    const test = await openTestBroker({
      'log.cleanup.policy': 'compact',
      'log.cleaner.min.cleanable.ratio': 0.25,
      'log.cleaner.delete.retention.ms': 5,
      'log.cleaner.min.compaction.lag.ms': 6,
      'log.cleaner.max.compaction.lag.ms': 7,
    })
    await test.createTopic('t')
    const { results } = await test.send(describeConfigs, {
      resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    const values = Object.fromEntries(results[0]!.configs.map(({ name, value }) => [name, value]))
    expect(values).toMatchObject({
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.25',
      'delete.retention.ms': '5',
      'min.compaction.lag.ms': '6',
      'max.compaction.lag.ms': '7',
    })
    await test.broker.close()
  })
})

describe('__consumer_offsets', () => {
  it('is compacted, so that it holds one record for each offset; none is forgotten by that', async () => {
    const storage = keptStorage()
    const test = await openTestBroker({}, storage)
    const events = compactions(test)
    const orders = await test.createTopic('orders')
    const { commit, committed } = membersOf(test)
    for (let offset = 0; offset < 50; offset++) await commit('', -1, orders, offset)
    test.clock.advance(8 * 86_400_000)
    await commit('', -1, orders, 50)
    await comeRound(test)
    expect(events).toMatchObject([{ topic: '__consumer_offsets', recordsBefore: 50, recordsAfter: 1 }])
    await test.broker.close()
    const again = await openTestBroker({}, storage, test.clock)
    expect(await membersOf(again).committed(orders)).toMatchObject({ offset: 50 })
    expect(await committed(orders).catch(() => undefined)).toBeUndefined()
    const { topics } = await again.send(metadata, {
      topics: [{ name: '__consumer_offsets', topicId: ZERO_UUID }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    expect(topics[0]!.isInternal).toBe(true)
    const { results } = await again.send(describeConfigs, {
      resources: [
        {
          resourceType: 2,
          resourceName: '__consumer_offsets',
          configurationKeys: ['cleanup.policy', 'segment.bytes'],
        },
      ],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    expect(results[0]!.configs.map(({ value }) => value).sort()).toEqual(['104857600', 'compact'])
    await again.broker.close()
  })
})
