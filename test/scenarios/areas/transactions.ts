/** Transactions: states, fencing, what readers see, and offsets that are committed within. */
import { any, capture, contains, lacks, plus, values, type Area, type RequestStep } from '../scenario.js'
import { GROUP_OF_ONE, commit, committed } from '../group-steps.js'
import { LATEST, fetch, initProducerId, listOffset, produce } from '../steps.js'
import {
  add,
  addOffsets,
  begin,
  beginAgain,
  commitInTransaction,
  describeTransaction,
  end,
  write,
} from '../transaction-steps.js'

const orders = { orders: {} }
const READ_COMMITTED = { isolationLevel: 1 }
const next = { producerEpoch: plus('epoch', 1) }

const seen = (expect: Readonly<Record<string, unknown>>): RequestStep => ({
  ...fetch('~orders', 0, expect, READ_COMMITTED),
  eventually: true,
})
const isOver = (transactionState: string): RequestStep =>
  describeTransaction({ errorCode: 'NONE', transactionState }, { eventually: true })

export const transactionsArea: Area = {
  name: 'transactions',
  scenarios: [
    {
      name: 'gives a transactional id a producer, and a newer epoch each time',
      source: 'TransactionCoordinator.handleInitProducerId',
      steps: [
        begin,
        { ...beginAgain, expect: { errorCode: 'NONE', producerId: '$pid', producerEpoch: plus('epoch', 1) } },
      ],
    },
    {
      name: 'refuses a transactional id that is empty',
      source: 'TransactionCoordinator.handleInitProducerId (INVALID_REQUEST)',
      steps: [initProducerId('', { errorCode: 'INVALID_REQUEST', producerId: -1 })],
    },
    {
      name: 'refuses timeouts that are not above 0 or above the maximum',
      source: 'TransactionStateManager.validateTransactionTimeoutMs',
      steps: [
        initProducerId('~tx', { errorCode: 'INVALID_TRANSACTION_TIMEOUT' }, { timeoutMs: 0 }),
        initProducerId('~tx', { errorCode: 'INVALID_TRANSACTION_TIMEOUT' }, { timeoutMs: -1 }),
        initProducerId('~tx', { errorCode: 'INVALID_TRANSACTION_TIMEOUT' }, { timeoutMs: 900_001 }),
        initProducerId('~tx', { errorCode: 'NONE' }, { timeoutMs: 900_000 }),
      ],
    },
    {
      name: 'refuses a producer id without an epoch, and an epoch without an id',
      source: 'KafkaApis.handleInitProducerIdRequest (INVALID_REQUEST)',
      steps: [
        initProducerId('~tx', { errorCode: 'INVALID_REQUEST' }, { producerId: 5, producerEpoch: -1 }),
        initProducerId('~tx', { errorCode: 'INVALID_REQUEST' }, { producerId: -1, producerEpoch: 5 }),
      ],
    },
    {
      name: 'lets a producer go on with its own id and epoch, and nobody with another',
      source: 'TransactionCoordinator.prepareInitProducerIdTransit',
      steps: [
        begin,
        initProducerId('~tx', { errorCode: 'PRODUCER_FENCED' }, { producerId: 4_000_000, producerEpoch: 0 }),
        initProducerId(
          '~tx',
          { errorCode: 'NONE', producerId: '$pid', producerEpoch: plus('epoch', 1) },
          { producerId: '$pid', producerEpoch: '$epoch' },
        ),
        initProducerId(
          '~tx',
          { errorCode: 'NONE', producerEpoch: plus('epoch', 1) },
          { producerId: '$pid', producerEpoch: '$epoch' },
        ),
      ],
    },
    {
      name: 'shows what is committed to those who ask for that',
      source: 'UnifiedLog.read (FetchIsolation.TXN_COMMITTED)',
      topics: orders,
      steps: [
        begin,
        add('NONE'),
        write({ values: ['a', 'b'] }),
        seen({ lastStableOffset: 0, highWatermark: 2, records: values() }),
        fetch('~orders', 0, { records: values('a', 'b') }),
        end(true),
        seen({ lastStableOffset: 3, abortedTransactions: [], records: values('a', 'b', 'commit') }),
      ],
    },
    {
      name: 'tells what was aborted, and from where on',
      source: 'UnifiedLog.collectAbortedTransactions',
      topics: orders,
      steps: [
        begin,
        produce('~orders', { values: ['before'] }),
        add('NONE'),
        write({ values: ['a'] }),
        end(false),
        seen({
          lastStableOffset: 3,
          abortedTransactions: [{ producerId: '$pid', firstOffset: 1 }],
          records: values('before', 'a', 'abort'),
        }),
        fetch('~orders', 0, { abortedTransactions: null }),
      ],
    },
    {
      name: 'ends at the first open transaction for who reads what is committed',
      source: 'UnifiedLog.fetchLastStableOffsetMetadata',
      topics: orders,
      steps: [
        begin,
        produce('~orders', { values: ['before'] }),
        add('NONE'),
        write({ values: ['a'] }),
        produce('~orders', { values: ['after'] }),
        listOffset('~orders', LATEST, { offset: 1 }, READ_COMMITTED),
        listOffset('~orders', LATEST, { offset: 3 }),
        seen({ lastStableOffset: 1, records: values('before') }),
        end(false),
        { ...listOffset('~orders', LATEST, { offset: 4 }, READ_COMMITTED), eventually: true },
      ],
    },
    {
      name: 'goes through its states, as they can be described',
      source: 'TransactionCoordinator.handleDescribeTransactions',
      topics: orders,
      steps: [
        begin,
        describeTransaction({
          errorCode: 'NONE',
          transactionState: 'Empty',
          transactionTimeoutMs: 60_000,
          transactionStartTimeMs: -1,
          producerId: '$pid',
          producerEpoch: '$epoch',
          topics: [],
        }),
        add('NONE'),
        describeTransaction({
          transactionState: 'Ongoing',
          transactionStartTimeMs: any,
          topics: [{ topic: '~orders', partitions: [0] }],
        }),
        end(true),
        isOver('CompleteCommit'),
        describeTransaction({ topics: [] }),
        add('NONE'),
        end(false),
        isOver('CompleteAbort'),
      ],
    },
    {
      name: 'does not describe a transactional id that there is none of',
      source: 'TransactionCoordinator.handleDescribeTransactions (TRANSACTIONAL_ID_NOT_FOUND)',
      steps: [describeTransaction({ errorCode: 'TRANSACTIONAL_ID_NOT_FOUND' })],
    },
    {
      name: 'lists transactions by state and producer',
      source: 'TransactionStateManager.listTransactionStates',
      topics: orders,
      steps: [
        begin,
        add('NONE'),
        {
          api: 'ListTransactions',
          body: {},
          expect: {
            errorCode: 'NONE',
            transactionStates: contains({
              transactionalId: '~tx',
              transactionState: 'Ongoing',
              producerId: '$pid',
            }),
          },
        },
        {
          api: 'ListTransactions',
          body: { stateFilters: ['Empty'] },
          expect: { transactionStates: lacks({ transactionalId: '~tx' }) },
        },
        {
          api: 'ListTransactions',
          body: { stateFilters: ['Ongoing', 'Sleeping'] },
          expect: {
            errorCode: 'NONE',
            unknownStateFilters: ['Sleeping'],
            transactionStates: contains({ transactionalId: '~tx' }),
          },
        },
        {
          api: 'ListTransactions',
          body: { producerIdFilters: ['$pid'] },
          expect: { transactionStates: [{ transactionalId: '~tx' }] },
        },
        {
          api: 'ListTransactions',
          body: { durationFilter: 3_600_000 },
          expect: { transactionStates: lacks({ transactionalId: '~tx' }) },
        },
        end(true),
      ],
    },
    {
      name: 'knows no producer of a transactional id that there is none of',
      source: 'TransactionCoordinator.handleAddPartitionsToTransaction (INVALID_PRODUCER_ID_MAPPING)',
      topics: orders,
      steps: [
        add('INVALID_PRODUCER_ID_MAPPING', { producerId: 4_000_000, producerEpoch: 0 }),
        end(true, 'INVALID_PRODUCER_ID_MAPPING', { producerId: 4_000_000, producerEpoch: 0 }),
        addOffsets('INVALID_PRODUCER_ID_MAPPING', { producerId: 4_000_000, producerEpoch: 0 }),
      ],
    },
    {
      name: 'knows no other producer than its own',
      source: 'TransactionCoordinator.endTransaction (INVALID_PRODUCER_ID_MAPPING)',
      topics: orders,
      steps: [
        begin,
        add('INVALID_PRODUCER_ID_MAPPING', { producerId: 4_000_000, producerEpoch: 0 }),
        end(true, 'INVALID_PRODUCER_ID_MAPPING', { producerId: 4_000_000, producerEpoch: 0 }),
      ],
    },
    {
      name: 'fences the epoch before, in every request',
      source: 'TransactionCoordinator (PRODUCER_FENCED), ProducerAppendInfo.checkProducerEpoch',
      topics: orders,
      steps: [
        begin,
        add('NONE'),
        write(),
        beginAgain,
        add('PRODUCER_FENCED'),
        end(true, 'PRODUCER_FENCED'),
        addOffsets('PRODUCER_FENCED'),
        write({ baseSequence: 1 }, { errorCode: 'INVALID_PRODUCER_EPOCH' }, { version: 11 }),
        seen({ lastStableOffset: 2, records: values('a', 'abort') }),
      ],
    },
    {
      name: 'calls a fenced producer by an older name in older versions',
      source: 'KafkaApis.handleEndTxnRequest (INVALID_PRODUCER_EPOCH)',
      topics: orders,
      steps: [
        begin,
        beginAgain,
        end(true, 'INVALID_PRODUCER_EPOCH', { version: 1 }),
        { ...add('INVALID_PRODUCER_EPOCH'), version: 1 },
        addOffsets('INVALID_PRODUCER_EPOCH', { version: 1 }),
      ],
    },
    {
      name: 'refuses an epoch that is still to come',
      source: 'TransactionCoordinator.endTransaction (PRODUCER_FENCED)',
      topics: orders,
      steps: [begin, add('PRODUCER_FENCED', next), end(true, 'PRODUCER_FENCED', next)],
    },
    {
      name: 'ends nothing that was not begun',
      source: 'TransactionCoordinator.endTransaction (INVALID_TXN_STATE)',
      topics: orders,
      steps: [begin, end(true, 'INVALID_TXN_STATE'), end(false, 'INVALID_TXN_STATE')],
    },
    {
      name: 'lets an end be repeated, and not turned round',
      source: 'TransactionCoordinator.endTransaction (COMPLETE_COMMIT, COMPLETE_ABORT)',
      topics: orders,
      steps: [
        begin,
        add('NONE'),
        end(true),
        isOver('CompleteCommit'),
        end(true),
        end(false, 'INVALID_TXN_STATE'),
        add('NONE'),
        end(false),
        isOver('CompleteAbort'),
        end(false),
        end(true, 'INVALID_TXN_STATE'),
      ],
    },
    {
      name: 'adds partitions of topics that are there, all or none',
      source: 'KafkaApis.handleAddPartitionsToTxnRequest (OPERATION_NOT_ATTEMPTED)',
      topics: orders,
      steps: [
        begin,
        {
          ...add('NONE'),
          body: {
            v3AndBelowTransactionalId: '~tx',
            v3AndBelowProducerId: '$pid',
            v3AndBelowProducerEpoch: '$epoch',
            v3AndBelowTopics: [
              { name: '~orders', partitions: [0] },
              { name: '~nothing', partitions: [0] },
            ],
          },
          expect: {
            resultsByTopicV3AndBelow: contains(
              { name: '~orders', resultsByPartition: [{ partitionErrorCode: 'OPERATION_NOT_ATTEMPTED' }] },
              {
                name: '~nothing',
                resultsByPartition: [{ partitionErrorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }],
              },
            ),
          },
        },
        describeTransaction({ transactionState: 'Empty', topics: [] }),
      ],
    },
    {
      name: 'refuses to write into a partition that was not added',
      source: 'TransactionCoordinator.handleVerifyPartitionsInTransaction, AddPartitionsToTxnManager',
      topics: orders,
      steps: [
        begin,
        write({}, { errorCode: 'TRANSACTION_ABORTABLE' }, { version: 11 }),
        write({}, { errorCode: 'INVALID_TXN_STATE' }, { version: 10 }),
        fetch('~orders', 0, { highWatermark: 0 }),
      ],
    },
    {
      name: 'adds a partition by writing, from version 12 on',
      source: 'AddPartitionsToTxnManager.addOrVerifyTransaction (ADD_PARTITION)',
      topics: orders,
      steps: [
        begin,
        write(),
        describeTransaction({ transactionState: 'Ongoing', topics: [{ topic: '~orders', partitions: [0] }] }),
        end(true, { errorCode: 'NONE', producerId: '$pid', producerEpoch: plus('epoch', 1) }, { version: 5 }),
        seen({ lastStableOffset: 2, records: values('a', 'commit') }),
      ],
    },
    {
      name: 'gives each transaction an epoch of its own, from version 5 of its end on',
      source: 'TransactionCoordinator.endTransaction (clientTransactionVersion.supportsEpochBump)',
      topics: orders,
      steps: [
        begin,
        write(),
        end(true, { errorCode: 'NONE', producerEpoch: capture('second') }, { version: 5 }),
        isOver('CompleteCommit'),
        write({ baseSequence: 1 }, { errorCode: 'INVALID_PRODUCER_EPOCH' }),
        write({ producerEpoch: '$second' }, { errorCode: 'NONE' }, { eventually: true }),
        end(true, { errorCode: 'PRODUCER_FENCED' }, { version: 5 }),
        end(
          false,
          { errorCode: 'NONE', producerEpoch: plus('epoch', 2) },
          { version: 5, producerEpoch: '$second' },
        ),
        seen({ lastStableOffset: 4, records: values('a', 'commit', 'a', 'abort') }),
      ],
    },
    {
      name: 'lets an end with an epoch of its own be repeated',
      source: 'TransactionCoordinator.endTransaction (retryOnEpochBump)',
      topics: orders,
      steps: [
        begin,
        write(),
        end(true, { errorCode: 'NONE', producerEpoch: plus('epoch', 1) }, { version: 5 }),
        isOver('CompleteCommit'),
        end(true, { errorCode: 'NONE', producerId: '$pid', producerEpoch: plus('epoch', 1) }, { version: 5 }),
        end(false, { errorCode: 'INVALID_TXN_STATE' }, { version: 5 }),
      ],
    },
    {
      name: 'aborts an empty transaction for who has an epoch for each, and commits none',
      source: 'TransactionCoordinator.endTransaction (EMPTY)',
      steps: [
        begin,
        end(true, { errorCode: 'INVALID_TXN_STATE' }, { version: 5 }),
        end(false, { errorCode: 'NONE', producerEpoch: plus('epoch', 1) }, { version: 5 }),
      ],
    },
    {
      name: 'aborts what is open when a producer begins anew',
      source: 'TransactionCoordinator.prepareInitProducerIdTransit (PREPARE_EPOCH_FENCE)',
      topics: orders,
      steps: [
        begin,
        add('NONE'),
        write({ values: ['a', 'b'] }),
        beginAgain,
        seen({
          lastStableOffset: 3,
          abortedTransactions: [{ producerId: '$pid', firstOffset: 0 }],
          records: values('a', 'b', 'abort'),
        }),
        isOver('Empty'),
      ],
    },
    {
      name: 'aborts and fences when the time of a transaction is over',
      source: 'TransactionCoordinator.abortTimedOutTransactions',
      topics: orders,
      steps: [
        initProducerId(
          '~tx',
          { errorCode: 'NONE', producerId: capture('pid'), producerEpoch: capture('epoch') },
          { timeoutMs: 200 },
        ),
        add('NONE'),
        write(),
        seen({ lastStableOffset: 2, records: values('a', 'abort') }),
        end(true, 'PRODUCER_FENCED'),
        write({ baseSequence: 1 }, { errorCode: 'INVALID_PRODUCER_EPOCH' }, { version: 11 }),
      ],
    },
    {
      name: 'refuses plain records of a producer whose transaction is open',
      source: 'ProducerAppendInfo.appendDataBatch (INVALID_TXN_STATE)',
      topics: orders,
      steps: [
        begin,
        add('NONE'),
        write(),
        produce(
          '~orders',
          { producerId: '$pid', producerEpoch: '$epoch', baseSequence: 1 },
          { errorCode: 'INVALID_TXN_STATE' },
        ),
        end(false),
      ],
    },
    {
      name: 'tells who writes into a partition, and where its transaction began',
      source: 'ReplicaManager.activeProducerState',
      topics: orders,
      steps: [
        begin,
        add('NONE'),
        produce('~orders', { values: ['before'] }),
        write({ values: ['a', 'b'] }),
        {
          api: 'DescribeProducers',
          body: {
            topics: [
              { name: '~orders', partitionIndexes: [0, 7] },
              { name: '~nothing', partitionIndexes: [0] },
            ],
          },
          expect: {
            topics: contains(
              {
                name: '~orders',
                partitions: contains(
                  {
                    partitionIndex: 0,
                    errorCode: 'NONE',
                    activeProducers: [
                      { producerId: '$pid', lastSequence: 1, currentTxnStartOffset: 1, coordinatorEpoch: -1 },
                    ],
                  },
                  { partitionIndex: 7, errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' },
                ),
              },
              { name: '~nothing', partitions: [{ errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }] },
            ),
          },
        },
        end(true),
      ],
    },
    {
      name: 'commits offsets with the transaction',
      source: 'OffsetMetadataManager.commitTransactionalOffset, replayEndTransactionMarker',
      topics: orders,
      steps: [
        begin,
        addOffsets('NONE'),
        commitInTransaction(9, 'NONE', { version: 4 }),
        committed({ committedOffset: -1, errorCode: 'NONE' }),
        committed({ committedOffset: -1, errorCode: 'UNSTABLE_OFFSET_COMMIT' }, { requireStable: true }),
        end(true),
        committed({ committedOffset: 9, errorCode: 'NONE' }, { requireStable: true, eventually: true }),
      ],
    },
    {
      name: 'forgets offsets with the transaction',
      source: 'OffsetMetadataManager.replayEndTransactionMarker (ABORT)',
      topics: orders,
      steps: [
        commit('', -1, 3),
        begin,
        addOffsets('NONE'),
        commitInTransaction(9, 'NONE', { version: 4 }),
        end(false),
        committed({ committedOffset: 3, errorCode: 'NONE' }, { requireStable: true, eventually: true }),
      ],
    },
    {
      name: 'adds a group by committing, from version 5 on',
      source: 'GroupCoordinatorService.commitTransactionalOffsets (TransactionVersion 2)',
      topics: orders,
      steps: [
        begin,
        commitInTransaction(9),
        describeTransaction({ transactionState: 'Ongoing', topics: [{ topic: '__consumer_offsets' }] }),
        end(true, { errorCode: 'NONE', producerEpoch: plus('epoch', 1) }, { version: 5 }),
        committed({ committedOffset: 9 }, { requireStable: true, eventually: true }),
      ],
    },
    {
      name: 'refuses offsets of a group that was not added',
      source: 'GroupCoordinatorService.commitTransactionalOffsets (maybeStartTransactionVerification)',
      topics: orders,
      steps: [
        begin,
        commitInTransaction(9, 'TRANSACTION_ABORTABLE', { version: 4 }),
        commitInTransaction(9, 'INVALID_TXN_STATE', { version: 3 }),
      ],
    },
    {
      name: 'takes offsets in a transaction from members of this generation',
      source: 'OffsetMetadataManager.validateTransactionalOffsetCommit',
      topics: orders,
      steps: [
        ...GROUP_OF_ONE,
        begin,
        commitInTransaction(9, 'ILLEGAL_GENERATION', { memberId: '$one', generationId: 7 }),
        commitInTransaction(9, 'UNKNOWN_MEMBER_ID', { memberId: 'somebody', generationId: 1 }),
        commitInTransaction(9, 'NONE', { memberId: '$one', generationId: 1 }),
        end(true, { errorCode: 'NONE' }, { version: 5 }),
        committed({ committedOffset: 9 }, { requireStable: true, eventually: true }),
      ],
    },
    {
      name: 'fences offsets of an older epoch',
      source: 'GroupCoordinatorService.commitTransactionalOffsets (INVALID_PRODUCER_EPOCH)',
      topics: orders,
      steps: [begin, beginAgain, commitInTransaction(9, 'INVALID_PRODUCER_EPOCH')],
    },
    {
      name: 'refuses offsets with too much metadata, and of topics that there are none of',
      source: 'OffsetMetadataManager.commitTransactionalOffset (OFFSET_METADATA_TOO_LARGE)',
      topics: orders,
      steps: [
        begin,
        commitInTransaction(9, 'OFFSET_METADATA_TOO_LARGE', { metadata: 'm'.repeat(5000) }),
        commitInTransaction(9, 'UNKNOWN_TOPIC_OR_PARTITION', { topic: '~nothing' }),
        end(false, { errorCode: 'NONE' }, { version: 5 }),
      ],
    },
    {
      name: 'finds none of all offsets stable while a transaction changes them',
      source: 'OffsetMetadataManager.fetchAllOffsets (UNSTABLE_OFFSET_COMMIT)',
      topics: orders,
      steps: [
        commit('', -1, 3),
        begin,
        commitInTransaction(9),
        {
          api: 'OffsetFetch',
          version: 9,
          body: { requireStable: true, groups: [{ groupId: '~billing', topics: null }] },
          expect: { groups: [{ topics: [{ partitions: [{ errorCode: 'UNSTABLE_OFFSET_COMMIT' }] }] }] },
        },
        end(true, { errorCode: 'NONE' }, { version: 5 }),
        committed({ committedOffset: 9 }, { requireStable: true, eventually: true }),
      ],
    },
  ],
}
