/** What a config is: its Kafka type, default, documentation, and how its text becomes a value or an error. */
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import { unknownName } from '../../runtime/options.js'

/** Kafka's config types with their numbers in DescribeConfigs. */
export const CONFIG_TYPES = { BOOLEAN: 1, STRING: 2, INT: 3, LONG: 5, DOUBLE: 6, LIST: 7 } as const

/** One config. `T` is the type of its value. */
export interface ConfigDefinition<T = unknown> {
  readonly type: keyof typeof CONFIG_TYPES
  /** The default, as text. */
  readonly defaultValue: string
  /** What would be right, for error messages. */
  readonly expected: string
  readonly doc: string
  /** The value that `text` stands for; undefined when it cannot be used. */
  readonly parse: (text: string) => T | undefined
}

/** Name to definition. */
export type ConfigTable = Readonly<Record<string, ConfigDefinition>>

/** The values of a table, by name. */
export type ConfigValues<D extends ConfigTable> = {
  readonly [K in keyof D]: D[K] extends ConfigDefinition<infer T> ? T : never
}

const LONG_MAX = 9223372036854775807n
const INT_MAX = 0x7fffffff

/** A whole number with Kafka's type; a long beyond the safe integers is as good as unlimited, and held at the largest. */
export const wholeNumber = (
  type: 'INT' | 'LONG',
  defaultValue: string,
  min: number,
  doc: string,
  max?: number,
): ConfigDefinition<number> => {
  const limit = max ?? (type === 'INT' ? INT_MAX : Number.MAX_SAFE_INTEGER)
  const largest = max === undefined && type === 'LONG' ? LONG_MAX : BigInt(limit)
  return {
    type,
    defaultValue,
    expected: `a whole number from ${min} to ${String(largest)}`,
    doc,
    parse: (text) => {
      if (!/^[+-]?\d{1,19}$/.test(text.trim())) return undefined
      const value = BigInt(text.trim())
      if (value < BigInt(min) || value > largest) return undefined
      return value > BigInt(limit) ? limit : Number(value)
    },
  }
}

/** true or false. */
export const trueOrFalse = (defaultValue: boolean, doc: string): ConfigDefinition<boolean> => ({
  type: 'BOOLEAN',
  defaultValue: String(defaultValue),
  expected: 'true or false',
  doc,
  parse: (text) => ({ true: true, false: false })[text.trim().toLowerCase()],
})

/** A number from 0 to 1. */
export const fraction = (defaultValue: string, doc: string): ConfigDefinition<number> => ({
  type: 'DOUBLE',
  defaultValue,
  expected: 'a number from 0 to 1',
  doc,
  parse: (text) => {
    if (!/^\+?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(text.trim())) return undefined
    const value = Number(text)
    return value <= 1 ? value : undefined
  },
})

/** A number above 0. */
export const decimal = (defaultValue: string, doc: string): ConfigDefinition<number> => ({
  type: 'DOUBLE',
  defaultValue,
  expected: 'a number above 0',
  doc,
  parse: (text) => {
    if (!/^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim())) return undefined
    const value = Number(text)
    return value > 0 ? value : undefined
  },
})

/** What `text`, the value of a list, has in it. */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

/** Any of a few words, with commas between them, or none. */
export const someOf = <T extends string>(
  defaultValue: T,
  choices: readonly T[],
  doc: string,
): ConfigDefinition<ReadonlySet<T>> => ({
  type: 'LIST',
  defaultValue,
  expected: `any of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}, with a comma between them`,
  doc,
  parse: (text) => {
    const words = listOf(text)
    const known = choices.filter((choice) => words.includes(choice))
    return words.every((word) => known.some((choice) => choice === word)) ? new Set(known) : undefined
  },
})

/** Some of a few words in an order of the operator's choice, with commas between them; at least one, none twice. */
export const orderOf = <T extends string>(
  defaultValue: string,
  choices: readonly T[],
  doc: string,
): ConfigDefinition<readonly [T, ...T[]]> => ({
  type: 'LIST',
  defaultValue,
  expected: `some of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}, with a comma between them, none twice`,
  doc,
  parse: (text) => {
    const words = listOf(text)
    const [first, ...others] = words.flatMap((word) => choices.filter((choice) => choice === word))
    const isAllKnown = others.length + 1 === words.length && new Set(words).size === words.length
    return first !== undefined && isAllKnown ? [first, ...others] : undefined
  },
})

/** One of a few words. `why` tells why other words that Kafka knows are refused. */
export const oneOf = <T extends string>(
  type: 'STRING' | 'LIST' | 'INT',
  choices: readonly [T, ...T[]],
  doc: string,
  why = '',
): ConfigDefinition<T> => ({
  type,
  defaultValue: choices[0],
  expected: `${choices.length > 1 ? 'one of ' : ''}${choices.map((choice) => JSON.stringify(choice)).join(', ')}${why}`,
  doc,
  parse: (text) => choices.find((choice) => choice === text.trim()),
})

/** A table of configs and what its owner is called in errors. */
export interface ConfigSchema<D extends ConfigTable> {
  /** `topic config` or `broker config`. */
  readonly kind: string
  readonly definitions: D
  /** Configs that Kafka has and Ottla does not yet act on: refused, because accepting one would be a promise. */
  readonly unsupported: ReadonlySet<string>
}

/**
 * Checks one config.
 * @throws OttlaError INVALID_CONFIG naming the config, the value and what would be right.
 */
export const parseConfig = <D extends ConfigTable, K extends keyof D & string>(
  schema: ConfigSchema<D>,
  name: K | (string & {}),
  text: string,
): ConfigValues<D>[K] => {
  const definition = Object.hasOwn(schema.definitions, name) ? schema.definitions[name] : undefined
  if (definition === undefined) {
    if (!schema.unsupported.has(name)) {
      throw unknownName(schema.kind, name, Object.keys(schema.definitions), 'INVALID_CONFIG')
    }
    throw new OttlaError(
      'INVALID_CONFIG',
      `Kafka's ${schema.kind} ${name} is not supported by Ottla; leave it out. Supported are ${Object.keys(schema.definitions).join(', ')}.`,
      { details: { name, value: text } },
    )
  }
  const value = definition.parse(text)
  if (value !== undefined) return value as ConfigValues<D>[K]
  throw new OttlaError(
    'INVALID_CONFIG',
    `The ${schema.kind} ${name} is ${show(text)}; expected ${definition.expected}.`,
    { details: { name, value: text, expected: definition.expected } },
  )
}

/** The values of all configs of `schema`: those given, checked, and the defaults. */
export const parseConfigs = <D extends ConfigTable>(
  schema: ConfigSchema<D>,
  given: Iterable<readonly [name: string, text: string]>,
): ConfigValues<D> => {
  const values: Record<string, unknown> = {}
  for (const [name, definition] of Object.entries(schema.definitions)) {
    values[name] = definition.parse(definition.defaultValue)
  }
  for (const [name, text] of given) values[name] = parseConfig(schema, name, text)
  return Object.freeze(values) as ConfigValues<D>
}
