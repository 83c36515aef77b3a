/** A clock that stands still until a test moves it: an hour passes in a millisecond, and always the same way. */
import type { Clock, ScheduledTimer } from '../../src/runtime/clock.js'

interface Wake extends ScheduledTimer {
  readonly at: number
  readonly callback: () => void
  readonly keepAlive: boolean
}

/** Time in a test's hands. */
export class ManualClock implements Clock {
  #now: number
  readonly #start: number
  #wakes: Wake[] = []

  /** `start` is the wall-clock time in milliseconds; the default is a day in November 2023. */
  constructor(start = 1_700_000_000_000) {
    this.#now = start
    this.#start = start
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.#start
  }

  /** How many wake-ups are pending. */
  get pendingCount(): number {
    return this.#wakes.length
  }

  /** Whether a pending wake-up would keep a process running. */
  get keepsAlive(): boolean {
    return this.#wakes.some(({ keepAlive }) => keepAlive)
  }

  schedule(
    delayMs: number,
    callback: () => void,
    options?: { readonly keepAlive?: boolean },
  ): ScheduledTimer {
    const wake: Wake = {
      at: this.#now + Math.max(delayMs, 0),
      callback,
      keepAlive: options?.keepAlive ?? true,
      cancel: () => {
        this.#wakes = this.#wakes.filter((other) => other !== wake)
      },
    }
    this.#wakes.push(wake)
    return wake
  }

  defer(callback: () => void): void {
    setImmediate(callback)
  }

  /** Moves time by `ms`; what falls due on the way is called at its own time, in order. */
  advance(ms: number): void {
    const target = this.#now + ms
    for (let next = this.#earliest(target); next !== undefined; next = this.#earliest(target)) {
      this.#now = Math.max(this.#now, next.at)
      next.cancel()
      next.callback()
    }
    this.#now = target
  }

  /** As {@link advance}, but lets promises settle after every wake-up, so that what they start falls due too. */
  async advanceAsync(ms: number): Promise<void> {
    const target = this.#now + ms
    await settled()
    for (let next = this.#earliest(target); next !== undefined; next = this.#earliest(target)) {
      this.#now = Math.max(this.#now, next.at)
      next.cancel()
      next.callback()
      await settled()
    }
    this.#now = target
  }

  #earliest(until: number): Wake | undefined {
    let earliest: Wake | undefined
    for (const wake of this.#wakes) {
      if (wake.at <= until && (earliest === undefined || wake.at < earliest.at)) earliest = wake
    }
    return earliest
  }
}

/** A turn of the event loop: every promise that can settle has. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
