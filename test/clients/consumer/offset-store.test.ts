/** Offsets that the application keeps with its data: each record counts once, whoever is killed or replaced. */
import { Ottla, string, type OffsetStore, type StoredOffset, type TopicPartition } from 'ottla'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MessageBatch } from '../../../src/clients/consumer/message-batch.js'
import { turn } from '../../support/client-context.js'
import { ConsumerWorld, type Text } from '../../support/consumer-world.js'
import { SeededRandom } from '../../support/seeded-random.js'

/** A database with one table of offsets and one of rows, whose transactions are single calls. */
class Database implements OffsetStore {
  readonly rows: string[] = []
  readonly offsets = new Map<string, number>()
  readonly asked: string[] = []

  load(partitions: readonly TopicPartition[]): Promise<StoredOffset[]> {
    this.asked.push(partitions.map(({ partition }) => partition).join())
    return Promise.resolve(
      partitions.flatMap(({ topic, partition }) => {
        const offset = this.offsets.get(`${topic}-${partition}`)
        return offset === undefined ? [] : [{ topic, partition, offset }]
      }),
    )
  }

  /** The rows and the offset, or neither; false when another was there first. */
  write(
    batch: Pick<MessageBatch<Text>, 'topic' | 'partition' | 'firstOffset' | 'lastOffset' | 'messages'>,
  ): boolean {
    const name = `${batch.topic}-${batch.partition}`
    if ((this.offsets.get(name) ?? 0) > batch.firstOffset) return false
    this.offsets.set(name, batch.lastOffset + 1)
    for (const { value } of batch.messages) this.rows.push(value)
    return true
  }
}

let ottla: Ottla
beforeEach(async () => {
  ottla = await Ottla.open({ configs: { 'group.initial.rebalance.delay.ms': 0 } })
})
afterEach(() => ottla.close())

const orders = async (values: readonly string[]) => {
  const topic = await ottla.createTopic('orders', { key: string, value: string })
  await ottla.producer().send(
    topic,
    values.map((value) => ({ value })),
  )
  return topic
}

describe('an offset store', () => {
  it('says where to begin, whatever the group has committed, and nothing is committed by itself', async () => {
    const topic = await orders(['a', 'b', 'c', 'd'])
    const group = ottla.consumerGroup('g', { topics: [topic] })
    const classic = await group.join({ enableAutoCommit: false })
    await classic.commit([{ topic: 'orders', partition: 0, offset: 3 }])
    await classic.close()
    const database = new Database()
    database.offsets.set('orders-0', 1)
    const consumer = await group.join({ offsetStore: database, autoCommitIntervalMs: 1 })
    const stop = new AbortController()
    await consumer.run({
      signal: stop.signal,
      eachBatch: (batch) => {
        expect(database.write(batch)).toBe(true)
        stop.abort()
      },
    })
    await consumer.close()
    expect(database.rows).toEqual(['b', 'c', 'd'])
    expect(await group.committed()).toMatchObject([{ offset: 3 }])
  })

  it('that has nothing of a partition leaves it to autoOffsetReset', async () => {
    const topic = await orders(['a', 'b'])
    const group = ottla.consumerGroup('g', { topics: [topic], offsetStore: new Database() })
    const consumer = await group.join()
    expect(await consumer.position(topic.partition(0))).toBe(0)
    await consumer.close()
    const other = await group.join({ autoOffsetReset: 'latest' })
    expect(await other.position(topic.partition(0))).toBe(2)
    await other.close()
    const strict = await group.join({ autoOffsetReset: 'none' })
    await expect(strict.position(topic.partition(0))).rejects.toMatchObject({
      code: 'NO_OFFSET_FOR_PARTITION',
      message: expect.stringContaining('offsetStore has nothing for orders-0') as string,
    })
    await strict.close()
  })

  it('that cannot be read fails the consumer, before it has handed anything out', async () => {
    const topic = await orders(['a'])
    const failure = new Error('the database is away')
    const offsetStore = { load: () => Promise.reject(failure) }
    await expect(ottla.consumerGroup('g', { topics: [topic], offsetStore }).join()).rejects.toBe(failure)
  })

  it.each<[string, StoredOffset]>([
    ['a negative offset', { topic: 'orders', partition: 0, offset: -1 }],
    ['half an offset', { topic: 'orders', partition: 0, offset: 0.5 }],
    ['another partition', { topic: 'orders', partition: 1, offset: 0 }],
  ])('that answers with %s is told so', async (_, stored) => {
    const topic = await orders(['a'])
    const offsetStore = { load: () => [stored] }
    await expect(ottla.consumerGroup('g', { topics: [topic], offsetStore }).join()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('orders-') as string,
    })
  })

  it('goes with no automatic commit, and has to be one', async () => {
    const topic = await orders([])
    const offsetStore = new Database()
    const wrong = { code: 'INVALID_ARGUMENT' }
    const given = { topics: [topic], offsetStore }
    expect(() => ottla.consumerGroup('g', { ...given, enableAutoCommit: true })).toThrow(
      expect.objectContaining(wrong) as Error,
    )
    expect(() => ottla.consumerGroup('g', { ...given, delivery: 'at-most-once' })).toThrow(
      expect.objectContaining(wrong) as Error,
    )
    // @ts-expect-error the compiler says so too
    expect(() => ottla.consumerGroup('g', { ...given, offsetStore: {} })).toThrow(
      expect.objectContaining(wrong) as Error,
    )
  })
})

describe('members that write records with their offsets', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'write each once, although they are killed at random (seed %i)',
    async (seed) => {
      const database = new Database()
      const world = await ConsumerWorld.open(3, {
        offsetStore: database,
        sessionTimeoutMs: 60,
        heartbeatIntervalMs: 10,
        maxPollRecords: 4,
        fetchMaxWaitMs: 20,
      })
      const random = new SeededRandom(seed)
      let total = 0
      const live = async (lives: number): Promise<void> => {
        for (let life = 0; life < lives; life++) {
          const process = world.process()
          const consumer = await world.join(process)
          const stop = new AbortController()
          let left = life === lives - 1 ? Infinity : 1 + random.below(12)
          const running = consumer.run({
            signal: stop.signal,
            eachBatch: async (batch) => {
              for (let turns = random.below(3); turns > 0; turns--) await turn()
              // One that is killed may stop on either side of its transaction.
              if (left-- <= 0) {
                if (random.below(2) === 0) database.write(batch)
                await process.kill()
                throw new Error('killed')
              }
              if (!database.write(batch)) throw new Error('another was here first')
              if (database.rows.length === total) stop.abort()
            },
          })
          const watch = setInterval(() => database.rows.length === total && stop.abort(), 5)
          await running.catch(() => undefined)
          clearInterval(watch)
          if (database.rows.length === total) return
          void consumer.close().catch(() => undefined)
        }
      }
      for (let batch = 0; batch < 30; batch++) await world.produce(random)
      total = world.produced.reduce((sum, count) => sum + count, 0)
      await Promise.all([live(4), live(4)])
      const expected = world.produced.flatMap((end, partition) =>
        Array.from({ length: end }, (_, offset) => `${partition}/${offset}`),
      )
      expect([...database.rows].sort()).toEqual(expected.sort())
      for (const [name, offset] of database.offsets)
        expect(offset).toBe(world.produced[Number(name.split('-')[1])])
      await world.close()
    },
  )
})
