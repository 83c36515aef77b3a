/** The admin client changes configs and deletes records, over an embedded broker; the disk budget over an Ottla. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { Ottla } from '../../../src/ottla.js'
import { contextOver } from '../../support/client-context.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'

let test: TestBroker
let admin: Admin
let topicId: string

beforeEach(async () => {
  test = await openTestBroker()
  const network = new DirectNetwork(test.broker, { clock: test.clock, clientId: 'app' })
  admin = new Admin(contextOver(network, test.clock))
  topicId = await test.createTopic('orders', 2)
})

afterEach(async () => test.broker.close())

const TOPIC = { type: 'topic', name: 'orders' } as const

const sourceOf = async (name: string) => {
  const configs = await admin.describeConfigs(TOPIC)
  const { value, source, type } = configs.find((config) => config.name === name)!
  return [value, source, type]
}

describe('configs', () => {
  it('are changed one by one; null returns one to its default', async () => {
    await admin.alterConfigs(TOPIC, { 'retention.ms': 1000, 'max.message.bytes': 5000 })
    expect(await sourceOf('retention.ms')).toEqual(['1000', 'topic', 'long'])
    expect(await sourceOf('max.message.bytes')).toEqual(['5000', 'topic', 'int'])
    await admin.alterConfigs(TOPIC, { 'retention.ms': null, 'compression.type': 'gzip' })
    expect(await sourceOf('retention.ms')).toEqual(['604800000', 'default', 'long'])
    expect(await sourceOf('compression.type')).toEqual(['gzip', 'topic', 'string'])
    expect(await sourceOf('max.message.bytes')).toEqual(['5000', 'topic', 'int'])
    await admin.alterConfigs(TOPIC, { 'compression.type': null }, { validateOnly: true })
    expect(await sourceOf('compression.type')).toEqual(['gzip', 'topic', 'string'])
  })

  it('are refused with what would be right', async () => {
    await expect(admin.alterConfigs(TOPIC, { 'retention.ms': 'soon' })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('retention.ms is "soon"; expected a whole number') as string,
    })
    await expect(admin.alterConfigs(TOPIC, { 'retention.m': 1 })).rejects.toMatchObject({
      message: expect.stringContaining('Did you mean retention.ms?') as string,
    })
    const missing = { type: 'topic', name: 'none' } as const
    await expect(admin.alterConfigs(missing, {})).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    const broker = { type: 'broker', name: '1' } as const
    await expect(admin.alterConfigs(broker, { 'num.partitions': 3 })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    })
  })
})

describe('records', () => {
  it('are deleted before an offset, or all of them', async () => {
    for (const partition of [0, 1]) await test.produce(topicId, partition, ['a', 'b', 'c'])
    const deleted = await admin.deleteRecords([
      { topic: 'orders', partition: 0, before: 2 },
      { topic: 'orders', partition: 1, before: 'latest' },
    ])
    expect(deleted).toEqual([
      { topic: 'orders', partition: 0, lowWatermark: 2 },
      { topic: 'orders', partition: 1, lowWatermark: 3 },
    ])
    const earliest = await admin.listOffsets([{ topic: 'orders', partition: 0 }], 'earliest')
    expect(earliest[0]).toMatchObject({ offset: 2 })
  })

  it('beyond the end, of no partition, or where that is not allowed, are not', async () => {
    const at = (partition: number, before: number) =>
      admin.deleteRecords([{ topic: 'orders', partition, before }])
    await expect(at(0, 1)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    await expect(at(0, -1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await admin.alterConfigs(TOPIC, { 'cleanup.policy': '' })
    await expect(at(0, 0)).rejects.toMatchObject({ code: 'POLICY_VIOLATION' })
  })
})

describe('the disk budget', () => {
  it('is an option of Ottla.open: what does not fit fails for good, and says why', async () => {
    await using ottla = await Ottla.open({ maxDiskBytes: 20_000 })
    const topic = await ottla.createTopic('t')
    const producer = ottla.producer({ lingerMs: 0 })
    const value = new Uint8Array(12_000)
    await producer.send(topic, { value })
    await expect(producer.send(topic, { value })).rejects.toMatchObject({
      code: 'POLICY_VIOLATION',
      retriable: false,
      message: expect.stringContaining('ottla.disk.max.bytes') as string,
    })
    await ottla.admin.deleteRecords([{ topic: 't', partition: 0, before: 'latest' }])
    await producer.send(topic, { value })
  })

  it('with drop-oldest the oldest records give room', async () => {
    await using ottla = await Ottla.open({ maxDiskBytes: 40_000, diskPolicy: 'drop-oldest' })
    const topic = await ottla.createTopic('t')
    const producer = ottla.producer({ lingerMs: 0 })
    for (let i = 0; i < 10; i++) await producer.send(topic, { value: new Uint8Array(12_000) })
    const ends = await Promise.all(
      (['earliest', 'latest'] as const).map((spec) =>
        ottla.admin.listOffsets([{ topic: 't', partition: 0 }], spec),
      ),
    )
    expect(ends.map(([found]) => found!.offset)).toEqual([7, 10])
  })

  it('takes nothing but a number of bytes and a policy', async () => {
    await expect(Ottla.open({ maxDiskBytes: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(Ottla.open({ diskPolicy: 'drop' as never })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })
})
