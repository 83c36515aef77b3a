/**
 * The seam between clients and brokers. A Channel leads to one broker and carries typed messages; a Network hands
 * out channels. What carries the messages (a direct call, TCP, a MessagePort) is the implementation's business.
 */
import type { Api, Fields, RequestOf, ResponseOf } from './schema.js'

/** What one call may be given. */
export interface SendOptions {
  /** Gives up waiting; the broker may still carry the request out. */
  readonly signal?: AbortSignal | undefined
  /** The newest version that may be used, where a newer one would mean something else; default the newest known. */
  readonly maxVersion?: number | undefined
}

/** Carries requests to one broker. Requests take effect there in the order of the calls. */
export interface Channel {
  /**
   * Sends `request` and resolves to its response. Errors that the response carries in its fields are not thrown.
   * Record bytes handed over in a request belong to the broker from then on.
   * @throws OttlaError NETWORK_EXCEPTION when the broker cannot be reached, UNSUPPORTED_VERSION when it does not
   * know the API, RESOURCE_CLOSED after close.
   */
  send<Q extends Fields, P extends Fields>(
    api: Api<Q, P>,
    request: RequestOf<Api<Q, P>>,
    options?: SendOptions,
  ): Promise<ResponseOf<Api<Q, P>>>
}

/** A broker's address, as Metadata and FindCoordinator tell it. */
export interface BrokerAddress {
  /** The node's id in the cluster. */
  readonly nodeId: number
  /** Its host name or address. */
  readonly host: string
  /** Its port; 0 for a broker in this process, which has none. */
  readonly port: number
}

/** Leads to the brokers of one cluster. */
export interface Network {
  /** A channel to any broker that answers: for the first Metadata request, and when all else failed. */
  bootstrap(signal?: AbortSignal): Promise<Channel>
  /** The channel to one broker; the same one at every call while it works. */
  to(broker: BrokerAddress, signal?: AbortSignal): Promise<Channel>
  /** Closes every channel. */
  close(): Promise<void>
}
