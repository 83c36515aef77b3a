/** Admin requests about configs. */
import { describeConfigs as describeConfigsApi } from '../../protocol/api/describe-configs.js'
import { errorFromKafkaCode } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions } from './admin-options.js'

/** What has configs. */
export interface ConfigResource {
  /** What kind of thing it is. */
  readonly type: 'topic' | 'broker'
  /** The topic's name, or the broker's node id. */
  readonly name: string
}

const RESOURCE_TYPES = { topic: 2, broker: 4 } as const

const SOURCES: Readonly<Record<number, ConfigSource>> = {
  1: 'topic',
  2: 'broker (dynamic)',
  3: 'cluster (dynamic)',
  4: 'broker (static)',
  5: 'default',
}

const TYPES = [
  'unknown',
  'boolean',
  'string',
  'int',
  'short',
  'long',
  'double',
  'list',
  'class',
  'password',
] as const

/** Where a value comes from. */
export type ConfigSource =
  'topic' | 'broker (dynamic)' | 'cluster (dynamic)' | 'broker (static)' | 'default' | 'unknown'

/** A setting. */
export interface ConfigEntry {
  /** Kafka's dotted name. */
  readonly name: string
  /** null for what must not be shown. */
  readonly value: string | null
  /** Where the value was set; `default` when nowhere. */
  readonly source: ConfigSource
  /** How the value's text is to be read. */
  readonly type: (typeof TYPES)[number]
  /** Whether it can only be set when the broker is opened. */
  readonly isReadOnly: boolean
  /** What it does. */
  readonly documentation: string | null
}

export const describeConfigs = async (
  { cluster }: ClientContext,
  { type, name }: ConfigResource,
  { signal }: AdminOptions,
): Promise<readonly ConfigEntry[]> => {
  const channel = await cluster.any({ signal })
  const request = {
    resources: [{ resourceType: RESOURCE_TYPES[type], resourceName: name, configurationKeys: null }],
    includeSynonyms: false,
    includeDocumentation: true,
  }
  const { results } = await channel.send(describeConfigsApi, request, { signal })
  const configs: ConfigEntry[] = []
  for (const result of results) {
    if (result.errorCode !== 0) {
      const { message } = errorFromKafkaCode(result.errorCode)
      throw errorFromKafkaCode(result.errorCode, `The ${type} ${name}: ${result.errorMessage ?? message}`, {
        details: { type, name },
      })
    }
    for (const config of result.configs) {
      configs.push({
        name: config.name,
        value: config.value,
        source: SOURCES[config.configSource] ?? 'unknown',
        type: TYPES[config.configType] ?? 'unknown',
        isReadOnly: config.readOnly,
        documentation: config.documentation,
      })
    }
  }
  return configs
}
