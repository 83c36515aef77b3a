/** A sensor tells what a naive model tells that keeps every measurement and applies Kafka's rules for windows to them. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { Sensor } from '../../../src/runtime/metrics/sensor.js'

interface Measurement {
  readonly at: number
  readonly value: number
}

/** Two windows of 30 s; one begins at the first measurement after the last has lasted that long. */
const windowsOf = (measurements: readonly Measurement[]): Measurement[][] => {
  const windows: Measurement[][] = []
  for (const measurement of measurements) {
    const current = windows.at(-1)
    if (current === undefined || measurement.at - current[0]!.at >= 30_000) windows.push([measurement])
    else current.push(measurement)
  }
  return windows
}

/** What counts: windows with a measurement within the last minute, as wholes. */
const recent = (measurements: readonly Measurement[], now: number): Measurement[][] =>
  windowsOf(measurements).filter((window) => now - window.at(-1)!.at < 60_000)

const rateOf = (
  windows: readonly Measurement[][],
  now: number,
  amount: (m: Measurement) => number,
): number => {
  if (windows.length === 0) return 0
  const elapsed = now - windows[0]![0]!.at
  // At least one whole window and the part of the second that is over.
  const seconds = (elapsed < 30_000 ? elapsed + 30_000 : elapsed) / 1000
  return windows.flat().reduce((sum, measurement) => sum + amount(measurement), 0) / seconds
}

const history = fc
  .array(
    fc.record({
      wait: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 70_000 })),
      value: fc.integer({ min: -1000, max: 1000 }),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let at = 5
    return steps.map(({ wait, value }): Measurement => ({ at: (at += wait), value }))
  })

describe('a sensor', () => {
  test.prop([history, fc.integer({ min: 0, max: 90_000 })], { numRuns: 500 })(
    'tells what the naive model tells',
    (measurements, pause) => {
      const sensor = new Sensor()
      for (const { at, value } of measurements) sensor.record(value, at)
      const now = (measurements.at(-1)?.at ?? 0) + pause
      const windows = recent(measurements, now)
      const values = windows.flat().map(({ value }) => value)
      const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
      expect(sensor.rate(now)).toBeCloseTo(
        rateOf(windows, now, ({ value }) => value),
        9,
      )
      expect(sensor.frequency(now)).toBeCloseTo(
        rateOf(windows, now, () => 1),
        9,
      )
      expect(sensor.average(now)).toBe(sum(values) / values.length)
      expect(sensor.max(now)).toBe(values.length === 0 ? NaN : Math.max(...values))
      expect(sensor.total).toBe(sum(measurements.map(({ value }) => value)))
      expect(sensor.count).toBe(measurements.length)
    },
  )

  it('spreads its first measurement over a window, so that it makes no peak', () => {
    const sensor = new Sensor()
    sensor.record(300, 1000)
    expect(sensor.rate(1000)).toBe(10)
    expect(sensor.rate(31_000)).toBe(10)
    expect(sensor.rate(61_000)).toBe(0)
  })
})
