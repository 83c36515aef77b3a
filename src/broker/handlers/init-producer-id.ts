/**
 * InitProducerId: without a transactional id a fresh producer id with epoch 0, also when a producer hands in its own, as
 * Kafka bumps no epoch then either (KIP-360 leaves that to the producer). With one, the coordinator's word.
 */
import type { initProducerId } from '../../protocol/api/init-producer-id.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'
import { forOlderClients } from './transaction-errors.js'

/** The first version whose clients know PRODUCER_FENCED. */
const FENCED_SINCE = 4

const failed = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 })

export const handleInitProducerId: Handler<typeof initProducerId> = async (services, request, context) => {
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
  if (producerId < 0 !== producerEpoch < 0) return failed(codeOf('INVALID_REQUEST'))
  try {
    if (transactionalId === null) {
      const fresh = await services.producerIds.next()
      return { throttleTimeMs: 0, errorCode: 0, producerId: fresh, producerEpoch: 0 }
    }
    const expected = producerId < 0 ? undefined : { producerId, producerEpoch }
    const producer = await services.transactions.init(transactionalId, transactionTimeoutMs, expected)
    return { throttleTimeMs: 0, errorCode: 0, ...producer }
  } catch (error) {
    return failed(responseErrorOf(forOlderClients(error, context.apiVersion >= FENCED_SINCE)).errorCode)
  }
}
