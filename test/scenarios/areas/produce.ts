/** Produce: what a broker refuses of a batch, and what a producer's epoch and sequence numbers do. */
import { batch, capture, text, values, type Area } from '../scenario.js'
import { fetch, initProducerId, produce } from '../steps.js'

const idempotent = initProducerId(null, {
  errorCode: 'NONE',
  producerId: capture('pid'),
  producerEpoch: capture('epoch'),
})
const orders = { orders: {} }
const by = { producerId: '$pid', producerEpoch: '$epoch' }

export const produceArea: Area = {
  name: 'produce',
  scenarios: [
    {
      name: 'gives offsets in the order of the batches',
      source: 'UnifiedLog.append',
      topics: orders,
      steps: [
        produce(
          '~orders',
          { values: ['a', 'b'] },
          {
            errorCode: 'NONE',
            baseOffset: 0,
            logAppendTimeMs: -1,
            logStartOffset: 0,
            errorMessage: null,
            recordErrors: [],
          },
        ),
        produce('~orders', { values: ['c'] }, { errorCode: 'NONE', baseOffset: 2 }),
        fetch('~orders', 0, { errorCode: 'NONE', highWatermark: 3, records: values('a', 'b', 'c') }),
      ],
    },
    {
      name: 'refuses a batch that has an offset',
      source: 'UnifiedLog.analyzeAndValidateRecords (baseOffset)',
      topics: orders,
      steps: [
        produce('~orders', { baseOffset: 77 }, { errorCode: 'INVALID_RECORD', baseOffset: -1 }),
        produce('~orders', {}, { errorCode: 'NONE', baseOffset: 0 }),
      ],
    },
    {
      name: 'takes LogAppendTime of a producer for CreateTime',
      source: 'LogValidator.validateTimestamp (CREATE_TIME)',
      ottlaDiffers: 'it is refused in every topic, rather than rewritten',
      topics: orders,
      steps: [produce('~orders', { overwrite: { attributes: 0x08 } }, { errorCode: 'NONE' })],
    },
    {
      name: 'refuses acks that there are none of, for each partition',
      source: 'ReplicaManager.appendRecords (isValidRequiredAcks)',
      topics: orders,
      steps: [
        produce('~orders', {}, { errorCode: 'INVALID_REQUIRED_ACKS', baseOffset: -1 }, { acks: 2 }),
        produce('~orders', {}, { errorCode: 'INVALID_REQUIRED_ACKS', baseOffset: -1 }, { acks: -2 }),
        fetch('~orders', 0, { errorCode: 'NONE', highWatermark: 0 }),
      ],
    },
    {
      name: 'answers acks 0 with nothing, and stores it',
      source: 'KafkaApis.handleProduceRequest (sendNoOpResponseExemptThrottle)',
      topics: orders,
      steps: [
        produce('~orders', {}, {}, { acks: 0, client: 'silent', later: 'never' }),
        { ...fetch('~orders', 0, { highWatermark: 1, records: values('a') }), eventually: true },
      ],
    },
    {
      name: 'ends the connection when a batch with acks 0 is refused',
      source: 'KafkaApis.handleProduceRequest (closeConnection)',
      topics: orders,
      steps: [
        { ...produce('~orders', {}, {}, { acks: 0, partition: 9, client: 'silent' }), expect: 'closed' },
      ],
    },
    {
      name: 'does not know a topic of this name',
      source: 'KafkaApis.handleProduceRequest (nonExistingTopicResponses)',
      steps: [
        produce(
          '~nothing',
          {},
          {
            errorCode: 'UNKNOWN_TOPIC_OR_PARTITION',
            baseOffset: -1,
            logAppendTimeMs: -1,
            logStartOffset: -1,
          },
        ),
      ],
    },
    {
      name: 'does not know a partition beyond the last',
      source: 'KafkaApis.handleProduceRequest (nonExistingTopicResponses)',
      topics: { orders: { partitions: 2 } },
      steps: [
        produce('~orders', {}, { errorCode: 'NONE' }, { partition: 1 }),
        produce('~orders', {}, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }, { partition: 2 }),
        produce('~orders', {}, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }, { partition: -1 }),
      ],
    },
    {
      name: 'does not know a topic of this id',
      source: 'KafkaApis.handleProduceRequest (UNKNOWN_TOPIC_ID)',
      steps: [
        {
          api: 'Produce',
          version: 13,
          body: {
            acks: -1,
            timeoutMs: 5000,
            topicData: [
              { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partitionData: [{ index: 0, records: [batch()] }] },
            ],
          },
          expect: { responses: [{ partitionResponses: [{ index: 0, errorCode: 'UNKNOWN_TOPIC_ID' }] }] },
        },
      ],
    },
    {
      name: 'appends by id, and answers with the id',
      source: 'KafkaApis.handleProduceRequest',
      topics: orders,
      steps: [
        {
          api: 'Produce',
          version: 13,
          body: {
            acks: -1,
            timeoutMs: 5000,
            topicData: [{ topicId: '$ordersId', partitionData: [{ index: 0, records: [batch()] }] }],
          },
          expect: {
            responses: [{ topicId: '$ordersId', partitionResponses: [{ errorCode: 'NONE', baseOffset: 0 }] }],
          },
        },
      ],
    },
    {
      name: 'refuses one partition and takes the other of the same request',
      source: 'KafkaApis.handleProduceRequest (mergedResponseStatus)',
      topics: orders,
      steps: [
        {
          api: 'Produce',
          version: 12,
          body: {
            acks: -1,
            timeoutMs: 5000,
            topicData: [
              { name: '~orders', partitionData: [{ index: 0, records: [batch({ wrongCrc: true })] }] },
              { name: '~nothing', partitionData: [{ index: 0, records: [batch()] }] },
            ],
          },
          expect: {
            responses: [
              { name: '~orders', partitionResponses: [{ errorCode: 'CORRUPT_MESSAGE' }] },
              { name: '~nothing', partitionResponses: [{ errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }] },
            ],
          },
        },
      ],
    },
    {
      name: 'refuses a batch whose CRC does not fit',
      source: 'UnifiedLog.analyzeAndValidateRecords (batch.isValid)',
      topics: orders,
      steps: [
        produce('~orders', { wrongCrc: true }, { errorCode: 'CORRUPT_MESSAGE', baseOffset: -1 }),
        fetch('~orders', 0, { highWatermark: 0 }),
      ],
    },
    {
      name: 'refuses a batch of an older format',
      source: 'ProduceRequest.validateRecords',
      topics: orders,
      steps: [
        produce('~orders', { overwrite: { magic: 1 } }, { errorCode: 'INVALID_RECORD' }),
        produce('~orders', { overwrite: { magic: 0 } }, { errorCode: 'INVALID_RECORD' }),
      ],
    },
    {
      name: 'refuses a partition without a batch',
      source: 'ProduceRequest.validateRecords',
      topics: orders,
      steps: [
        {
          api: 'Produce',
          version: 12,
          body: {
            acks: -1,
            timeoutMs: 5000,
            topicData: [{ name: '~orders', partitionData: [{ index: 0, records: [] }] }],
          },
          expect: { responses: [{ partitionResponses: [{ errorCode: 'INVALID_RECORD' }] }] },
        },
      ],
    },
    {
      name: 'refuses two batches for one partition',
      source: 'ProduceRequest.validateRecords',
      topics: orders,
      steps: [
        {
          api: 'Produce',
          version: 12,
          body: {
            acks: -1,
            timeoutMs: 5000,
            topicData: [{ name: '~orders', partitionData: [{ index: 0, records: [batch(), batch()] }] }],
          },
          expect: { responses: [{ partitionResponses: [{ errorCode: 'INVALID_RECORD' }] }] },
        },
        fetch('~orders', 0, { highWatermark: 0 }),
      ],
    },
    {
      name: 'refuses a count of records that its offsets do not agree with',
      source: 'LogValidator.validateBatch',
      topics: orders,
      steps: [
        produce('~orders', { overwrite: { lastOffsetDelta: 4 } }, { errorCode: 'INVALID_RECORD' }),
        produce('~orders', { overwrite: { lastOffsetDelta: -1 } }, { errorCode: 'INVALID_RECORD' }),
      ],
    },
    {
      name: 'refuses a control batch of a client',
      source: 'LogValidator.validateBatch (isControlBatch)',
      topics: orders,
      steps: [produce('~orders', { overwrite: { attributes: 0x20 } }, { errorCode: 'INVALID_RECORD' })],
    },
    {
      name: 'refuses a producer id without a sequence number',
      source: 'LogValidator.validateBatch (baseSequence)',
      topics: orders,
      steps: [idempotent, produce('~orders', { ...by, baseSequence: -1 }, { errorCode: 'INVALID_RECORD' })],
    },
    {
      name: 'refuses a batch above max.message.bytes of the topic',
      source: 'UnifiedLog.analyzeAndValidateRecords (RecordTooLargeException)',
      topics: { orders: { configs: { 'max.message.bytes': '200' } } },
      steps: [
        produce('~orders', { values: ['a'.repeat(100)] }, { errorCode: 'NONE', baseOffset: 0 }),
        produce('~orders', { values: ['a'.repeat(200)] }, { errorCode: 'MESSAGE_TOO_LARGE', baseOffset: -1 }),
        produce('~orders', {}, { errorCode: 'NONE', baseOffset: 1 }),
      ],
    },
    {
      name: 'refuses records without keys in a compacted topic, and says which',
      source: 'LogValidator.validateKey',
      topics: { table: { configs: { 'cleanup.policy': 'compact' } } },
      steps: [
        produce(
          '~table',
          { keys: ['k', null, 'k', null], values: ['a', 'b', 'c', 'd'] },
          {
            errorCode: 'INVALID_RECORD',
            baseOffset: -1,
            recordErrors: [{ batchIndex: 1 }, { batchIndex: 3 }],
          },
        ),
        produce('~table', { keys: ['k'], values: [null] }, { errorCode: 'NONE', baseOffset: 0 }),
      ],
    },
    {
      name: 'refuses a record from too far in the future',
      source: 'LogValidator.recordHasInvalidTimestamp',
      topics: { orders: { configs: { 'message.timestamp.after.max.ms': '60000' } } },
      steps: [
        produce(
          '~orders',
          { timestampAfterMs: 600_000 },
          { errorCode: 'INVALID_TIMESTAMP', recordErrors: [{ batchIndex: 0 }] },
        ),
        produce('~orders', { timestampAfterMs: 20_000 }, { errorCode: 'NONE' }),
      ],
    },
    {
      name: 'takes a record at most an hour from the future by default',
      source: 'LogConfig (message.timestamp.after.max.ms)',
      topics: orders,
      steps: [
        produce('~orders', { timestampAfterMs: 7_200_000 }, { errorCode: 'INVALID_TIMESTAMP' }),
        produce('~orders', { timestampAfterMs: -86_400_000 * 3000 }, { errorCode: 'NONE' }),
      ],
    },
    {
      name: 'refuses a record from too long ago',
      source: 'LogValidator.recordHasInvalidTimestamp',
      topics: { orders: { configs: { 'message.timestamp.before.max.ms': '60000' } } },
      steps: [
        produce('~orders', { timestampAfterMs: -600_000 }, { errorCode: 'INVALID_TIMESTAMP' }),
        produce('~orders', { timestampAfterMs: -20_000 }, { errorCode: 'NONE' }),
      ],
    },
    {
      name: 'takes a record without a timestamp whatever the bounds are',
      source: 'LogValidator.validateTimestamp (NO_TIMESTAMP)',
      topics: { orders: { configs: { 'message.timestamp.before.max.ms': '60000' } } },
      steps: [produce('~orders', { timestamps: [-1] }, { errorCode: 'NONE' })],
    },
    {
      name: 'refuses a producer that says LogAppendTime',
      source: 'LogValidator.validateTimestamp (LOG_APPEND_TIME)',
      topics: { orders: { configs: { 'message.timestamp.type': 'LogAppendTime' } } },
      steps: [
        produce('~orders', { overwrite: { attributes: 0x08 } }, { errorCode: 'INVALID_TIMESTAMP' }),
        produce('~orders', { timestamps: [1000] }, { errorCode: 'NONE' }),
      ],
    },
    {
      name: 'forbids topics of its own',
      source: 'ReplicaManager.appendToLocalLog (Topic.isInternal)',
      steps: [
        {
          api: 'FindCoordinator',
          body: { keyType: 0, coordinatorKeys: ['~billing'] },
          expect: { coordinators: [{ errorCode: 'NONE' }] },
          eventually: true,
        },
        produce(
          '__consumer_offsets',
          { keys: ['k'] },
          { errorCode: 'INVALID_TOPIC_EXCEPTION' },
          { eventually: true },
        ),
      ],
    },
    {
      name: 'answers a batch that it has again with its offset, and does not append it again',
      source: 'ProducerStateEntry.findDuplicateBatch',
      topics: orders,
      steps: [
        idempotent,
        produce(
          '~orders',
          { ...by, baseSequence: 0, values: ['a', 'b'] },
          { errorCode: 'NONE', baseOffset: 0 },
        ),
        produce('~orders', { ...by, baseSequence: 2, values: ['c'] }, { errorCode: 'NONE', baseOffset: 2 }),
        produce(
          '~orders',
          { ...by, baseSequence: 0, values: ['a', 'b'] },
          { errorCode: 'NONE', baseOffset: 0 },
        ),
        fetch('~orders', 0, { records: values('a', 'b', 'c') }),
      ],
    },
    {
      name: 'recognizes the last five batches, and no older one',
      source: 'ProducerStateEntry (NUM_BATCHES_TO_RETAIN)',
      topics: orders,
      steps: [
        idempotent,
        ...[0, 1, 2, 3, 4, 5].map((sequence) =>
          produce('~orders', { ...by, baseSequence: sequence }, { errorCode: 'NONE', baseOffset: sequence }),
        ),
        produce('~orders', { ...by, baseSequence: 1 }, { errorCode: 'NONE', baseOffset: 1 }),
        produce('~orders', { ...by, baseSequence: 0 }, { errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
        fetch('~orders', 0, { highWatermark: 6 }),
      ],
    },
    {
      name: 'refuses a gap in the sequence numbers',
      source: 'ProducerAppendInfo.checkSequence',
      topics: orders,
      steps: [
        idempotent,
        produce('~orders', { ...by, baseSequence: 0, values: ['a', 'b'] }),
        produce(
          '~orders',
          { ...by, baseSequence: 3 },
          { errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER', baseOffset: -1 },
        ),
        produce('~orders', { ...by, baseSequence: 2 }, { errorCode: 'NONE', baseOffset: 2 }),
      ],
    },
    {
      name: 'refuses sequence numbers that are there in part',
      source: 'ProducerAppendInfo.checkSequence',
      topics: orders,
      steps: [
        idempotent,
        produce('~orders', { ...by, baseSequence: 0, values: ['a', 'b'] }),
        produce(
          '~orders',
          { ...by, baseSequence: 1, values: ['b', 'c'] },
          { errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
        ),
      ],
    },
    {
      name: 'lets a producer that it does not know begin anywhere',
      source: 'ProducerAppendInfo.checkSequence (NO_PRODUCER_EPOCH)',
      topics: orders,
      steps: [
        idempotent,
        produce('~orders', { ...by, baseSequence: 41 }, { errorCode: 'NONE', baseOffset: 0 }),
        produce('~orders', { ...by, baseSequence: 42 }, { errorCode: 'NONE', baseOffset: 1 }),
      ],
    },
    {
      name: 'goes on from the last sequence number to 0',
      source: 'ProducerAppendInfo.inSequence',
      topics: orders,
      steps: [
        idempotent,
        produce('~orders', { ...by, baseSequence: 0x7fff_ffff }, { errorCode: 'NONE' }),
        produce('~orders', { ...by, baseSequence: 0 }, { errorCode: 'NONE', baseOffset: 1 }),
        produce('~orders', { ...by, baseSequence: 2 }, { errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
      ],
    },
    {
      name: 'counts over the last sequence number within a batch',
      source: 'DefaultRecordBatch.incrementSequence',
      topics: orders,
      steps: [
        idempotent,
        produce(
          '~orders',
          { ...by, baseSequence: 0x7fff_fffe, values: ['a', 'b', 'c'] },
          { errorCode: 'NONE' },
        ),
        produce('~orders', { ...by, baseSequence: 1 }, { errorCode: 'NONE', baseOffset: 3 }),
      ],
    },
    {
      name: 'begins a newer epoch at 0 only',
      source: 'ProducerAppendInfo.checkSequence',
      topics: orders,
      steps: [
        idempotent,
        produce('~orders', { ...by, baseSequence: 0 }),
        produce(
          '~orders',
          { producerId: '$pid', producerEpoch: 1, baseSequence: 1 },
          { errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
        ),
        produce(
          '~orders',
          { producerId: '$pid', producerEpoch: 1, baseSequence: 0 },
          { errorCode: 'NONE', baseOffset: 1 },
        ),
      ],
    },
    {
      name: 'refuses an older epoch',
      source: 'ProducerAppendInfo.checkProducerEpoch',
      topics: orders,
      steps: [
        idempotent,
        produce('~orders', { producerId: '$pid', producerEpoch: 3, baseSequence: 0 }),
        produce(
          '~orders',
          { producerId: '$pid', producerEpoch: 2, baseSequence: 0 },
          { errorCode: 'INVALID_PRODUCER_EPOCH', baseOffset: -1 },
        ),
        produce(
          '~orders',
          { producerId: '$pid', producerEpoch: 3, baseSequence: 1 },
          { errorCode: 'NONE', baseOffset: 1 },
        ),
      ],
    },
    {
      name: 'counts the sequence numbers of each partition for itself',
      source: 'ProducerStateManager.prepareUpdate',
      topics: { orders: { partitions: 2 } },
      steps: [
        idempotent,
        produce('~orders', { ...by, baseSequence: 0, values: ['a', 'b'] }),
        produce(
          '~orders',
          { ...by, baseSequence: 0 },
          { errorCode: 'NONE', baseOffset: 0 },
          { partition: 1 },
        ),
        produce('~orders', { ...by, baseSequence: 2 }, { errorCode: 'NONE', baseOffset: 2 }),
      ],
    },
    {
      name: 'gives each idempotent producer another id, and epoch 0',
      source: 'TransactionCoordinator.handleInitProducerId (transactionalId == null)',
      steps: [
        initProducerId(null, { errorCode: 'NONE', producerId: capture('pid'), producerEpoch: 0 }),
        initProducerId(null, { errorCode: 'NONE', producerId: capture('other'), producerEpoch: 0 }),
      ],
    },
    {
      name: 'refuses transactional batches of a request without a transactional id',
      source: 'KafkaApis.handleProduceRequest (hasTransactionalRecords)',
      topics: orders,
      steps: [
        idempotent,
        produce(
          '~orders',
          { ...by, baseSequence: 0, isTransactional: true },
          { errorCode: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' },
        ),
      ],
    },
    {
      name: 'refuses bytes that are no batch',
      source: 'ProduceRequest.validateRecords, ByteBufferLogInputStream.nextBatch',
      topics: orders,
      steps: [
        produce('~orders', text('this is no batch, however long it may be'), {
          errorCode: 'CORRUPT_MESSAGE',
        }),
      ],
    },
  ],
}
