/**
 * From a declaration to the encoder and decoder of each of its versions: closures, put together once per version
 * and kept. Nothing is evaluated from text, so it runs under a content security policy.
 */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { malformed, type Reader } from './reader.js'
import type { Api, Field, Fields, Message, RecordOf, RecordSchema } from './schema.js'
import { defaultOf, isDefault, valueCodec, type ValueCodec } from './value-codec.js'
import { encoded, type Writer } from './writer.js'

/** Writes and reads one message in one version. */
export interface MessageCodec<F extends Fields> {
  write(writer: Writer, message: Message<F>): void
  read(reader: Reader): Message<F>
}

/** Writes and reads the requests and responses of an API in one version. */
export interface ApiCodec<Q extends Fields, P extends Fields> {
  /** Whether this version has compact lengths and tagged fields, in its header too. */
  readonly flexible: boolean
  readonly request: MessageCodec<Q>
  readonly response: MessageCodec<P>
}

const apiCodecs = new WeakMap<Api, Map<number, ApiCodec<Fields, Fields>>>()

/**
 * The codec of `api` in `version`.
 * @throws OttlaError UNSUPPORTED_VERSION for a version that is not declared.
 */
export const codecOf = <Q extends Fields, P extends Fields>(
  api: Api<Q, P>,
  version: number,
): ApiCodec<Q, P> => {
  let versions = apiCodecs.get(api)
  if (versions === undefined) apiCodecs.set(api, (versions = new Map<number, ApiCodec<Fields, Fields>>()))
  let codec = versions.get(version)
  if (codec === undefined) {
    assertVersion(api, version)
    const flexible = version >= api.flexible
    codec = {
      flexible,
      request: messageCodec(api.request, version, flexible),
      response: messageCodec(api.response, version, flexible),
    }
    versions.set(version, codec)
  }
  return codec as ApiCodec<Q, P>
}

const recordCodecs = new WeakMap<RecordSchema, Map<number, MessageCodec<Fields>>>()

const recordCodecOf = (schema: RecordSchema, version: number): MessageCodec<Fields> => {
  let versions = recordCodecs.get(schema)
  if (versions === undefined) recordCodecs.set(schema, (versions = new Map<number, MessageCodec<Fields>>()))
  let codec = versions.get(version)
  if (codec === undefined) {
    assertVersion(schema, version)
    codec = messageCodec(schema.fields, version, version >= schema.flexible)
    versions.set(version, codec)
  }
  return codec
}

/** Writes a record message, without what leads it in its log. */
export const writeRecord = <S extends RecordSchema>(
  schema: S,
  version: number,
  value: RecordOf<S>,
  writer: Writer,
): void => recordCodecOf(schema, version).write(writer, value)

/** Reads a record message that starts where `reader` stands. */
export const readRecord = <S extends RecordSchema>(schema: S, version: number, reader: Reader): RecordOf<S> =>
  recordCodecOf(schema, version).read(reader) as RecordOf<S>

const assertVersion = (
  declared: { readonly name: string; readonly versions: readonly [number, number] },
  version: number,
): void => {
  const [oldest, newest] = declared.versions
  if (version >= oldest && version <= newest) return
  throw new OttlaError(
    'UNSUPPORTED_VERSION',
    `${declared.name} has versions ${oldest} to ${newest}, not ${version}.`,
    {
      details: { name: declared.name, version, oldest, newest },
    },
  )
}

const messageCodec = <F extends Fields>(fields: F, version: number, flexible: boolean): MessageCodec<F> => {
  const codec = structCodec(fields, version, flexible)
  return {
    write: (writer, message) => codec.write(writer, message),
    read: (reader) => codec.read(reader) as Message<F>,
  }
}

interface PlainField {
  readonly name: string
  readonly field: Field<unknown>
  /** undefined where this version does not have the field. */
  readonly codec: ValueCodec | undefined
}

interface TaggedField {
  readonly name: string
  readonly tag: number
  readonly field: Field<unknown>
  readonly codec: ValueCodec
}

const structCodec = (fields: Fields, version: number, flexible: boolean): ValueCodec => {
  const nested = (inner: Fields): ValueCodec => structCodec(inner, version, flexible)
  const plain: PlainField[] = []
  const tagged: TaggedField[] = []
  for (const [name, field] of Object.entries(fields)) {
    const { since = 0, until = Number.MAX_SAFE_INTEGER, tag, taggedSince = since } = field.options
    const exists =
      version >= since && version <= until && (tag === undefined || flexible || version < taggedSince)
    const codec = exists ? valueCodec(name, field, version, flexible, nested) : undefined
    if (tag === undefined || codec === undefined || version < taggedSince) plain.push({ name, field, codec })
    else tagged.push({ name, tag, field, codec })
  }
  tagged.sort((a, b) => a.tag - b.tag)
  const byTag = new Map(tagged.map((entry) => [entry.tag, entry]))
  return {
    minBytes: plain.reduce((sum, { codec }) => sum + (codec?.minBytes ?? 0), flexible ? 1 : 0),
    write: (writer, value) => {
      const message = value as Readonly<Record<string, unknown>>
      for (const { name, field, codec } of plain) {
        const given = message[name]
        if (codec !== undefined) codec.write(writer, given === undefined ? defaultOf(field) : given)
        else if (field.options.ignorable !== true && !isDefault(field, given)) throw cannotSay(name, version)
      }
      if (flexible) writeTagged(writer, tagged, message)
    },
    read: (reader) => {
      const message: Record<string, unknown> = {}
      for (const { name, field, codec } of plain) {
        if (codec !== undefined) message[name] = codec.read(reader)
        else if (field.options.tag === undefined) message[name] = defaultOf(field)
      }
      if (flexible) readTagged(reader, byTag, message)
      return message
    },
  }
}

const writeTagged = (
  writer: Writer,
  tagged: readonly TaggedField[],
  message: Readonly<Record<string, unknown>>,
): void => {
  const present =
    tagged.length === 0 ? tagged : tagged.filter(({ name, field }) => !isDefault(field, message[name]))
  writer.unsignedVarint(present.length)
  for (const { name, tag, codec } of present) {
    // The length stands before the value, so the value is written apart first; tagged values are small.
    const value = encoded((apart) => codec.write(apart, message[name]))
    writer.unsignedVarint(tag)
    writer.unsignedVarint(value.length)
    writer.raw(value)
  }
}

const readTagged = (
  reader: Reader,
  byTag: ReadonlyMap<number, TaggedField>,
  message: Record<string, unknown>,
): void => {
  // A tag takes a byte and its length another.
  const count = reader.unsignedVarint()
  if (count * 2 > reader.remaining)
    throw malformed(`${count} tagged fields do not fit into the ${reader.remaining} bytes left`)
  let previous = -1
  for (let i = 0; i < count; i++) {
    const tag = reader.unsignedVarint()
    if (tag <= previous) throw malformed(`tag ${tag} follows tag ${previous}; tags ascend`)
    previous = tag
    const length = reader.unsignedVarint()
    const entry = byTag.get(tag)
    if (entry === undefined) {
      // A tag of a later version: its place is passed over, as the protocol wants it.
      reader.skip(length)
      continue
    }
    message[entry.name] = reader.within(length, (inner) => entry.codec.read(inner))
  }
}

const cannotSay = (name: string, version: number): OttlaError =>
  new OttlaError(
    'UNSUPPORTED_VERSION',
    `Version ${version} has no field ${name}, and its value must not be dropped.`,
    {
      details: { field: name, version },
    },
  )
