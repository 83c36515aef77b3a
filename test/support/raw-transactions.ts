/** Transactions by single requests, as clients of the older and of the newer kind make them, and what readers see. */
import { addPartitionsToTxn } from '../../src/protocol/api/add-partitions-to-txn.js'
import { endTxn } from '../../src/protocol/api/end-txn.js'
import { fetch } from '../../src/protocol/api/fetch.js'
import { initProducerId } from '../../src/protocol/api/init-producer-id.js'
import { offsetFetch } from '../../src/protocol/api/offset-fetch.js'
import { produce } from '../../src/protocol/api/produce.js'
import { txnOffsetCommit } from '../../src/protocol/api/txn-offset-commit.js'
import { openBatch } from '../../src/record/decode.js'
import { readUtf8 } from '../../src/runtime/bytes.js'
import { batchOf, type TestBroker } from './test-broker.js'

/** A producer as it was initialized. */
export interface RawProducer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

/** With 2 each transaction has a new epoch, and partitions are added by writing; with 0 as it was before. */
export type Level = 0 | 2

/** Few partitions make a test fast. */
export const FEW_PARTITIONS = {
  'transaction.state.log.num.partitions': 2,
  'offsets.topic.num.partitions': 2,
} as const

/** InitProducerId. */
export const init = (
  { send }: TestBroker,
  transactionalId: string,
  options: {
    readonly timeoutMs?: number
    readonly expected?: RawProducer
    readonly apiVersion?: number
  } = {},
) =>
  send(
    initProducerId,
    {
      transactionalId,
      transactionTimeoutMs: options.timeoutMs ?? 60_000,
      producerId: options.expected?.producerId ?? -1,
      producerEpoch: options.expected?.producerEpoch ?? -1,
    },
    options.apiVersion === undefined ? {} : { apiVersion: options.apiVersion },
  )

/** InitProducerId that has to succeed. */
export const initialized = async (
  test: TestBroker,
  transactionalId: string,
  options: { readonly timeoutMs?: number } = {},
): Promise<RawProducer> => {
  const { errorCode, producerId, producerEpoch } = await init(test, transactionalId, options)
  if (errorCode !== 0) throw new Error(`InitProducerId: ${errorCode}`)
  return { transactionalId, producerId, producerEpoch }
}

/** AddPartitionsToTxn as clients send it; resolves to the error codes. */
export const add = async (
  { send }: TestBroker,
  producer: RawProducer,
  topic: string,
  partitions: readonly number[],
): Promise<number[]> => {
  const answer = await send(
    addPartitionsToTxn,
    {
      transactions: [],
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions }],
    },
    { apiVersion: 3 },
  )
  return answer.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
    resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
  )
}

/** Produce of one batch; resolves to the error code. */
export const write = async (
  { send, clock }: TestBroker,
  producer: RawProducer,
  topic: string,
  values: readonly string[],
  options: { readonly partition?: number; readonly sequence?: number; readonly apiVersion?: number } = {},
): Promise<number> => {
  const { partition = 0, sequence = 0, apiVersion = 12 } = options
  const batch = batchOf(values, clock.now(), {
    producerId: producer.producerId,
    producerEpoch: producer.producerEpoch,
    baseSequence: sequence,
    isTransactional: true,
  })
  const answer = await send(
    produce,
    {
      transactionalId: producer.transactionalId,
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: topic,
          topicId: '00000000-0000-0000-0000-000000000000',
          partitionData: [{ index: partition, records: [batch] }],
        },
      ],
    },
    { apiVersion },
  )
  return answer.responses[0]!.partitionResponses[0]!.errorCode
}

/** EndTxn; with level 2 the answer has the producer of the next transaction. */
export const end = ({ send }: TestBroker, producer: RawProducer, committed: boolean, level: Level) =>
  send(endTxn, { ...producer, committed }, { apiVersion: level === 2 ? 5 : 3 })

/** What a reader of a partition sees that wants only what is committed, and how far it can see. */
export const readCommitted = async (
  { send }: TestBroker,
  topicId: string,
  partition = 0,
): Promise<{ readonly values: string[]; readonly stable: number; readonly highWatermark: number }> => {
  const response = await send(fetch, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1 << 24,
    isolationLevel: 1,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic: '',
        topicId,
        partitions: [
          {
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: 0,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: 1 << 24,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  })
  const data = response.responses[0]!.partitions[0]!
  if (data.errorCode !== 0) throw new Error(`Fetch: ${data.errorCode}`)
  // As KIP-98 says it: a producer's records are left out from the first offset of an aborted transaction to its marker.
  const aborted = (data.abortedTransactions ?? []).map((one) => ({ ...one, isOver: false }))
  const values: string[] = []
  for (const batch of data.records ?? []) {
    const cursor = await openBatch(batch)
    const { producerId, isControl, isTransactional } = cursor.header
    const transaction = aborted.find(
      (one) => !one.isOver && one.producerId === producerId && one.firstOffset <= cursor.header.baseOffset,
    )
    if (isControl) {
      if (transaction !== undefined) transaction.isOver = true
      continue
    }
    while (cursor.next()) {
      if (isTransactional && transaction !== undefined) continue
      values.push(readUtf8(cursor.value!, 0, cursor.value!.length))
    }
  }
  return { values, stable: data.lastStableOffset, highWatermark: data.highWatermark }
}

/** TxnOffsetCommit for one partition; resolves to the error code. */
export const commitOffset = async (
  { send }: TestBroker,
  producer: RawProducer,
  groupId: string,
  offset: number,
  options: {
    readonly topic?: string
    readonly apiVersion?: number
    readonly memberId?: string
    readonly generationId?: number
  } = {},
): Promise<number> => {
  const { topic = 'orders', apiVersion = 5, memberId = '', generationId = -1 } = options
  const partition = {
    partitionIndex: 0,
    committedOffset: offset,
    committedLeaderEpoch: -1,
    committedMetadata: null,
  }
  const answer = await send(
    txnOffsetCommit,
    {
      ...producer,
      groupId,
      generationId,
      memberId,
      groupInstanceId: null,
      topics: [{ name: topic, partitions: [partition] }],
    },
    { apiVersion },
  )
  return answer.topics[0]!.partitions[0]!.errorCode
}

/** What a group has committed of the first partition of `topicId`, as a consumer that wants a stable offset asks. */
export const committedOffset = async (
  { send }: TestBroker,
  groupId: string,
  topicId: string,
  requireStable = true,
): Promise<number | { readonly errorCode: number }> => {
  const answer = await send(offsetFetch, {
    groupId: '',
    topics: null,
    groups: [
      { groupId, memberId: null, memberEpoch: -1, topics: [{ name: '', topicId, partitionIndexes: [0] }] },
    ],
    requireStable,
  })
  const { committedOffset: offset, errorCode } = answer.groups[0]!.topics[0]!.partitions[0]!
  return errorCode === 0 ? offset : { errorCode }
}
