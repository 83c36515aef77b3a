/** Expressions of subscriptions, against JavaScript's own matcher where both know the syntax. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { checkTopicRegex, matchingTopics } from '../../../src/broker/groups/consumer/topic-regex.js'

const TIMES = ['', '', '', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?']
const SIGNS = ['a', 'b', 'A', '_', '-', '.', '\\.', '\\d', '\\w', '[ab]', '[^a]', '[a-c1-2]', '[-a]', '1']
/** Alternatives of sequences of repeated parts. */
const madeOf = (part: fc.Arbitrary<string>): fc.Arbitrary<string> => {
  const repeated = fc.tuple(part, fc.constantFrom(...TIMES)).map(([atom, times]) => atom + times)
  const sequence = fc.array(repeated, { maxLength: 3 }).map((parts) => parts.join(''))
  return fc.array(sequence, { minLength: 1, maxLength: 3 }).map((alternatives) => alternatives.join('|'))
}
const sign = fc.constantFrom(...SIGNS)
const inBrackets = madeOf(sign).map((inner) => `(${inner})`)
// Two levels and short names: JavaScript's matcher takes for ever over more.
const expression = madeOf(fc.oneof(sign, inBrackets))
const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'A', '1', '2', '.', '_', '-'), maxLength: 5 })

describe('an expression', () => {
  test.prop([expression, fc.array(name, { maxLength: 20 })], { numRuns: 300 })(
    'matches what JavaScript matches with all of it',
    (regex, names) => {
      const expected = new RegExp(`^(?:${regex})$`)
      expect(matchingTopics(regex, names)).toEqual(names.filter((each) => expected.test(each)).sort())
    },
  )

  it.each([
    ['(?i)ORD.*', ['orders', 'Orders'], ['reorders']],
    ['^orders$', ['orders'], ['orders2']],
    ['(?P<kind>or|pay).*', ['orders', 'payments'], ['refunds']],
    ['a{3}', ['aaa'], ['aa', 'aaaa']],
    ['', [''], ['a']],
  ])('%s matches %j, not %j', (regex, matched, others) => {
    expect(matchingTopics(regex, [...matched, ...others])).toEqual([...matched].sort())
  })

  it.each([
    '(',
    ')',
    '[a',
    'a**',
    '*a',
    '+',
    'a{2}{3}',
    '\\',
    '\\q',
    '[b-a]',
    'a{3,2}',
    '(?=a)',
    '(?!a)',
    '(a)\\1',
    '(((((a{1000}){1000}){1000})))',
  ])('%s is none that RE2 knows', (regex) => {
    expect(() => checkTopicRegex(regex)).toThrow(
      expect.objectContaining({ code: 'INVALID_REGULAR_EXPRESSION' }),
    )
  })
})
