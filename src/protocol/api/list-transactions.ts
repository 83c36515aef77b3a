/**
 * ListTransactions: the transactional ids of a broker's coordinators (KIP-664), by state, producer and age. Version 2 is
 * left out: it has the broker match a client's regular expression, which JavaScript does in no bounded time.
 */
import { array, int16, int32, int64, string, defineApi } from '../schema.js'

export const listTransactions = defineApi({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 1],
  flexible: 0,
  request: {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64({ since: 1, default: -1 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({
      transactionalId: string(),
      producerId: int64(),
      transactionState: string(),
    }),
  },
})
