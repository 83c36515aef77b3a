/** What can be looked up without reading. */
import { expect, it } from 'vitest'
import { Ottla, string } from '../../src/index.js'

it('a consumer looks up the first offset of its partitions, and the one behind the last', async () => {
  await using ottla = await Ottla.open()
  const orders = await ottla.createTopic('orders', { partitions: 2, value: string })
  await ottla.producer().send(orders, [
    { value: 'a', partition: 0 },
    { value: 'b', partition: 0 },
    { value: 'c', partition: 1 },
  ])
  await ottla.admin.deleteRecords([{ topic: 'orders', partition: 0, before: 1 }])
  const consumer = ottla.consumer({ assign: [orders] })
  expect(await consumer.beginningOffsets()).toMatchObject([
    { topic: 'orders', partition: 0, offset: 1 },
    { topic: 'orders', partition: 1, offset: 0 },
  ])
  expect(await consumer.endOffsets([{ topic: 'orders', partition: 0 }])).toMatchObject([{ offset: 2 }])
})

it('the credentials of a user are described without their passwords', async () => {
  await using ottla = await Ottla.open()
  const { admin } = ottla
  const alice = { user: 'alice', mechanism: 'SCRAM-SHA-256', password: 'secret', iterations: 5000 } as const
  await admin.alterUserScramCredentials([alice])
  const expected = { name: 'alice', credentialInfos: [{ mechanism: 'SCRAM-SHA-256', iterations: 5000 }] }
  expect(await admin.describeUserScramCredentials()).toEqual([expected])
  expect(await admin.describeUserScramCredentials(['alice'])).toEqual([expected])
  await expect(admin.describeUserScramCredentials(['bob'])).rejects.toMatchObject({
    code: 'RESOURCE_NOT_FOUND',
  })
})
