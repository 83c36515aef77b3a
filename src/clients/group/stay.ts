/** A member's time in one generation, and how it ends. */
import { deferred } from '../../runtime/abort.js'

/** Why a generation ends: a rebalance, being told that one is no member any more, or leaving for a while. */
type Departure = 'rebalance' | 'expelled' | 'away'

/** The time in one generation, and how it ends. */
export class Stay {
  departure: Departure | undefined
  readonly #ended = deferred<undefined>()
  readonly #cutShort = deferred<undefined>()

  constructor() {
    // It may fail while nobody waits for its end.
    this.ended.catch(() => undefined)
    this.cutShort.catch(() => undefined)
  }

  /** Resolves at the first departure; rejects when the membership cannot go on. */
  get ended(): Promise<undefined> {
    return this.#ended.promise
  }

  /** Resolves when there is no time to end it in order. */
  get cutShort(): Promise<undefined> {
    return this.#cutShort.promise
  }

  depart(departure: Departure): void {
    // Once expelled or away there is nothing left to give up in order.
    if (this.departure !== undefined && departure === 'rebalance') return
    this.departure = departure
    this.#ended.resolve(undefined)
    if (departure !== 'rebalance') this.#cutShort.resolve(undefined)
  }

  fail(error: unknown): void {
    this.#ended.reject(error)
    this.#cutShort.reject(error)
  }
}
