/**
 * The time between a decision and its markers: what asks for the transactional id meanwhile waits its turn, and a marker
 * that could not be written once is written later, by the coordinator itself (T1, T3, T5).
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { ClusterMetadata } from '../../../src/broker/metadata/cluster-metadata.js'
import type { Partition } from '../../../src/broker/topic.js'
import { writeMarkers } from '../../../src/broker/transactions/markers.js'
import { deleteTopics } from '../../../src/protocol/api/delete-topics.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import type { LogStorage } from '../../../src/storage/contract.js'
import { cutStorage } from '../../support/cut-storage.js'
import { gatedStorage } from '../../support/gated-storage.js'
import { ManualClock } from '../../support/manual-clock.js'
import {
  add,
  end,
  FEW_PARTITIONS,
  initialized,
  readCommitted,
  write,
  type Level,
} from '../../support/raw-transactions.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'

const NOT_ENOUGH_REPLICAS = 19
const CONCURRENT_TRANSACTIONS = 51

const open: TestBroker[] = []
const openBroker = async (storage: LogStorage): Promise<TestBroker> => {
  const test = await openTestBroker(FEW_PARTITIONS, storage)
  open.push(test)
  return test
}
afterEach(async () => {
  for (const { broker } of open.splice(0)) await broker.close()
})

/** What is let through takes turns of the event loop only, never time. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

const begin = async (level: Level) => {
  const gate = gatedStorage()
  const test = await openBroker(gate.storage)
  const orders = await test.createTopic('orders', 2)
  const bills = await test.createTopic('bills')
  const producer = await initialized(test, 'tx')
  const apiVersion = level === 2 ? 12 : 11
  if (level === 0) await add(test, producer, 'orders', [0])
  expect(await write(test, producer, 'orders', ['a'], { apiVersion })).toBe(0)
  return { gate, test, orders, bills, producer, apiVersion }
}

describe.each([2, 0] as const)('a transaction of level %s that is being ended', (level: Level) => {
  it('takes no partition more while its decision is written: no record is left open behind it (T1, T4)', async () => {
    const { gate, test, orders, producer } = await begin(level)
    gate.hold()
    const ending = end(test, producer, true, level)
    await turns()
    const late =
      level === 2
        ? write(test, producer, 'orders', ['late'], { partition: 1 })
        : add(test, producer, 'orders', [1]).then(([errorCode]) => errorCode)
    await turns()
    gate.release()
    expect(await late).toBe(CONCURRENT_TRANSACTIONS)
    expect((await ending).errorCode).toBe(0)
    expect(await readCommitted(test, orders)).toEqual({ values: ['a'], stable: 2, highWatermark: 2 })
    expect(await readCommitted(test, orders, 1)).toEqual({ values: [], stable: 0, highWatermark: 0 })
  })

  it('lets none follow before its markers are written (T5)', async () => {
    const { gate, test, orders, producer, apiVersion } = await begin(level)
    gate.hold(orders)
    const ending = end(test, producer, true, level)
    await turns()
    const next = level === 2 ? { ...producer, producerEpoch: producer.producerEpoch + 1 } : producer
    const early = write(test, next, 'orders', ['early'], { apiVersion, sequence: level === 2 ? 0 : 1 })
    const added = level === 0 ? add(test, next, 'bills', [0]) : write(test, next, 'bills', ['early'])
    await turns()
    gate.release()
    expect(await early).toBe(level === 2 ? CONCURRENT_TRANSACTIONS : NOT_ENOUGH_REPLICAS)
    expect([await added].flat()).toEqual([CONCURRENT_TRANSACTIONS])
    expect((await ending).errorCode).toBe(0)
    expect(await readCommitted(test, orders)).toEqual({ values: ['a'], stable: 2, highWatermark: 2 })
  })

  it('is over though a topic of it is deleted while its marker is on the way, and the next one begins', async () => {
    const { gate, test, orders, bills, producer, apiVersion } = await begin(level)
    if (level === 0) await add(test, producer, 'bills', [0])
    expect(await write(test, producer, 'bills', ['b'], { apiVersion })).toBe(0)
    gate.hold(orders)
    const ending = end(test, producer, true, level)
    await turns()
    await test.send(deleteTopics, {
      topics: [{ name: null, topicId: orders }],
      topicNames: [],
      timeoutMs: 1000,
    })
    const { errorCode, producerEpoch } = await ending
    expect(errorCode).toBe(0)
    const next = level === 2 ? { ...producer, producerEpoch } : producer
    if (level === 0) expect(await add(test, next, 'bills', [0])).toEqual([0])
    expect(await write(test, next, 'bills', ['c'], { apiVersion, sequence: level === 2 ? 0 : 1 })).toBe(0)
    expect((await end(test, next, true, level)).errorCode).toBe(0)
    expect((await readCommitted(test, bills)).values).toEqual(['b', 'c'])
  })
})

it('a marker that could not be written is written later, without anyone asking (T3)', async () => {
  const { kept, storage, dieAfter } = cutStorage()
  const before = await openTestBroker(FEW_PARTITIONS, storage)
  const orders = await before.createTopic('orders')
  const producer = await initialized(before, 'tx')
  expect(await write(before, producer, 'orders', ['a'])).toBe(0)
  // The decision is written, and then the process dies.
  dieAfter(1)
  void end(before, producer, true, 2)
  await turns()
  let refusals = 1
  const storageOfNext: LogStorage = {
    ...kept,
    partition: (id) =>
      id.topicId === orders && refusals-- > 0
        ? Promise.reject(new OttlaError('STORAGE_FAILED', 'There are too many open files.'))
        : kept.partition(id),
  }
  const test = await openBroker(storageOfNext)
  await turns()
  expect((await readCommitted(test, orders)).values).toEqual([])
  test.clock.advance(1000)
  await turns()
  expect(await readCommitted(test, orders)).toEqual({ values: ['a'], stable: 2, highWatermark: 2 })
})

describe('writing markers', () => {
  const written = (codeOfAppend: 'RESOURCE_CLOSED' | 'UNKNOWN_TOPIC_OR_PARTITION', isThereAfter: boolean) => {
    let isThere = true
    const append = (): Promise<never> => {
      isThere = isThereAfter
      return Promise.reject(new OttlaError(codeOfAppend, 'The log is closed.'))
    }
    const partition = { topic: { name: 'orders' }, index: 0, log: { append } } as unknown as Partition
    const topic = { partition: () => partition }
    const metadata = { topic: () => (isThere ? topic : undefined) } as unknown as ClusterMetadata
    const services = { clock: new ManualClock(), metadata, endInOffsets: () => Promise.resolve() }
    const marker = { producerId: 7, producerEpoch: 1, coordinatorEpoch: 0, type: 'commit' } as const
    return writeMarkers(services, new Map([['orders', new Set([0])]]), marker)
  }

  it.each(['RESOURCE_CLOSED', 'UNKNOWN_TOPIC_OR_PARTITION'] as const)(
    'is done with a partition that is gone (%s)',
    (code) => expect(written(code, false)).resolves.toBeUndefined(),
  )

  it('is not done with one whose log is only being closed: the next broker has to write it', () =>
    expect(written('RESOURCE_CLOSED', true)).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' }))
})
