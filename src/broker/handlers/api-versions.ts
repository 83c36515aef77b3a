/**
 * ApiVersions: which APIs and versions this broker speaks. Produce is advertised from version 0, as Kafka does,
 * because old clients take its range for the age of the broker. The one feature is transaction.version, by which clients
 * know that they may begin each transaction with a new epoch, and leave adding partitions to the broker (KIP-890).
 */
import type { apiVersions } from '../../protocol/api/api-versions.js'
import { produce } from '../../protocol/api/produce.js'
import type { Api } from '../../protocol/schema.js'
import { codeOf } from '../response-errors.js'
import { EPOCH_BUMP_LEVEL } from '../transactions/transaction-metadata.js'
import type { Handler } from './handler.js'

const TRANSACTION_VERSION = 'transaction.version'
/** The first version whose clients take 0 for the smallest version of a feature. */
const ZERO_SINCE = 4

/** The first version whose clients say what they are (KIP-511). */
const SOFTWARE_SINCE = 3
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** The handler, over the APIs that there are handlers for. */
export const handleApiVersions =
  (apis: () => readonly Api[]): Handler<typeof apiVersions> =>
  ({ configs }, { clientSoftwareName, clientSoftwareVersion }, { apiVersion }) => {
    const isNamed = SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion)
    if (apiVersion >= SOFTWARE_SINCE && !isNamed) return REFUSED
    return {
      errorCode: 0,
      apiKeys: apis().map(({ key, versions: [oldest, newest] }) => ({
        apiKey: key,
        minVersion: key === produce.key ? 0 : oldest,
        maxVersion: newest,
      })),
      throttleTimeMs: 0,
      // Clients of version 3 take a smallest version of 0 for damage, so that Kafka hides such features from them.
      supportedFeatures:
        apiVersion < ZERO_SINCE
          ? []
          : [{ name: TRANSACTION_VERSION, minVersion: 0, maxVersion: EPOCH_BUMP_LEVEL }],
      finalizedFeaturesEpoch: 0,
      finalizedFeatures: finalized(configs['ottla.transaction.version']),
    }
  }

/** What a client that gives no proper name is told. */
const REFUSED = { errorCode: codeOf('INVALID_REQUEST'), apiKeys: [], throttleTimeMs: 0 }

const finalized = (level: number) =>
  level === 0 ? [] : [{ name: TRANSACTION_VERSION, maxVersionLevel: level, minVersionLevel: level }]
