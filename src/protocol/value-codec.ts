/** Encoders and decoders of single values: one for each kind a field can have, for one version of a message. */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { ZERO_UUID } from '../runtime/uuid.js'
import { malformed, type Reader } from './reader.js'
import type { Field, Fields, Kind } from './schema.js'
import type { Writer } from './writer.js'

/** Writes and reads the values of one field in one version. */
export interface ValueCodec {
  /** The fewest bytes a value takes: what a count of elements is held against. */
  readonly minBytes: number
  write(writer: Writer, value: unknown): void
  read(reader: Reader): unknown
}

/** Makes the codec of a struct; injected, because structs hold values and values may be structs. */
export type StructCodec = (fields: Fields) => ValueCodec

type NumberKind = 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'float64'

const NUMBER_BYTES: Readonly<Record<NumberKind, number>> = {
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
}

const isNumberKind = (kind: Kind): kind is NumberKind => kind in NUMBER_BYTES

/** The codec of `field` in `version`; `flexible` versions have compact lengths. */
export const valueCodec = (
  name: string,
  field: Field<unknown>,
  version: number,
  flexible: boolean,
  structCodec: StructCodec,
): ValueCodec => {
  const { kind } = field
  const nullable = field.options.nullable !== undefined && version >= field.options.nullable
  const checkNull = (value: unknown): void => {
    if (value === null && !nullable) {
      throw new OttlaError('UNSUPPORTED_VERSION', `Field ${name} must not be null in version ${version}.`)
    }
  }
  const refuseNull = <T>(value: T | null): T | null => {
    if (value === null && !nullable)
      throw malformed(`field ${name} is null, which version ${version} does not allow`)
    return value
  }
  if (isNumberKind(kind)) {
    return {
      minBytes: NUMBER_BYTES[kind],
      write: (writer, value) => writer[kind](value as number),
      read: (reader) => reader[kind](),
    }
  }
  switch (kind) {
    case 'bool':
      return {
        minBytes: 1,
        write: (writer, value) => writer.bool(value as boolean),
        read: (reader) => reader.bool(),
      }
    case 'uuid':
      return {
        minBytes: 16,
        write: (writer, value) => writer.uuid(value as string),
        read: (reader) => reader.uuid(),
      }
    case 'string':
      return {
        minBytes: flexible ? 1 : 2,
        write: (writer, value) => {
          checkNull(value)
          writer.string(value as string | null, flexible)
        },
        read: (reader) => refuseNull(reader.string(flexible)),
      }
    case 'bytes':
      return {
        minBytes: flexible ? 1 : 4,
        write: (writer, value) => {
          checkNull(value)
          const bytes = value as Uint8Array | null
          writer.length(bytes === null ? null : bytes.length, flexible)
          if (bytes !== null) writer.raw(bytes)
        },
        read: (reader) => {
          const length = refuseNull(reader.length(flexible))
          return length === null ? null : reader.view(length)
        },
      }
    case 'records':
      return {
        minBytes: flexible ? 1 : 4,
        write: (writer, value) => {
          checkNull(value)
          const buffers = value as readonly Uint8Array[] | null
          let total = 0
          for (const buffer of buffers ?? []) total += buffer.length
          writer.length(buffers === null ? null : total, flexible)
          for (const buffer of buffers ?? []) writer.attach(buffer)
        },
        read: (reader) => {
          const length = refuseNull(reader.length(flexible))
          if (length === null) return null
          return length === 0 ? [] : [reader.view(length)]
        },
      }
    case 'array': {
      const element = elementCodec(name, field, version, flexible, structCodec)
      return {
        minBytes: flexible ? 1 : 4,
        write: (writer, value) => {
          checkNull(value)
          const values = value as readonly unknown[] | null
          writer.length(values === null ? null : values.length, flexible)
          for (const each of values ?? []) element.write(writer, each)
        },
        read: (reader) => {
          const count = refuseNull(reader.count(flexible, element.minBytes))
          if (count === null) return null
          const values: unknown[] = []
          for (let i = 0; i < count; i++) values.push(element.read(reader))
          return values
        },
      }
    }
    case 'struct': {
      const inner = structCodec(field.of as Fields)
      if (!nullable) return inner
      // A nullable struct is led by a byte: -1 for null, 1 for present.
      return {
        minBytes: 1,
        write: (writer, value) => {
          writer.int8(value === null ? -1 : 1)
          if (value !== null) inner.write(writer, value)
        },
        read: (reader) => (reader.int8() < 0 ? null : inner.read(reader)),
      }
    }
  }
}

const elementCodec = (
  name: string,
  field: Field<unknown>,
  version: number,
  flexible: boolean,
  structCodec: StructCodec,
): ValueCodec => {
  const { of } = field
  if (of === undefined)
    throw new OttlaError('INTERNAL_ERROR', `The array ${name} does not say what it holds.`)
  return isField(of) ? valueCodec(name, of, version, flexible, structCodec) : structCodec(of)
}

const isField = (of: Field<unknown> | Fields): of is Field<unknown> =>
  typeof (of as Field<unknown>).kind === 'string'

/** What stands for a field where a version does not have it. */
export const defaultOf = (field: Field<unknown>): unknown => {
  if (field.options.default !== undefined) return field.options.default
  switch (field.kind) {
    case 'bool':
      return false
    case 'uuid':
      return ZERO_UUID
    case 'string':
      return ''
    case 'bytes':
      return new Uint8Array(0)
    case 'records':
    case 'array':
      return []
    case 'struct':
      return undefined
    default:
      return 0
  }
}

/** Whether leaving `value` out says the same, because it is what a reader assumes. */
export const isDefault = (field: Field<unknown>, value: unknown): boolean => {
  if (value === undefined || value === defaultOf(field)) return true
  if (field.options.default === null) return false
  return (Array.isArray(value) || value instanceof Uint8Array) && value.length === 0
}
