/** Who may do what with transactional ids: for each API what Kafka's KafkaApis checks, and how it refuses. */
import { addOffsetsToTxn } from '../../protocol/api/add-offsets-to-txn.js'
import { addPartitionsToTxn } from '../../protocol/api/add-partitions-to-txn.js'
import { describeProducers } from '../../protocol/api/describe-producers.js'
import { describeTransactions } from '../../protocol/api/describe-transactions.js'
import { endTxn } from '../../protocol/api/end-txn.js'
import { listTransactions } from '../../protocol/api/list-transactions.js'
import { txnOffsetCommit } from '../../protocol/api/txn-offset-commit.js'
import { writeTxnMarkers } from '../../protocol/api/write-txn-markers.js'
import { CLUSTER_NAME } from '../../protocol/acl.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { isInternalTopic } from '../metadata/topic-name.js'
import { codeOf } from '../response-errors.js'
import { each, guard, shown, whole, type Check, type Guard } from './check.js'

const ID_REFUSED = codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
const GROUP_REFUSED = codeOf('GROUP_AUTHORIZATION_FAILED')
const TOPIC_REFUSED = codeOf('TOPIC_AUTHORIZATION_FAILED')
const CLUSTER_REFUSED = codeOf('CLUSTER_AUTHORIZATION_FAILED')

const idOf = ({ transactionalId }: { readonly transactionalId: string }): string => transactionalId

type AddedTopics = RequestOf<typeof addPartitionsToTxn>['v3AndBelowTopics']

const addedWith = (
  topics: AddedTopics,
  codeFor: (name: string) => number,
): ResponseOf<typeof addPartitionsToTxn> => ({
  throttleTimeMs: 0,
  errorCode: 0,
  resultsByTransaction: [],
  resultsByTopicV3AndBelow: topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: codeFor(name),
    })),
  })),
})

/** Of the older versions, which are for clients: one topic that may not be written to spoils the others. */
const addedPartitions: Check<typeof addPartitionsToTxn> = {
  needs: [
    { operation: 'WRITE', resourceType: 'TRANSACTIONAL_ID' },
    { operation: 'WRITE', resourceType: 'TOPIC' },
  ],
  run: (access, request) => {
    // Those of brokers name their transactions in a list.
    if (request.v3AndBelowTransactionalId === '') return { request }
    const topics = request.v3AndBelowTopics
    if (!access.may('WRITE', 'TRANSACTIONAL_ID', request.v3AndBelowTransactionalId)) {
      return { answer: addedWith(topics, () => ID_REFUSED) }
    }
    const mayWrite = (name: string): boolean => isInternalTopic(name) || access.may('WRITE', 'TOPIC', name)
    if (topics.every(({ name }) => mayWrite(name))) return { request }
    const notAttempted = codeOf('OPERATION_NOT_ATTEMPTED')
    return { answer: addedWith(topics, (name) => (mayWrite(name) ? notAttempted : TOPIC_REFUSED)) }
  },
}

/** Of the later versions, which are for brokers. */
const addedByBrokers: Check<typeof addPartitionsToTxn> = whole(
  addPartitionsToTxn,
  'CLUSTER_ACTION',
  'CLUSTER',
  ({ transactions }) => (transactions.length > 0 ? CLUSTER_NAME : null),
  () => ({
    throttleTimeMs: 0,
    errorCode: CLUSTER_REFUSED,
    resultsByTransaction: [],
    resultsByTopicV3AndBelow: [],
  }),
)

type CommittedTopics = RequestOf<typeof txnOffsetCommit>['topics']

const committedWith = (topics: CommittedTopics, errorCode: number) =>
  topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }))

/** One who may change the cluster, or is part of it. */
const markers: Check<typeof writeTxnMarkers> = {
  needs: [{ operation: 'CLUSTER_ACTION', resourceType: 'CLUSTER' }],
  run: (access, request) =>
    access.may('ALTER', 'CLUSTER') || access.may('CLUSTER_ACTION', 'CLUSTER')
      ? { request }
      : {
          answer: {
            markers: request.markers.map(({ producerId, topics }) => ({
              producerId,
              topics: topics.map(({ name, partitionIndexes }) => ({
                name,
                partitions: partitionIndexes.map((partitionIndex) => ({
                  partitionIndex,
                  errorCode: CLUSTER_REFUSED,
                })),
              })),
            })),
          },
        },
}

/** Of a transaction only the topics are shown that may be described. */
const describedTopics: Check<typeof describeTransactions> = shown(
  describeTransactions,
  [],
  (access, response) => ({
    ...response,
    transactionStates: response.transactionStates.map((transaction) => ({
      ...transaction,
      topics: transaction.topics.filter(({ topic }) => access.may('DESCRIBE', 'TOPIC', topic)),
    })),
  }),
)

/** The APIs that are about transactions. */
export const TRANSACTION_GUARDS: readonly Guard[] = [
  guard(addPartitionsToTxn, addedPartitions, addedByBrokers),
  guard(
    addOffsetsToTxn,
    whole(addOffsetsToTxn, 'WRITE', 'TRANSACTIONAL_ID', idOf, () => ({
      throttleTimeMs: 0,
      errorCode: ID_REFUSED,
    })),
    whole(
      addOffsetsToTxn,
      'READ',
      'GROUP',
      ({ groupId }) => groupId,
      () => ({ throttleTimeMs: 0, errorCode: GROUP_REFUSED }),
    ),
  ),
  guard(
    endTxn,
    whole(endTxn, 'WRITE', 'TRANSACTIONAL_ID', idOf, () => ({
      throttleTimeMs: 0,
      errorCode: ID_REFUSED,
      producerId: -1,
      producerEpoch: -1,
    })),
  ),
  guard(
    txnOffsetCommit,
    whole(txnOffsetCommit, 'WRITE', 'TRANSACTIONAL_ID', idOf, ({ topics }) => ({
      throttleTimeMs: 0,
      topics: committedWith(topics, ID_REFUSED),
    })),
    whole(
      txnOffsetCommit,
      'READ',
      'GROUP',
      ({ groupId }) => groupId,
      ({ topics }) => ({ throttleTimeMs: 0, topics: committedWith(topics, GROUP_REFUSED) }),
    ),
    each(txnOffsetCommit, 'READ', 'TOPIC', {
      of: ({ topics }) => topics,
      name: ({ name }) => name,
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        topics: [...response.topics, ...committedWith(refused, TOPIC_REFUSED)],
      }),
    }),
  ),
  guard(writeTxnMarkers, markers),
  guard(
    describeProducers,
    each(describeProducers, 'READ', 'TOPIC', {
      of: ({ topics }) => topics,
      name: ({ name }) => name,
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        topics: [
          ...response.topics,
          ...refused.map(({ name, partitionIndexes }) => ({
            name,
            partitions: partitionIndexes.map((partitionIndex) => ({
              partitionIndex,
              errorCode: TOPIC_REFUSED,
              errorMessage: null,
              activeProducers: [],
            })),
          })),
        ],
      }),
    }),
  ),
  guard(
    describeTransactions,
    describedTopics,
    each(describeTransactions, 'DESCRIBE', 'TRANSACTIONAL_ID', {
      of: ({ transactionalIds }) => transactionalIds,
      name: (transactionalId) => transactionalId,
      keep: (request, transactionalIds) => ({ ...request, transactionalIds }),
      add: (response, refused) => ({
        ...response,
        transactionStates: [
          ...response.transactionStates,
          ...refused.map((transactionalId) => ({
            errorCode: ID_REFUSED,
            transactionalId,
            transactionState: '',
            transactionTimeoutMs: 0,
            transactionStartTimeMs: 0,
            producerId: 0,
            producerEpoch: 0,
            topics: [],
          })),
        ],
      }),
    }),
  ),
  guard(
    listTransactions,
    shown(
      listTransactions,
      [{ operation: 'DESCRIBE', resourceType: 'TRANSACTIONAL_ID' }],
      (access, response) => ({
        ...response,
        transactionStates: response.transactionStates.filter(({ transactionalId }) =>
          access.may('DESCRIBE', 'TRANSACTIONAL_ID', transactionalId),
        ),
      }),
    ),
  ),
]
