/**
 * The records of `__transaction_state`, as Kafka's transaction coordinator writes them. Key and value each start with an
 * int16: in the key it says which record it is, in the value which version. A null value removes the transactional id.
 */
import { array, defineRecord, int16, int32, int64, int8, string } from './schema.js'

/** Names a transactional id. */
export const transactionLogKey = defineRecord({
  key: 0,
  name: 'TransactionLogKey',
  versions: [0, 0],
  flexible: 1000,
  fields: { transactionalId: string() },
})

/** Its producer, and where its transaction stands. */
export const transactionLogValue = defineRecord({
  key: 0,
  name: 'TransactionLogValue',
  versions: [0, 1],
  flexible: 1,
  fields: {
    producerId: int64(),
    previousProducerId: int64({ since: 1, tag: 0, default: -1, ignorable: true }),
    nextProducerId: int64({ since: 1, tag: 1, default: -1, ignorable: true }),
    producerEpoch: int16(),
    nextProducerEpoch: int16({ since: 1, tag: 3, default: -1, ignorable: true }),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array({ topic: string(), partitionIds: array(int32()) }, { nullable: 0 }),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16({ since: 1, tag: 2, default: 0, ignorable: true }),
  },
})
