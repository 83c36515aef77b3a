/**
 * Messages that Kafka's Java classes wrote: for each version one with every field filled, and a sparse one with
 * nulls and empty values, next to the values that they stand for.
 */
import { readFileSync } from 'node:fs'
import type { Field, Fields } from '../../src/protocol/schema.js'

/** One message, as Kafka's Java class wrote it. */
export interface FixtureMessage {
  /** `request`, `response`, or the name of a record. */
  readonly part: string
  readonly version: number
  readonly variant: 'full' | 'sparse'
  readonly hex: string
  /** Bytes stand as base64; what the version lacks has Kafka's default. */
  readonly value: Readonly<Record<string, unknown>>
}

/** The messages in test/fixtures/protocol/`name`.json. */
export const fixtureMessages = (name: string): FixtureMessage[] =>
  JSON.parse(
    readFileSync(new URL(`../fixtures/protocol/${name}.json`, import.meta.url), 'utf8'),
  ) as FixtureMessage[]

const isField = (of: Field<unknown> | Fields): of is Field<unknown> =>
  typeof (of as Field<unknown>).kind === 'string'

/** The bytes that a base64 text spells. */
export const fromBase64 = (text: unknown): Uint8Array => new Uint8Array(Buffer.from(text as string, 'base64'))

const typedValue = (field: Field<unknown>, value: unknown): unknown => {
  if (value === null || value === undefined) return value
  if (field.kind === 'bytes') return fromBase64(value)
  if (field.kind === 'records') return value === '' ? [] : [fromBase64(value)]
  const { of } = field
  if (of === undefined) return value
  const each = (element: unknown): unknown =>
    isField(of) ? typedValue(of, element) : typedMessage(of, element as Readonly<Record<string, unknown>>)
  return field.kind === 'array' ? (value as readonly unknown[]).map(each) : each(value)
}

/** `value` with bytes where `fields` declares bytes; a name that is not declared is an error. */
export const typedMessage = (
  fields: Fields,
  value: Readonly<Record<string, unknown>>,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      const field = fields[name]
      if (field === undefined) throw new Error(`The declaration has no field ${name}.`)
      return [name, typedValue(field, each)]
    }),
  )

/** Plain Uint8Arrays throughout, whatever kind of view a decoder hands out. */
export const plainBytes = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(plainBytes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainBytes(each)]))
}

/** The bytes that `hex` spells. */
export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** The hex of `pieces` one after another. */
export const toHex = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('hex')
