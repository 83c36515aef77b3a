/** From a frame to the request it holds, and from a response to the frame that answers it. */
import { HANDLERS } from '../../broker/handlers.js'
import { apiVersions } from '../../protocol/api/api-versions.js'
import { produce } from '../../protocol/api/produce.js'
import {
  decodeRequestBody,
  decodeRequestHeader,
  encodeResponse,
  type RequestHeader,
} from '../../protocol/frame.js'
import { Reader } from '../../protocol/reader.js'
import type { Api, Fields, Message } from '../../protocol/schema.js'
import { kafkaCodeOf, OttlaError } from '../../runtime/errors/ottla-error.js'

/** A request as it came. */
export interface ListenerRequest {
  readonly header: RequestHeader
  readonly api: Api
  readonly body: Message<Fields>
}

/**
 * Reads the request in `frame`. A client that asks for versions in a version that is not known is told which there
 * are, in the oldest form; its request is not read (KIP-511).
 * @throws OttlaError UNSUPPORTED_VERSION for an API or version that there is none of, MALFORMED_MESSAGE.
 */
export const readRequest = (
  frame: Uint8Array,
): ListenerRequest | { readonly unknownVersionOf: RequestHeader } => {
  const reader = new Reader(frame)
  const header = decodeRequestHeader(reader)
  const api = HANDLERS.get(header.apiKey)?.api
  if (api === undefined) {
    throw new OttlaError('UNSUPPORTED_VERSION', `There is no API with the key ${header.apiKey}.`)
  }
  const [oldest, newest] = api.versions
  const isKnown = header.apiVersion >= oldest && header.apiVersion <= newest
  if (!isKnown && api.key === apiVersions.key) return { unknownVersionOf: header }
  const body = decodeRequestBody(api, header.apiVersion, reader)
  if (reader.remaining > 0) {
    throw new OttlaError(
      'MALFORMED_MESSAGE',
      `${reader.remaining} bytes are left behind the ${api.name} request, version ${header.apiVersion}.`,
    )
  }
  return { header, api, body }
}

/** The frame that answers `request`, in pieces. */
export const responseFrame = (
  { api, header }: Pick<ListenerRequest, 'api' | 'header'>,
  response: Message<Fields>,
): Uint8Array[] => encodeResponse(api, header.apiVersion, header.correlationId, response)

/** What answers an ApiVersions request of a version that is not known. */
export const unknownVersionFrame = ({ correlationId }: RequestHeader): Uint8Array[] => {
  const [minVersion, maxVersion] = apiVersions.versions
  return encodeResponse(apiVersions, 0, correlationId, {
    errorCode: kafkaCodeOf(new OttlaError('UNSUPPORTED_VERSION')),
    apiKeys: [{ apiKey: apiVersions.key, minVersion, maxVersion }],
    throttleTimeMs: 0,
  })
}

/** Whether nobody waits for an answer: a produce with acks 0. */
export const wantsNoAnswer = ({ api, body }: ListenerRequest): boolean =>
  api.key === produce.key && 'acks' in body && body.acks === 0

/** Whether something went wrong with a produce. */
export const hasProduceError = (response: Message<Fields>): boolean => {
  const { responses } = response as {
    responses: readonly { partitionResponses: readonly { errorCode: number }[] }[]
  }
  return responses.some(({ partitionResponses }) =>
    partitionResponses.some(({ errorCode }) => errorCode !== 0),
  )
}
