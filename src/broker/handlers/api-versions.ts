/**
 * ApiVersions: which APIs and versions this broker speaks. Produce is advertised from version 0, as Kafka does,
 * because old clients take its range for the age of the broker. Finalized features are left out: there are none.
 */
import type { apiVersions } from '../../protocol/api/api-versions.js'
import { produce } from '../../protocol/api/produce.js'
import type { Api } from '../../protocol/schema.js'
import type { Handler } from './handler.js'

/** The handler, over the APIs that there are handlers for. */
export const handleApiVersions =
  (apis: () => readonly Api[]): Handler<typeof apiVersions> =>
  () => ({
    errorCode: 0,
    apiKeys: apis().map(({ key, versions: [oldest, newest] }) => ({
      apiKey: key,
      minVersion: key === produce.key ? 0 : oldest,
      maxVersion: newest,
    })),
    throttleTimeMs: 0,
  })
