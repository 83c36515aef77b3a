/** A serde: how the keys or values of a topic become bytes, and bytes become them again. */
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'

/**
 * Turns values of `T` into bytes and back. Pass one of Ottla's own (`string`, `json<Order>()`, `int64`, ...) or any
 * object of this shape.
 */
export interface Serde<T> {
  /** What errors call it, e.g. `json`. */
  readonly name: string
  /**
   * The bytes of `value`; null for a tombstone, which only a `nullable` serde makes. The bytes are copied when the
   * record gets into a batch: at once, unless `send` has to wait for room. Once `send` has resolved, a buffer may be
   * used again.
   * @throws OttlaError SERIALIZATION_FAILED when the value is not of this serde's kind.
   */
  serialize(value: T): Uint8Array | null
  /**
   * The value of `bytes`, which are a view into the log: read them, do not change them.
   * @throws OttlaError DESERIALIZATION_FAILED when the bytes are not of this serde's making.
   */
  deserialize(bytes: Uint8Array | null): T
}

/** The error for a value that a serde does not take. */
export const cannotSerialize = (
  serde: string,
  value: unknown,
  expected: string,
  cause?: unknown,
): OttlaError =>
  new OttlaError(
    'SERIALIZATION_FAILED',
    `The ${serde} serde was given ${show(value)}; expected ${expected}.${value === null ? hintFor(serde) : ''}`,
    {
      cause,
      details: { serde, value, expected },
    },
  )

/** What to do about a null. */
const hintFor = (serde: string): string => ` To send nulls, use nullable(${serde}).`

/** The error for bytes that a serde cannot read. */
export const cannotDeserialize = (
  serde: string,
  found: string,
  expected: string,
  cause?: unknown,
): OttlaError =>
  new OttlaError('DESERIALIZATION_FAILED', `The ${serde} serde found ${found}; expected ${expected}.`, {
    cause,
    details: { serde, found, expected },
  })

/** The bytes, which are there: a serde that is not nullable reads no null. */
export const notNull = (serde: string, bytes: Uint8Array | null): Uint8Array => {
  if (bytes !== null) return bytes
  throw cannotDeserialize(serde, 'null', `bytes; a topic that holds nulls takes nullable(${serde})`)
}

/** Whether `value` has the shape of a serde. */
export const isSerde = (value: unknown): value is Serde<unknown> => {
  if (typeof value !== 'object' || value === null) return false
  const { name, serialize, deserialize } = value as Partial<Record<keyof Serde<unknown>, unknown>>
  return typeof name === 'string' && typeof serialize === 'function' && typeof deserialize === 'function'
}
