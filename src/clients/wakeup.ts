/** One timer for everything a client waits for: it is set to the earliest time that anyone asked for. */
import type { ScheduledTimer } from '../runtime/clock.js'
import type { ClientContext } from './context.js'

/** Calls back at the earliest of the times it was given; whoever still waits then asks again. */
export class Wakeup {
  readonly #context: Pick<ClientContext, 'clock' | 'timers'>
  readonly #callback: () => void
  #armed: { readonly at: number; readonly keepAlive: boolean; readonly timer: ScheduledTimer } | undefined

  constructor(context: Pick<ClientContext, 'clock' | 'timers'>, callback: () => void) {
    this.#context = context
    this.#callback = callback
  }

  /** Calls back no later than `at` on the monotonic clock. With `keepAlive` the process stays up for it. */
  at(at: number, keepAlive: boolean): void {
    if (this.#armed !== undefined && this.#armed.at <= at && (this.#armed.keepAlive || !keepAlive)) return
    const earliest = Math.min(at, this.#armed?.at ?? at)
    const keeps = keepAlive || (this.#armed?.keepAlive ?? false)
    this.#armed?.timer.cancel()
    const { clock, timers } = this.#context
    const timer = timers.schedule(
      Math.max(0, earliest - clock.monotonic()),
      () => {
        this.#armed = undefined
        this.#callback()
      },
      { keepAlive: keeps },
    )
    this.#armed = { at: earliest, keepAlive: keeps, timer }
  }

  /** Forgets it. */
  cancel(): void {
    this.#armed?.timer.cancel()
    this.#armed = undefined
  }
}
