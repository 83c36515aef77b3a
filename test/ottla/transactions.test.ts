/** Transactions through the public API: what an application writes, and what it finds afterwards. */
import { int32, Ottla, string, type Topic } from 'ottla'
import { MemoryStorage } from 'ottla/storage/memory'
import { afterEach, describe, expect, it } from 'vitest'
import { keptStorage } from '../support/kept-storage.js'

const open: Ottla[] = []
const start = async (options: Parameters<typeof Ottla.open>[0] = {}) => {
  const ottla = await Ottla.open(options)
  open.push(ottla)
  return ottla
}
afterEach(async () => {
  for (const ottla of open.splice(0)) await ottla.close()
})

/** All that a reader finds who wants only what is committed, up to the last stable offset. */
const committed = async <V>(ottla: Ottla, topic: Topic<unknown, V>, expected: number): Promise<V[]> => {
  const consumer = ottla.consumer({ assign: [topic], isolationLevel: 'read_committed', from: 'earliest' })
  const values: V[] = []
  for await (const { value } of consumer) {
    values.push(value)
    if (values.length === expected) break
  }
  await consumer.close()
  return values
}

describe('transaction()', () => {
  it('commits what was sent when its function is over', async () => {
    const ottla = await start()
    const orders = await ottla.createTopic('orders', { partitions: 2, value: string })
    const bills = await ottla.createTopic('bills', { value: int32 })
    const producer = ottla.producer({ transactionalId: 'billing' })
    const result = await producer.transaction(async (tx) => {
      await tx.send(orders, { value: 'one', partition: 0 })
      void tx.send(orders, { value: 'two', partition: 0 })
      void tx.send(bills, { value: 7 })
      return 'done'
    })
    expect(result).toBe('done')
    expect(await committed(ottla, orders, 2)).toEqual(['one', 'two'])
    expect(await committed(ottla, bills, 1)).toEqual([7])
  })

  it('leaves nothing of one whose function throws, and goes on with the next', async () => {
    const ottla = await start()
    const orders = await ottla.createTopic('orders', { value: string })
    const producer = ottla.producer({ transactionalId: 'billing' })
    const failure = new Error('no')
    await expect(
      producer.transaction(async (tx) => {
        await tx.send(orders, { value: 'never' })
        throw failure
      }),
    ).rejects.toBe(failure)
    for (const value of ['a', 'b', 'c']) await producer.transaction((tx) => tx.send(orders, { value }))
    expect(await committed(ottla, orders, 3)).toEqual(['a', 'b', 'c'])
  })

  it('hides what is open from readers of what is committed, and shows it to others', async () => {
    const ottla = await start()
    const orders = await ottla.createTopic('orders', { value: string })
    const producer = ottla.producer({ transactionalId: 'billing' })
    await producer.begin()
    await producer.send(orders, { value: 'open' })
    const plain = ottla.consumer({ assign: [orders], from: 'earliest' })
    const careful = ottla.consumer({ assign: [orders], from: 'earliest', isolationLevel: 'read_committed' })
    expect((await plain[Symbol.asyncIterator]().next()).value).toMatchObject({ value: 'open' })
    let seen: string | undefined
    const waiting = careful[Symbol.asyncIterator]()
      .next()
      .then(({ value }) => (seen = (value as { value: string }).value))
    await ottla.producer().send(orders, { value: 'after' })
    expect(seen).toBeUndefined()
    await producer.commit()
    // It wakes when the transaction ends, though nothing was appended since.
    expect(await waiting).toBe('open')
  })

  it('fences a producer that another one has replaced', async () => {
    const ottla = await start()
    const orders = await ottla.createTopic('orders', { value: string })
    const old = ottla.producer({ transactionalId: 'billing' })
    await old.begin()
    await old.send(orders, { value: 'zombie' })
    const young = ottla.producer({ transactionalId: 'billing' })
    await young.transaction((tx) => tx.send(orders, { value: 'young' }))
    await expect(old.commit()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    await expect(old.begin()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    expect(await committed(ottla, orders, 1)).toEqual(['young'])
  })

  it('aborts what was open when the process ended, as soon as its id is used again', async () => {
    const storage = keptStorage()
    const first = await Ottla.open({ storage })
    const orders = await first.createTopic('orders', { value: string })
    const producer = first.producer({ transactionalId: 'billing' })
    await producer.transaction((tx) => tx.send(orders, { value: 'kept' }))
    await producer.begin()
    await producer.send(orders, { value: 'lost' })
    // Without a close, as a process ends that is killed.
    const second = await start({ storage })
    const again = await second.topic('orders', { value: string })
    await second
      .producer({ transactionalId: 'billing' })
      .transaction((tx) => tx.send(again, { value: 'second' }))
    expect(await committed(second, again, 2)).toEqual(['kept', 'second'])
  })
})

describe('reading a partition', () => {
  it('ends at what is stable, and leaves out what was aborted, when asked for what is committed', async () => {
    const ottla = await start()
    const orders = await ottla.createTopic('orders', { value: string })
    const producer = ottla.producer({ transactionalId: 'billing' })
    await producer.transaction((tx) => tx.send(orders, { value: 'a' }))
    await producer.begin()
    await producer.send(orders, { value: 'aborted' })
    await producer.abort()
    await producer.begin()
    await producer.send(orders, { value: 'open' })
    await ottla.producer().send(orders, { value: 'behind what is open' })
    const read = async (isolationLevel?: 'read_uncommitted' | 'read_committed') => {
      const values: string[] = []
      for await (const { value } of orders.partition(0).read({
        to: 'latest',
        ...(isolationLevel && { isolationLevel }),
      }))
        values.push(value)
      return values
    }
    expect(await read('read_committed')).toEqual(['a'])
    expect(await read()).toEqual(['a', 'aborted', 'open', 'behind what is open'])
    await producer.commit()
    expect(await read('read_committed')).toEqual(['a', 'open', 'behind what is open'])
    expect(() => orders.partition(0).read({ isolationLevel: 'committed' as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})

describe('consume, transform, produce', () => {
  it('counts each record once, though every other attempt fails', async () => {
    const ottla = await start({ storage: new MemoryStorage() })
    const orders = await ottla.createTopic('orders', { partitions: 2, value: int32 })
    const bills = await ottla.createTopic('bills', { partitions: 2, value: int32 })
    const count = 200
    await ottla.producer().send(
      orders,
      Array.from({ length: count }, (_, value) => ({ value })),
    )
    const producer = ottla.producer({ transactionalId: 'billing' })
    const group = ottla.consumerGroup('billing', { topics: [orders] })
    let attempts = 0
    let done = 0
    while (done < count) {
      const consumer = await group.join({ enableAutoCommit: false, isolationLevel: 'read_committed' })
      const leaving = new AbortController()
      const running = consumer.run({
        signal: leaving.signal,
        eachBatch: async (batch) => {
          const messages = [...batch]
          await producer.transaction(async (tx) => {
            for (const { value } of messages) void tx.send(bills, { value: value * 2 })
            await tx.commitOffsets(consumer, messages)
            if (++attempts % 2 === 1) throw new Error('a bad moment')
          })
          done += messages.length
          if (done >= count) leaving.abort()
        },
      })
      await running.catch((error: unknown) => {
        expect(error).toMatchObject({ message: 'a bad moment' })
      })
      await consumer.close()
    }
    expect(attempts).toBeGreaterThan(1)
    const billed = await committed(ottla, bills, count)
    expect(billed.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, value) => value * 2))
    const offsets = await ottla.admin.listConsumerGroupOffsets('billing')
    expect(offsets.reduce((sum, { offset }) => sum + offset, 0)).toBe(count)
  })
})
