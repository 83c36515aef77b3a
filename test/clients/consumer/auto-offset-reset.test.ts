/** Durations as they are written: every millisecond is the one that was meant. */
import { expect, it } from 'vitest'
import { durationMsOf } from '../../../src/clients/consumer/auto-offset-reset.js'

it('reads every millisecond as it is written', () => {
  const wrong: number[] = []
  for (let ms = 0; ms < 100_000; ms++) {
    const seconds = `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`
    if (durationMsOf(`by_duration:PT${seconds}S`) !== ms) wrong.push(ms)
  }
  expect(wrong).toEqual([])
})

it('leaves out what is less than a millisecond', () => {
  expect(durationMsOf('by_duration:PT0.0019S')).toBe(1)
  expect(durationMsOf('by_duration:P1DT1H1M1.5S')).toBe(90_061_500)
})
