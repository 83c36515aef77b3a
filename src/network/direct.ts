/**
 * The direct channel: requests are calls of the broker in this process. Nothing is serialized; a request and its
 * response are in the newest version's shape, and record bytes are the ones that are stored.
 */
import type { Broker } from '../broker/broker.js'
import { IN_PROCESS_HOST, type RequestContext } from '../broker/request-context.js'
import type { BrokerAddress, Channel, Network, SendOptions } from '../protocol/channel.js'
import type { Api, Fields, RequestOf, ResponseOf } from '../protocol/schema.js'
import { abortable } from '../runtime/abort.js'
import type { Clock } from '../runtime/clock.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { TurnGuard } from '../runtime/turn-guard.js'

/** How to connect. */
export interface DirectNetworkOptions {
  readonly clock: Clock
  /** What the client calls itself. */
  readonly clientId: string
}

/** Leads to one broker in this process. It does not close the broker. */
export class DirectNetwork implements Network {
  readonly #broker: Broker
  readonly #channel: DirectChannel

  constructor(broker: Broker, options: DirectNetworkOptions) {
    this.#broker = broker
    this.#channel = new DirectChannel(broker, options)
  }

  async bootstrap(_signal?: AbortSignal): Promise<Channel> {
    return this.#channel
  }

  /** @throws OttlaError BROKER_NOT_AVAILABLE for a node that is not this broker. */
  async to(broker: BrokerAddress, _signal?: AbortSignal): Promise<Channel> {
    if (broker.nodeId === this.#broker.nodeId) return this.#channel
    throw new OttlaError(
      'BROKER_NOT_AVAILABLE',
      `There is no broker ${broker.nodeId}; the only one is ${this.#broker.nodeId}.`,
    )
  }

  async close(): Promise<void> {
    this.#channel.close()
  }
}

class DirectChannel implements Channel {
  readonly #broker: Broker
  readonly #clientId: string
  readonly #guard: TurnGuard
  readonly #closing = new AbortController()

  constructor(broker: Broker, { clock, clientId }: DirectNetworkOptions) {
    this.#broker = broker
    this.#clientId = clientId
    this.#guard = new TurnGuard(clock)
  }

  send<Q extends Fields, P extends Fields>(
    api: Api<Q, P>,
    request: RequestOf<Api<Q, P>>,
    options?: SendOptions,
  ): Promise<ResponseOf<Api<Q, P>>> {
    if (this.#closing.signal.aborted) return Promise.reject(closed())
    const signal = options?.signal
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    const context: RequestContext = {
      apiVersion: Math.min(api.versions[1], options?.maxVersion ?? api.versions[1]),
      clientId: this.#clientId,
      clientHost: IN_PROCESS_HOST,
      signal,
    }
    const wait = this.#guard.next()
    const answer =
      wait === undefined
        ? this.#broker.handle(api, request, context)
        : wait.then(() => this.#broker.handle(api, request, context))
    return abortable(answer, signal)
  }

  close(): void {
    this.#closing.abort(closed())
  }
}

const closed = (): OttlaError =>
  new OttlaError('RESOURCE_CLOSED', 'The direct network is closed; open a new one to go on.')
