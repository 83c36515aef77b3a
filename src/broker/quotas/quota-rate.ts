/**
 * How much there was in the last seconds, as Kafka measures it for quotas: sums of a few windows, each begun by the first
 * value that comes after the one before it has lasted its time. Time without values counts, too.
 */

/** How a rate is measured. */
export interface RateWindows {
  /** How many windows there are, the one that goes on included (`quota.window.num`). */
  readonly samples: number
  /** How long one lasts, in milliseconds (`quota.window.size.seconds`). */
  readonly windowMs: number
}

interface Sample {
  readonly startMs: number
  lastMs: number
  sum: number
}

/** The rate of one client. */
export class QuotaRate {
  readonly #windows: RateWindows
  /** The oldest first; there are never more than one beyond those that are asked for. */
  readonly #samples: Sample[] = []

  constructor(windows: RateWindows) {
    this.#windows = windows
  }

  /** Counts `value`; times never go back. */
  record(value: number, nowMs: number): void {
    const current = this.#samples.at(-1)
    if (current === undefined || nowMs - current.startMs >= this.#windows.windowMs) {
      this.#forget(nowMs)
      this.#samples.push({ startMs: nowMs, lastMs: nowMs, sum: value })
      return
    }
    current.lastMs = nowMs
    current.sum += value
  }

  /** For how long nothing may be added until the rate is at `limit` a second again, in milliseconds; 0 when it is not above. */
  waitMs(limit: number, nowMs: number): number {
    this.#forget(nowMs)
    const spanMs = this.#spanMs(nowMs)
    let sum = 0
    for (const sample of this.#samples) sum += sample.sum
    const rate = (sum / spanMs) * 1000
    return rate > limit ? Math.round(((rate - limit) / limit) * spanMs) : 0
  }

  /** Whether it holds nothing that still counts. */
  isIdle(nowMs: number): boolean {
    const { samples, windowMs } = this.#windows
    return this.#samples.every(({ lastMs }) => nowMs - lastMs >= samples * windowMs)
  }

  /** The time that the sums are of: all windows but the current one count whole, or a rate would be high at its beginning. */
  #spanMs(nowMs: number): number {
    const { samples, windowMs } = this.#windows
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs)
    const missing = samples - 1 - Math.floor(elapsedMs / windowMs)
    return Math.max(1, elapsedMs + Math.max(0, missing) * windowMs)
  }

  /** Drops what ended before the windows begin; what reaches into them stays whole. */
  #forget(nowMs: number): void {
    const { samples, windowMs } = this.#windows
    while (this.#samples[0] !== undefined && nowMs - this.#samples[0].lastMs >= samples * windowMs)
      this.#samples.shift()
  }
}
