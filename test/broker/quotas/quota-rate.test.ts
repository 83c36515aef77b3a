/** How long a client has to be silent, against what Kafka's own classes say. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { QuotaRate } from '../../../src/broker/quotas/quota-rate.js'

interface Series {
  readonly samples: number
  readonly windowMs: number
  readonly bound: number
  readonly steps: readonly (readonly [afterMs: number, value: number, throttleMs: number])[]
}

const url = new URL('../../fixtures/quotas/rates.json', import.meta.url)
const series = JSON.parse(readFileSync(url, 'utf8')) as readonly Series[]

describe('a rate', () => {
  it.each(series.map((one, index) => [index, one] as const))(
    'is what Kafka makes of it (%i)',
    (_index, one) => {
      const { samples, windowMs, bound, steps } = one
      const rate = new QuotaRate({ samples, windowMs })
      let nowMs = 0
      const waits = steps.map(([afterMs, value]) => {
        nowMs += afterMs
        rate.record(value, nowMs)
        return rate.waitMs(bound, nowMs)
      })
      expect(waits).toEqual(steps.map(([, , throttleMs]) => throttleMs))
    },
  )

  it('holds nothing any more when all windows have passed', () => {
    const rate = new QuotaRate({ samples: 3, windowMs: 1000 })
    rate.record(5, 0)
    expect(rate.isIdle(2999)).toBe(false)
    expect(rate.isIdle(3000)).toBe(true)
  })
})
