/** AddOffsetsToTxn: a transaction will commit offsets of a group; clients with an epoch for each transaction skip it. */
import type { addOffsetsToTxn } from '../../protocol/api/add-offsets-to-txn.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'
import { forOlderClients } from './transaction-errors.js'

/** The first version whose clients know PRODUCER_FENCED. */
const FENCED_SINCE = 2

export const handleAddOffsetsToTxn: Handler<typeof addOffsetsToTxn> = async (services, request, context) => {
  const { transactionalId, groupId } = request
  try {
    const partitions = await services.groups.offsetsPartitionsOf(groupId)
    await services.transactions.addPartitions(transactionalId, request, partitions, 0, () =>
      Promise.resolve(),
    )
    return { throttleTimeMs: 0, errorCode: 0 }
  } catch (error) {
    const known = forOlderClients(error, context.apiVersion >= FENCED_SINCE)
    return { throttleTimeMs: 0, errorCode: responseErrorOf(known).errorCode }
  }
}
