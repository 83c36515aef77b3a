/** The admin client lists and describes transactions and producers, and ends a transaction that hangs (KIP-664). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import { Producer } from '../../../src/clients/producer/producer.js'
import type { ClientContext } from '../../../src/clients/context.js'
import { string } from '../../../src/clients/serdes/string.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { contextOver, topicHandle } from '../../support/client-context.js'
import {
  add,
  end,
  FEW_PARTITIONS,
  initialized,
  readCommitted,
  write,
} from '../../support/raw-transactions.js'
import { ScriptedNetwork } from '../../support/scripted-cluster.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'

let test: TestBroker
let context: ClientContext
let admin: Admin
let orders: string

beforeEach(async () => {
  test = await openTestBroker(FEW_PARTITIONS)
  context = contextOver(new DirectNetwork(test.broker, { clock: test.clock, clientId: 'app' }), test.clock)
  admin = new Admin(context)
  orders = await test.createTopic('orders', 2)
})

afterEach(async () => test.broker.close())

const ORDERS = { topic: 'orders', partition: 0 }

describe('transactions', () => {
  it('are described with the partitions that they have written to', async () => {
    const producer = await initialized(test, 'tx', { timeoutMs: 30_000 })
    const { producerId, producerEpoch } = producer
    const nothing = {
      transactionalId: 'tx',
      state: 'Empty',
      producerId,
      producerEpoch,
      transactionTimeoutMs: 30_000,
      transactionStartTimeMs: undefined,
      topicPartitions: [],
    }
    expect(await admin.describeTransactions(['tx'])).toEqual([nothing])
    test.clock.advance(500)
    const began = test.clock.now()
    await add(test, producer, 'orders', [0, 1])
    test.clock.advance(500)
    expect(await admin.describeTransactions(['tx'])).toEqual([
      {
        ...nothing,
        state: 'Ongoing',
        transactionStartTimeMs: began,
        topicPartitions: [ORDERS, { topic: 'orders', partition: 1 }],
      },
    ])
    await end(test, producer, false, 0)
    expect(await admin.describeTransactions(['tx'])).toMatchObject([
      { state: 'CompleteAbort', topicPartitions: [] },
    ])
  })

  it('that are not there are told by name', async () => {
    await expect(admin.describeTransactions(['none'])).rejects.toMatchObject({
      code: 'TRANSACTIONAL_ID_NOT_FOUND',
      details: { transactionalId: 'none' },
    })
    await initialized(test, 'tx')
    const error: unknown = await admin
      .describeTransactions(['none', 'tx', 'nothing'])
      .catch((reason: unknown) => reason)
    if (!OttlaError.is(error, 'ITEMS_FAILED')) throw error
    expect([...error.details.failed.keys()].sort()).toEqual(['none', 'nothing'])
    expect(error.details.succeeded.get('tx')).toMatchObject({ state: 'Empty' })
  })

  it('are listed by state, producer, duration and name', async () => {
    const [one, two, three] = [
      await initialized(test, 'bank-1'),
      await initialized(test, 'bank-2'),
      await initialized(test, 'shop-1'),
    ]
    await add(test, one, 'orders', [0])
    test.clock.advance(1000)
    await add(test, two, 'orders', [1])
    const idsOf = async (options: Parameters<Admin['listTransactions']>[0]) =>
      (await admin.listTransactions(options)).map(({ transactionalId }) => transactionalId).sort()
    expect(await idsOf({})).toEqual(['bank-1', 'bank-2', 'shop-1'])
    expect(await admin.listTransactions({ states: ['Empty'] })).toEqual([
      { transactionalId: 'shop-1', producerId: three.producerId, state: 'Empty' },
    ])
    expect(await idsOf({ states: ['Ongoing', 'CompleteCommit'] })).toEqual(['bank-1', 'bank-2'])
    expect(await idsOf({ producerIds: [two.producerId, three.producerId] })).toEqual(['bank-2', 'shop-1'])
    // Longer than, as in Kafka.
    expect(await idsOf({ durationMs: 999 })).toEqual(['bank-1'])
    expect(await idsOf({ durationMs: 1000 })).toEqual([])
    const pattern = /-1$/g
    for (const _ of [1, 2]) {
      expect(await idsOf({ transactionalIdPattern: pattern })).toEqual(['bank-1', 'shop-1'])
    }
    expect(await idsOf({ transactionalIdPattern: /^bank/, states: ['Empty'] })).toEqual([])
    await expect(idsOf({ states: ['Dead' as never] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(idsOf({ durationMs: -1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('are looked for at their coordinator, and again where that has moved', async () => {
    const network = new ScriptedNetwork([1, 2])
    let coordinator = 1
    network.overrides.set('FindCoordinator', () => ({
      coordinators: [
        { key: 'tx', nodeId: coordinator, host: 'h', port: 1, errorCode: 0, errorMessage: null },
      ],
    }))
    network.overrides.set('DescribeTransactions', (nodeId) => {
      coordinator = 2
      return {
        transactionStates: [
          {
            // 16 is NOT_COORDINATOR.
            errorCode: nodeId === 1 ? 16 : 0,
            transactionalId: 'tx',
            transactionState: 'Hibernating',
            transactionTimeoutMs: 1,
            transactionStartTimeMs: -1,
            producerId: 7,
            producerEpoch: 1,
            topics: [],
          },
        ],
      }
    })
    const describing = new Admin(contextOver(network, test.clock)).describeTransactions(['tx'])
    await test.clock.advanceAsync(1000)
    expect(await describing).toMatchObject([{ producerId: 7, state: 'Unknown' }])
    expect(network.calls.filter((call) => call.startsWith('Describe'))).toEqual([
      'DescribeTransactions@1',
      'DescribeTransactions@2',
    ])
  })
})

describe('producers', () => {
  it('are described with where their transactions begin', async () => {
    const plain = new Producer(context, {})
    await plain.send(topicHandle('orders', { value: string, partitionCount: 2 }), [
      { value: 'a', partition: 0 },
      { value: 'b', partition: 0 },
    ])
    await plain.close()
    const { producerId, producerEpoch, ...tx } = await initialized(test, 'tx')
    const at = test.clock.now()
    expect(await write(test, { producerId, producerEpoch, ...tx }, 'orders', ['c', 'd', 'e'])).toBe(0)
    const [zero, one] = await admin.describeProducers([ORDERS, { topic: 'orders', partition: 1 }])
    expect(one).toEqual({ topic: 'orders', partition: 1, activeProducers: [] })
    expect(zero!.activeProducers).toHaveLength(2)
    expect(zero!.activeProducers).toEqual(
      expect.arrayContaining([
        {
          producerId: expect.any(Number) as number,
          producerEpoch: 0,
          lastSequence: 1,
          lastTimestamp: at,
          coordinatorEpoch: undefined,
          currentTransactionStartOffset: undefined,
        },
        {
          producerId,
          producerEpoch,
          lastSequence: 2,
          lastTimestamp: at,
          coordinatorEpoch: undefined,
          currentTransactionStartOffset: 2,
        },
      ]),
    )
    await expect(admin.describeProducers([{ topic: 'orders', partition: 2 }])).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      details: { topic: 'orders', partition: 2 },
    })
  })

  it('have a transaction that hangs ended, by their epoch', async () => {
    const producer = await initialized(test, 'tx')
    expect(await write(test, producer, 'orders', ['never'])).toBe(0)
    expect((await readCommitted(test, orders)).stable).toBe(0)
    const stableEnd = async () =>
      (await admin.listOffsets([ORDERS], 'latest', { isolationLevel: 'read_committed' }))[0]!.offset
    expect(await stableEnd()).toBe(0)
    expect((await admin.listOffsets([ORDERS], 'latest'))[0]!.offset).toBe(1)

    const [described] = await admin.describeProducers([ORDERS])
    const [hanging] = described!.activeProducers
    const spec = { ...ORDERS, ...hanging! }
    await expect(
      admin.abortTransaction({ ...spec, producerEpoch: spec.producerEpoch - 1 }),
    ).rejects.toMatchObject({ code: 'INVALID_PRODUCER_EPOCH', details: ORDERS })
    await expect(admin.abortTransaction({ ...spec, topic: 'gone' })).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    expect(await stableEnd()).toBe(0)

    await admin.abortTransaction({ ...spec, coordinatorEpoch: 4 })
    expect(await readCommitted(test, orders)).toEqual({ values: [], stable: 2, highWatermark: 2 })
    const [after] = await admin.describeProducers([ORDERS])
    expect(after!.activeProducers).toMatchObject([
      { coordinatorEpoch: 4, currentTransactionStartOffset: undefined },
    ])
    await expect(admin.abortTransaction({ ...spec, coordinatorEpoch: 3 })).rejects.toMatchObject({
      code: 'TRANSACTION_COORDINATOR_FENCED',
    })
  })
})
