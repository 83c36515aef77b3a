/** A short stretch of what the torture suite `groups` does for an hour. */
import { expect, it } from 'vitest'
import { simulate } from './groups/hour.js'

it.each([1, 2])(
  'no partition has two owners or none for long, and no record is lost or doubled, whoever comes, goes, stalls or dies (seed %i)',
  async (seed) => {
    const outcome = await simulate({ seed, minutes: 12, groupCount: 4, memberCount: 5 })
    expect(outcome.died).toBeGreaterThan(0)
    expect(outcome.left).toBeGreaterThan(0)
    expect(outcome.checks).toBeGreaterThan(100)
    expect(outcome.processed).toBeGreaterThan(outcome.written)
  },
  60_000,
)
