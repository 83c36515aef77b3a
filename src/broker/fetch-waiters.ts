/**
 * Long polls: a fetch that found too little waits here until one of its partitions has more, its time is up, a
 * topic of it is deleted, its client gives up, or the broker closes.
 */
import { onAbort } from '../runtime/abort.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { ScheduledTimer } from '../runtime/clock.js'
import type { Timers } from '../runtime/timers.js'
import type { Partition } from './topic.js'

/** How many fetches may wait at once; each costs one deadline and an entry at each of its partitions. */
export const MAX_WAITING_FETCHES = 10_000

/** One fetch that waits. */
export class FetchWaiter {
  /** Resolves when it is worth looking again. */
  readonly promise: Promise<void>
  readonly #waiters: Set<FetchWaiter>
  readonly #partitions: readonly Partition[]
  readonly #isEnough: () => boolean
  readonly #offAbort: (() => void) | undefined
  readonly #timer: ScheduledTimer
  #resolve: () => void = () => undefined

  constructor(
    waiters: Set<FetchWaiter>,
    timers: Timers,
    partitions: readonly Partition[],
    options: FetchWait,
  ) {
    this.promise = new Promise((resolve) => (this.#resolve = resolve))
    this.#waiters = waiters
    this.#partitions = partitions
    this.#isEnough = options.isEnough
    this.#timer = timers.schedule(options.maxWaitMs, () => this.wake())
    waiters.add(this)
    for (const partition of partitions) partition.waiters.add(this)
    if (options.signal !== undefined) this.#offAbort = onAbort(options.signal, () => this.wake())
  }

  /** A partition has changed: ends the wait when that is enough. */
  onAdvance(): void {
    if (this.#isEnough()) this.wake()
  }

  /** Ends the wait. */
  wake(): void {
    if (!this.#waiters.delete(this)) return
    for (const partition of this.#partitions) partition.waiters.delete(this)
    this.#timer.cancel()
    this.#offAbort?.()
    this.#resolve()
  }
}

/** What a fetch waits for. */
export interface FetchWait {
  readonly maxWaitMs: number
  /** Whether what is there now ends the wait; asked whenever a partition changes. */
  readonly isEnough: () => boolean
  readonly signal: AbortSignal | undefined
}

/** All fetches that wait. */
export class FetchWaiters {
  readonly #timers: Timers
  readonly #waiters = new Set<FetchWaiter>()
  #isClosed = false

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Whether the broker is closing, so that nobody waits any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** How many wait now. */
  get size(): number {
    return this.#waiters.size
  }

  /**
   * Waits as `options` say. Resolves in the microtasks after what ends the wait.
   * @throws OttlaError THROTTLING_QUOTA_EXCEEDED when {@link MAX_WAITING_FETCHES} wait already.
   */
  wait(partitions: readonly Partition[], options: FetchWait): Promise<void> {
    if (this.#isClosed || options.signal?.aborted === true) return Promise.resolve()
    if (this.#waiters.size >= MAX_WAITING_FETCHES) {
      throw new OttlaError(
        'THROTTLING_QUOTA_EXCEEDED',
        `${MAX_WAITING_FETCHES} fetches wait already; fetch with maxWaitMs 0, or with fewer consumers.`,
      )
    }
    return new FetchWaiter(this.#waiters, this.#timers, partitions, options).promise
  }

  /** Ends every wait, and lets nobody wait any more. */
  close(): void {
    this.#isClosed = true
    for (const waiter of [...this.#waiters]) waiter.wake()
  }
}
