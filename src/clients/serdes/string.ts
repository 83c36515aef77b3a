/** Text as UTF-8. */
import { readUtf8, toUtf8 } from '../../runtime/bytes.js'
import { cannotSerialize, notNull, type Serde } from './serde.js'

/** Text as UTF-8. Kafka's StringSerializer. */
export const string: Serde<string> = {
  name: 'string',
  serialize(value) {
    if (typeof value === 'string') return toUtf8(value)
    throw cannotSerialize('string', value, 'a string')
  },
  deserialize(encoded) {
    const present = notNull('string', encoded)
    return readUtf8(present, 0, present.length)
  },
}
