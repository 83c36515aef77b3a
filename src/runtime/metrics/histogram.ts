/**
 * A histogram of durations with a bound: a fixed number of buckets, each wider than the one before by the same factor,
 * so that a percentile is as exact for microseconds as for minutes.
 */

/** Four buckets per doubling: a percentile is at most 19 % too high. */
const BUCKETS_PER_DOUBLING = 4
/** The first bucket ends at 2 ** -10 milliseconds, about a microsecond. */
const LOWEST_EXPONENT = -10
/** The last but one ends at 2 ** 20 milliseconds, about 17 minutes; what is longer is in the last. */
const HIGHEST_EXPONENT = 20
const BUCKETS = (HIGHEST_EXPONENT - LOWEST_EXPONENT) * BUCKETS_PER_DOUBLING + 2

/** A histogram as it was at one moment. All times are in milliseconds. */
export interface HistogramSnapshot {
  /** How many durations were measured. */
  readonly count: number
  /** Their sum. */
  readonly sum: number
  /** The shortest; NaN when there is none. */
  readonly min: number
  /** The longest; NaN when there is none. */
  readonly max: number
  /** Their mean; NaN when there is none. */
  readonly mean: number
  /** What half of them did not exceed. As all percentiles it may be up to 19 % too high, never too low; NaN when there is none. */
  readonly p50: number
  /** What 75 % of them did not exceed. */
  readonly p75: number
  /** What 95 % of them did not exceed. */
  readonly p95: number
  /** What 99 % of them did not exceed. */
  readonly p99: number
  /** What 99.9 % of them did not exceed. */
  readonly p999: number
}

/** Counts durations in milliseconds. */
export class Histogram {
  readonly #buckets = new Float64Array(BUCKETS)
  #count = 0
  #sum = 0
  #min = Infinity
  #max = -Infinity

  record(durationMs: number): void {
    this.#count++
    this.#sum += durationMs
    if (durationMs < this.#min) this.#min = durationMs
    if (durationMs > this.#max) this.#max = durationMs
    const index = bucketOf(durationMs)
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
  }

  /** As it is now. */
  snapshot(): HistogramSnapshot {
    const count = this.#count
    const isEmpty = count === 0
    return {
      count,
      sum: this.#sum,
      min: isEmpty ? NaN : this.#min,
      max: isEmpty ? NaN : this.#max,
      mean: this.#sum / count,
      p50: this.#quantile(0.5),
      p75: this.#quantile(0.75),
      p95: this.#quantile(0.95),
      p99: this.#quantile(0.99),
      p999: this.#quantile(0.999),
    }
  }

  #quantile(share: number): number {
    if (this.#count === 0) return NaN
    const rank = Math.ceil(share * this.#count)
    let seen = 0
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#buckets[index] ?? 0
      if (seen >= rank) return Math.min(this.#max, upperBoundOf(index))
    }
    return this.#max
  }
}

/** The bucket whose bounds `durationMs` lies between, the upper one included. */
const bucketOf = (durationMs: number): number => {
  const place = Math.ceil((Math.log2(durationMs) - LOWEST_EXPONENT) * BUCKETS_PER_DOUBLING)
  return Math.min(Math.max(place, 0), BUCKETS - 1)
}

const upperBoundOf = (index: number): number =>
  index === BUCKETS - 1 ? Infinity : 2 ** (LOWEST_EXPONENT + index / BUCKETS_PER_DOUBLING)
