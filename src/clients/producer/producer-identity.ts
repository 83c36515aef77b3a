/** The id under which the broker knows an idempotent producer, and tells its retries from its new records (KIP-98). */
import { initProducerId } from '../../protocol/api/init-producer-id.js'
import { errorFromKafkaCode } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { withRetries } from '../retry.js'

/** A producer id and epoch, as InitProducerId gave them. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
  /** Whether its batches are in transactions. */
  readonly isTransactional: boolean
}

/** Where the identity of batches comes from. */
export interface Identities {
  /** The identity of new batches; undefined until {@link next} has got one. */
  readonly current: ProducerIdentity | undefined
  /** The identity, got first if there is none. */
  next(): Promise<ProducerIdentity>
  /** `identity` is not to be used for new batches. */
  discard(identity: ProducerIdentity): void
}

/** Has an identity when one is needed, and a new one when that proved void. */
export class IdentitySource implements Identities {
  readonly #context: ClientContext
  readonly #closeSignal: AbortSignal
  #current: ProducerIdentity | undefined
  #asking: Promise<ProducerIdentity> | undefined

  constructor(context: ClientContext, closeSignal: AbortSignal) {
    this.#context = context
    this.#closeSignal = closeSignal
  }

  /** The identity of new batches; undefined until {@link next} has got one. */
  get current(): ProducerIdentity | undefined {
    return this.#current
  }

  /** The identity, asked for if there is none; whoever asks meanwhile shares it. */
  next(): Promise<ProducerIdentity> {
    if (this.#current !== undefined) return Promise.resolve(this.#current)
    this.#asking ??= request(this.#context, this.#closeSignal)
      .then((identity) => (this.#current = identity))
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }

  /** `identity` is not to be used for new batches: its sequence has a hole, or the broker does not know it. */
  discard(identity: ProducerIdentity): void {
    if (this.#current === identity) this.#current = undefined
  }
}

const request = (
  { cluster, timers, random, logger }: ClientContext,
  signal: AbortSignal,
): Promise<ProducerIdentity> =>
  withRetries(
    async () => {
      const channel = await cluster.any({ signal })
      const question = {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
        producerId: -1,
        producerEpoch: -1,
      }
      const { errorCode, producerId, producerEpoch } = await channel.send(initProducerId, question, {
        signal,
      })
      if (errorCode !== 0) throw errorFromKafkaCode(errorCode)
      return { producerId, producerEpoch, isTransactional: false }
    },
    { timers, random, signal, logger },
  )
