/**
 * Gives the event loop its share. With everything in memory, produce and fetch complete in microtasks, and a loop
 * of awaited calls would never let a timer or a socket of the application run. The guard counts how long Ottla has
 * gone on in one turn of the event loop, and holds further calls back until the next turn when that is long enough.
 */
import { deferred, type Deferred } from './abort.js'
import type { Clock } from './clock.js'

/** How long calls may go on within one turn of the event loop. */
export const MAX_TURN_MS = 4

/** Tells calls when to give way. One guard per door into the broker. */
export class TurnGuard {
  readonly #clock: Clock
  #startedAt = 0
  #turn: Deferred<undefined> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * undefined when the call may go on at once, the usual case; otherwise a promise for the next turn of the event
   * loop. Those who wait go on in the order in which they came.
   */
  next(): Promise<undefined> | undefined {
    if (this.#turn === undefined) {
      this.#startedAt = this.#clock.monotonic()
      const turn = (this.#turn = deferred<undefined>())
      this.#clock.defer(() => {
        this.#turn = undefined
        turn.resolve(undefined)
      })
      return undefined
    }
    return this.#clock.monotonic() - this.#startedAt < MAX_TURN_MS ? undefined : this.#turn.promise
  }
}
