/**
 * What stands before the body of a request or response on a connection: the size of the frame and the header, which
 * says whose answer to what it is. No sockets here; these are bytes only.
 */
import { codecOf } from './codec.js'
import { malformed, Reader } from './reader.js'
import type { Api, Fields, RequestOf, ResponseOf } from './schema.js'
import { Writer } from './writer.js'

/** Kafka's number for the ApiVersions API, the one whose response header never changes. */
const API_VERSIONS_KEY = 18
const SIZE_BYTES = 4

/** Who asks what, in which version. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  /** What the response repeats, so that the client knows which request it answers; an int32. */
  readonly correlationId: number
  readonly clientId: string | null
}

/**
 * A request as the pieces of its frame, size first; record bytes are pieces of their own, not copied.
 * @throws OttlaError UNSUPPORTED_VERSION when the API lacks the version, or the version a field that is set.
 */
export const encodeRequest = <Q extends Fields, P extends Fields>(
  api: Api<Q, P>,
  version: number,
  request: RequestOf<Api<Q, P>>,
  options: { readonly correlationId: number; readonly clientId: string | null },
): Uint8Array[] => {
  const codec = codecOf(api, version)
  const writer = new Writer()
  writer.int32(0)
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(options.correlationId)
  // Header version 2 kept the int16 length of the client id, so that brokers can read it before they know the API.
  writer.string(options.clientId, false)
  if (codec.flexible) writer.unsignedVarint(0)
  codec.request.write(writer, request)
  return framed(writer)
}

/**
 * Reads a request's header up to and with the client id, which all versions of all APIs share; `reader` stands
 * behind the size. What follows is read with {@link decodeRequestBody} once the API is known.
 * @throws OttlaError MALFORMED_MESSAGE.
 */
export const decodeRequestHeader = (reader: Reader): RequestHeader => ({
  apiKey: reader.int16(),
  apiVersion: reader.int16(),
  correlationId: reader.int32(),
  clientId: reader.string(false),
})

/**
 * Reads the rest of the header and the body of a request.
 * @throws OttlaError UNSUPPORTED_VERSION, MALFORMED_MESSAGE.
 */
export const decodeRequestBody = <Q extends Fields, P extends Fields>(
  api: Api<Q, P>,
  version: number,
  reader: Reader,
): RequestOf<Api<Q, P>> => {
  const codec = codecOf(api, version)
  if (codec.flexible) skipTaggedFields(reader)
  return codec.request.read(reader) as RequestOf<Api<Q, P>>
}

/**
 * A response as the pieces of its frame, size first; record bytes are pieces of their own, not copied.
 * @throws OttlaError UNSUPPORTED_VERSION when the API lacks the version, or the version a field that is set.
 */
export const encodeResponse = <Q extends Fields, P extends Fields>(
  api: Api<Q, P>,
  version: number,
  correlationId: number,
  response: ResponseOf<Api<Q, P>>,
): Uint8Array[] => {
  const codec = codecOf(api, version)
  const writer = new Writer()
  writer.int32(0)
  writer.int32(correlationId)
  if (hasTaggedHeader(api, codec.flexible)) writer.unsignedVarint(0)
  codec.response.write(writer, response)
  return framed(writer)
}

/**
 * The correlation id that leads a response; `reader` stands behind the size. It says which request is answered, and
 * so in which API and version {@link decodeResponseBody} goes on.
 */
export const decodeCorrelationId = (reader: Reader): number => reader.int32()

/**
 * Reads the rest of the header and the body of a response.
 * @throws OttlaError UNSUPPORTED_VERSION, MALFORMED_MESSAGE.
 */
export const decodeResponseBody = <Q extends Fields, P extends Fields>(
  api: Api<Q, P>,
  version: number,
  reader: Reader,
): ResponseOf<Api<Q, P>> => {
  const codec = codecOf(api, version)
  if (hasTaggedHeader(api, codec.flexible)) skipTaggedFields(reader)
  return codec.response.read(reader) as ResponseOf<Api<Q, P>>
}

/** A client that asks for the versions cannot know yet which header the broker would answer with (KIP-511). */
const hasTaggedHeader = (api: Api, flexible: boolean): boolean => flexible && api.key !== API_VERSIONS_KEY

/** Fills in the size, for which the first bytes were kept free. */
const framed = (writer: Writer): Uint8Array[] => {
  const size = writer.sizeBytes - SIZE_BYTES
  const pieces = writer.finish()
  const [first] = pieces
  if (first !== undefined) new DataView(first.buffer, first.byteOffset, SIZE_BYTES).setInt32(0, size)
  return pieces
}

/** Kafka has no tagged fields in headers so far; those that come are passed over. */
const skipTaggedFields = (reader: Reader): void => {
  const count = reader.unsignedVarint()
  // A tag takes a byte and its length another.
  if (count * 2 > reader.remaining) throw malformed(`${count} tagged fields do not fit into the header`)
  for (let i = 0; i < count; i++) {
    reader.unsignedVarint()
    reader.skip(reader.unsignedVarint())
  }
}
