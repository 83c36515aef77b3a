/** Topic and broker configs: each does what it says, at once when it is changed, after a restart, and not when deleted. */
import { describe, expect, it } from 'vitest'
import { Broker } from '../../src/broker/broker.js'
import { TopicLogConfigs } from '../../src/broker/configs/topic-log-configs.js'
import { alterConfigs } from '../../src/protocol/api/alter-configs.js'
import { deleteRecords } from '../../src/protocol/api/delete-records.js'
import { describeConfigs } from '../../src/protocol/api/describe-configs.js'
import { incrementalAlterConfigs } from '../../src/protocol/api/incremental-alter-configs.js'
import { produce } from '../../src/protocol/api/produce.js'
import { encodeBatch } from '../../src/record/encode.js'
import { readHeader } from '../../src/record/header.js'
import type { LogStorage, PartitionStorage } from '../../src/storage/contract.js'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'
import { keptStorage } from '../support/kept-storage.js'
import { ManualClock } from '../support/manual-clock.js'
import { recordedPartition } from '../support/recorded-storage.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'

const UNKNOWN_TOPIC_OR_PARTITION = 3
const OFFSET_OUT_OF_RANGE = 1
const MESSAGE_TOO_LARGE = 10
const INVALID_TOPIC_EXCEPTION = 17
const INVALID_TIMESTAMP = 32
const INVALID_CONFIG = 40
const INVALID_REQUEST = 42
const POLICY_VIOLATION = 44

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3
const TOPIC = 2
const BROKER = 4

/** Storage that outlives its closing, claims a disk, and takes note of appends and flushes. */
const recordedStorage = () => {
  const inner = keptStorage()
  const partitions = new Map<string, ReturnType<typeof recordedPartition>>()
  const storage: LogStorage = {
    ...inner,
    capabilities: { persistent: true, durability: 'fsync' },
    async partition(id): Promise<PartitionStorage> {
      const key = `${id.topicId}-${id.partition}`
      const known = partitions.get(key) ?? recordedPartition(await inner.partition(id))
      partitions.set(key, known)
      return known.storage
    },
  }
  const of = (topicId: string) => partitions.get(`${topicId}-0`)!
  return { storage, of }
}

type Recorded = ReturnType<typeof recordedStorage>
type World = TestBroker & { readonly recorded: Recorded }

const openWorld = async (
  recorded = recordedStorage(),
  clock = new ManualClock(),
  configs = {},
): Promise<World> => {
  // Retention is waited for by its deadline, which has to be the only one.
  const given = { 'log.cleaner.enable': false, ...configs }
  return Object.assign(await openTestBroker(given, recorded.storage, clock), { recorded })
}

const alter = async (
  test: TestBroker,
  name: string,
  configs: readonly [name: string, operation: number, value: string | null][],
  { resourceType = TOPIC, validateOnly = false } = {},
) => {
  const { responses } = await test.send(incrementalAlterConfigs, {
    resources: [
      {
        resourceType,
        resourceName: name,
        configs: configs.map(([config, configOperation, value]) => ({
          name: config,
          configOperation,
          value,
        })),
      },
    ],
    validateOnly,
  })
  return responses[0]!
}

const entryOf = async (test: TestBroker, resourceType: number, resourceName: string, name: string) => {
  const { results } = await test.send(describeConfigs, {
    resources: [{ resourceType, resourceName, configurationKeys: [name] }],
    includeSynonyms: true,
    includeDocumentation: true,
  })
  return results[0]!.configs[0]
}

const produceBatch = async (test: TestBroker, topicId: string, batch: Uint8Array) => {
  const { responses } = await test.send(produce, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: '', topicId, partitionData: [{ index: 0, records: [batch] }] }],
  })
  return responses[0]!.partitionResponses[0]!
}

const recordAt = (timestamp: number, bytes = 10): Uint8Array =>
  encodeBatch([{ timestamp, key: null, value: new Uint8Array(bytes), headers: [] }])

/** Lets retention come round once: its next deadline stands when it is done. */
const sweep = async ({ clock }: TestBroker): Promise<void> => {
  const deadlines = clock.pendingCount
  clock.advance(300_000)
  while (clock.pendingCount < deadlines) await new Promise((resolve) => setImmediate(resolve))
}

/** Whether the newest record before a sweep of retention is gone after it. */
const isSwept = async (test: World, topicId: string): Promise<boolean> => {
  const { baseOffset } = await produceBatch(test, topicId, recordAt(test.clock.now()))
  await sweep(test)
  return test.recorded.of(topicId).storage.state.startOffset > baseOffset
}

const rolls = (test: World, topicId: string): boolean =>
  test.recorded.of(topicId).appends.at(-1)!.options.newSegment === true

const codeOfRecord = async (test: World, topicId: string, timestampFromNow: number, bytes = 10) =>
  (await produceBatch(test, topicId, recordAt(test.clock.now() + timestampFromNow, bytes))).errorCode

/** A config, a strict value, and whether what it says can be seen. */
const EFFECTS: Readonly<
  Record<string, readonly [value: string, isSeen: (test: World, topicId: string) => Promise<boolean>]>
> = {
  'retention.ms': ['1000', isSwept],
  'retention.bytes': ['0', isSwept],
  'segment.bytes': [
    '1048576',
    async (test, topicId) => {
      for (let i = 0; i < 2; i++) await produceBatch(test, topicId, recordAt(test.clock.now(), 600_000))
      return rolls(test, topicId)
    },
  ],
  'segment.ms': [
    '1000',
    async (test, topicId) => {
      await produceBatch(test, topicId, recordAt(test.clock.now()))
      test.clock.advance(2000)
      await produceBatch(test, topicId, recordAt(test.clock.now()))
      return rolls(test, topicId)
    },
  ],
  'cleanup.policy': [
    '',
    async (test) => {
      const { topics } = await test.send(deleteRecords, {
        // By the name that it has in one test, and in another.
        topics: ['t', 'cleanup.policy'].map((name) => ({
          name,
          partitions: [{ partitionIndex: 0, offset: -1 }],
        })),
        timeoutMs: 1000,
      })
      return topics.some(({ partitions }) => partitions[0]!.errorCode === POLICY_VIOLATION)
    },
  ],
  'max.message.bytes': [
    '200',
    async (test, topicId) => (await codeOfRecord(test, topicId, 0, 300)) === MESSAGE_TOO_LARGE,
  ],
  'message.timestamp.type': [
    'LogAppendTime',
    async (test, topicId) => {
      const { logAppendTimeMs } = await produceBatch(test, topicId, recordAt(1))
      expect([-1, test.clock.now()]).toContain(logAppendTimeMs)
      return logAppendTimeMs !== -1
    },
  ],
  'message.timestamp.before.max.ms': [
    '1000',
    async (test, topicId) => (await codeOfRecord(test, topicId, -2000)) === INVALID_TIMESTAMP,
  ],
  'message.timestamp.after.max.ms': [
    '1000',
    async (test, topicId) => (await codeOfRecord(test, topicId, 2000)) === INVALID_TIMESTAMP,
  ],
  'compression.type': [
    'gzip',
    async (test, topicId) => {
      await produceBatch(test, topicId, recordAt(test.clock.now()))
      const [batch] = test.recorded.of(topicId).appends.at(-1)!.batches
      return readHeader(batch!.bytes).compression === 'gzip'
    },
  ],
  'flush.messages': [
    '2',
    async (test, topicId) => {
      const { appends } = test.recorded.of(topicId)
      for (let i = 0; i < 2; i++) await produceBatch(test, topicId, recordAt(test.clock.now()))
      return appends.slice(-2).filter(({ options }) => options.durability === 'fsync').length === 1
    },
  ],
  'flush.ms': [
    '1000',
    async (test, topicId) => {
      const { flushes } = test.recorded.of(topicId)
      const before = flushes.length
      await produceBatch(test, topicId, recordAt(test.clock.now()))
      await test.clock.advanceAsync(1000)
      return flushes.length > before
    },
  ],
  durability: [
    'fsync',
    async (test, topicId) => {
      await produceBatch(test, topicId, recordAt(test.clock.now()))
      return test.recorded.of(topicId).appends.at(-1)!.options.durability === 'fsync'
    },
  ],
}

describe('topic configs', () => {
  for (const [name, [value, isSeen]] of Object.entries(EFFECTS)) {
    it(`${name}: takes effect on an open log, survives a restart, and is gone when it is deleted`, async () => {
      let test = await openWorld()
      const topicId = await test.createTopic('t')
      const reopen = async () => {
        await test.broker.close()
        test = await openWorld(test.recorded, test.clock)
      }
      await produceBatch(test, topicId, recordAt(test.clock.now()))
      expect(await isSeen(test, topicId), 'by default').toBe(false)
      expect(await alter(test, 't', [[name, SET, value]])).toMatchObject({ errorCode: 0 })
      expect(await isSeen(test, topicId), 'once set').toBe(true)
      await reopen()
      expect(await isSeen(test, topicId), 'after a restart').toBe(true)
      expect(await entryOf(test, TOPIC, 't', name)).toMatchObject({ value, configSource: 1 })
      expect(await alter(test, 't', [[name, DELETE, null]])).toMatchObject({ errorCode: 0 })
      expect(await isSeen(test, topicId), 'once deleted').toBe(false)
      await reopen()
      expect(await isSeen(test, topicId), 'deleted, after a restart').toBe(false)
      expect(await entryOf(test, TOPIC, 't', name)).toMatchObject({ configSource: 5 })
      await test.broker.close()
    })
  }

  it('set at creation they hold from the first record', async () => {
    const test = await openWorld()
    for (const [name, [value, isSeen]] of Object.entries(EFFECTS)) {
      const topicId = await test.createTopic(name, 1, { [name]: value })
      await codeOfRecord(test, topicId, 0)
      expect(await isSeen(test, topicId), name).toBe(true)
    }
    await test.broker.close()
  })

  it('a change reaches a log that is just being opened, and one that only retention opened', async () => {
    const recorded = recordedStorage()
    const first = await openWorld(recorded)
    const topicId = await first.createTopic('t')
    await produceBatch(first, topicId, recordAt(first.clock.now()))
    await first.broker.close()
    const test = await openWorld(recorded, first.clock)
    await sweep(test)
    await alter(test, 't', [['max.message.bytes', SET, '200']])
    expect(await codeOfRecord(test, topicId, 0, 300)).toBe(MESSAGE_TOO_LARGE)
    const second = await openWorld(recordedStorage())
    const id = await second.createTopic('t')
    const [, code] = await Promise.all([
      alter(second, 't', [['max.message.bytes', SET, '200']]),
      codeOfRecord(second, id, 0),
    ])
    expect(code).toBe(0)
    expect(await codeOfRecord(second, id, 0, 300)).toBe(MESSAGE_TOO_LARGE)
    for (const { broker } of [test, second]) await broker.close()
  })

  it('those of compaction reach the log as Kafka defines them', () => {
    const configs = new TopicLogConfigs({}, keptStorage())
    expect(configs.logConfigOf([], false)).toMatchObject({
      deletesOld: true,
      compacts: false,
      minCleanableDirtyRatio: 0.5,
      minCompactionLagMs: 0,
      maxCompactionLagMs: -1,
      deleteRetentionMs: 86_400_000,
      segmentBytes: 1_073_741_824,
      segmentMs: 604_800_000,
      diskPriority: 0,
    })
    const given: [string, string][] = [
      ['cleanup.policy', 'compact, delete'],
      ['min.cleanable.dirty.ratio', '0.25'],
      ['min.compaction.lag.ms', '10'],
      ['max.compaction.lag.ms', '20'],
      ['delete.retention.ms', '30'],
      ['ottla.disk.priority', '-3'],
    ]
    expect(configs.logConfigOf(given, false)).toMatchObject({
      deletesOld: true,
      compacts: true,
      minCleanableDirtyRatio: 0.25,
      minCompactionLagMs: 10,
      maxCompactionLagMs: 20,
      deleteRetentionMs: 30,
      diskPriority: -3,
    })
    const neither = configs.logConfigOf([['cleanup.policy', '']], true)
    expect(neither).toMatchObject({ deletesOld: false, compacts: false, diskPriority: undefined })
  })

  // Limits are those of Kafka 4.3's own definitions.
  it.each([
    ['retention.ms', '-2', 'from -1'],
    ['retention.bytes', 'much', 'a whole number'],
    ['segment.bytes', '1048575', 'from 1048576'],
    ['segment.ms', '0', 'from 1'],
    ['cleanup.policy', 'keep', '"delete", "compact"'],
    ['min.cleanable.dirty.ratio', '1.1', 'from 0 to 1'],
    ['min.compaction.lag.ms', '-1', 'from 0'],
    ['max.compaction.lag.ms', '0', 'from 1'],
    ['delete.retention.ms', '-1', 'from 0'],
    ['message.timestamp.type', 'Now', '"CreateTime", "LogAppendTime"'],
    ['message.timestamp.before.max.ms', '-1', 'from 0'],
    ['message.timestamp.after.max.ms', '1.5', 'from 0'],
    ['max.message.bytes', '-1', 'from 0'],
    ['compression.type', 'brotli', '"zstd"'],
    ['flush.messages', '0', 'from 1'],
    ['flush.ms', '-1', 'from 0'],
    ['durability', 'maybe', '"os", "fsync"'],
    ['ottla.disk.priority', 'high', 'a whole number'],
    ['retention.hours', '1', 'retention'],
    ['segment.jitter.ms', '1', 'not supported'],
  ])('%s=%s is refused, with what would be right, and changes nothing', async (name, value, right) => {
    const test = await openWorld()
    await test.createTopic('t')
    const response = await alter(
      test,
      't',
      [
        ['retention.ms', SET, '5'],
        [name, SET, value],
      ].filter(([config], i) => i === 1 || config !== name) as [string, number, string][],
    )
    expect(response.errorCode).toBe(INVALID_CONFIG)
    expect(response.errorMessage).toContain(name)
    expect(response.errorMessage).toContain(right)
    expect(await entryOf(test, TOPIC, 't', 'retention.ms')).toMatchObject({ configSource: 5 })
    await test.broker.close()
  })

  it('a storage without a disk cannot flush, and says so', async () => {
    const test = await openTestBroker()
    await test.createTopic('t')
    for (const [name, value] of [
      ['durability', 'fsync'],
      ['flush.messages', '1'],
      ['flush.ms', '1'],
    ] as const) {
      const { errorCode, errorMessage } = await alter(test, 't', [[name, SET, value]])
      expect(errorCode).toBe(INVALID_CONFIG)
      expect(errorMessage).toContain('no disk')
    }
    expect(await alter(test, 't', [['durability', SET, 'os']])).toMatchObject({ errorCode: 0 })
    await test.broker.close()
    await expect(
      Broker.open({ storage: new MemoryStorage(), configs: { durability: 'fsync' } }),
    ).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  })
})

describe('altering configs', () => {
  it('lists are appended to and subtracted from, starting with the default', async () => {
    const test = await openWorld()
    await test.createTopic('t')
    const policy = async () => (await entryOf(test, TOPIC, 't', 'cleanup.policy'))!.value
    await alter(test, 't', [['cleanup.policy', APPEND, 'delete']])
    expect(await policy()).toBe('delete')
    await alter(test, 't', [['cleanup.policy', SUBTRACT, 'delete']])
    expect(await policy()).toBe('')
    await alter(test, 't', [['cleanup.policy', APPEND, 'delete']])
    expect(await policy()).toBe('delete')
    const error = await alter(test, 't', [['retention.ms', APPEND, '1']])
    expect(error).toMatchObject({ errorCode: INVALID_CONFIG })
    expect(error.errorMessage).toContain('not a list')
    await test.broker.close()
  })

  it('AlterConfigs replaces all that is set; nothing is changed by a request that only validates', async () => {
    const test = await openWorld()
    await test.createTopic('t', 1, { 'retention.ms': '5', 'flush.ms': '7' })
    const replace = async (configs: { name: string; value: string | null }[], validateOnly: boolean) =>
      (
        await test.send(alterConfigs, {
          resources: [{ resourceType: TOPIC, resourceName: 't', configs }],
          validateOnly,
        })
      ).responses[0]!
    const values = async () =>
      Promise.all(
        ['retention.ms', 'flush.ms', 'segment.ms'].map(async (name) => {
          const { value, configSource } = (await entryOf(test, TOPIC, 't', name))!
          return configSource === 1 ? value : undefined
        }),
      )
    expect(await replace([{ name: 'segment.ms', value: '9' }], true)).toMatchObject({ errorCode: 0 })
    expect(await values()).toEqual(['5', '7', undefined])
    expect(await replace([{ name: 'segment.ms', value: '9' }], false)).toMatchObject({ errorCode: 0 })
    expect(await values()).toEqual([undefined, undefined, '9'])
    expect(await replace([{ name: 'segment.ms', value: null }], false)).toMatchObject({
      errorCode: INVALID_REQUEST,
    })
    expect(await alter(test, 't', [['flush.ms', SET, '3']], { validateOnly: true })).toMatchObject({
      errorCode: 0,
    })
    expect(await values()).toEqual([undefined, undefined, '9'])
    await test.broker.close()
  })

  it('says what is wrong with a request', async () => {
    const test = await openWorld()
    await test.createTopic('t')
    expect(await alter(test, 'u', [])).toMatchObject({ errorCode: UNKNOWN_TOPIC_OR_PARTITION })
    expect(await alter(test, 't', [['retention.ms', SET, null]])).toMatchObject({
      errorCode: INVALID_REQUEST,
    })
    expect(await alter(test, 't', [['retention.ms', 4, '1']])).toMatchObject({ errorCode: INVALID_REQUEST })
    const twice = await alter(test, 't', [
      ['retention.ms', SET, '1'],
      ['retention.ms', DELETE, null],
    ])
    expect(twice).toMatchObject({ errorCode: INVALID_REQUEST })
    const broker = await alter(test, '1', [['log.retention.ms', SET, '1']], { resourceType: BROKER })
    expect(broker).toMatchObject({ errorCode: INVALID_REQUEST })
    expect(broker.errorMessage).toContain('when it is opened')
    const resource = { resourceType: TOPIC, resourceName: 't', configs: [] }
    const { responses } = await test.send(incrementalAlterConfigs, {
      resources: [resource, resource],
      validateOnly: false,
    })
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([INVALID_REQUEST, INVALID_REQUEST])
    await test.broker.close()
  })
})

describe('broker configs', () => {
  it('hold for topics that set nothing, and are what DescribeConfigs names behind them', async () => {
    const configs = { 'message.max.bytes': 200, 'log.retention.ms': 1000, 'compression.type': 'gzip' }
    const test = await openWorld(recordedStorage(), new ManualClock(), configs)
    const topicId = await test.createTopic('t')
    expect(await codeOfRecord(test, topicId, 0, 300)).toBe(MESSAGE_TOO_LARGE)
    expect(await isSwept(test, topicId)).toBe(true)
    expect(await EFFECTS['compression.type']![1](test, topicId)).toBe(true)
    await alter(test, 't', [['max.message.bytes', SET, '400']])
    expect(await codeOfRecord(test, topicId, 0, 300)).toBe(0)
    expect(await entryOf(test, TOPIC, 't', 'max.message.bytes')).toMatchObject({
      value: '400',
      configSource: 1,
      configType: 3,
      readOnly: false,
      synonyms: [
        { name: 'max.message.bytes', value: '400', source: 1 },
        { name: 'message.max.bytes', value: '200', source: 4 },
        { name: 'message.max.bytes', value: '1048588', source: 5 },
      ],
    })
    expect(await entryOf(test, TOPIC, 't', 'retention.ms')).toMatchObject({ value: '1000', configSource: 4 })
    expect(await entryOf(test, TOPIC, 't', 'segment.ms')).toMatchObject({
      value: '604800000',
      configSource: 5,
      synonyms: [{ name: 'log.roll.ms', value: '604800000', source: 5 }],
    })
    const ratio = await entryOf(test, TOPIC, 't', 'min.cleanable.dirty.ratio')
    expect(ratio).toMatchObject({ value: '0.5', configType: 6 })
    expect(await entryOf(test, BROKER, '1', 'log.retention.ms')).toMatchObject({
      value: '1000',
      configSource: 4,
      readOnly: true,
    })
    expect(await entryOf(test, BROKER, '1', 'log.cleanup.policy')).toMatchObject({
      value: 'delete',
      configSource: 5,
      configType: 7,
    })
    await test.broker.close()
  })

  it('bad ones are refused when the broker is opened', async () => {
    const open = (configs: Record<string, string | number>) =>
      Broker.open({ storage: new MemoryStorage(), configs })
    for (const [name, value] of [
      ['log.segment.bytes', 1],
      ['log.cleanup.policy', 'keep'],
      ['ottla.disk.policy', 'newest'],
      ['ottla.disk.max.bytes', '1 GB'],
    ] as const) {
      await expect(open({ [name]: value })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    }
  })
})

describe('DeleteRecords', () => {
  const request = async (
    test: TestBroker,
    name: string,
    wanted: readonly [partition: number, offset: number][],
  ) => {
    const { topics } = await test.send(deleteRecords, {
      topics: [{ name, partitions: wanted.map(([partitionIndex, offset]) => ({ partitionIndex, offset })) }],
      timeoutMs: 1000,
    })
    return topics[0]!.partitions.map(({ lowWatermark, errorCode }) => [lowWatermark, errorCode])
  }

  it('raises the log start offset, durably; each partition is answered by itself', async () => {
    const recorded = recordedStorage()
    let test = await openWorld(recorded)
    const topicId = await test.createTopic('t', 2)
    for (const partition of [0, 1]) {
      for (let i = 0; i < 5; i++) await test.produce(topicId, partition, ['x'])
    }
    expect(
      await request(test, 't', [
        [0, 3],
        [1, 6],
        [1, -2],
        [2, 0],
        [1, -1],
      ]),
    ).toEqual([
      [3, 0],
      [-1, OFFSET_OUT_OF_RANGE],
      [-1, OFFSET_OUT_OF_RANGE],
      [-1, UNKNOWN_TOPIC_OR_PARTITION],
      [5, 0],
    ])
    expect(await request(test, 't', [[0, 1]])).toEqual([[3, 0]])
    await test.broker.close()
    test = await openWorld(recorded, test.clock)
    // R3: what is gone is out of range, never passed over.
    expect(await test.fetch(topicId, 0, 2)).toMatchObject({ errorCode: OFFSET_OUT_OF_RANGE })
    expect(await test.fetch(topicId, 0, 3)).toMatchObject({ errorCode: 0, logStartOffset: 3 })
    expect(await test.fetch(topicId, 1, 5)).toMatchObject({ errorCode: 0, logStartOffset: 5 })
    await test.broker.close()
  })

  it('is refused where records are not deleted, or are not the client’s', async () => {
    const test = await openWorld()
    await test.createTopic('kept', 1, { 'cleanup.policy': '' })
    expect(await request(test, 'kept', [[0, -1]])).toEqual([[-1, POLICY_VIOLATION]])
    expect(await request(test, 'none', [[0, -1]])).toEqual([[-1, UNKNOWN_TOPIC_OR_PARTITION]])
    await test.createTopic('__consumer_offsets')
    expect(await request(test, '__consumer_offsets', [[0, -1]])).toEqual([[-1, INVALID_TOPIC_EXCEPTION]])
    await test.broker.close()
  })
})

describe('the disk budget of a broker', () => {
  const fill = async (test: TestBroker, topicId: string, count: number) => {
    const codes: number[] = []
    for (let i = 0; i < count; i++) {
      codes.push((await produceBatch(test, topicId, recordAt(test.clock.now() + i, 10_000))).errorCode)
    }
    return codes
  }

  it('refuse: what does not fit is a POLICY_VIOLATION; reading, deleting and altering go on; it outlives a restart', async () => {
    const configs = { 'ottla.disk.max.bytes': 50_000 }
    const recorded = recordedStorage()
    let test = await openWorld(recorded, new ManualClock(), configs)
    const topicId = await test.createTopic('t')
    expect(await fill(test, topicId, 6)).toEqual([0, 0, 0, 0, POLICY_VIOLATION, POLICY_VIOLATION])
    await test.broker.close()
    test = await openWorld(recorded, test.clock, configs)
    expect(await fill(test, topicId, 1)).toEqual([POLICY_VIOLATION])
    expect(await test.fetch(topicId, 0, 0)).toMatchObject({ errorCode: 0, highWatermark: 4 })
    expect(await alter(test, 't', [['retention.ms', SET, '1000']])).toMatchObject({ errorCode: 0 })
    await test.send(deleteRecords, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 2 }] }],
      timeoutMs: 1,
    })
    expect(await fill(test, topicId, 3)).toEqual([0, 0, POLICY_VIOLATION])
    await test.broker.close()
  })

  it('drop-oldest: the topics of the lowest priority give room, also after it is changed', async () => {
    const configs = { 'ottla.disk.max.bytes': 50_000, 'ottla.disk.policy': 'drop-oldest' }
    const test = await openWorld(recordedStorage(), new ManualClock(), configs)
    const dropped: number[] = []
    test.broker.events.on('recordsDropped', ({ bytes }) => dropped.push(bytes))
    const cheap = await test.createTopic('cheap')
    const dear = await test.createTopic('dear', 1, { 'ottla.disk.priority': '10' })
    const starts = () => [cheap, dear].map((id) => test.recorded.of(id).storage.state.startOffset)
    await fill(test, dear, 2)
    await fill(test, cheap, 2)
    expect(await fill(test, dear, 1)).toEqual([0])
    expect(starts()).toEqual([1, 0])
    expect(dropped).toHaveLength(1)
    await alter(test, 'cheap', [['ottla.disk.priority', SET, '11']])
    expect(await fill(test, cheap, 1)).toEqual([0])
    expect(starts()).toEqual([1, 1])
    await test.broker.close()
  })
})
