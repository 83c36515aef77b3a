/**
 * Holds clients to their quotas (KIP-13, KIP-55, KIP-124): counts what they take, and says how long they have to be
 * silent. Who shares a quota shares its count, over all connections and listeners.
 */
import type { Clock } from '../../runtime/clock.js'
import type { ClientLimit, ClientQuotas, QuotaClient, QuotaKey } from './client-quotas.js'
import { QuotaRate, type RateWindows } from './quota-rate.js'

/**
 * How many rates are kept; beyond that the one goes that was used the longest ago. A client may give itself any id, and
 * with it gets a rate of its own where client ids have a default quota.
 */
const MAX_RATES = 10_000

/** What a quota manager works with. */
export interface ClientQuotaManagerParts {
  readonly quotas: ClientQuotas
  readonly windows: RateWindows
  readonly clock: Clock
}

/** Holds clients to their quotas. */
export class ClientQuotaManager {
  readonly #quotas: ClientQuotas
  readonly #windows: RateWindows
  readonly #clock: Clock
  /** By what they count and for whom; the one that was used last is the last. */
  readonly #rates = new Map<string, QuotaRate>()

  constructor({ quotas, windows, clock }: ClientQuotaManagerParts) {
    this.#quotas = quotas
    this.#windows = windows
    this.#clock = clock
  }

  /** Whether there are quotas at all; where there are none, nothing needs to be counted. */
  get isEnabled(): boolean {
    return !this.#quotas.isEmpty
  }

  /** How long one window lasts, in milliseconds. */
  get windowMs(): number {
    return this.#windows.windowMs
  }

  /** Counts `value` for the client; returns for how many milliseconds it has to be silent, 0 when it is within its quota. */
  record(key: QuotaKey, client: QuotaClient, value: number): number {
    const limit = this.#quotas.limitOf(key, client)
    if (limit === undefined) return 0
    const nowMs = this.#clock.monotonic()
    const rate = this.#rateOf(key, limit, nowMs)
    rate.record(value, nowMs)
    return rate.waitMs(limit.limit, nowMs)
  }

  /** The most that the client can have at once, after it had nothing, without having to be silent for it. */
  mostAtOnce(key: QuotaKey, client: QuotaClient): number {
    const limit = this.#quotas.limitOf(key, client)?.limit
    const { samples, windowMs } = this.#windows
    return limit === undefined ? Infinity : (limit * (samples - 1) * windowMs) / 1000
  }

  #rateOf(key: QuotaKey, { user, clientId }: ClientLimit, nowMs: number): QuotaRate {
    const name = JSON.stringify([key, user ?? null, clientId ?? null])
    const rate = this.#rates.get(name) ?? new QuotaRate(this.#windows)
    this.#rates.delete(name)
    this.#makeRoom(nowMs)
    this.#rates.set(name, rate)
    return rate
  }

  /** Of those that were used the longest ago: whatever holds nothing that still counts, and what is too much. */
  #makeRoom(nowMs: number): void {
    for (const [name, rate] of this.#rates) {
      if (this.#rates.size < MAX_RATES && !rate.isIdle(nowMs)) return
      this.#rates.delete(name)
    }
  }
}
