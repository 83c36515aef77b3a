/** kafkajs against a listener: what its users do every day. */
import { CompressionTypes, ConfigResourceTypes, Kafka, logLevel, type KafkaMessage } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla, string } from '../../src/index.js'

let ottla: Ottla
let kafka: Kafka

beforeEach(async () => {
  ottla = await Ottla.open()
  const { host, port } = await ottla.listen()
  kafka = new Kafka({ clientId: 'test', brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING })
})
afterEach(() => ottla.close())

interface Seen {
  readonly partition: number
  readonly message: KafkaMessage
}

/** A member of `group` that collects `count` messages; resolves when it has them, and has left. */
const consume = async (group: string, topic: string, count: number): Promise<Seen[]> => {
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: 10_000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 100,
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const seen: Seen[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async (one: Seen): Promise<void> => {
      seen.push(one)
      if (seen.length === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return seen
}

describe('kafkajs', () => {
  it('produces what it then consumes, in order, with keys, headers and nulls', async () => {
    const topic = await ottla.createTopic('orders', { partitions: 3, key: string, value: string })
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const [first] = await producer.send({
      topic: 'orders',
      messages: [
        { key: 'a', value: 'one', headers: { trace: 'x' }, timestamp: '1700000000000' },
        { key: 'a', value: 'two' },
        { key: 'a', value: null },
      ],
    })
    await producer.disconnect()
    expect(first).toMatchObject({ topicName: 'orders', errorCode: 0, baseOffset: '0' })

    const seen = await consume('g', 'orders', 3)
    expect(
      seen.map(({ message }) => [message.key?.toString(), message.value?.toString(), message.offset]),
    ).toEqual([
      ['a', 'one', '0'],
      ['a', 'two', '1'],
      ['a', undefined, '2'],
    ])
    expect(seen[0]?.message.headers).toMatchObject({ trace: Buffer.from('x') })
    expect(seen[0]?.message.timestamp).toBe('1700000000000')
    // The key's partition is the one that this process's own producer takes.
    const own = await ottla.producer().send(topic, { key: 'a', value: 'three' })
    expect(own.partition).toBe(seen[0]?.partition)
  })

  it('reads what was produced in process, and is read in process', async () => {
    const topic = await ottla.createTopic('both', { key: string, value: string })
    await ottla.producer().send(topic, { key: 'k', value: 'from inside' })
    const [seen] = await consume('g', 'both', 1)
    expect(seen?.message.value?.toString()).toBe('from inside')

    const producer = kafka.producer()
    await producer.connect()
    await producer.send({
      topic: 'both',
      compression: CompressionTypes.GZIP,
      messages: Array.from({ length: 100 }, (_, index) => ({ key: 'k', value: `from outside ${index}` })),
    })
    await producer.disconnect()
    const values: string[] = []
    for await (const { value } of topic.partition(0).read({ from: 1, to: 'latest' })) values.push(value)
    expect(values).toEqual(Array.from({ length: 100 }, (_, index) => `from outside ${index}`))
  })

  it('goes on from where its group committed', async () => {
    const topic = await ottla.createTopic('resumed', { value: string })
    await ottla.producer().send(topic, [{ value: '1' }, { value: '2' }])
    await consume('g', 'resumed', 2)
    await ottla.producer().send(topic, { value: '3' })
    const rest = await consume('g', 'resumed', 1)
    expect(rest.map(({ message }) => message.value?.toString())).toEqual(['3'])
  })

  it('shares partitions among members that come', async () => {
    const topic = await ottla.createTopic('shared', { partitions: 4, value: string })
    const outside = kafka.consumer({
      groupId: 'mixed',
      sessionTimeout: 10_000,
      heartbeatInterval: 200,
      maxWaitTimeInMs: 100,
    })
    await outside.connect()
    await outside.subscribe({ topics: ['shared'], fromBeginning: true })
    const seen = new Set<string>()
    let outsidePartitions: readonly number[] = []
    outside.on('consumer.group_join', ({ payload }) => {
      outsidePartitions = payload.memberAssignment.shared ?? []
    })
    await outside.run({
      eachMessage: async ({ message }) => {
        seen.add(message.value?.toString() ?? '')
      },
    })
    await expect.poll(() => outsidePartitions.length, { timeout: 10_000 }).toBe(4)
    const second = kafka.consumer({
      groupId: 'mixed',
      sessionTimeout: 10_000,
      heartbeatInterval: 200,
      maxWaitTimeInMs: 100,
    })
    await second.connect()
    await second.subscribe({ topics: ['shared'], fromBeginning: true })
    await second.run({
      eachMessage: async ({ message }) => {
        seen.add(message.value?.toString() ?? '')
      },
    })
    await expect.poll(() => outsidePartitions.length, { timeout: 10_000 }).toBe(2)
    const values = Array.from({ length: 40 }, (_, index) => String(index))
    await ottla.producer().send(
      topic,
      values.map((value, index) => ({ value, partition: index % 4 })),
    )
    await expect.poll(() => seen.size, { timeout: 10_000 }).toBe(40)
    await Promise.all([outside.disconnect(), second.disconnect()])
  })

  it('administers topics, groups, offsets and configs', async () => {
    const admin = kafka.admin()
    await admin.connect()
    expect(
      await admin.createTopics({
        topics: [
          { topic: 'made', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '1000' }] },
        ],
      }),
    ).toBe(true)
    expect(await admin.createTopics({ topics: [{ topic: 'made' }] })).toBe(false)
    await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 3 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
    expect(topics[0]?.partitions.map(({ partitionId }) => partitionId).sort()).toEqual([0, 1, 2])
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 'made', configNames: ['retention.ms'] }],
    })
    expect(resources[0]?.configEntries).toMatchObject([{ configName: 'retention.ms', configValue: '1000' }])
    await admin.setOffsets({ groupId: 'g', topic: 'made', partitions: [{ partition: 0, offset: '0' }] })
    expect(await admin.fetchOffsets({ groupId: 'g', topics: ['made'] })).toMatchObject([
      {
        topic: 'made',
        partitions: [{ partition: 0, offset: '0' }, { partition: 1, offset: '-1' }, { offset: '-1' }],
      },
    ])
    expect(await admin.describeCluster()).toMatchObject({ controller: 1, brokers: [{ nodeId: 1 }] })
    expect((await admin.listGroups()).groups).toMatchObject([{ groupId: 'g' }])
    await admin.deleteTopics({ topics: ['made'] })
    expect(await admin.listTopics()).not.toContain('made')
    await admin.disconnect()
  })

  it('commits and aborts transactions, with offsets in them', async () => {
    await ottla.createTopic('in', { value: string })
    await ottla.createTopic('out', { partitions: 2, value: string })
    const producer = kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const lost = await producer.transaction()
    await lost.send({ topic: 'out', messages: [{ value: 'lost' }, { value: 'lost too' }] })
    await lost.sendOffsets({
      consumerGroupId: 'g',
      topics: [{ topic: 'in', partitions: [{ partition: 0, offset: '5' }] }],
    })
    await lost.abort()
    const kept = await producer.transaction()
    await kept.send({ topic: 'out', messages: [{ value: 'one', partition: 0 }] })
    await kept.send({ topic: 'out', messages: [{ value: 'two', partition: 1 }] })
    await kept.sendOffsets({
      consumerGroupId: 'g',
      topics: [{ topic: 'in', partitions: [{ partition: 0, offset: '3' }] }],
    })
    await kept.commit()
    await producer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.fetchOffsets({ groupId: 'g', topics: ['in'] })).toMatchObject([
      { partitions: [{ partition: 0, offset: '3' }] },
    ])
    await admin.disconnect()
    // Its consumers read only what is committed, unless they are told otherwise.
    const seen = await consume('readers', 'out', 2)
    expect(seen.map(({ message }) => message.value?.toString()).sort()).toEqual(['one', 'two'])
  })
})
