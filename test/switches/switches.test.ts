/** The switches fit the source as it is. That they make tests fail takes long: `npm run test:torture -- switches`. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { broken, nameOf, ROOT, sourceOf } from './switch.js'
import { SWITCHES } from './switches.js'

const RULES = {
  L: [1, 2, 3, 4, 5, 6, 7, 8],
  P: [1, 2, 3, 4, 5],
  C: [1, 2, 3, 4, 5, 6, 7, 8],
  R: [1, 2, 3, 4, 5],
  T: [1, 2, 3, 4, 5, 6],
  G: [1, 2, 3, 4],
}

test.each(SWITCHES.map((one) => ({ name: nameOf(one), one })))('$name', ({ one }) => {
  expect(broken(one, sourceOf(one))).not.toBe(sourceOf(one))
  expect(one.tests.filter((file) => !existsSync(ROOT + file))).toEqual([])
})

test('no two have one name', () => {
  expect(new Set(SWITCHES.map(nameOf)).size).toBe(SWITCHES.length)
})

test('every rule has one', () => {
  const rules = Object.entries(RULES).flatMap(([letter, numbers]) =>
    numbers.map((number) => `${letter}${number}`),
  )
  expect(rules.filter((rule) => !SWITCHES.some((one) => one.rule === rule))).toEqual([])
})
