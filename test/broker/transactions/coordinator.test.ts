/**
 * The coordinator by its requests, for clients of both kinds. Error numbers are those of Kafka's Errors.java; what is
 * expected is what Kafka's TransactionCoordinator and TransactionMetadata do (KIP-98, KIP-360, KIP-890).
 */
import { afterEach, describe, expect, it } from 'vitest'
import { describeProducers } from '../../../src/protocol/api/describe-producers.js'
import { describeTransactions } from '../../../src/protocol/api/describe-transactions.js'
import { listTransactions } from '../../../src/protocol/api/list-transactions.js'
import { writeTxnMarkers } from '../../../src/protocol/api/write-txn-markers.js'
import type { GivenConfigs } from '../../../src/broker/configs/broker-configs.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'
import {
  add,
  end,
  FEW_PARTITIONS,
  init,
  initialized,
  readCommitted,
  write,
  type Level,
} from '../../support/raw-transactions.js'

const OUT_OF_ORDER_SEQUENCE_NUMBER = 45
const INVALID_PRODUCER_EPOCH = 47
const INVALID_TXN_STATE = 48
const INVALID_PRODUCER_ID_MAPPING = 49
const INVALID_TRANSACTION_TIMEOUT = 50
const CONCURRENT_TRANSACTIONS = 51
const UNKNOWN_TOPIC_OR_PARTITION = 3
const INVALID_REQUEST = 42
const OPERATION_NOT_ATTEMPTED = 55
const PRODUCER_FENCED = 90
const TRANSACTIONAL_ID_NOT_FOUND = 105
const TRANSACTION_ABORTABLE = 120

const open: TestBroker[] = []
const openBroker = async (configs: GivenConfigs = {}): Promise<TestBroker> => {
  const test = await openTestBroker({ ...FEW_PARTITIONS, ...configs })
  open.push(test)
  return test
}
afterEach(async () => {
  for (const { broker } of open.splice(0)) await broker.close()
})

describe('InitProducerId', () => {
  it('gives an id the same producer with the next epoch each time, and fences the one before (T2)', async () => {
    const test = await openBroker()
    await test.createTopic('orders')
    const first = await initialized(test, 'tx')
    const second = await initialized(test, 'tx')
    expect(second).toEqual({ ...first, producerEpoch: first.producerEpoch + 1 })
    expect(await write(test, first, 'orders', ['late'])).toBe(INVALID_PRODUCER_EPOCH)
    expect(await add(test, first, 'orders', [0])).toEqual([PRODUCER_FENCED])
    expect((await end(test, first, true, 2)).errorCode).toBe(PRODUCER_FENCED)
    expect((await end(test, first, true, 0)).errorCode).toBe(PRODUCER_FENCED)
  })

  it('aborts the transaction of the producer before', async () => {
    const test = await openBroker()
    const orders = await test.createTopic('orders')
    const first = await initialized(test, 'tx')
    expect(await write(test, first, 'orders', ['never'])).toBe(0)
    expect((await readCommitted(test, orders)).stable).toBe(0)
    const second = await initialized(test, 'tx')
    expect(second.producerEpoch).toBeGreaterThan(first.producerEpoch + 1)
    expect(await readCommitted(test, orders)).toEqual({ values: [], stable: 2, highWatermark: 2 })
    expect(await write(test, second, 'orders', ['now'])).toBe(0)
    expect((await end(test, second, true, 2)).errorCode).toBe(0)
    expect((await readCommitted(test, orders)).values).toEqual(['now'])
  })

  it('gives a producer that says who it is its next epoch, twice when it asks twice (KIP-360)', async () => {
    const test = await openBroker()
    const first = await initialized(test, 'tx')
    const next = { errorCode: 0, producerId: first.producerId, producerEpoch: first.producerEpoch + 1 }
    expect(await init(test, 'tx', { expected: first })).toMatchObject(next)
    expect(await init(test, 'tx', { expected: first })).toMatchObject(next)
    const other = await initialized(test, 'tx')
    expect(other.producerEpoch).toBe(next.producerEpoch + 1)
    expect(await init(test, 'tx', { expected: first })).toMatchObject({ errorCode: PRODUCER_FENCED })
    expect(
      await init(test, 'tx', { expected: { ...first, producerId: first.producerId + 7 } }),
    ).toMatchObject({ errorCode: PRODUCER_FENCED, producerId: -1, producerEpoch: -1 })
    expect(await init(test, 'tx', { expected: first, apiVersion: 3 })).toMatchObject({
      errorCode: INVALID_PRODUCER_EPOCH,
    })
  })

  it.each([
    ['an empty id', '', 1000, INVALID_REQUEST],
    ['no timeout', 'tx', 0, INVALID_TRANSACTION_TIMEOUT],
    ['a timeout beyond transaction.max.timeout.ms', 'tx', 2001, INVALID_TRANSACTION_TIMEOUT],
  ])('refuses %s', async (_what, id, timeoutMs, errorCode) => {
    const test = await openBroker({ 'transaction.max.timeout.ms': 2000 })
    expect(await init(test, id, { timeoutMs })).toMatchObject({
      errorCode,
      producerId: -1,
      producerEpoch: -1,
    })
  })
})

describe.each([2, 0] as const)('a transaction of level %s', (level: Level) => {
  const begin = async (configs?: GivenConfigs) => {
    const test = await openBroker(configs)
    const topics = { orders: await test.createTopic('orders', 2), bills: await test.createTopic('bills') }
    const producer = await initialized(test, 'tx')
    if (level === 0) {
      expect(await add(test, producer, 'orders', [0, 1])).toEqual([0, 0])
      expect(await add(test, producer, 'bills', [0])).toEqual([0])
    }
    return { test, topics, producer, version: level === 2 ? 12 : 11 }
  }

  it('counts everywhere when it is committed, and nowhere when it is aborted (T1)', async () => {
    const { test, topics, producer, version } = await begin()
    const at = { apiVersion: version }
    expect(await write(test, producer, 'orders', ['a', 'b'], at)).toBe(0)
    expect(await write(test, producer, 'orders', ['c'], { ...at, partition: 1 })).toBe(0)
    expect(await write(test, producer, 'bills', ['d'], at)).toBe(0)
    expect(await write(test, producer, 'orders', ['e'], { ...at, sequence: 2 })).toBe(0)
    expect(await readCommitted(test, topics.orders)).toEqual({ values: [], stable: 0, highWatermark: 3 })
    const next = await end(test, producer, true, level)
    expect(next.errorCode).toBe(0)
    // Whoever hears of the commit can read what was committed.
    expect(await readCommitted(test, topics.orders)).toEqual({
      values: ['a', 'b', 'e'],
      stable: 4,
      highWatermark: 4,
    })
    expect((await readCommitted(test, topics.orders, 1)).values).toEqual(['c'])
    expect((await readCommitted(test, topics.bills)).values).toEqual(['d'])

    const second = level === 2 ? { ...producer, producerEpoch: next.producerEpoch } : producer
    if (level === 2) expect(second.producerEpoch).toBe(producer.producerEpoch + 1)
    else expect(await add(test, second, 'orders', [0])).toEqual([0])
    const sequence = level === 2 ? 0 : 3
    expect(await write(test, second, 'orders', ['x'], { ...at, sequence })).toBe(0)
    expect((await end(test, second, false, level)).errorCode).toBe(0)
    expect(await readCommitted(test, topics.orders)).toEqual({
      values: ['a', 'b', 'e'],
      stable: 6,
      highWatermark: 6,
    })
  })

  it('is ended once: the same request again is answered alike, the opposite one refused', async () => {
    const { test, topics, producer, version } = await begin()
    await write(test, producer, 'orders', ['a'], { apiVersion: version })
    const first = await end(test, producer, true, level)
    const again = await end(test, producer, true, level)
    expect(again).toEqual(first)
    expect((await end(test, producer, false, level)).errorCode).toBe(INVALID_TXN_STATE)
    expect(await readCommitted(test, topics.orders)).toEqual({ values: ['a'], stable: 2, highWatermark: 2 })
  })

  it('takes nothing from a producer that is not the one of the id, or of another epoch (T2)', async () => {
    const { test, topics, producer, version } = await begin()
    const at = { apiVersion: version }
    const stranger = { ...producer, producerId: producer.producerId + 1 }
    const ahead = { ...producer, producerEpoch: producer.producerEpoch + 1 }
    expect(await write(test, stranger, 'orders', ['s'], at)).toBe(INVALID_PRODUCER_ID_MAPPING)
    expect(await write(test, ahead, 'orders', ['s'], at)).toBe(INVALID_PRODUCER_EPOCH)
    expect(await write(test, { ...producer, transactionalId: 'nobody' }, 'orders', ['s'], at)).toBe(
      INVALID_PRODUCER_ID_MAPPING,
    )
    expect((await end(test, stranger, true, level)).errorCode).toBe(INVALID_PRODUCER_ID_MAPPING)
    expect((await end(test, ahead, true, level)).errorCode).toBe(PRODUCER_FENCED)
    expect((await readCommitted(test, topics.orders)).highWatermark).toBe(0)
  })

  it('is aborted when its time is up, and its producer fenced (T6)', async () => {
    const { test, topics, producer, version } = await begin()
    await write(test, producer, 'orders', ['a'], { apiVersion: version })
    test.clock.advance(59_999)
    expect((await readCommitted(test, topics.orders)).stable).toBe(0)
    test.clock.advance(1)
    await expect.poll(() => readCommitted(test, topics.orders)).toMatchObject({ stable: 2, values: [] })
    const sequence = { apiVersion: version, sequence: 1 }
    expect(await write(test, producer, 'orders', ['b'], sequence)).toBe(INVALID_PRODUCER_EPOCH)
    expect((await end(test, producer, true, level)).errorCode).toBe(PRODUCER_FENCED)
    const next = await initialized(test, 'tx')
    expect(next.producerEpoch).toBeGreaterThan(producer.producerEpoch)
  })
})

describe('a transaction of a client that says what it writes to', () => {
  it('takes no record for a partition that was not added (T4)', async () => {
    const test = await openBroker()
    const orders = await test.createTopic('orders', 2)
    const producer = await initialized(test, 'tx')
    expect(await write(test, producer, 'orders', ['a'], { apiVersion: 11 })).toBe(TRANSACTION_ABORTABLE)
    expect(await write(test, producer, 'orders', ['a'], { apiVersion: 7 })).toBe(INVALID_TXN_STATE)
    expect(await add(test, producer, 'orders', [1])).toEqual([0])
    expect(await write(test, producer, 'orders', ['a'], { apiVersion: 11 })).toBe(TRANSACTION_ABORTABLE)
    expect((await readCommitted(test, orders)).highWatermark).toBe(0)
  })

  it('adds all partitions or none', async () => {
    const test = await openBroker()
    await test.createTopic('orders', 2)
    const producer = await initialized(test, 'tx')
    expect(await add(test, producer, 'orders', [0, 7])).toEqual([
      OPERATION_NOT_ATTEMPTED,
      UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect((await end(test, producer, true, 0)).errorCode).toBe(INVALID_TXN_STATE)
  })

  it('ends nothing that did not begin', async () => {
    const test = await openBroker()
    const producer = await initialized(test, 'tx')
    for (const committed of [true, false]) {
      expect((await end(test, producer, committed, 0)).errorCode).toBe(INVALID_TXN_STATE)
    }
  })
})

describe('a transaction with an epoch of its own', () => {
  it('can be aborted before anything is written, which costs an epoch too; but not committed', async () => {
    const test = await openBroker()
    const producer = await initialized(test, 'tx')
    expect((await end(test, producer, true, 2)).errorCode).toBe(INVALID_TXN_STATE)
    const next = { ...producer, producerEpoch: producer.producerEpoch + 1 }
    expect(await end(test, producer, false, 2)).toMatchObject({
      errorCode: 0,
      producerEpoch: next.producerEpoch,
    })
    expect(await end(test, next, false, 2)).toMatchObject({
      errorCode: 0,
      producerEpoch: next.producerEpoch + 1,
    })
  })

  it('takes nothing late of the one before, a record or its end (T5)', async () => {
    const test = await openBroker()
    const orders = await test.createTopic('orders')
    const first = await initialized(test, 'tx')
    await write(test, first, 'orders', ['a'])
    const { producerEpoch } = await end(test, first, true, 2)
    const second = { ...first, producerEpoch }
    expect(await write(test, first, 'orders', ['late'], { sequence: 1 })).toBe(INVALID_PRODUCER_EPOCH)
    await write(test, second, 'orders', ['b'])
    expect((await end(test, first, false, 2)).errorCode).toBe(PRODUCER_FENCED)
    expect((await end(test, second, true, 2)).errorCode).toBe(0)
    expect((await readCommitted(test, orders)).values).toEqual(['a', 'b'])
  })

  it('begins at sequence 0 in a partition that knows nothing of its producer', async () => {
    const test = await openBroker()
    const orders = await test.createTopic('orders')
    const producer = await initialized(test, 'tx')
    expect(await write(test, producer, 'orders', ['b'], { sequence: 1 })).toBe(OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(await write(test, producer, 'orders', ['a'])).toBe(0)
    expect(await write(test, producer, 'orders', ['b'], { sequence: 1 })).toBe(0)
    expect((await readCommitted(test, orders)).highWatermark).toBe(2)
  })

  it('keeps the order of batches that come while their partition is being added', async () => {
    const test = await openBroker()
    const orders = await test.createTopic('orders', 2)
    const producer = await initialized(test, 'tx')
    const codes = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        write(test, producer, 'orders', [`${index}`], {
          sequence: Math.floor(index / 2),
          partition: index % 2,
        }),
      ),
    )
    expect(codes).toEqual(Array.from({ length: 10 }, () => 0))
    await end(test, producer, true, 2)
    expect((await readCommitted(test, orders, 0)).values).toEqual(['0', '2', '4', '6', '8'])
    expect((await readCommitted(test, orders, 1)).values).toEqual(['1', '3', '5', '7', '9'])
  })

  it('goes on under a new producer id when all epochs of one are used up', async () => {
    const test = await openBroker()
    const orders = await test.createTopic('orders')
    let producer = await initialized(test, 'tx')
    const firstId = producer.producerId
    // Java's Short.MAX_VALUE is kept for fencing: 32766 is the last epoch that a producer gets.
    for (let used = 0; used <= 32_767 && producer.producerId === firstId; used++) {
      const { errorCode, producerId, producerEpoch } = await end(test, producer, false, 2)
      if (errorCode !== 0) throw new Error(`EndTxn: ${errorCode} in epoch ${producer.producerEpoch}`)
      if (producerId !== firstId) {
        expect(producer.producerEpoch).toBe(32_766)
        expect(producerEpoch).toBe(0)
        // The answer was lost: the request comes again.
        expect(await end(test, producer, false, 2)).toMatchObject({ errorCode: 0, producerId, producerEpoch })
      }
      producer = { ...producer, producerId, producerEpoch }
    }
    expect(producer.producerId).not.toBe(firstId)
    expect(await write(test, producer, 'orders', ['a'])).toBe(0)
    expect((await end(test, producer, true, 2)).errorCode).toBe(0)
    expect((await readCommitted(test, orders)).values).toEqual(['a'])
  })
})

describe('requests at the same time', () => {
  it('are told to come again, or carried out one after the other, but never both at once', async () => {
    const test = await openBroker()
    const orders = await test.createTopic('orders')
    const producer = await initialized(test, 'tx')
    await write(test, producer, 'orders', ['a'])
    const [commit, abort, takeover] = await Promise.all([
      end(test, producer, true, 2),
      end(test, producer, false, 2),
      init(test, 'tx'),
    ])
    expect([commit.errorCode, abort.errorCode, takeover.errorCode]).toEqual([
      0,
      CONCURRENT_TRANSACTIONS,
      CONCURRENT_TRANSACTIONS,
    ])
    expect((await readCommitted(test, orders)).values).toEqual(['a'])
    const both = await Promise.all([init(test, 'tx'), init(test, 'tx')])
    expect(both.map(({ errorCode }) => errorCode).sort()).toEqual([0, CONCURRENT_TRANSACTIONS])
  })
})

describe('what can be asked of transactions', () => {
  it('their state, their partitions and their age', async () => {
    const test = await openBroker()
    await test.createTopic('orders', 2)
    const producer = await initialized(test, 'tx', { timeoutMs: 30_000 })
    const idle = await initialized(test, 'idle')
    const began = test.clock.now()
    await write(test, producer, 'orders', ['a'], { partition: 1 })
    test.clock.advance(5000)
    const describe = async (id: string) =>
      (await test.send(describeTransactions, { transactionalIds: [id] })).transactionStates[0]
    expect(await describe('tx')).toEqual({
      errorCode: 0,
      transactionalId: 'tx',
      transactionState: 'Ongoing',
      transactionTimeoutMs: 30_000,
      transactionStartTimeMs: began,
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      topics: [{ topic: 'orders', partitions: [1] }],
    })
    expect(await describe('nobody')).toMatchObject({ errorCode: TRANSACTIONAL_ID_NOT_FOUND })
    expect(await describe('')).toMatchObject({ errorCode: INVALID_REQUEST })

    const list = async (filters: object) => {
      const none = { stateFilters: [], producerIdFilters: [], durationFilter: -1 }
      const { transactionStates, unknownStateFilters } = await test.send(listTransactions, {
        ...none,
        ...filters,
      })
      return [transactionStates.map(({ transactionalId }) => transactionalId).sort(), unknownStateFilters]
    }
    expect(await list({})).toEqual([['idle', 'tx'], []])
    expect(await list({ stateFilters: ['Ongoing', 'Odd'] })).toEqual([['tx'], ['Odd']])
    expect(await list({ stateFilters: ['Odd'] })).toEqual([[], ['Odd']])
    expect(await list({ producerIdFilters: [idle.producerId] })).toEqual([['idle'], []])
    expect(await list({ durationFilter: 4999 })).toEqual([['tx'], []])
    expect(await list({ durationFilter: 5000 })).toEqual([[], []])
  })

  it('the producers of a partition, whose open transaction an admin may end without the coordinator', async () => {
    const test = await openBroker()
    const orders = await test.createTopic('orders')
    const producer = await initialized(test, 'tx')
    await write(test, producer, 'orders', ['a', 'b'])
    const ask = async (name: string) =>
      (await test.send(describeProducers, { topics: [{ name, partitionIndexes: [0] }] })).topics[0]!
        .partitions[0]!
    expect(await ask('orders')).toEqual({
      partitionIndex: 0,
      errorCode: 0,
      errorMessage: null,
      activeProducers: [
        {
          producerId: producer.producerId,
          producerEpoch: producer.producerEpoch,
          lastSequence: 1,
          lastTimestamp: test.clock.now(),
          coordinatorEpoch: -1,
          currentTxnStartOffset: 0,
        },
      ],
    })
    expect((await ask('nothing')).errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    const mark = async (name: string, epoch: number) => {
      const answer = await test.send(writeTxnMarkers, {
        markers: [
          {
            producerId: producer.producerId,
            producerEpoch: epoch,
            transactionResult: false,
            coordinatorEpoch: 0,
            transactionVersion: 0,
            topics: [{ name, partitionIndexes: [0] }],
          },
        ],
      })
      return answer.markers[0]!.topics[0]!.partitions[0]!.errorCode
    }
    expect(await mark('nothing', 0)).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect(await mark('orders', producer.producerEpoch - 1)).toBe(INVALID_PRODUCER_EPOCH)
    expect((await readCommitted(test, orders)).stable).toBe(0)
    expect(await mark('orders', producer.producerEpoch)).toBe(0)
    expect(await readCommitted(test, orders)).toMatchObject({ stable: 3, values: [] })
    expect((await ask('orders')).activeProducers[0]).toMatchObject({
      currentTxnStartOffset: -1,
      coordinatorEpoch: 0,
    })
  })
})

describe('transactional ids that nobody uses', () => {
  it('are forgotten after transactional.id.expiration.ms, unless a transaction is open', async () => {
    const test = await openBroker({
      'transactional.id.expiration.ms': 10_000,
      'transaction.remove.expired.transaction.cleanup.interval.ms': 1000,
    })
    await test.createTopic('orders')
    await initialized(test, 'idle')
    const busy = await initialized(test, 'busy')
    await write(test, busy, 'orders', ['a'])
    test.clock.advance(11_000)
    const stateOf = async (id: string) =>
      (await test.send(describeTransactions, { transactionalIds: [id] })).transactionStates[0]!.errorCode
    await expect.poll(() => stateOf('idle')).toBe(TRANSACTIONAL_ID_NOT_FOUND)
    expect(await stateOf('busy')).toBe(0)
  })
})
