/**
 * The Clock seam: the only place that asks what time it is or arranges to be woken. Everything else is handed
 * a Clock, so a test can run an hour in a millisecond.
 */

/** A pending wake-up. */
export interface ScheduledTimer {
  /** Forgets the wake-up; harmless after it has fired. */
  cancel(): void
}

/** Where Ottla takes the time from. Supply your own to `Ottla.open` to run it in virtual time. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch: what record timestamps are made of. */
  now(): number
  /** A time in milliseconds (with fractions) that never goes back; only differences between two calls mean something. */
  monotonic(): number
  /**
   * Calls `callback` once, `delayMs` from now. With `keepAlive: false` the pending call does not keep the
   * process running (default `true`).
   */
  schedule(delayMs: number, callback: () => void, options?: { readonly keepAlive?: boolean }): ScheduledTimer
  /** Calls `callback` after the event loop has had its turn: how long work gives way to the application. */
  defer(callback: () => void): void
}

/** The longest delay a platform timer takes; a longer one is re-armed. */
const MAX_PLATFORM_DELAY_MS = 0x7fffffff

interface Unrefable {
  unref?: () => void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback, options) {
    const timer: unknown = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_PLATFORM_DELAY_MS))
    // Browsers hand out a number, which cannot hold a process open anyway.
    if (options?.keepAlive === false && typeof timer === 'object') (timer as Unrefable).unref?.()
    return { cancel: () => clearTimeout(timer as ReturnType<typeof setTimeout>) }
  },
  defer(callback) {
    if (typeof setImmediate === 'function') setImmediate(callback)
    else setTimeout(callback, 0)
  },
}

/** Resolves after the event loop has had its turn. Long synchronous work calls this between its slices. */
export const yieldToEventLoop = (clock: Clock): Promise<void> =>
  new Promise((resolve) => clock.defer(() => resolve()))
