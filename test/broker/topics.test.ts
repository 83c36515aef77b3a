/** Topics, partitions, configs, producer ids and metadata, and that all of it is there after a restart. */
import { describe, expect, it } from 'vitest'
import { Broker } from '../../src/broker/broker.js'
import { apiVersions } from '../../src/protocol/api/api-versions.js'
import { createPartitions } from '../../src/protocol/api/create-partitions.js'
import { createTopics } from '../../src/protocol/api/create-topics.js'
import { deleteTopics } from '../../src/protocol/api/delete-topics.js'
import { describeConfigs } from '../../src/protocol/api/describe-configs.js'
import { initProducerId } from '../../src/protocol/api/init-producer-id.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import { ZERO_UUID } from '../../src/runtime/uuid.js'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'
import { keptStorage } from '../support/kept-storage.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'

const UNKNOWN_TOPIC_OR_PARTITION = 3
const INVALID_TOPIC_EXCEPTION = 17
const TOPIC_ALREADY_EXISTS = 36
const INVALID_PARTITIONS = 37
const INVALID_REPLICATION_FACTOR = 38
const INVALID_REPLICA_ASSIGNMENT = 39
const INVALID_CONFIG = 40
const INVALID_REQUEST = 42
const UNKNOWN_TOPIC_ID = 100

interface Wanted {
  readonly name: string
  readonly numPartitions?: number
  readonly replicationFactor?: number
  readonly assignments?: { partitionIndex: number; brokerIds: number[] }[]
  readonly configs?: { name: string; value: string | null }[]
}
const create = async ({ send }: TestBroker, wanted: Wanted | Wanted[], validateOnly = false) => {
  const topics = [wanted]
    .flat()
    .map((topic) => ({ numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...topic }))
  return (await send(createTopics, { topics, timeoutMs: 1, validateOnly })).topics
}
const describeTopics = async ({ send }: TestBroker, names: string[] | null, allowAutoTopicCreation = false) =>
  send(metadata, {
    topics: names?.map((name) => ({ name, topicId: ZERO_UUID })) ?? null,
    allowAutoTopicCreation,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })

describe('create topics', () => {
  it('answers with what was created, and metadata shows it', async () => {
    const test = await openTestBroker()
    const [topic] = await create(test, {
      name: 'orders',
      numPartitions: 3,
      configs: [{ name: 'retention.ms', value: '1000' }],
    })
    expect(topic).toMatchObject({
      name: 'orders',
      errorCode: 0,
      errorMessage: null,
      numPartitions: 3,
      replicationFactor: 1,
    })
    expect(topic!.topicId).not.toBe(ZERO_UUID)
    expect(topic!.configs!.find(({ name }) => name === 'retention.ms')).toMatchObject({
      value: '1000',
      configSource: 1,
    })
    const described = await describeTopics(test, ['orders'])
    expect(described).toMatchObject({ controllerId: 1, brokers: [{ nodeId: 1 }] })
    expect(described.topics[0]).toMatchObject({
      errorCode: 0,
      name: 'orders',
      topicId: topic!.topicId,
      isInternal: false,
    })
    expect(
      described.topics[0]!.partitions.map(({ partitionIndex, leaderId, isrNodes }) => [
        partitionIndex,
        leaderId,
        isrNodes,
      ]),
    ).toEqual([
      [0, 1, [1]],
      [1, 1, [1]],
      [2, 1, [1]],
    ])
    await test.broker.close()
  })

  it.each<[string, Wanted, number]>([
    ['an empty name', { name: '' }, INVALID_TOPIC_EXCEPTION],
    ['the name .', { name: '.' }, INVALID_TOPIC_EXCEPTION],
    ['a slash', { name: 'a/b' }, INVALID_TOPIC_EXCEPTION],
    ['250 characters', { name: 'a'.repeat(250) }, INVALID_TOPIC_EXCEPTION],
    ['a name that collides in metrics', { name: 'is_there' }, INVALID_TOPIC_EXCEPTION],
    ['a topic that exists', { name: 'is.there' }, TOPIC_ALREADY_EXISTS],
    ['no partitions', { name: 'b', numPartitions: 0 }, INVALID_PARTITIONS],
    ['two replicas', { name: 'b', replicationFactor: 2 }, INVALID_REPLICATION_FACTOR],
    [
      'an assignment to another broker',
      {
        name: 'b',
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [2] }],
      },
      INVALID_REPLICA_ASSIGNMENT,
    ],
    [
      'an assignment and a number',
      { name: 'b', assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      INVALID_REQUEST,
    ],
    ['a bad config value', { name: 'b', configs: [{ name: 'retention.ms', value: 'soon' }] }, INVALID_CONFIG],
    ['an unknown config', { name: 'b', configs: [{ name: 'retention.m', value: '1' }] }, INVALID_CONFIG],
    [
      'a config of Kafka that is not supported',
      { name: 'b', configs: [{ name: 'segment.bytes', value: '1' }] },
      INVALID_CONFIG,
    ],
    [
      'a policy that is not supported',
      { name: 'b', configs: [{ name: 'cleanup.policy', value: 'keep' }] },
      INVALID_CONFIG,
    ],
    ['the metadata topic', { name: '__cluster_metadata' }, INVALID_REQUEST],
  ])('refuses %s', async (_what, wanted, errorCode) => {
    const test = await openTestBroker()
    await test.createTopic('is.there')
    expect((await create(test, wanted))[0]).toMatchObject({
      name: wanted.name,
      errorCode,
      topicId: ZERO_UUID,
    })
    await test.broker.close()
  })

  it('says what would be right', async () => {
    const test = await openTestBroker()
    const [near, far, bad] = await create(test, [
      { name: 'a', configs: [{ name: 'retention.m', value: '1' }] },
      { name: 'b', configs: [{ name: 'segment.jitter.ms', value: '1' }] },
      { name: 'c', configs: [{ name: 'retention.ms', value: 'soon' }] },
    ])
    expect(near!.errorMessage).toContain('Did you mean retention.ms?')
    expect(far!.errorMessage).toContain('segment.jitter.ms is not supported by Ottla')
    expect(bad!.errorMessage).toContain('retention.ms is "soon"; expected a whole number')
    await test.broker.close()
  })

  it('only checks when asked to, and refuses a name given twice', async () => {
    const test = await openTestBroker()
    expect((await create(test, { name: 'orders', numPartitions: -1 }, true))[0]).toMatchObject({
      errorCode: 0,
      numPartitions: 1,
    })
    expect((await describeTopics(test, ['orders'])).topics[0]!.errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect(await create(test, [{ name: 'a' }, { name: 'a' }])).toMatchObject([
      { name: 'a', errorCode: INVALID_REQUEST },
    ])
    await test.broker.close()
  })

  it('is done by metadata where broker and request allow it', async () => {
    const test = await openTestBroker({ 'num.partitions': 2 })
    expect((await describeTopics(test, ['orders'])).topics[0]).toMatchObject({
      errorCode: UNKNOWN_TOPIC_OR_PARTITION,
    })
    expect((await describeTopics(test, ['orders'], true)).topics[0]!.partitions).toHaveLength(2)
    expect((await describeTopics(test, ['a/b'], true)).topics[0]).toMatchObject({
      errorCode: INVALID_TOPIC_EXCEPTION,
    })
    await test.broker.close()
    const strict = await openTestBroker({ 'auto.create.topics.enable': false })
    expect((await describeTopics(strict, ['orders'], true)).topics[0]!.errorCode).toBe(
      UNKNOWN_TOPIC_OR_PARTITION,
    )
    await strict.broker.close()
  })
})

describe('delete topics and add partitions', () => {
  const remove = async ({ send }: TestBroker, name: string | null, topicId = ZERO_UUID) =>
    (await send(deleteTopics, { topics: [{ name, topicId }], topicNames: [], timeoutMs: 1 })).responses[0]!

  it('deletes by name and by id, with the records; a topic of the same name is another one', async () => {
    const test = await openTestBroker()
    const first = await test.createTopic('orders')
    await test.produce(first, 0, ['a'])
    expect(await remove(test, 'orders')).toMatchObject({ name: 'orders', topicId: first, errorCode: 0 })
    expect((await test.fetch(first, 0, 0)).errorCode).toBe(UNKNOWN_TOPIC_ID)
    const second = await test.createTopic('orders')
    expect(second).not.toBe(first)
    expect((await test.fetch(second, 0, 0)).highWatermark).toBe(0)
    expect(await remove(test, null, second)).toMatchObject({ name: 'orders', topicId: second, errorCode: 0 })
    expect((await remove(test, 'orders')).errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect((await remove(test, null, first)).errorCode).toBe(UNKNOWN_TOPIC_ID)
    await test.createTopic('__consumer_offsets')
    expect((await remove(test, '__consumer_offsets')).errorCode).toBe(INVALID_TOPIC_EXCEPTION)
    await test.broker.close()
  })

  it('adds partitions, and never takes any away', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders', 2)
    const add = async (name: string, count: number, validateOnly = false) =>
      (
        await test.send(createPartitions, {
          topics: [{ name, count, assignments: null }],
          timeoutMs: 1,
          validateOnly,
        })
      ).results[0]!.errorCode
    expect(await add('orders', 2)).toBe(INVALID_PARTITIONS)
    expect(await add('orders', 1)).toBe(INVALID_PARTITIONS)
    expect(await add('other', 3)).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect(await add('orders', 3, true)).toBe(0)
    expect((await test.produce(topic, 2, ['a'])).errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect(await add('orders', 3)).toBe(0)
    expect((await test.produce(topic, 2, ['a'])).errorCode).toBe(0)
    await test.broker.close()
  })
})

describe('configs', () => {
  it('describes what was set and what is default, of topics and of the broker', async () => {
    const test = await openTestBroker({ 'num.partitions': 2 })
    await test.createTopic('orders', 1, { 'retention.ms': '1000' })
    const ask = async (resourceType: number, resourceName: string, configurationKeys: string[] | null) =>
      (
        await test.send(describeConfigs, {
          resources: [{ resourceType, resourceName, configurationKeys }],
          includeSynonyms: false,
          includeDocumentation: false,
        })
      ).results[0]!
    const LONG = 5
    expect((await ask(2, 'orders', ['retention.ms', 'retention.bytes'])).configs).toMatchObject([
      { name: 'retention.ms', value: '1000', configSource: 1, configType: LONG, readOnly: false },
      { name: 'retention.bytes', value: '-1', configSource: 5, configType: LONG },
    ])
    expect((await ask(4, '1', ['num.partitions'])).configs).toMatchObject([
      { value: '2', configSource: 4, readOnly: true },
    ])
    expect((await ask(2, 'other', null)).errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect((await ask(4, '7', null)).errorCode).toBe(INVALID_REQUEST)
    expect((await ask(8, '', null)).errorCode).toBe(INVALID_REQUEST)
    await test.broker.close()
  })

  it('refuses broker configs that are unknown, unsupported or bad', async () => {
    const open = (configs: Record<string, string | number>) =>
      Broker.open({ storage: new MemoryStorage(), configs })
    await expect(open({ 'num.partition': 1 })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('Did you mean num.partitions?'),
    })
    await expect(open({ 'log.dirs': '/tmp' })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('not supported'),
    })
    await expect(open({ 'num.partitions': 0 })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    await expect(
      open({ 'group.min.session.timeout.ms': 9, 'group.max.session.timeout.ms': 8 }),
    ).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  })
})

describe('after a restart', () => {
  it('topics, configs, records, the cluster and its producer ids are as they were', async () => {
    const storage = keptStorage()
    const before = await openTestBroker({}, storage)
    const topic = await before.createTopic('orders', 2, { 'retention.ms': '123456789' })
    await before.createTopic('gone')
    await before.send(deleteTopics, {
      topics: [{ name: 'gone', topicId: ZERO_UUID }],
      topicNames: [],
      timeoutMs: 1,
    })
    await before.produce(topic, 1, ['a', 'b'])
    const ask = { transactionalId: null, transactionTimeoutMs: 0, producerId: -1, producerEpoch: -1 }
    const ids = [await before.send(initProducerId, ask), await before.send(initProducerId, ask)]
    expect(ids.map(({ producerId, producerEpoch }) => [producerId, producerEpoch])).toEqual([
      [0, 0],
      [1, 0],
    ])
    const cluster = await describeTopics(before, null)
    await before.broker.close()
    const after = await openTestBroker({}, storage)
    expect(await describeTopics(after, null)).toEqual(cluster)
    expect(cluster.topics.map(({ name }) => name)).toEqual(['orders'])
    expect((await after.fetch(topic, 1, 0)).highWatermark).toBe(2)
    const configs = await after.send(describeConfigs, {
      resources: [{ resourceType: 2, resourceName: 'orders', configurationKeys: ['retention.ms'] }],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    expect(configs.results[0]!.configs[0]!.value).toBe('123456789')
    // A block of 1000 was reserved; what was left of it is skipped.
    expect(await after.send(initProducerId, ask)).toMatchObject({ producerId: 1000, producerEpoch: 0 })
    await after.broker.close()
  })
})

describe('the broker', () => {
  it('tells its APIs, with Produce from 0 as Kafka does, and refuses one that it does not have', async () => {
    const test = await openTestBroker()
    const answer = await test.send(apiVersions, { clientSoftwareName: 't', clientSoftwareVersion: '1' })
    expect(answer.apiKeys.find(({ apiKey }) => apiKey === 0)).toEqual({
      apiKey: 0,
      minVersion: 0,
      maxVersion: 13,
    })
    const other = {
      key: 999,
      name: 'Other',
      versions: [0, 0],
      flexible: 0,
      request: {},
      response: {},
    } as const
    await expect(test.send(other, {})).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' })
    await test.broker.close()
    await expect(
      test.send(apiVersions, { clientSoftwareName: 't', clientSoftwareVersion: '1' }),
    ).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
  })

  it('drops old records at the interval, and keeps no process alive for it', async () => {
    const test = await openTestBroker({ 'log.retention.check.interval.ms': 1000 })
    const topic = await test.createTopic('orders', 1, { 'retention.ms': '500' })
    await test.produce(topic, 0, ['a'])
    expect(test.clock.keepsAlive).toBe(false)
    await test.clock.advanceAsync(1000)
    await new Promise(setImmediate)
    await test.clock.advanceAsync(1000)
    await new Promise(setImmediate)
    expect((await test.fetch(topic, 0, 1)).logStartOffset).toBe(1)
    await test.broker.close()
    expect(test.clock.pendingCount).toBe(0)
  })
})
