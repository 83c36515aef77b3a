/**
 * InitProducerId: a fresh id with epoch 0, also when a producer hands in its own: without a transactional id Kafka
 * bumps no epoch either (KIP-360 leaves that to the producer). A transactional id is refused with
 * UNSUPPORTED_VERSION: there are no transactions.
 */
import type { initProducerId } from '../../protocol/api/init-producer-id.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

const failed = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 })

export const handleInitProducerId: Handler<typeof initProducerId> = async (services, request) => {
  const { transactionalId, producerId, producerEpoch } = request
  if (transactionalId !== null) {
    // An empty one is a mistake in Kafka too; any other is a wish for transactions.
    return failed(codeOf(transactionalId === '' ? 'INVALID_REQUEST' : 'UNSUPPORTED_VERSION'))
  }
  if (producerId < 0 !== producerEpoch < 0) return failed(codeOf('INVALID_REQUEST'))
  try {
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      producerId: await services.producerIds.next(),
      producerEpoch: 0,
    }
  } catch (error) {
    return failed(responseErrorOf(error).errorCode)
  }
}
