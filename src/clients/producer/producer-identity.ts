/** The id under which the broker knows an idempotent producer, and tells its retries from its new records. */
import { initProducerId } from '../../protocol/api/init-producer-id.js'
import { errorFromKafkaCode } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { withRetries } from '../retry.js'

/** A producer id and epoch, as InitProducerId gave them. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Asks the cluster for a new identity. */
export const requestIdentity = (
  { cluster, timers, random }: ClientContext,
  signal: AbortSignal,
): Promise<ProducerIdentity> =>
  withRetries(
    async () => {
      const channel = await cluster.any({ signal })
      const request = {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
        producerId: -1,
        producerEpoch: -1,
      }
      const { errorCode, producerId, producerEpoch } = await channel.send(initProducerId, request, { signal })
      if (errorCode !== 0) throw errorFromKafkaCode(errorCode)
      return { producerId, producerEpoch }
    },
    { timers, random, signal },
  )
