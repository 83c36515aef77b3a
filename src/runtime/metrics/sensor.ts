/**
 * A sensor: takes measurements, and knows their total since it began and what they came to of late. The recent past is
 * Kafka's: two windows of 30 seconds, each beginning at its first measurement (`metrics.sample.window.ms`,
 * `metrics.num.samples`). There is no timer: a window that is over is noticed when the next measurement comes.
 */

/** How long a window takes measurements, in milliseconds. */
const WINDOW_MS = 30_000
/** How many windows the recent past is made of. */
const WINDOWS = 2
/** How long the recent past lasts, in milliseconds. */
const RECENT_MS = WINDOWS * WINDOW_MS

interface Window {
  startedAt: number
  lastAt: number
  count: number
  sum: number
  max: number
}

/** Takes measurements. Times are those of a monotonic clock, in milliseconds. */
export class Sensor {
  /** The sum of all measurements. */
  total = 0
  /** How many there were. */
  count = 0
  /** In a ring; one more than count, for the one that reaches into the recent past. */
  readonly #windows: Window[] = []
  #current = 0

  /** When the last measurement came; -Infinity before the first. */
  get lastAt(): number {
    return this.#windows[this.#current]?.lastAt ?? -Infinity
  }

  /** Takes `value` at `now`, which is not before the last one's. */
  record(value: number, now: number): void {
    this.total += value
    this.count++
    const window = this.#windows[this.#current]
    if (window === undefined || now - window.startedAt >= WINDOW_MS) {
      this.#begin(value, now)
      return
    }
    window.lastAt = now
    window.count++
    window.sum += value
    if (value > window.max) window.max = value
  }

  /**
   * What came per second of late. While the first window is not over it counts as if a quiet one had gone before it, so
   * that the first measurement makes no peak.
   */
  rate(now: number): number {
    const { sum, seconds } = this.#recent(now)
    return sum / seconds
  }

  /** How many measurements came per second of late. */
  frequency(now: number): number {
    const { count, seconds } = this.#recent(now)
    return count / seconds
  }

  /** The mean of the recent measurements; NaN when there are none. */
  average(now: number): number {
    const { sum, count } = this.#recent(now)
    return sum / count
  }

  /** The largest recent measurement; NaN when there are none. */
  max(now: number): number {
    const { count, max } = this.#recent(now)
    return count === 0 ? NaN : max
  }

  #recent(now: number) {
    let [sum, count, max, startedAt] = [0, 0, -Infinity, now]
    for (const window of this.#windows) {
      // One that reaches into the recent past counts as a whole.
      if (now - window.lastAt >= RECENT_MS) continue
      sum += window.sum
      count += window.count
      max = Math.max(max, window.max)
      startedAt = Math.min(startedAt, window.startedAt)
    }
    const elapsedMs = now - startedAt
    const missing = Math.max(0, WINDOWS - 1 - Math.floor(elapsedMs / WINDOW_MS))
    return { sum, count, max, seconds: (elapsedMs + missing * WINDOW_MS) / 1000 }
  }

  #begin(value: number, now: number): void {
    const window = { startedAt: now, lastAt: now, count: 1, sum: value, max: value }
    if (this.#windows.length > 0) this.#current = (this.#current + 1) % (WINDOWS + 1)
    this.#windows[this.#current] = window
  }
}
