/**
 * Many deadlines, one platform timer. Long polls, sessions and retries of a whole broker hang on one Timers; with
 * nothing to wait for there is no timer at all, so an idle log does nothing.
 */
import { onAbort } from './abort.js'
import type { Clock, ScheduledTimer } from './clock.js'

interface Deadline {
  readonly at: number
  readonly callback: () => void
  readonly keepAlive: boolean
  cancelled: boolean
}

/** A binary heap of deadlines over one timer of the Clock. */
export class Timers {
  readonly #clock: Clock
  readonly #heap: Deadline[] = []
  #keepAliveCount = 0
  #cancelledCount = 0
  #armed: { readonly at: number; readonly keepAlive: boolean; readonly timer: ScheduledTimer } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many deadlines are pending. */
  get pendingCount(): number {
    return this.#heap.length - this.#cancelledCount
  }

  /**
   * Calls `callback` once, `delayMs` from now, unless cancelled before. With `keepAlive: false` the deadline alone
   * does not keep the process running.
   */
  schedule(
    delayMs: number,
    callback: () => void,
    options?: { readonly keepAlive?: boolean },
  ): ScheduledTimer {
    const keepAlive = options?.keepAlive ?? true
    const deadline: Deadline = {
      at: this.#clock.monotonic() + delayMs,
      callback,
      keepAlive,
      cancelled: false,
    }
    if (keepAlive) this.#keepAliveCount++
    this.#push(deadline)
    this.#arm()
    return {
      cancel: () => {
        if (deadline.cancelled) return
        this.#settle(deadline)
        this.#cancelledCount++
        this.#dropCancelled()
        this.#arm()
      },
    }
  }

  /** Resolves after `delayMs`; rejects with the signal's reason when that aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return
      }
      const timer = this.schedule(delayMs, () => {
        off?.()
        resolve()
      })
      const off =
        signal &&
        onAbort(signal, () => {
          timer.cancel()
          reject(signal.reason as Error)
        })
    })
  }

  /** Forgets every deadline. */
  clear(): void {
    for (const deadline of this.#heap) deadline.cancelled = true
    this.#heap.length = 0
    this.#keepAliveCount = 0
    this.#cancelledCount = 0
    this.#arm()
  }

  #fire(): void {
    this.#armed = undefined
    const now = this.#clock.monotonic()
    try {
      for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
        this.#pop()
        if (first.cancelled) this.#cancelledCount--
        else {
          this.#settle(first)
          first.callback()
        }
      }
    } finally {
      // No timer is left for what was cancelled meanwhile.
      this.#dropCancelled()
      this.#arm()
    }
  }

  #settle(deadline: Deadline): void {
    deadline.cancelled = true
    if (deadline.keepAlive) this.#keepAliveCount--
  }

  /** Cancelled deadlines leave the top at once, and the rest of the heap when they outnumber the live ones. */
  #dropCancelled(): void {
    while (this.#heap[0]?.cancelled) {
      this.#pop()
      this.#cancelledCount--
    }
    if (this.#cancelledCount * 2 <= this.#heap.length) return
    const live = this.#heap.filter((deadline) => !deadline.cancelled)
    this.#heap.length = 0
    this.#cancelledCount = 0
    for (const deadline of live) this.#push(deadline)
  }

  #arm(): void {
    const first = this.#heap[0]
    const keepAlive = this.#keepAliveCount > 0
    // A timer that is armed early enough serves: re-arming at every request would cost more than one idle wake-up.
    if (
      first !== undefined &&
      this.#armed &&
      this.#armed.at <= first.at &&
      this.#armed.keepAlive === keepAlive
    )
      return
    this.#armed?.timer.cancel()
    this.#armed = undefined
    if (first === undefined) return
    const delayMs = Math.max(0, first.at - this.#clock.monotonic())
    const timer = this.#clock.schedule(Math.ceil(delayMs), () => this.#fire(), { keepAlive })
    this.#armed = { at: first.at, keepAlive, timer }
  }

  #push(deadline: Deadline): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(deadline)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.at <= deadline.at) break
      heap[index] = above
      index = parent
    }
    heap[index] = deadline
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      const left = heap[child]
      if (left === undefined) break
      const right = heap[child + 1]
      let smaller = left
      if (right !== undefined && right.at < left.at) {
        smaller = right
        child++
      }
      if (last.at <= smaller.at) break
      heap[index] = smaller
      index = child
    }
    heap[index] = last
  }
}
