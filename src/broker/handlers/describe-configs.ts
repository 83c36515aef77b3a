/** DescribeConfigs: the configs of topics and of this broker, with defaults. Other resources do not exist here. */
import type { describeConfigs } from '../../protocol/api/describe-configs.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import {
  brokerConfigEntries,
  CONFIG_SOURCES,
  topicConfigEntries,
  type ConfigEntry,
} from '../configs/describe.js'
import { RESOURCE_TYPES } from '../metadata/cluster-metadata.js'
import { checkTopicName } from '../metadata/topic-name.js'
import { responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Result = ResponseOf<typeof describeConfigs>['results'][number]

export const handleDescribeConfigs: Handler<typeof describeConfigs> = (services, request) => ({
  throttleTimeMs: 0,
  results: request.resources.map(({ resourceType, resourceName, configurationKeys }): Result => {
    const keys = configurationKeys === null || configurationKeys.length === 0 ? undefined : configurationKeys
    try {
      const { entries, source, readOnly } = find(services, resourceType, resourceName)
      return {
        errorCode: 0,
        errorMessage: null,
        resourceType,
        resourceName,
        configs: entries
          .filter(({ name }) => keys === undefined || keys.includes(name))
          .map((entry) => ({
            name: entry.name,
            value: entry.value,
            readOnly,
            configSource: entry.isDefault ? CONFIG_SOURCES.DEFAULT : source,
            isSensitive: false,
            synonyms: request.includeSynonyms ? synonyms(entry, source) : [],
            configType: entry.type,
            documentation: request.includeDocumentation ? entry.doc : null,
          })),
      }
    } catch (error) {
      return { ...responseErrorOf(error), resourceType, resourceName, configs: [] }
    }
  }),
})

const find = (
  { metadata, givenConfigs, nodeId }: BrokerServices,
  resourceType: number,
  name: string,
): { entries: ConfigEntry[]; source: number; readOnly: boolean } => {
  if (resourceType === RESOURCE_TYPES.TOPIC) {
    checkTopicName(name)
    const topic = metadata.topic(name)
    if (topic === undefined) {
      throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic named ${show(name)}.`)
    }
    return { entries: topicConfigEntries(topic.configs), source: CONFIG_SOURCES.TOPIC, readOnly: false }
  }
  if (resourceType !== RESOURCE_TYPES.BROKER) {
    throw new OttlaError(
      'INVALID_REQUEST',
      `Configs of resource type ${resourceType} cannot be described; expected ${RESOURCE_TYPES.TOPIC} (topic) or ${RESOURCE_TYPES.BROKER} (broker).`,
    )
  }
  if (name !== '' && name !== String(nodeId)) {
    throw new OttlaError(
      'INVALID_REQUEST',
      `Broker ${show(name)} is not here; expected ${nodeId} or an empty name.`,
    )
  }
  return { entries: brokerConfigEntries(givenConfigs), source: CONFIG_SOURCES.STATIC_BROKER, readOnly: true }
}

const synonyms = (entry: ConfigEntry, source: number): Result['configs'][number]['synonyms'] => {
  const { name, value, defaultValue } = entry
  const byDefault = { name, value: defaultValue, source: CONFIG_SOURCES.DEFAULT }
  return entry.isDefault ? [byDefault] : [{ name, value, source }, byDefault]
}
