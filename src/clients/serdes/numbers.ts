/** Numbers in the fixed big-endian forms of Kafka's own serializers. */
import { cannotDeserialize, cannotSerialize, notNull, type Serde } from './serde.js'

interface NumberForm<T> {
  readonly name: string
  readonly sizeBytes: number
  /** What would be right, for messages. */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  readonly write: (view: DataView, value: T) => void
  readonly read: (view: DataView) => T
}

const numberSerde = <T>({ name, sizeBytes, expected, accepts, write, read }: NumberForm<T>): Serde<T> => ({
  name,
  serialize(value) {
    if (!accepts(value)) throw cannotSerialize(name, value, expected)
    const encoded = new Uint8Array(sizeBytes)
    write(new DataView(encoded.buffer), value)
    return encoded
  },
  deserialize(encoded) {
    const present = notNull(name, encoded)
    if (present.length !== sizeBytes)
      throw cannotDeserialize(name, `${present.length} bytes`, `${sizeBytes} bytes`)
    return read(new DataView(present.buffer, present.byteOffset, sizeBytes))
  },
})

const isIntegerWithin =
  (min: number, max: number) =>
  (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max

/** A whole number of 16 bits. Kafka's ShortSerializer. */
export const int16: Serde<number> = numberSerde({
  name: 'int16',
  sizeBytes: 2,
  expected: 'a whole number from -32768 to 32767',
  accepts: isIntegerWithin(-0x8000, 0x7fff),
  write: (view, value) => view.setInt16(0, value),
  read: (view) => view.getInt16(0),
})

/** A whole number of 32 bits. Kafka's IntegerSerializer. */
export const int32: Serde<number> = numberSerde({
  name: 'int32',
  sizeBytes: 4,
  expected: 'a whole number from -2147483648 to 2147483647',
  accepts: isIntegerWithin(-0x8000_0000, 0x7fff_ffff),
  write: (view, value) => view.setInt32(0, value),
  read: (view) => view.getInt32(0),
})

const INT64_LIMIT = 2n ** 63n

/** A whole number of 64 bits, as a bigint. Kafka's LongSerializer. */
export const int64: Serde<bigint> = numberSerde({
  name: 'int64',
  sizeBytes: 8,
  expected: 'a bigint of at most 64 bits, e.g. 42n',
  accepts: (value) => typeof value === 'bigint' && value >= -INT64_LIMIT && value < INT64_LIMIT,
  write: (view, value) => view.setBigInt64(0, value),
  read: (view) => view.getBigInt64(0),
})

const isNumber = (value: unknown): boolean => typeof value === 'number'

/** A floating-point number of 32 bits; what does not fit is rounded. Kafka's FloatSerializer. */
export const float32: Serde<number> = numberSerde({
  name: 'float32',
  sizeBytes: 4,
  expected: 'a number',
  accepts: isNumber,
  write: (view, value) => view.setFloat32(0, value),
  read: (view) => view.getFloat32(0),
})

/** A floating-point number of 64 bits: JavaScript's own. Kafka's DoubleSerializer. */
export const float64: Serde<number> = numberSerde({
  name: 'float64',
  sizeBytes: 8,
  expected: 'a number',
  accepts: isNumber,
  write: (view, value) => view.setFloat64(0, value),
  read: (view) => view.getFloat64(0),
})
