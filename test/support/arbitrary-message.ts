/** Arbitrary messages, made from their declarations: what a version cannot say is left at its default. */
import { fc } from '@fast-check/vitest'
import type { Field, Fields } from '../../src/protocol/schema.js'
import { uuidFromBytes, ZERO_UUID } from '../../src/runtime/uuid.js'

const isField = (of: Field<unknown> | Fields): of is Field<unknown> =>
  typeof (of as Field<unknown>).kind === 'string'

const bytes = fc.uint8Array({ maxLength: 12 })

const elements = (of: Field<unknown> | Fields, version: number): fc.Arbitrary<unknown> =>
  isField(of) ? presentValue(of, version) : arbitraryMessage(of, version)

const scalarValue = (field: Field<unknown>, version: number): fc.Arbitrary<unknown> => {
  switch (field.kind) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffff_ffff })
    case 'int64':
      return fc.maxSafeInteger()
    case 'float64':
      return fc.double({ noNaN: true })
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((value) => uuidFromBytes(value))
    case 'string':
      // A lone surrogate has no UTF-8, and so does not come back.
      return fc.string({ unit: 'grapheme', maxLength: 8 })
    case 'bytes':
      return bytes
    case 'records':
      return bytes.map((value) => (value.length === 0 ? [] : [value]))
    case 'array':
      return fc.array(elements(field.of as Field<unknown> | Fields, version), { maxLength: 3 })
    case 'struct':
      return arbitraryMessage(field.of as Fields, version)
  }
}

const presentValue = (field: Field<unknown>, version: number): fc.Arbitrary<unknown> => {
  const { nullable } = field.options
  const value = scalarValue(field, version)
  return nullable !== undefined && version >= nullable ? fc.option(value, { freq: 4 }) : value
}

const absentValue = (field: Field<unknown>): unknown => {
  if (field.options.default !== undefined) return field.options.default
  switch (field.kind) {
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return ZERO_UUID
    case 'bytes':
      return new Uint8Array(0)
    case 'array':
    case 'records':
      return []
    case 'struct':
      return undefined
    default:
      return 0
  }
}

/** Messages with the fields that `version` has; a tagged field may be left out, and is when it has its default. */
export const arbitraryMessage = (
  fields: Fields,
  version: number,
): fc.Arbitrary<Readonly<Record<string, unknown>>> => {
  const entries: [string, fc.Arbitrary<unknown>][] = []
  for (const [name, field] of Object.entries(fields)) {
    const { since = 0, until = Number.MAX_SAFE_INTEGER, tag } = field.options
    const exists = version >= since && version <= until
    if (tag === undefined) {
      entries.push([name, exists ? presentValue(field, version) : fc.constant(absentValue(field))])
    } else if (exists) {
      const absent = JSON.stringify(absentValue(field))
      entries.push([
        name,
        fc
          .option(presentValue(field, version), { nil: undefined })
          .map((value) => (JSON.stringify(value) === absent ? undefined : value)),
      ])
    }
  }
  return fc.record(Object.fromEntries(entries))
}
