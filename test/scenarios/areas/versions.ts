/** Versions of APIs: what a client is told, and what ends its connection. */
import { capture, contains, type Area, type FrameStep } from '../scenario.js'

const frame = (apiKey: number, apiVersion: number, body: readonly number[] = []): FrameStep => ({
  frame: { apiKey, apiVersion, body },
  expect: 'closed',
})

export const versionsArea: Area = {
  name: 'versions',
  scenarios: [
    {
      name: 'tells which versions there are',
      source: 'ApiVersionManager.apiVersionResponse',
      steps: [
        {
          api: 'ApiVersions',
          body: { clientSoftwareName: 'scenarios', clientSoftwareVersion: '1.0' },
          expect: {
            errorCode: 'NONE',
            apiKeys: contains(
              { apiKey: 0, minVersion: 0, maxVersion: 13 },
              { apiKey: 1, minVersion: 4, maxVersion: 18 },
              { apiKey: 18, minVersion: 0 },
            ),
            finalizedFeatures: contains({ name: 'transaction.version', maxVersionLevel: 2 }),
          },
        },
      ],
    },
    {
      name: 'tells an older client in its own version',
      source: 'ApiVersionsResponse',
      steps: [
        {
          api: 'ApiVersions',
          version: 0,
          body: {},
          expect: { errorCode: 'NONE', apiKeys: contains({ apiKey: 3 }) },
        },
        { api: 'ApiVersions', version: 2, body: {}, expect: { errorCode: 'NONE', throttleTimeMs: 0 } },
      ],
    },
    {
      name: 'answers a version of ApiVersions that is still to come in the oldest one (KIP-511)',
      source: 'ApiVersionsRequest.getErrorResponse (UNSUPPORTED_VERSION)',
      steps: [
        {
          ...frame(18, 99, [0]),
          as: { api: 'ApiVersions', version: 0 },
          expect: {
            errorCode: 'UNSUPPORTED_VERSION',
            apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: capture('newest') }],
          },
        },
        { api: 'ApiVersions', version: 0, body: {}, expect: { errorCode: 'NONE' } },
      ],
    },
    {
      name: 'refuses a name of client software that is none',
      source: 'ApiVersionsRequest.isValid (INVALID_REQUEST)',
      steps: [
        {
          api: 'ApiVersions',
          version: 3,
          body: { clientSoftwareName: '', clientSoftwareVersion: '1' },
          expect: { errorCode: 'INVALID_REQUEST' },
        },
        {
          api: 'ApiVersions',
          version: 3,
          body: { clientSoftwareName: 'a b', clientSoftwareVersion: '1' },
          expect: { errorCode: 'INVALID_REQUEST' },
        },
        {
          api: 'ApiVersions',
          version: 3,
          body: { clientSoftwareName: 'a-b.c', clientSoftwareVersion: '1.0-x' },
          expect: { errorCode: 'NONE' },
        },
      ],
    },
    {
      name: 'ends the connection of a version that was removed',
      source: 'RequestContext.parseRequest, Processor.processCompletedReceives',
      steps: [frame(1, 3)],
    },
    {
      name: 'ends the connection of a version that is still to come',
      source: 'RequestContext.parseRequest, Processor.processCompletedReceives',
      steps: [frame(3, 99)],
    },
    {
      name: 'ends the connection of a version below 0',
      source: 'RequestHeader.parse',
      steps: [frame(3, -1)],
    },
    {
      name: 'ends the connection of an API that there is none of',
      source: 'ApiKeys.forId',
      steps: [frame(9999, 0)],
    },
    {
      name: 'ends the connection of a request that is cut off',
      source: 'RequestContext.parseRequest (InvalidRequestException)',
      steps: [frame(3, 5, [0, 0])],
    },
    {
      name: 'ends the connection of a request that is longer than its bytes',
      source: 'RequestContext.parseRequest (InvalidRequestException)',
      steps: [frame(3, 5, [0x7f, 0xff, 0xff, 0xff])],
    },
  ],
}
