/**
 * Time that passes only when everybody has done what there is to do: an hour of many processes in a minute, and the
 * same hour from the same seed.
 */
import type { Clock, ScheduledTimer } from '../../src/runtime/clock.js'

interface Wake {
  readonly at: number
  /** Wakes of the same time come in the order in which they were asked for. */
  readonly order: number
  readonly callback: () => void
}

const isBefore = (a: Wake, b: Wake): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** A clock that a simulation moves. */
export class VirtualClock implements Clock {
  readonly #start: number
  #now: number
  #order = 0
  #deferredCount = 0
  readonly #wakes = new Set<Wake>()

  /** `start` is the wall-clock time in milliseconds; the default is a day in November 2023. */
  constructor(start = 1_700_000_000_000) {
    this.#start = start
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.#start
  }

  schedule(delayMs: number, callback: () => void): ScheduledTimer {
    const wake = { at: this.#now + Math.max(delayMs, 0), order: this.#order++, callback }
    this.#wakes.add(wake)
    return { cancel: () => this.#wakes.delete(wake) }
  }

  defer(callback: () => void): void {
    this.#deferredCount++
    setImmediate(() => {
      this.#deferredCount--
      callback()
    })
  }

  /** Resolves when `delayMs` have passed. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.schedule(delayMs, resolve))
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    await this.#quiet()
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#now = next.at
      this.#wakes.delete(next)
      next.callback()
      await this.#quiet()
    }
    this.#now = until
  }

  /** Nothing is to be done any more before time passes: every promise has settled, and what gave way has come back. */
  async #quiet(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#deferredCount > 0)
  }

  #next(until: number): Wake | undefined {
    let next: Wake | undefined
    for (const wake of this.#wakes) {
      if (wake.at <= until && (next === undefined || isBefore(wake, next))) next = wake
    }
    return next
  }
}
