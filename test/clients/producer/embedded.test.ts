/** The producer over an embedded broker, end to end, and the types from a topic to what is sent. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { Admin } from '../../../src/clients/admin/admin.js'
import type { ClientContext } from '../../../src/clients/context.js'
import type { RecordMetadata } from '../../../src/clients/producer/delivery.js'
import { Producer } from '../../../src/clients/producer/producer.js'
import { json } from '../../../src/clients/serdes/json.js'
import { nullable } from '../../../src/clients/serdes/nullable.js'
import { int64 } from '../../../src/clients/serdes/numbers.js'
import { string } from '../../../src/clients/serdes/string.js'
import type { Topic } from '../../../src/clients/topic.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { openBatch } from '../../../src/record/decode.js'
import { COMPRESSION_TYPES, readHeader } from '../../../src/record/header.js'
import { contextOver, topicHandle } from '../../support/client-context.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'

let test: TestBroker
let context: ClientContext
let topicId: string

beforeEach(async () => {
  test = await openTestBroker()
  context = contextOver(new DirectNetwork(test.broker, { clock: test.clock, clientId: 'app' }), test.clock)
  const [created] = await new Admin(context).createTopics([
    { name: 't', numPartitions: 1, configs: { 'max.message.bytes': '5000' } },
  ])
  topicId = created!.topicId
})

afterEach(async () => test.broker.close())

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes)

const stored = async () => {
  const { records } = await test.fetch(topicId, 0, 0)
  const found: {
    offset: number
    key: string | null
    value: string | null
    headers: [string, string | null][]
  }[] = []
  const codecs = new Set<string>()
  for (const batch of records as unknown as Uint8Array[]) {
    codecs.add(readHeader(batch).compression)
    const cursor = await openBatch(batch)
    while (cursor.next())
      found.push({
        offset: cursor.offset,
        key: text(cursor.key),
        value: text(cursor.value),
        headers: cursor.headers.map(({ key, value }) => [key, text(value)]),
      })
  }
  return { found, codecs: [...codecs] }
}

describe('what is sent is what is stored', () => {
  it('keys, values, headers and tombstones', async () => {
    const producer = new Producer(context, {})
    const topic = topicHandle('t', { key: string, value: nullable(string) })
    const sent = await producer.send(topic, [
      { key: 'a', value: 'first', headers: { h: 'x', none: null } },
      { key: 'b', value: null },
      {
        key: null,
        value: '',
        headers: [
          { key: 'h', value: null },
          { key: 'h', value: new Uint8Array([49]) },
        ],
      },
    ])
    expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2])
    expect((await stored()).found).toEqual([
      {
        offset: 0,
        key: 'a',
        value: 'first',
        headers: [
          ['h', 'x'],
          ['none', null],
        ],
      },
      { offset: 1, key: 'b', value: null, headers: [] },
      {
        offset: 2,
        key: null,
        value: '',
        headers: [
          ['h', null],
          ['h', '1'],
        ],
      },
    ])
    await producer.close()
  })

  it.each(COMPRESSION_TYPES)('compressed with %s', async (compressionType) => {
    const producer = new Producer(context, { compressionType })
    const topic = topicHandle('t', { value: string })
    const values = Array.from({ length: 300 }, (_, index) => `value ${index}`)
    const sends = values.map((value) => producer.send(topic, { value }))
    await Promise.all(sends)
    const { found, codecs } = await stored()
    expect(found.map(({ value }) => value)).toEqual(values)
    expect(codecs).toEqual([compressionType])
    await producer.close()
  })

  it('too large for the topic: the error says so', async () => {
    const producer = new Producer(context, {})
    const topic = topicHandle('t', { value: string })
    await expect(producer.send(topic, { value: 'x'.repeat(6000) })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    })
    expect((await producer.send(topic, { value: 'next' })).offset).toBe(0)
    await producer.close()
  })

  it('a buffer may be used again once send has returned', async () => {
    const producer = new Producer(context, {})
    const buffer = new TextEncoder().encode('before')
    const sent = producer.send(topicHandle('t'), { value: buffer })
    buffer.set(new TextEncoder().encode('after!'))
    await sent
    expect((await stored()).found[0]!.value).toBe('before')
    await producer.close()
  })

  it('nothing after the network is closed; closing the producer ends all the same', async () => {
    const producer = new Producer(context, {})
    const topic = topicHandle('t', { value: string })
    await producer.send(topic, { value: 'x' })
    await context.network.close()
    await expect(producer.send(topic, { value: 'y' })).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await producer.close()
  })
})

describe('types', () => {
  it('flow from the serdes to send', () => {
    const Order = z.object({ total: z.number() })
    const orders = topicHandle('orders', { key: string, value: json(Order) })
    expectTypeOf(orders).toEqualTypeOf<Topic<string, { total: number }>>()
    const compiled = (producer: Producer): void => {
      expectTypeOf(producer.send(orders, { value: { total: 1 } })).toEqualTypeOf<Promise<RecordMetadata>>()
      expectTypeOf(producer.send(orders, [{ key: 'k', value: { total: 1 } }])).toEqualTypeOf<
        Promise<readonly RecordMetadata[]>
      >()
      // @ts-expect-error total is a number
      void producer.send(orders, { value: { total: '1' } })
      // @ts-expect-error keys are strings
      void producer.send(orders, { key: 1, value: { total: 1 } })
      // @ts-expect-error a value is needed
      void producer.send(orders, { key: 'k' })
      // @ts-expect-error tombstones need nullable
      void producer.send(orders, { value: null })
      // @ts-expect-error one of them is wrong
      void producer.send(orders, [{ value: { total: 1 } }, { value: 1 }])
      void producer.send(topicHandle('n', { value: nullable(json(Order)) }), { value: null })
      // @ts-expect-error 64 bits are a bigint
      void producer.send(topicHandle('n', { value: int64 }), { value: 1 })
    }
    expect(compiled).toBeTypeOf('function')
  })
})
