/** EndTxn: commits or aborts; from version 5 on the answer has the epoch of the next transaction (KIP-890). */
import type { endTxn } from '../../protocol/api/end-txn.js'
import { responseErrorOf } from '../response-errors.js'
import { EPOCH_BUMP_LEVEL } from '../transactions/transaction-metadata.js'
import type { Handler } from './handler.js'
import { forOlderClients } from './transaction-errors.js'

/** The first version whose clients know PRODUCER_FENCED. */
const FENCED_SINCE = 2
/** The first version whose clients have an epoch for each transaction. */
const EPOCH_BUMP_SINCE = 5

export const handleEndTxn: Handler<typeof endTxn> = async (services, request, context) => {
  const { transactionalId, committed } = request
  const { apiVersion } = context
  const clientTransactionVersion = apiVersion >= EPOCH_BUMP_SINCE ? EPOCH_BUMP_LEVEL : 0
  try {
    const next = await services.transactions.end(
      transactionalId,
      request,
      committed,
      clientTransactionVersion,
    )
    return { throttleTimeMs: 0, errorCode: 0, ...next }
  } catch (error) {
    const { errorCode } = responseErrorOf(forOlderClients(error, apiVersion >= FENCED_SINCE))
    return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
  }
}
