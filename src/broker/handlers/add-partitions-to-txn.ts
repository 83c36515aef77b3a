/**
 * AddPartitionsToTxn: a transaction will write to partitions; all of them or, where one cannot be, none. From version 4
 * on it is for brokers, several transactions at once, and may only ask whether they are in it (KIP-890).
 */
import type { addPartitionsToTxn } from '../../protocol/api/add-partitions-to-txn.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'
import { forOlderClients } from './transaction-errors.js'

type Transaction = RequestOf<typeof addPartitionsToTxn>['transactions'][number]
type TransactionResult = ResponseOf<typeof addPartitionsToTxn>['resultsByTransaction'][number]
type TopicResult = TransactionResult['topicResults'][number]

/** The first version that is for brokers. */
const BROKERS_SINCE = 4
/** The first version whose clients know PRODUCER_FENCED. */
const FENCED_SINCE = 2
/** The first version that knows TRANSACTION_ABORTABLE. */
const ABORTABLE_SINCE = 5

export const handleAddPartitionsToTxn: Handler<typeof addPartitionsToTxn> = async (
  services,
  request,
  context,
) => {
  const { apiVersion } = context
  const answer = { throttleTimeMs: 0, errorCode: 0, resultsByTransaction: [], resultsByTopicV3AndBelow: [] }
  if (apiVersion < BROKERS_SINCE) {
    const transaction = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    }
    const results = await resultsOf(services, transaction, apiVersion)
    return { ...answer, resultsByTopicV3AndBelow: results }
  }
  const results = await Promise.all(
    request.transactions.map(async (transaction) => ({
      transactionalId: transaction.transactionalId,
      topicResults: await resultsOf(services, transaction, apiVersion),
    })),
  )
  return { ...answer, resultsByTransaction: results }
}

const resultsOf = async (
  services: BrokerServices,
  transaction: Transaction,
  apiVersion: number,
): Promise<TopicResult[]> => {
  const { transactionalId, topics, verifyOnly } = transaction
  const isThere = (name: string, partition: number): boolean =>
    services.metadata.topic(name)?.partition(partition) !== undefined
  if (topics.some(({ name, partitions }) => partitions.some((partition) => !isThere(name, partition)))) {
    return resultsWith(transaction, (name, partition) =>
      codeOf(isThere(name, partition) ? 'OPERATION_NOT_ATTEMPTED' : 'UNKNOWN_TOPIC_OR_PARTITION'),
    )
  }
  const wanted = new Map(topics.map(({ name, partitions }) => [name, new Set(partitions)]))
  let errorCode = 0
  try {
    if (verifyOnly) await services.transactions.verify(transactionalId, transaction, wanted, done)
    else await services.transactions.addPartitions(transactionalId, transaction, wanted, 0, done)
  } catch (error) {
    errorCode = responseErrorOf(forOlderClients(error, apiVersion >= FENCED_SINCE)).errorCode
    if (errorCode === codeOf('TRANSACTION_ABORTABLE') && apiVersion < ABORTABLE_SINCE) {
      errorCode = codeOf('INVALID_TXN_STATE')
    }
  }
  return resultsWith(transaction, () => errorCode)
}

const done = (): Promise<void> => Promise.resolve()

const resultsWith = (
  { topics }: Transaction,
  codeFor: (name: string, partition: number) => number,
): TopicResult[] =>
  topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: codeFor(name, partitionIndex),
    })),
  }))
