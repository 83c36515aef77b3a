/** Options: defaults, and errors that say what would be right. */
import { describe, expect, it } from 'vitest'
import {
  booleanOption,
  checkOptions,
  choiceOption,
  customOption,
  integerOption,
  textOption,
  unknownName,
} from '../../src/runtime/options.js'

const rules = {
  lingerMs: integerOption(5, 0),
  maxInFlight: integerOption(5, 1, 10),
  isIdempotent: booleanOption(true),
  acks: choiceOption('all', ['all', 'leader']),
  clientId: textOption('ottla'),
  partitioner: customOption<(() => number) | undefined>(
    undefined,
    'a function',
    (value) => typeof value === 'function',
  ),
}
const check = (options?: object) => checkOptions('the producer', rules, options)
const message = (options: unknown): string => {
  try {
    checkOptions('the producer', rules, options as object)
  } catch (error) {
    const { code, message: text } = error as Error & { code: string }
    return `${code}: ${text}`
  }
  return 'accepted'
}

describe('checkOptions', () => {
  it('fills in defaults, and freezes a copy', () => {
    const given = { lingerMs: 0, clientId: undefined }
    const checked = check(given)
    expect(checked).toEqual({
      lingerMs: 0,
      maxInFlight: 5,
      isIdempotent: true,
      acks: 'all',
      clientId: 'ottla',
      partitioner: undefined,
    })
    expect(Object.isFrozen(checked)).toBe(true)
    expect(check()).toMatchObject({ lingerMs: 5 })
  })

  it.each([
    [
      { lingerMs: -1 },
      'INVALID_ARGUMENT: Option lingerMs of the producer is -1; expected a whole number of at least 0.',
    ],
    [
      { lingerMs: 0.5 },
      'INVALID_ARGUMENT: Option lingerMs of the producer is 0.5; expected a whole number of at least 0.',
    ],
    [
      { lingerMs: NaN },
      'INVALID_ARGUMENT: Option lingerMs of the producer is NaN; expected a whole number of at least 0.',
    ],
    [
      { maxInFlight: 11 },
      'INVALID_ARGUMENT: Option maxInFlight of the producer is 11; expected a whole number from 1 to 10.',
    ],
    [
      { isIdempotent: 'yes' },
      'INVALID_ARGUMENT: Option isIdempotent of the producer is "yes"; expected true or false.',
    ],
    [{ acks: 1 }, 'INVALID_ARGUMENT: Option acks of the producer is 1; expected one of "all", "leader".'],
    [
      { clientId: '' },
      'INVALID_ARGUMENT: Option clientId of the producer is ""; expected a text that is not empty.',
    ],
    [{ partitioner: 3 }, 'INVALID_ARGUMENT: Option partitioner of the producer is 3; expected a function.'],
    [
      { linger: 3 },
      'UNKNOWN_OPTION: There is no option of the producer named "linger". Did you mean lingerMs?',
    ],
    [
      { LINGERMS: 3 },
      'UNKNOWN_OPTION: There is no option of the producer named "LINGERMS". Did you mean lingerMs?',
    ],
    [
      { zzz: undefined },
      `UNKNOWN_OPTION: There is no option of the producer named "zzz". Known are ${Object.keys(rules).join(', ')}.`,
    ],
    [
      { toString: 1 },
      `UNKNOWN_OPTION: There is no option of the producer named "toString". Known are ${Object.keys(rules).join(', ')}.`,
    ],
    [[], 'INVALID_ARGUMENT: The options of the producer is []; expected an object.'],
    [null, 'INVALID_ARGUMENT: The options of the producer is null; expected an object.'],
  ])('%#: %o', (options, expected) => expect(message(options)).toBe(expected))

  it('takes an own property only, never one that objects inherit', () => {
    const withConstructor = { constructor: integerOption(7, 0) }
    expect(checkOptions('a thing', withConstructor, {})).toEqual({ constructor: 7 })
  })
})

describe('unknownName', () => {
  it('is an error of the kind asked for', () => {
    const error = unknownName(
      'topic config',
      'retention',
      ['retention.ms', 'cleanup.policy'],
      'INVALID_CONFIG',
    )
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', details: { name: 'retention' } })
    expect(error.message).toBe('There is no topic config named "retention". Did you mean retention.ms?')
  })
})
