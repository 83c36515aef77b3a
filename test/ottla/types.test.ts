/** Types: what createTopic is told about keys and values holds in everything that is made from the topic. */
import {
  bytes,
  int64,
  json,
  nullable,
  Ottla,
  string,
  type MessageOf,
  type StandardSchema,
  type Topic,
} from 'ottla'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'

interface Order {
  readonly total: number
}

let ottla: Ottla
let orders: Topic<string, Order, 'orders'>
beforeAll(async () => {
  ottla = await Ottla.open({ configs: { 'group.initial.rebalance.delay.ms': 0 } })
  orders = await ottla.createTopic('orders', { key: string, value: json<Order>() })
})
afterAll(() => ottla.close())

describe('the types of a topic', () => {
  it('come from its serdes', async () => {
    const typed = await ottla.createTopic('orders', { key: string, value: json<Order>() })
    expectTypeOf(typed).toEqualTypeOf<Topic<string, Order, 'orders'>>()
    expectTypeOf(await ottla.topic('orders', { key: string })).toEqualTypeOf<
      Topic<string, Uint8Array, 'orders'>
    >()
  })

  it('are bytes when nothing is said', async () => {
    expectTypeOf(await ottla.createTopic('raw')).toEqualTypeOf<Topic<Uint8Array, Uint8Array, 'raw'>>()
    expectTypeOf(await ottla.createTopic('raw', { key: bytes })).toEqualTypeOf<
      Topic<Uint8Array, Uint8Array, 'raw'>
    >()
  })

  it('have null where a serde is nullable', async () => {
    const topic = await ottla.createTopic('tombs', { key: string, value: nullable(json<Order>()) })
    expectTypeOf(topic).toEqualTypeOf<Topic<string, Order | null, 'tombs'>>()
    await ottla.producer().send(topic, { key: 'k', value: null })
    for await (const message of topic.partition(0).read({ to: 'latest' })) {
      expectTypeOf(message.value).toEqualTypeOf<Order | null>()
      expect(message.value).toBeNull()
    }
  })

  it('come from a Standard Schema, which also checks', async () => {
    const schema: StandardSchema<{ readonly n: number }> = {
      '~standard': {
        version: 1,
        vendor: 'here',
        validate: (value) =>
          typeof (value as { n?: unknown }).n === 'number'
            ? { value: value as { readonly n: number } }
            : { issues: [{ message: 'expected number', path: ['n'] }] },
      },
    }
    const topic = await ottla.createTopic('checked', { key: int64, value: json(schema) })
    expectTypeOf(topic).toEqualTypeOf<Topic<bigint, { readonly n: number }, 'checked'>>()
    // @ts-expect-error a text is no number
    await expect(ottla.producer().send(topic, { value: { n: 'x' } })).rejects.toMatchObject({
      code: 'SERIALIZATION_FAILED',
      message: expect.stringContaining('n: expected number') as string,
    })
  })
})

describe('the types of a topic reach', () => {
  it('the producer: another key or value does not compile', async () => {
    const producer = ottla.producer()
    await producer.send(orders, { key: 'a', value: { total: 1 } })
    await producer.send(orders, [{ value: { total: 2 } }])
    // @ts-expect-error a number is no string
    const wrongKey = producer.send(orders, { key: 1, value: { total: 1 } })
    await expect(wrongKey).rejects.toMatchObject({ code: 'SERIALIZATION_FAILED' })
    // @ts-expect-error null is no Order
    const wrongValue = producer.send(orders, { value: null })
    await expect(wrongValue).rejects.toMatchObject({ code: 'SERIALIZATION_FAILED' })
    // @ts-expect-error a record has a value
    const missing = producer.send(orders, { key: 'a' })
    await expect(missing).rejects.toMatchObject({ code: 'SERIALIZATION_FAILED' })
    // Only typed: json<Order>() takes the type at its word.
    const compiles = () => [
      // @ts-expect-error a text is no total
      producer.send(orders, { value: { total: 'x' } }),
      // @ts-expect-error an array is checked, too
      producer.send(orders, [{ value: { total: 1 } }, { value: { sum: 1 } }]),
    ]
    expectTypeOf(compiles).toBeFunction()
  })

  it('what a partition reads', async () => {
    for await (const message of orders.partition(0).read({ to: 'latest' })) {
      expectTypeOf(message.topic).toEqualTypeOf<'orders'>()
      expectTypeOf(message.key).toEqualTypeOf<string | null>()
      expectTypeOf(message.value).toEqualTypeOf<Order>()
      // @ts-expect-error an Order has none
      expect(message.value.sum).toBeUndefined()
    }
  })

  it('consumers and handlers; several topics are told apart by their names', async () => {
    const names = await ottla.createTopic('names', { key: nullable(int64), value: string })
    await ottla.producer().send(names, { key: 7n, value: 'seven' })
    const group = ottla.consumerGroup('types', { topics: [orders, names], autoOffsetReset: 'earliest' })
    await using member = await group.join()
    type Received = MessageOf<typeof orders> | MessageOf<typeof names>
    const done = new AbortController()
    let text: string | undefined
    await member.run({
      signal: done.signal,
      eachMessage: (message) => {
        expectTypeOf(message).toEqualTypeOf<Received>()
        if (message.topic === 'names') {
          expectTypeOf(message.value).toEqualTypeOf<string>()
          text = message.value
          done.abort()
        } else {
          expectTypeOf(message.value).toEqualTypeOf<Order>()
        }
      },
    })
    expect(text).toBe('seven')
  })
})
