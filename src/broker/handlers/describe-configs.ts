/** DescribeConfigs: the configs of topics and of this broker, with defaults. Other resources do not exist here. */
import type { describeConfigs } from '../../protocol/api/describe-configs.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import { brokerConfigEntries, topicConfigEntries, type ConfigEntry } from '../configs/describe.js'
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
      const { entries, readOnly } = find(services, resourceType, resourceName)
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
            configSource: entry.source,
            isSensitive: false,
            synonyms: request.includeSynonyms ? entry.synonyms : [],
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
  { metadata, givenConfigs, topicConfigs, nodeId }: BrokerServices,
  resourceType: number,
  name: string,
): { entries: ConfigEntry[]; readOnly: boolean } => {
  if (resourceType === RESOURCE_TYPES.TOPIC) {
    checkTopicName(name)
    const topic = metadata.topic(name)
    if (topic === undefined) {
      throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic named ${show(name)}.`)
    }
    return { entries: topicConfigEntries(topic.configs, topicConfigs.brokerDefaults), readOnly: false }
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
  return { entries: brokerConfigEntries(givenConfigs), readOnly: true }
}
