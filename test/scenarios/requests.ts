/** From what a scenario says of a request to the whole request: defaults, names, and batches. */
import { HANDLERS } from '../../src/broker/handlers.js'
import { encodeSubscription } from '../../src/protocol/consumer-protocol.js'
import type { Api, Field, Fields, Message } from '../../src/protocol/schema.js'
import { crc32c } from '../../src/record/crc32c.js'
import { encodeBatch } from '../../src/record/encode.js'
import { FIELD, LOG_OVERHEAD_BYTES, writeInt16, writeInt32 } from '../../src/record/header.js'
import { toUtf8 } from '../../src/runtime/bytes.js'
import { ZERO_UUID } from '../../src/runtime/uuid.js'
import type { Names } from './names.js'
import { Marker, type BatchOfScenario } from './scenario.js'

const APIS = new Map([...HANDLERS.values()].map(({ api }) => [api.name, api] as const))

/** The API that Kafka calls so. */
export const apiNamed = (name: string): Api => {
  const api = APIS.get(name)
  if (api === undefined) throw new Error(`there is no API ${name}`)
  return api
}

/** The request of `api` that a scenario means by `body`. */
export const requestOf = (api: Api, body: Readonly<Record<string, unknown>>, names: Names): Message<Fields> =>
  structOf(api.request, body, names, api.name)

const structOf = (fields: Fields, given: object, names: Names, path: string): Message<Fields> => {
  const message: Record<string, unknown> = {}
  const values = new Map<string, unknown>(Object.entries(given))
  for (const [name, field] of Object.entries(fields)) {
    const value = values.get(name)
    values.delete(name)
    if (value === undefined && field.tagged) continue
    message[name] = value === undefined ? absent(field) : valueOf(field, value, names, `${path}.${name}`)
  }
  for (const name of values.keys()) throw new Error(`${path} has no field ${name}`)
  return message
}

const ZEROS: Readonly<Record<string, unknown>> = {
  bool: false,
  string: '',
  uuid: ZERO_UUID,
  bytes: new Uint8Array(0),
  records: [],
  array: [],
}

const absent = (field: Field<unknown>): unknown => {
  if (field.options.default !== undefined) return field.options.default
  return field.kind in ZEROS ? ZEROS[field.kind] : 0
}

const valueOf = (field: Field<unknown>, given: unknown, names: Names, path: string): unknown => {
  if (given === null) return null
  if (field.kind === 'records') return (given as readonly unknown[]).map((one) => recordsOf(one, names))
  if (field.kind === 'array')
    return (given as readonly unknown[]).map((one) => elementOf(field, one, names, path))
  if (field.kind === 'struct') return structOf(field.of as Fields, given as object, names, path)
  return plain(given, names)
}

const elementOf = (field: Field<unknown>, given: unknown, names: Names, path: string): unknown =>
  isField(field.of)
    ? valueOf(field.of, given, names, path)
    : structOf(field.of ?? {}, given as object, names, path)

const isField = (of: Field<unknown>['of']): of is Field<unknown> => typeof of?.kind === 'string'

/** A value that has no parts. */
const plain = (given: unknown, names: Names): unknown => {
  if (typeof given === 'string') return names.resolve(given)
  if (!(given instanceof Marker)) return given
  if (given.kind === 'text') return toUtf8(String(given.of))
  if (given.kind === 'subscription') {
    const topics = (given.of as readonly string[]).map((topic) => String(names.resolve(topic)))
    return encodeSubscription({ topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null })
  }
  if (given.kind === 'plus') {
    const { name, number } = given.of as { name: string; number: number }
    return names.number(name) + number
  }
  throw new Error(`a request cannot have ${given.kind}`)
}

const recordsOf = (given: unknown, names: Names): Uint8Array => {
  if (given instanceof Uint8Array) return given
  if (given instanceof Marker && given.kind === 'batch') return batchOf(given.of as BatchOfScenario, names)
  if (given instanceof Marker && given.kind === 'text') return toUtf8(String(given.of))
  throw new Error('records are batches')
}

const batchOf = (of: BatchOfScenario, names: Names): Uint8Array => {
  const values = of.values ?? ['a']
  const now = Date.now() + (of.timestampAfterMs ?? 0)
  const number = (given: unknown): number | undefined =>
    given === undefined ? undefined : Number(plain(given, names))
  const bytes = encodeBatch(
    values.map((value, index) => ({
      timestamp: of.timestamps?.[index] ?? now,
      key: bytesOf(of.keys?.[index]),
      value: bytesOf(value),
      headers: [],
    })),
    {
      baseOffset: of.baseOffset,
      producerId: number(of.producerId),
      producerEpoch: number(of.producerEpoch),
      baseSequence: of.baseSequence,
      isTransactional: of.isTransactional,
    },
  )
  const { overwrite = {} } = of
  if (overwrite.attributes !== undefined) writeInt16(bytes, overwrite.attributes, FIELD.attributes)
  if (overwrite.lastOffsetDelta !== undefined)
    writeInt32(bytes, overwrite.lastOffsetDelta, FIELD.lastOffsetDelta)
  if (overwrite.recordCount !== undefined) writeInt32(bytes, overwrite.recordCount, FIELD.recordCount)
  if (overwrite.magic !== undefined) bytes[FIELD.magic] = overwrite.magic
  if (overwrite.length !== undefined) writeInt32(bytes, overwrite.length - LOG_OVERHEAD_BYTES, FIELD.length)
  const crc = crc32c(bytes, FIELD.attributes, bytes.length)
  writeInt32(bytes, of.wrongCrc === true ? crc ^ 1 : crc, FIELD.crc)
  return bytes
}

const bytesOf = (text: string | null | undefined): Uint8Array | null =>
  text === null || text === undefined ? null : toUtf8(text)
