/** AddOffsetsToTxn: the transaction will commit offsets of a group. Before KIP-890 it precedes TxnOffsetCommit. */
import { int16, int32, int64, string, defineApi } from '../schema.js'

export const addOffsetsToTxn = defineApi({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
})
