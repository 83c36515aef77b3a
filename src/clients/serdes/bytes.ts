/** Bytes as they are. */
import { cannotSerialize, notNull, type Serde } from './serde.js'

/** Bytes as they are: a Uint8Array (or Buffer) in, a view into the log out. Kafka's ByteArraySerializer. */
export const bytes: Serde<Uint8Array> = {
  name: 'bytes',
  serialize(value) {
    if (value instanceof Uint8Array) return value
    throw cannotSerialize('bytes', value, 'a Uint8Array')
  },
  deserialize: (encoded) => notNull('bytes', encoded),
}
