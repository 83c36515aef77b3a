/**
 * Options: described once as data, checked once when they come in. An unknown name or a bad value is an error that
 * says what would be right; what comes out is complete and frozen.
 */
import { invalidArgument, OttlaError, show } from './errors/ottla-error.js'

/** How one option is checked. */
export interface OptionRule<T> {
  /** What it is when the caller leaves it out. */
  readonly defaultValue: T
  /** What would be right, for the error message. */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
}

/** The rules of an options object. */
export type OptionRules = Record<string, OptionRule<unknown>>

/** What checked options look like: every name has a value. */
export type Checked<R extends OptionRules> = {
  readonly [K in keyof R]: R[K] extends OptionRule<infer T> ? T : never
}

const isWholeNumber = (value: unknown): value is number => Number.isSafeInteger(value)

/** A whole number within bounds, both inclusive. */
export const integerOption = (
  defaultValue: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): OptionRule<number> => ({
  defaultValue,
  expected:
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${min}`
      : `a whole number from ${min} to ${max}`,
  accepts: (value) => isWholeNumber(value) && value >= min && value <= max,
})

/** true or false. */
export const booleanOption = (defaultValue: boolean): OptionRule<boolean> => ({
  defaultValue,
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
})

/** One of a few strings. */
export const choiceOption = <T extends string | number>(
  defaultValue: T,
  choices: readonly T[],
): OptionRule<T> => ({
  defaultValue,
  expected: `one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`,
  accepts: (value) => (choices as readonly unknown[]).includes(value),
})

/** A text that is not empty. */
export const textOption = <T extends string | undefined>(defaultValue: T): OptionRule<T | string> => ({
  defaultValue,
  expected: 'a text that is not empty',
  accepts: (value) => typeof value === 'string' && value.length > 0,
})

/** Anything that `accepts` lets through. */
export const customOption = <T>(
  defaultValue: T,
  expected: string,
  accepts: (value: unknown) => boolean,
): OptionRule<T> => ({
  defaultValue,
  expected,
  accepts,
})

/** A signal that ends a wait. */
export const signalOption: OptionRule<AbortSignal | undefined> = customOption<AbortSignal | undefined>(
  undefined,
  'an AbortSignal',
  (value) => value instanceof AbortSignal,
)

const WAIT_RULES = { signal: signalOption }

/**
 * The signal of a call that takes nothing else.
 * @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT.
 */
export const checkSignal = (owner: string, options: object | undefined): AbortSignal | undefined =>
  options === undefined ? undefined : checkOptions(owner, WAIT_RULES, options).signal

/**
 * Checks `options` against `rules`. Names with the value undefined count as left out.
 * @throws OttlaError UNKNOWN_OPTION for a name without a rule, INVALID_ARGUMENT for a value that its rule refuses.
 */
export const checkOptions = <R extends OptionRules>(
  owner: string,
  rules: R,
  options: object | undefined,
): Checked<R> => {
  if (
    options !== undefined &&
    (typeof options !== 'object' || (options as unknown) === null || Array.isArray(options))
  ) {
    throw invalidArgument(`The options of ${owner}`, options, 'an object')
  }
  const given = (options ?? {}) as Record<string, unknown>
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(rules, name))
      throw unknownName(`option of ${owner}`, name, Object.keys(rules), 'UNKNOWN_OPTION')
  }
  const checked: Record<string, unknown> = {}
  for (const [name, rule] of Object.entries(rules)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (value === undefined) checked[name] = rule.defaultValue
    else if (rule.accepts(value)) checked[name] = value
    else throw invalidArgument(`Option ${name} of ${owner}`, value, rule.expected)
  }
  return Object.freeze(checked) as Checked<R>
}

/** An error for a name that does not exist: suggests the nearest one, or lists them all. */
export const unknownName = <C extends 'UNKNOWN_OPTION' | 'INVALID_CONFIG'>(
  kind: string,
  name: string,
  known: readonly string[],
  code: C,
): OttlaError<C> => {
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? `Known are ${known.join(', ')}.` : `Did you mean ${nearest}?`
  return new OttlaError(code, `There is no ${kind} named ${show(name)}. ${hint}`, {
    details: { name, known },
  })
}

const nearestName = (name: string, known: readonly string[]): string | undefined => {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein's distance, one row at a time. */
const editDistance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
