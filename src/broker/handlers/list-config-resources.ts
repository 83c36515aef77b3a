/**
 * ListConfigResources: the topics and this broker. There are no client metrics, no group configs and no broker loggers
 * to be configured here, so that asking for them finds none.
 */
import type { listConfigResources } from '../../protocol/api/list-config-resources.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { RESOURCE_TYPES } from '../metadata/cluster-metadata.js'
import { codeOf } from '../response-errors.js'
import type { Handler } from './handler.js'

type Resource = ResponseOf<typeof listConfigResources>['configResources'][number]

const BROKER_LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32
const ALL_TYPES: readonly number[] = [
  RESOURCE_TYPES.TOPIC,
  RESOURCE_TYPES.BROKER,
  BROKER_LOGGER,
  CLIENT_METRICS,
  GROUP,
]

export const handleListConfigResources: Handler<typeof listConfigResources> = (
  services,
  request,
  context,
) => {
  const known = context.apiVersion === 0 ? [CLIENT_METRICS] : ALL_TYPES
  const types = request.resourceTypes.length === 0 ? known : request.resourceTypes
  if (types.some((type) => !known.includes(type))) {
    return { throttleTimeMs: 0, errorCode: codeOf('UNSUPPORTED_VERSION'), configResources: [] }
  }
  const configResources: Resource[] = []
  if (types.includes(RESOURCE_TYPES.BROKER)) {
    configResources.push({ resourceName: String(services.nodeId), resourceType: RESOURCE_TYPES.BROKER })
  }
  if (types.includes(RESOURCE_TYPES.TOPIC)) {
    for (const { name } of services.metadata.topics()) {
      configResources.push({ resourceName: name, resourceType: RESOURCE_TYPES.TOPIC })
    }
  }
  return { throttleTimeMs: 0, errorCode: 0, configResources }
}
