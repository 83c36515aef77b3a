/** @platformatic/kafka against a listener: the newest versions of the protocol that a client from npm speaks. */
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla, string } from '../../src/index.js'

let ottla: Ottla
let connection: { readonly clientId: string; readonly bootstrapBrokers: string[] }

beforeEach(async () => {
  ottla = await Ottla.open()
  const { host, port } = await ottla.listen()
  connection = { clientId: 'test', bootstrapBrokers: [`${host}:${port}`] }
})
afterEach(() => ottla.close())

const consume = async (groupId: string, topic: string, count: number): Promise<string[]> => {
  const consumer = new Consumer({
    ...connection,
    groupId,
    deserializers: stringDeserializers,
    sessionTimeout: 10_000,
    heartbeatInterval: 500,
    maxWaitTime: 100,
  })
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
  const values: string[] = []
  for await (const message of stream) {
    values.push(message.value)
    await message.commit()
    if (values.length === count) break
  }
  await stream.close()
  await consumer.close()
  return values
}

describe('@platformatic/kafka', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4'] as const)(
    'produces and consumes with %s',
    async (compression) => {
      await ottla.createTopic('t', { key: string, value: string })
      const producer = new Producer({ ...connection, serializers: stringSerializers, idempotent: true })
      const values = Array.from({ length: 50 }, (_, index) => `value ${index}`)
      await producer.send({ messages: values.map((value) => ({ topic: 't', key: 'k', value })), compression })
      await producer.close()
      expect(await consume('g', 't', 50)).toEqual(values)
    },
  )

  it('lists and describes what there is', async () => {
    await ottla.createTopic('t', { partitions: 2, value: string })
    const admin = new Admin(connection)
    expect(await admin.listTopics()).toEqual(['t'])
    await admin.createTopics({ topics: ['made'], partitions: 3, replicas: 1 })
    expect([...(await admin.listTopics())].sort()).toEqual(['made', 't'])
    await admin.deleteTopics({ topics: ['made'] })
    expect(await admin.listTopics()).toEqual(['t'])
    await ottla.consumerGroup('mine', { topics: [await ottla.topic('t')] }).join()
    const groups = await admin.listGroups()
    expect([...groups.keys()]).toEqual(['mine'])
    await admin.close()
  })
})
