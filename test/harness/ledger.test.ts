/** The judge of the torture suites notices each thing that a crash could do to a log. */
import { describe, expect, it } from 'vitest'
import { Ledger, lineOf, nameOf, promisesIn, valueOf, type Promised } from '../torture/ledger.js'

const record = (offset: number, sequence: number): Promised => ({
  kind: 'record',
  partition: 1,
  offset,
  name: { round: 0, producer: 2, sequence },
})
const value = (sequence: number, round = 0): string => valueOf({ round, producer: 2, sequence })

const judged = (values: readonly (readonly [number, string | null])[]): void => {
  const ledger = new Ledger()
  ledger.add(0, [record(0, 0), record(2, 2)])
  const judge = ledger.judgePartition(1)
  for (const [offset, text] of values) judge.see(offset, text)
  judge.end()
}

describe('a ledger', () => {
  it('reads back the lines that were finished', () => {
    const promises: Promised[] = [record(0, 0), { kind: 'commit', partition: 3, offset: 17 }]
    const text = promises.map(lineOf).join('')
    expect(promisesIn(text)).toEqual(promises)
    expect(promisesIn(`ready\n${text}record 1 5 0/2/1`)).toEqual(promises)
  })

  it('knows a value that is whole', () => {
    expect(nameOf(value(12))).toEqual({ round: 0, producer: 2, sequence: 12 })
    expect(nameOf(value(12).slice(0, -1))).toBeUndefined()
    expect(nameOf('')).toBeUndefined()
  })

  it('accepts what was acknowledged, and what was written without being acknowledged', () => {
    expect(() =>
      judged([
        [0, value(0)],
        [1, value(1)],
        [2, value(2)],
        [3, value(3)],
      ]),
    ).not.toThrow()
  })

  it.each([
    [
      'a lost tail',
      [
        [0, value(0)],
        [1, value(1)],
      ],
      /ends at 2 and lost 1 acknowledged records, the first at 2/,
    ],
    [
      'a hole',
      [
        [0, value(0)],
        [2, value(2)],
      ],
      /contiguous/,
    ],
    [
      'a record moved',
      [
        [0, value(0)],
        [1, value(2)],
        [2, value(3)],
      ],
      /holds 0\/2\/3, but 0\/2\/2 was acknowledged/,
    ],
    [
      'a duplicate',
      [
        [0, value(0)],
        [1, value(0)],
        [2, value(2)],
      ],
      /1@1 holds 0\/2\/0 after 0\/2\/0/,
    ],
    [
      'a duplicate at the end',
      [
        [0, value(0)],
        [1, value(1)],
        [2, value(2)],
        [3, value(2)],
      ],
      /after 0\/2\/2/,
    ],
    ['a torn value', [[0, value(0).slice(0, 8)]], /holds what nobody wrote/],
    ['a value gone', [[0, null]], /holds what nobody wrote/],
  ] as [string, [number, string | null][], RegExp][])('notices %s', (_, values, message) => {
    expect(() => judged(values)).toThrow(message)
  })

  it('notices two records that were promised one place', () => {
    const ledger = new Ledger()
    ledger.add(0, [record(0, 0)])
    expect(() => ledger.add(1, [record(0, 0)])).toThrow(/promised twice/)
  })
})
