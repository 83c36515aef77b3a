/** The admin client over an embedded broker, end to end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import type { ClientContext } from '../../../src/clients/context.js'
import { Producer } from '../../../src/clients/producer/producer.js'
import { string } from '../../../src/clients/serdes/string.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import type { deleteRecords } from '../../../src/protocol/api/delete-records.js'
import type { RequestOf } from '../../../src/protocol/schema.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ScriptedNetwork } from '../../support/scripted-cluster.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'
import { membersOf } from '../../support/test-members.js'

let test: TestBroker
let context: ClientContext
let admin: Admin

beforeEach(async () => {
  test = await openTestBroker({ 'num.partitions': '2' })
  context = contextOver(new DirectNetwork(test.broker, { clock: test.clock, clientId: 'app' }), test.clock)
  admin = new Admin(context)
})

afterEach(async () => test.broker.close())

const itemsFailed = async (call: Promise<unknown>): Promise<OttlaError<'ITEMS_FAILED'>> => {
  const error: unknown = await call.catch((reason: unknown) => reason)
  if (OttlaError.is(error, 'ITEMS_FAILED')) return error
  throw new Error('Not one of several items failed.', { cause: error })
}

const codesOf = (error: OttlaError<'ITEMS_FAILED'>): Record<string, string> =>
  Object.fromEntries([...error.details.failed].map(([item, { code }]) => [item, code]))

it('takes a list where a call has several items, not a text whose letters are other items', async () => {
  const calls: readonly ((text: never) => Promise<unknown>)[] = [
    (text) => admin.createTopics(text),
    (text) => admin.deleteTopics(text),
    (text) => admin.describeTopics(text),
    (text) => admin.listConfigResources(text),
    (text) => admin.deleteRecords(text),
    (text) => admin.listOffsets(text, 'latest'),
    (text) => admin.describeGroups(text),
    (text) => admin.describeConsumerGroups(text),
    (text) => admin.deleteGroups(text),
    (text) => admin.alterConsumerGroupOffsets('g', text),
    (text) => admin.deleteConsumerGroupOffsets('g', text),
    (text) => admin.describeProducers(text),
    (text) => admin.describeTransactions(text),
    (text) => admin.createAcls(text),
    (text) => admin.deleteAcls(text),
    (text) => admin.alterUserScramCredentials(text),
    (text) => admin.alterClientQuotas(text),
  ]
  for (const call of calls)
    await expect(call('g1' as never), String(call)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

describe('topics', () => {
  it('are created, listed, described and deleted', async () => {
    const created = await admin.createTopics([{ name: 'b', numPartitions: 3 }, { name: 'a' }])
    expect(
      created.map(({ name, numPartitions, replicationFactor }) => [name, numPartitions, replicationFactor]),
    ).toEqual([
      ['b', 3, 1],
      ['a', 2, 1],
    ])
    expect(await admin.listTopics()).toEqual(['a', 'b'])
    const [described] = await admin.describeTopics(['b'])
    expect(described).toMatchObject({ name: 'b', topicId: created[0]!.topicId, isInternal: false })
    expect(described!.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2])
    await admin.deleteTopics(['b'])
    expect(await admin.listTopics()).toEqual(['a'])
    await expect(admin.describeTopics(['b'])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  it('get more partitions, which clients see at once', async () => {
    await admin.createTopics([{ name: 't', numPartitions: 1 }])
    await context.cluster.topic('t')
    await admin.createPartitions('t', 4)
    expect((await context.cluster.topic('t')).partitions).toHaveLength(4)
  })

  it('are only looked at with validateOnly', async () => {
    await admin.createTopics([{ name: 't' }], { validateOnly: true })
    expect(await admin.listTopics()).toEqual([])
    await admin.createTopics([{ name: 't', numPartitions: 1 }])
    await admin.createPartitions('t', 4, { validateOnly: true })
    expect((await admin.describeTopics(['t']))[0]!.partitions).toHaveLength(1)
  })

  it.each([
    ['one that exists', () => admin.createTopics([{ name: 'taken' }]), 'TOPIC_ALREADY_EXISTS', 'taken'],
    [
      'a name that is none',
      () => admin.createTopics([{ name: 'no/name' }]),
      'INVALID_TOPIC_EXCEPTION',
      'no/name',
    ],
    ['no partitions', () => admin.createTopics([{ name: 'x', numPartitions: 0 }]), 'INVALID_PARTITIONS', 'x'],
    [
      'replicas that are not there',
      () => admin.createTopics([{ name: 'x', replicationFactor: 3 }]),
      'INVALID_REPLICATION_FACTOR',
      'x',
    ],
    [
      'a config that is none',
      () => admin.createTopics([{ name: 'x', configs: { 'retention.ms': 'long' } }]),
      'INVALID_CONFIG',
      'x',
    ],
    ['deleting what is not there', () => admin.deleteTopics(['gone']), 'UNKNOWN_TOPIC_OR_PARTITION', 'gone'],
    [
      'describing what is not there',
      () => admin.describeTopics(['gone']),
      'UNKNOWN_TOPIC_OR_PARTITION',
      'gone',
    ],
    ['fewer partitions', () => admin.createPartitions('taken', 1), 'INVALID_PARTITIONS', 'taken'],
    [
      'more partitions of nothing',
      () => admin.createPartitions('gone', 3),
      'UNKNOWN_TOPIC_OR_PARTITION',
      'gone',
    ],
  ])('refuse %s, by name', async (_, action, code, name) => {
    await admin.createTopics([{ name: 'taken' }])
    await expect(action()).rejects.toMatchObject({ code, details: { topic: name } })
    await expect(action()).rejects.toThrow(name)
    expect(await admin.listTopics()).toEqual(['taken'])
  })

  it('that succeed in a call in which another fails stay', async () => {
    await admin.createTopics([{ name: 'b' }])
    const error = await itemsFailed(admin.createTopics([{ name: 'a' }, { name: 'b' }]))
    expect(error.message).toContain('1 of 2 items failed. Topic b: ')
    expect(codesOf(error)).toEqual({ b: 'TOPIC_ALREADY_EXISTS' })
    expect(error.details.failed.get('b')).toMatchObject({ details: { topic: 'b' } })
    expect(error.details.succeeded.get('a')).toMatchObject({ name: 'a', numPartitions: 2 })
    expect(await admin.listTopics()).toEqual(['a', 'b'])
  })
})

describe('of several items', () => {
  it('each failure is told, and what the others came to', async () => {
    await admin.createTopics(['a', 'b', 'c'].map((name) => ({ name, numPartitions: 1 })))
    await admin.alterConfigs({ type: 'topic', name: 'c' }, { 'cleanup.policy': 'compact' })
    const producer = new Producer(context, {})
    await producer.send(topicHandle('a', { value: string }), [{ value: 'x' }, { value: 'y' }])
    await producer.close()
    const before = ['a', 'b', 'c', 'gone'].map((topic) => ({ topic, partition: 0, before: 1 }))
    const records = await itemsFailed(admin.deleteRecords(before))
    expect(codesOf(records)).toEqual({
      'b-0': 'OFFSET_OUT_OF_RANGE',
      'c-0': 'POLICY_VIOLATION',
      'gone-0': 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    expect([...records.details.succeeded]).toEqual([['a-0', { topic: 'a', partition: 0, lowWatermark: 1 }]])
    expect(records.cause).toBe(records.details.failed.values().next().value)

    const topics = await itemsFailed(admin.deleteTopics(['v', 'a', 'w', 'x', 'y']))
    expect(Object.keys(codesOf(topics)).sort()).toEqual(['v', 'w', 'x', 'y'])
    expect(topics.message).toMatch(/^4 of 5 items failed\. Topic v: .* Topic w: .* Topic x: .* and 1 more\.$/)
    expect(await admin.listTopics()).toEqual(['b', 'c'])

    expect(codesOf(await itemsFailed(admin.describeTopics(['b', 'a'])))).toEqual({
      a: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  it('one that the broker does not answer for has failed', async () => {
    const network = new ScriptedNetwork()
    network.overrides.set('DeleteTopics', () => ({
      responses: [{ name: 'a', topicId: '', errorCode: 0, errorMessage: null }],
    }))
    const scripted = new Admin(contextOver(network, test.clock))
    expect(codesOf(await itemsFailed(scripted.deleteTopics(['a', 'b'])))).toEqual({
      b: 'UNKNOWN_SERVER_ERROR',
    })
  })

  it('only those are tried again that may pass', async () => {
    const network = new ScriptedNetwork([1])
    network.addTopic('t', [1, 1, 1])
    const asked: number[][] = []
    network.overrides.set('DeleteRecords', (_, request) => {
      const { topics } = request as RequestOf<typeof deleteRecords>
      const indexes = topics.flatMap(({ partitions }) =>
        partitions.map(({ partitionIndex }) => partitionIndex),
      )
      // Partition 1 has lost its leader at first, and the policy of partition 2 has no delete.
      const errorOf = (index: number) => (index === 2 ? 44 : index === 1 && asked.length === 0 ? 6 : 0)
      const partitions = indexes.map((partitionIndex) => ({
        partitionIndex,
        lowWatermark: 5,
        errorCode: errorOf(partitionIndex),
      }))
      asked.push(indexes)
      return { throttleTimeMs: 0, topics: [{ name: 't', partitions }] }
    })
    const scripted = new Admin(contextOver(network, test.clock))
    const partitions = [0, 1, 2].map((partition) => ({ topic: 't', partition, before: 5 }))
    const failing = itemsFailed(scripted.deleteRecords(partitions))
    await turn()
    await test.clock.advanceAsync(1000)
    const error = await failing
    expect(codesOf(error)).toEqual({ 't-2': 'POLICY_VIOLATION' })
    expect([...error.details.succeeded.keys()].sort()).toEqual(['t-0', 't-1'])
    expect(asked).toEqual([[0, 1, 2], [1]])
  })
})

describe('configs', () => {
  it('of a topic say where they come from', async () => {
    await admin.createTopics([{ name: 't', configs: { 'retention.ms': '1234' } }])
    const configs = await admin.describeConfigs({ type: 'topic', name: 't' })
    const of = (name: string) => configs.find((config) => config.name === name)
    expect(of('retention.ms')).toMatchObject({ value: '1234', source: 'topic', type: 'long' })
    // Kafka's default.
    expect(of('retention.bytes')).toMatchObject({ value: '-1', source: 'default', type: 'long' })
    await expect(admin.describeConfigs({ type: 'topic', name: 'gone' })).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      details: { type: 'topic', name: 'gone' },
    })
  })

  it('of the broker hold what it was opened with', async () => {
    const { brokers } = await admin.describeCluster()
    const configs = await admin.describeConfigs({ type: 'broker', name: String(brokers[0]!.nodeId) })
    expect(configs.find(({ name }) => name === 'num.partitions')?.value).toBe('2')
  })
})

describe('offsets and groups', () => {
  it('are the ends of a partition, and the records at a time', async () => {
    await admin.createTopics([{ name: 't', numPartitions: 1 }])
    const producer = new Producer(context, {})
    const topic = topicHandle('t', { value: string })
    await producer.send(
      topic,
      [1000, 3000, 2000].map((timestamp) => ({ value: 'x', timestamp })),
    )
    await producer.close()
    const at = async (spec: Parameters<Admin['listOffsets']>[1]) => {
      const [listed] = await admin.listOffsets([{ topic: 't', partition: 0 }], spec)
      return [listed!.offset, listed!.timestamp]
    }
    expect(await at('earliest')).toEqual([0, -1])
    expect(await at('latest')).toEqual([3, -1])
    expect(await at('max-timestamp')).toEqual([1, 3000])
    // The first record at or after the time, in the order of offsets.
    expect(await at(new Date(1500))).toEqual([1, 3000])
    expect(await at(new Date(5000))).toEqual([-1, -1])
    await expect(at('first' as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(admin.listOffsets([{ topic: 't', partition: 9 }], 'latest')).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      details: { topic: 't', partition: 9 },
    })
  })

  it('are nothing where there is no group', async () => {
    expect(await admin.listGroups()).toEqual([])
    expect((await admin.describeGroups(['g']))[0]).toMatchObject({ groupId: 'g', state: 'Dead', members: [] })
    expect(await admin.listConsumerGroupOffsets('g')).toEqual([])
  })

  it('can be deleted: an offset, or a group with all it has', async () => {
    const orders = await test.createTopic('orders', 2)
    await test.createTopic('other')
    const members = membersOf(test)
    await members.commit('', -1, orders, 7)
    const offsets = async (): Promise<number[]> =>
      (await admin.listConsumerGroupOffsets('billing')).map(({ offset }) => offset)
    expect(await offsets()).toEqual([7])
    const [zero, one] = [0, 1].map((partition) => ({ topic: 'orders', partition }))
    await admin.deleteConsumerGroupOffsets('billing', [one!])
    expect(await offsets()).toEqual([7])
    await admin.deleteConsumerGroupOffsets('billing', [zero!, { topic: 'other', partition: 0 }])
    expect(await offsets()).toEqual([])

    await members.commit('', -1, orders, 8)
    const error = await itemsFailed(admin.deleteGroups(['nobody', 'billing']))
    expect(codesOf(error)).toEqual({ nobody: 'GROUP_ID_NOT_FOUND' })
    expect([...error.details.succeeded.keys()]).toEqual(['billing'])
    expect(await admin.listGroups()).toEqual([])
    await expect(admin.deleteConsumerGroupOffsets('billing', [zero!])).rejects.toMatchObject({
      code: 'GROUP_ID_NOT_FOUND',
      details: { groupId: 'billing' },
    })
  })

  it('are not deleted under their members', async () => {
    await test.createTopic('orders')
    const members = membersOf(test)
    const memberId = await members.newId()
    const { generationId } = await members.join(memberId)
    await members.sync(memberId, generationId, { [memberId]: 'all' })
    await expect(admin.deleteGroups(['billing'])).rejects.toMatchObject({
      code: 'NON_EMPTY_GROUP',
      details: { groupId: 'billing' },
    })
    await expect(
      admin.deleteConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0 }]),
    ).rejects.toMatchObject({
      code: 'GROUP_SUBSCRIBED_TO_TOPIC',
      details: { groupId: 'billing', topic: 'orders', partition: 0 },
    })
  })
})

it('a call that is not wanted any more ends', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(admin.listTopics({ signal })).rejects.toThrow('enough')
  await expect(admin.createTopics([{ name: 't' }], { signal })).rejects.toThrow('enough')
})
