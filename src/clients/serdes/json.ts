/** JSON, checked by a validator if there is one. */
import { readUtf8, toUtf8 } from '../../runtime/bytes.js'
import { invalidArgument, OttlaError, show } from '../../runtime/errors/ottla-error.js'
import { cannotDeserialize, cannotSerialize, notNull, type Serde } from './serde.js'
import { describeIssues, isStandardSchema, type StandardSchema } from './standard-schema.js'

/**
 * Values as JSON. `json<Order>()` takes the type at its word; `json(schema)` has a Standard Schema validator (Zod,
 * Valibot, ArkType, ...) check every value on its way in and out, and takes the type from it.
 *
 * A value that has no JSON (undefined, a function, a bigint, a cycle) or that the validator refuses is a
 * SERIALIZATION_FAILED error at `send`, with the path to the field. An asynchronous validator is refused, since a
 * record is encoded at once.
 */
export const json = <T>(schema?: StandardSchema<T>): Serde<T> => {
  if (schema !== undefined && !isStandardSchema(schema)) {
    throw invalidArgument('The schema of json', schema, 'a Standard Schema validator, or nothing')
  }
  return {
    name: 'json',
    serialize(value) {
      // JSON's null is a value, Kafka's a tombstone; which one is meant has to be said.
      if (value === null) throw cannotSerialize('json', null, 'a value other than null')
      const checked =
        schema === undefined ? value : validate(schema, value, (issues) => refused(value, issues))
      let text: string | undefined
      try {
        text = JSON.stringify(checked)
      } catch (error) {
        throw cannotSerialize('json', value, 'a value that has a JSON form', error)
      }
      // JSON.stringify gives undefined, whatever its type says, for what JSON cannot express.
      if ((text as string | undefined) === undefined)
        throw cannotSerialize('json', value, 'a value that has a JSON form')
      return toUtf8(text)
    },
    deserialize(encoded) {
      const present = notNull('json', encoded)
      const text = readUtf8(present, 0, present.length)
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch (error) {
        throw cannotDeserialize('json', show(text), 'JSON', error)
      }
      if (schema === undefined) return value as T
      return validate(schema, value, (issues) =>
        cannotDeserialize('json', show(value), `what its schema accepts (${issues})`),
      )
    },
  }
}

const refused = (value: unknown, issues: string): OttlaError =>
  new OttlaError('SERIALIZATION_FAILED', `The schema refused ${show(value)}: ${issues}.`, {
    details: { value, issues },
  })

const validate = <T>(
  schema: StandardSchema<T>,
  value: unknown,
  toError: (issues: string) => OttlaError,
): T => {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    result.catch(() => undefined)
    throw invalidArgument(
      'The schema of json',
      schema['~standard'].vendor,
      'one that validates synchronously',
    )
  }
  if (result.issues !== undefined) throw toError(describeIssues(result.issues))
  return result.value
}
