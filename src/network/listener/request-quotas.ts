/**
 * What requests count for the quotas of their clients. Nothing is refused for a quota, and no answer waits for one: the
 * client is told at once for how long it is to be silent, and for so long its connection is not read from (KIP-219).
 */
import type { ClientQuotaManager } from '../../broker/quotas/client-quota-manager.js'
import type { QuotaClient } from '../../broker/quotas/client-quotas.js'
import { fetch } from '../../protocol/api/fetch.js'
import { produce } from '../../protocol/api/produce.js'
import type { Fields, Message } from '../../protocol/schema.js'
import { wantsNoAnswer, type ListenerRequest } from './request.js'

/** What a request took. */
export interface RequestUse {
  readonly requestBytes: number
  readonly answerBytes: number
  /** For how long the event loop was busy with it, as far as that can be told: not with what the storage did for it. */
  readonly busyMs: number
}

/** Percent of a second in a millisecond. */
const PERCENT_PER_MS = 0.1

/** The quotas of the clients of one listener. */
export class RequestQuotas {
  readonly #manager: ClientQuotaManager

  constructor(manager: ClientQuotaManager) {
    this.#manager = manager
  }

  /**
   * The request as it is to be carried out: a fetch gets no more at once than its client may have in all windows
   * together, or its connection would be silent for longer than anything is remembered.
   */
  limit(request: ListenerRequest, principal: string): Message<Fields> {
    const { api, body } = request
    if (!this.#manager.isEnabled || api.key !== fetch.key) return body
    const most = Math.floor(this.#manager.mostAtOnce('consumer_byte_rate', clientOf(request, principal)))
    const { maxBytes, minBytes } = body as { maxBytes: number; minBytes: number }
    return { ...body, maxBytes: Math.min(maxBytes, most), minBytes: Math.min(minBytes, most) }
  }

  /** Counts what a request took; returns for how many milliseconds its client has to be silent. */
  charge(request: ListenerRequest, principal: string, use: RequestUse): number {
    const manager = this.#manager
    if (!manager.isEnabled) return 0
    const client = clientOf(request, principal)
    const { key } = request.api
    let silentMs = 0
    if (key === produce.key) silentMs = manager.record('producer_byte_rate', client, use.requestBytes)
    if (key === fetch.key) silentMs = manager.record('consumer_byte_rate', client, use.answerBytes)
    // As in Kafka: who wants no answer cannot be told of it, and it is for no longer than a window.
    if (wantsNoAnswer(request)) return silentMs
    const percent = use.busyMs * PERCENT_PER_MS
    return Math.max(
      silentMs,
      Math.min(manager.record('request_percentage', client, percent), manager.windowMs),
    )
  }
}

const clientOf = ({ header }: ListenerRequest, principal: string): QuotaClient => ({
  user: principal.slice(principal.indexOf(':') + 1),
  clientId: header.clientId ?? '',
})
