/** What a transactional producer asks of its coordinators, and what it does with their answers (KIP-98, 360, 890). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Consumer } from '../../../src/clients/consumer/consumer.js'
import { Producer } from '../../../src/clients/producer/producer.js'
import type { ProducerOptions } from '../../../src/clients/producer/producer-options.js'
import type { Transaction } from '../../../src/clients/producer/transaction.js'
import { contextOver, topicHandle, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { ScriptedNetwork } from '../../support/scripted-cluster.js'

const KAFKA = {
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  NOT_COORDINATOR: 16,
  ILLEGAL_GENERATION: 22,
  TOPIC_AUTHORIZATION_FAILED: 29,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_TXN_STATE: 48,
  INVALID_PRODUCER_ID_MAPPING: 49,
  CONCURRENT_TRANSACTIONS: 51,
  PRODUCER_FENCED: 90,
  TRANSACTION_ABORTABLE: 120,
}

interface Asked {
  readonly name: string
  readonly request: Record<string, unknown>
  readonly maxVersion: number | undefined
}

let clock: ManualClock
let network: ScriptedNetwork
let producers: Producer[]
let asked: Asked[]
/** Codes for the next requests of an API. */
let codes: Map<string, number[]>
let epoch: number

/** A coordinator that knows one transactional id. */
const scriptCoordinator = (level: 0 | 2): void => {
  const on = (
    name: string,
    answer: (errorCode: number, request: Record<string, unknown>) => unknown,
  ): void => {
    network.overrides.set(name, (_node, request, options) => {
      asked.push({ name, request: request as Record<string, unknown>, maxVersion: options?.maxVersion })
      return answer(codes.get(name)?.shift() ?? 0, request as Record<string, unknown>)
    })
  }
  network.overrides.set('ApiVersions', () => ({
    errorCode: 0,
    apiKeys: [],
    finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: level, minVersionLevel: level }],
  }))
  on('InitProducerId', (errorCode) => ({ errorCode, producerId: 7, producerEpoch: ++epoch }))
  on('AddPartitionsToTxn', (partitionErrorCode) => ({
    resultsByTopicV3AndBelow: [
      { name: 't', resultsByPartition: [{ partitionIndex: 0, partitionErrorCode }] },
    ],
  }))
  on('AddOffsetsToTxn', (errorCode) => ({ errorCode }))
  on('TxnOffsetCommit', (errorCode) => ({
    topics: [{ name: 'in', partitions: [{ partitionIndex: 0, errorCode }] }],
  }))
  on('EndTxn', (errorCode) =>
    level === 2 && errorCode === 0
      ? { errorCode, producerId: 7, producerEpoch: ++epoch }
      : { errorCode, producerId: -1, producerEpoch: -1 },
  )
}

beforeEach(() => {
  clock = new ManualClock()
  network = new ScriptedNetwork()
  network.addTopic('t', [1])
  network.autoAnswer = (pending) => pending.answer()
  producers = []
  asked = []
  codes = new Map()
  epoch = 0
  scriptCoordinator(2)
})

afterEach(async () => {
  network.autoAnswer = (pending) => pending.answer()
  for (const pending of network.produced) pending.answer()
  const closing = Promise.allSettled(producers.map((producer) => producer.close()))
  await clock.advanceAsync(600_000)
  await closing
})

const open = (options: ProducerOptions = {}): Producer => {
  const producer = new Producer(contextOver(network, clock), { transactionalId: 'tx', ...options })
  producers.push(producer)
  return producer
}

const topic = topicHandle('t')
const record = { value: new Uint8Array(1) }
const names = (): string[] => asked.map(({ name }) => name)
const ends = (): unknown[] =>
  asked
    .filter(({ name }) => name === 'EndTxn')
    .map(({ request }) => [request.committed, request.producerEpoch])

/** A consumer as far as a transaction sees it. */
const member = {
  metadataForTransaction: () => ({ groupId: 'g', generationId: 3, memberId: 'm', groupInstanceId: null }),
}
const consumer = member as unknown as Consumer

describe('A transaction', () => {
  it('commits what its function sent, all of it before the end, in transactional batches', async () => {
    const producer = open()
    network.autoAnswer = undefined
    const done = producer.transaction((tx) => {
      void tx.send(topic, record)
      return 'result'
    })
    await turn()
    expect(network.produced[0]?.request.transactionalId).toBe('tx')
    expect(network.produced[0]?.batches[0]).toMatchObject({
      isTransactional: true,
      producerId: 7,
      producerEpoch: 1,
    })
    expect(ends()).toEqual([])
    network.produced[0]?.answer()
    await expect(done).resolves.toBe('result')
    expect(ends()).toEqual([[true, 1]])
    expect(names()).not.toContain('AddPartitionsToTxn')
  })

  it('goes on under the epoch that the end of the one before gave, with sequences from 0', async () => {
    const producer = open()
    for (let round = 0; round < 3; round++) await producer.transaction((tx) => void tx.send(topic, record))
    expect(ends()).toEqual([
      [true, 1],
      [true, 2],
      [true, 3],
    ])
    expect(
      network.produced.map(({ batches }) => [batches[0]?.producerEpoch, batches[0]?.baseSequence]),
    ).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ])
    expect(names().filter((name) => name === 'InitProducerId')).toHaveLength(1)
  })

  it('is aborted when its function throws, whose error comes through', async () => {
    const producer = open()
    const thrown = new Error('no')
    const done = producer.transaction(async (tx) => {
      await tx.send(topic, record)
      throw thrown
    })
    await expect(done).rejects.toBe(thrown)
    expect(ends()).toEqual([[false, 1]])
    await producer.transaction((tx) => void tx.send(topic, record))
    expect(ends()).toEqual([
      [false, 1],
      [true, 2],
    ])
  })

  it('drops what was not yet sent when it is aborted', async () => {
    const producer = open({ lingerMs: 1000 })
    await producer.begin()
    const sent = producer.send(topic, record)
    await producer.abort()
    await expect(sent).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(network.produced).toEqual([])
    expect(ends()).toEqual([])
  })

  it('asks the coordinator nothing when nothing was done in it', async () => {
    await open().transaction(() => undefined)
    expect(ends()).toEqual([])
  })

  it('cannot be committed when a send failed that nobody waited for, and says why', async () => {
    const producer = open()
    network.autoAnswer = (pending) => pending.answer({ errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED })
    await producer.begin()
    void producer.send(topic, record)
    await expect(producer.commit()).rejects.toMatchObject({
      code: 'TRANSACTION_ABORTABLE',
      cause: { code: 'TOPIC_AUTHORIZATION_FAILED' },
    })
    await expect(producer.send(topic, record)).rejects.toMatchObject({ code: 'TRANSACTION_ABORTABLE' })
    await expect(producer.begin()).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
    await producer.abort()
    network.autoAnswer = (pending) => pending.answer()
    await producer.transaction((tx) => void tx.send(topic, record))
    expect(ends()).toEqual([
      [false, 1],
      [true, 2],
    ])
  })

  it.each([
    ['a value that does not fit', (tx: Transaction) => tx.send(topic, { value: 5 as never })],
    ['no topic', (tx: Transaction) => tx.send('t' as never, record)],
    [
      'a signal that has aborted',
      (tx: Transaction) => tx.send(topic, record, { signal: AbortSignal.abort() }),
    ],
    ['a consumer that is none', (tx: Transaction) => tx.commitOffsets(undefined as never, [])],
  ])(
    'cannot be committed when a call was refused at once that nobody waited for: %s',
    async (_what, call) => {
      const producer = open()
      const done = producer.transaction((tx) => {
        void call(tx)
        void tx.send(topic, record)
      })
      await expect(done).rejects.toMatchObject({ code: 'TRANSACTION_ABORTABLE' })
      await producer.transaction((tx) => void tx.send(topic, record))
      expect(ends().at(-1)).toMatchObject([true, expect.any(Number)])
    },
  )

  it('is committed all the same when something is sent too late for it', async () => {
    const producer = open()
    await producer.begin()
    void producer.send(topic, record)
    const committed = producer.commit()
    await expect(producer.send('t' as never, record)).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
    await expect(producer.commitOffsets(consumer, [])).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
    await committed
    expect(ends()).toEqual([[true, 1]])
  })

  it.each(['TRANSACTION_ABORTABLE', 'INVALID_PRODUCER_EPOCH'] as const)(
    'can be aborted when a leader refuses with %s',
    async (code) => {
      const producer = open()
      network.autoAnswer = (pending) => pending.answer({ errorCode: KAFKA[code] })
      const done = producer.transaction((tx) => void tx.send(topic, record))
      await expect(done).rejects.toMatchObject({ code: 'TRANSACTION_ABORTABLE', cause: { code } })
      expect(ends()).toEqual([[false, 1]])
      await producer.begin()
    },
  )

  it.each(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'] as const)(
    'is the end of the producer when the coordinator says %s',
    async (code) => {
      const producer = open()
      codes.set('EndTxn', [KAFKA[code]])
      const done = producer.transaction((tx) => void tx.send(topic, record))
      await expect(done).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
      expect(ends()).toEqual([[true, 1]])
      for (const call of [
        producer.begin(),
        producer.commit(),
        producer.abort(),
        producer.send(topic, record),
      ])
        await expect(call).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    },
  )

  it('asks again while the coordinator is busy or has moved', async () => {
    const producer = open()
    codes.set('InitProducerId', [KAFKA.CONCURRENT_TRANSACTIONS, KAFKA.NOT_COORDINATOR])
    codes.set('EndTxn', [KAFKA.COORDINATOR_LOAD_IN_PROGRESS])
    const done = producer.transaction((tx) => void tx.send(topic, record))
    for (let step = 0; step < 20; step++) {
      await turn()
      await clock.advanceAsync(500)
    }
    await done
    expect(ends()).toHaveLength(2)
    expect(network.countOf('FindCoordinator')).toBe(2)
  })

  it('stays open to be committed again when the coordinator does not answer in maxBlockMs', async () => {
    const producer = open({ maxBlockMs: 1000 })
    await producer.begin()
    void producer.send(topic, record)
    codes.set('EndTxn', new Array<number>(50).fill(KAFKA.COORDINATOR_LOAD_IN_PROGRESS))
    const failed = expect(producer.commit()).rejects.toMatchObject({ code: 'COORDINATOR_LOAD_IN_PROGRESS' })
    for (let step = 0; step < 30; step++) {
      await turn()
      await clock.advanceAsync(100)
    }
    await failed
    await expect(producer.abort()).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
    codes.clear()
    await producer.commit()
    expect(ends().at(-1)).toEqual([true, 1])
  })

  it('is aborted when its signal has given up before all of it was sent, and the next may begin', async () => {
    const producer = open()
    const giveUp = new AbortController()
    const done = producer.transaction(
      (tx) => {
        void tx.send(topic, record)
        giveUp.abort(new Error('enough'))
      },
      { signal: giveUp.signal },
    )
    await expect(done).rejects.toThrow('enough')
    await producer.transaction((tx) => void tx.send(topic, record))
    expect(ends().at(-1)).toEqual([true, 1])
  })

  it('is the only one of its producer, and its function may not send afterwards', async () => {
    const producer = open()
    await expect(producer.send(topic, record)).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
    const kept = await producer.transaction(async (tx) => {
      await expect(producer.transaction(() => undefined)).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
      return tx
    })
    await producer.begin()
    await expect(kept.send(topic, record)).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
    expect(() => open({ acks: 1 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    const plain = open({ transactionalId: undefined } as unknown as ProducerOptions)
    await expect(plain.begin()).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
  })

  it('is aborted by close', async () => {
    const producer = open()
    await producer.begin()
    await producer.send(topic, record)
    await producer.close()
    expect(ends()).toEqual([[false, 1]])
  })
})

describe('Offsets in a transaction', () => {
  const offsets = [{ topic: 'in', partition: 0, offset: 5 }]

  it('go with the member of the group, and count for the end', async () => {
    await open().transaction((tx) => tx.commitOffsets(consumer, offsets))
    const [, commit] = asked
    expect(commit?.request).toMatchObject({ groupId: 'g', generationId: 3, memberId: 'm', producerEpoch: 1 })
    expect(commit?.maxVersion).toBeUndefined()
    expect(names()).toEqual(['InitProducerId', 'TxnOffsetCommit', 'EndTxn'])
  })

  it('of a member that was replaced abort the transaction, waited for or not', async () => {
    const producer = open()
    codes.set('TxnOffsetCommit', [KAFKA.ILLEGAL_GENERATION])
    const done = producer.transaction((tx) => void tx.commitOffsets(consumer, offsets).catch(() => undefined))
    await expect(done).rejects.toMatchObject({ cause: { code: 'ILLEGAL_GENERATION' } })
    expect(ends()).toEqual([[false, 1]])
  })
})

describe('A cluster without transaction version 2', () => {
  beforeEach(() => scriptCoordinator(0))

  it('is told of partitions and groups first, in versions that it understands', async () => {
    const producer = open()
    for (let round = 0; round < 2; round++) {
      await producer.transaction(async (tx) => {
        await tx.send(topic, record)
        await tx.send(topic, record)
        await tx.commitOffsets(consumer, [{ topic: 'in', partition: 0, offset: 5 }])
      })
    }
    const each = ['AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn']
    expect(names()).toEqual(['InitProducerId', ...each, ...each])
    expect(asked.slice(1, 5).map(({ maxVersion }) => maxVersion)).toEqual([3, undefined, 4, 4])
    // One epoch for all of them, so one sequence.
    expect(network.produced.map(({ batches }) => batches[0]?.baseSequence)).toEqual([0, 1, 2, 3])
  })

  it('gives the next epoch after records failed, as there is a hole in the sequence (KIP-360)', async () => {
    const producer = open()
    network.autoAnswer = (pending) => pending.answer({ errorCode: KAFKA.TOPIC_AUTHORIZATION_FAILED })
    await expect(producer.transaction((tx) => void tx.send(topic, record))).rejects.toThrow()
    expect(names()).toEqual(['InitProducerId', 'AddPartitionsToTxn', 'EndTxn', 'InitProducerId'])
    expect(asked[3]?.request).toMatchObject({ producerId: 7, producerEpoch: 1 })
  })

  it('sends no record when a partition cannot be added', async () => {
    const producer = open()
    codes.set('AddPartitionsToTxn', [KAFKA.TOPIC_AUTHORIZATION_FAILED])
    const done = producer.transaction((tx) => void tx.send(topic, record))
    await expect(done).rejects.toMatchObject({ cause: { code: 'TOPIC_AUTHORIZATION_FAILED' } })
    expect(network.produced).toEqual([])
  })
})
