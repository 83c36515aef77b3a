/** Null as a value of its own: what a topic with tombstones needs. */
import { isSerde, type Serde } from './serde.js'
import { invalidArgument } from '../../runtime/errors/ottla-error.js'

/** `inner`, or null: null is stored as Kafka's null, a tombstone, and read as null. */
export const nullable = <T>(inner: Serde<T>): Serde<T | null> => {
  if (!isSerde(inner)) throw invalidArgument('The inner serde of nullable', inner, 'a serde')
  return {
    name: `nullable(${inner.name})`,
    serialize: (value) => (value === null ? null : inner.serialize(value)),
    deserialize: (encoded) => (encoded === null ? null : inner.deserialize(encoded)),
  }
}
