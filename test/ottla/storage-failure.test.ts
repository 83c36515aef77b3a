/** A storage whose writes fail: nothing is acknowledged any more, and whoever waits is told. */
import { json, Ottla, OttlaError, string, type LogStorage } from 'ottla'
import { MemoryStorage } from 'ottla/storage/memory'
import { expect, it } from 'vitest'

const diskFull = new OttlaError('STORAGE_FAILED', 'The disk is full.')

/** `storage`, the writes of which fail from when `fail` is called. */
const breakable = (storage: LogStorage): { readonly storage: LogStorage; readonly fail: () => void } => {
  let hasFailed = false
  const writes = new Set([
    'append',
    'truncateSuffix',
    'truncatePrefix',
    'replace',
    'writeBlobs',
    'deletePartition',
  ])
  const around = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_target, name) => {
        if (name === 'failure' && hasFailed) return diskFull
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          if (hasFailed && writes.has(String(name))) return Promise.reject(diskFull)
          const result: unknown = Reflect.apply(value, target, args)
          return name === 'partition' ? (result as Promise<object>).then(around) : result
        }
      },
    })
  return { storage: around(storage), fail: () => (hasFailed = true) }
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'ok'
  } catch (error) {
    return OttlaError.is(error) ? error.code : String(error)
  }
}

it('acknowledges nothing after a write has failed, and tells everyone', async () => {
  const { storage, fail } = breakable(new MemoryStorage())
  const ottla = await Ottla.open({ storage, configs: { 'group.initial.rebalance.delay.ms': 0 } })
  const topic = await ottla.createTopic('t', { partitions: 2, key: string, value: json<number>() })
  const producer = ottla.producer({ retryBackoffMs: 1, retryBackoffMaxMs: 1 })
  await producer.send(topic, { key: 'a', value: 1 })
  const backoff = { retryBackoffMs: 1, retryBackoffMaxMs: 1 }
  const group = ottla.consumerGroup('g', { topics: [topic], ...backoff, enableAutoCommit: false })
  const member = await group.join()
  let failureCount = 0
  ottla.events.on('storageFailed', () => failureCount++)

  fail()
  const record = { key: 'a', value: 2 }
  const codes = await Promise.all(
    [
      producer.send(topic, record),
      producer.send(topic, [record, record]),
      ottla.producer({ enableIdempotence: false, ...backoff }).send(topic, record),
      ottla.producer(backoff).send(topic, record),
      member.commit([{ topic: 't', partition: 0, offset: 1 }]),
      ottla.consumerGroup('others', { topics: [topic], ...backoff }).join(),
      ottla.createTopic('u'),
    ].map(codeOf),
  )
  expect(codes).toEqual(Array(codes.length).fill('KAFKA_STORAGE_ERROR'))
  expect(failureCount).toBe(1)
  expect(await codeOf(producer.send(topic, record))).toBe('KAFKA_STORAGE_ERROR')
  await ottla.close()
})
