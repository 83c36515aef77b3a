/** A histogram in a bounded number of buckets, beside all the durations themselves. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { Histogram } from '../../../src/runtime/metrics/histogram.js'

const duration = fc.oneof(
  fc.constant(0),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 1e7, noNaN: true }),
  fc.integer({ min: 0, max: 20 }).map((exponent) => 2 ** exponent),
)
const SHARES = { p50: 0.5, p75: 0.75, p95: 0.95, p99: 0.99, p999: 0.999 }
/** The narrowest and the widest duration that buckets tell apart, in milliseconds. */
const [FINEST, LONGEST] = [2 ** -10, 2 ** 20]

describe('a histogram', () => {
  test.prop([fc.array(duration, { minLength: 1, maxLength: 300 })], { numRuns: 300 })(
    'has percentiles that are never too low, and at most 19 % too high',
    (durations) => {
      const histogram = new Histogram()
      for (const each of durations) histogram.record(each)
      const sorted = [...durations].sort((a, b) => a - b)
      const sum = durations.reduce((a, b) => a + b, 0)
      const snapshot = histogram.snapshot()
      expect(snapshot).toMatchObject({
        count: durations.length,
        min: sorted[0],
        max: sorted.at(-1),
      })
      expect(snapshot.sum).toBeCloseTo(sum, 3)
      expect(snapshot.mean).toBeCloseTo(sum / durations.length, 3)
      for (const [name, share] of Object.entries(SHARES)) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1]!
        const told = snapshot[name as keyof typeof SHARES]
        expect(told).toBeGreaterThanOrEqual(exact)
        expect(told).toBeLessThanOrEqual(sorted.at(-1)!)
        if (exact <= LONGEST) expect(told).toBeLessThanOrEqual(Math.max(FINEST, exact * 1.19))
      }
    },
  )

  it('that has measured nothing says so', () => {
    expect(new Histogram().snapshot()).toEqual({
      count: 0,
      sum: 0,
      min: NaN,
      max: NaN,
      mean: NaN,
      p50: NaN,
      p75: NaN,
      p95: NaN,
      p99: NaN,
      p999: NaN,
    })
  })
})
