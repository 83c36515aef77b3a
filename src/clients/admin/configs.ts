/** Admin requests about configs. */
import { describeConfigs as describeConfigsApi } from '../../protocol/api/describe-configs.js'
import { incrementalAlterConfigs } from '../../protocol/api/incremental-alter-configs.js'
import { listConfigResources as listConfigResourcesApi } from '../../protocol/api/list-config-resources.js'
import { errorFromKafkaCode } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions, ChangeOptions } from './admin-options.js'

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

/** A value that a setting has somewhere. */
export interface ConfigSynonym {
  /** The name that the setting has there: a broker has the defaults of its topics under names of their own. */
  readonly name: string
  /** null for what must not be shown. */
  readonly value: string | null
  /** Where that is. */
  readonly source: ConfigSource
}

/** What is to be told of settings. */
export interface DescribeConfigsOptions extends AdminOptions {
  /** Whether to tell where else a setting has values; default false. */
  readonly includeSynonyms?: boolean
}

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
  /** Whether it is a secret, whose value is not told. */
  readonly isSensitive: boolean
  /**
   * All its values, if asked for: first the one that counts, then those that would if that were not there, down to the
   * default. Empty when not asked for.
   */
  readonly synonyms: readonly ConfigSynonym[]
  /** What it does. */
  readonly documentation: string | null
}

/** Settings to be changed, by Kafka's dotted names; null returns one to its default. What is left out stays. */
export type ConfigChanges = Readonly<Record<string, string | number | boolean | null>>

/** Kafka's numbers for what is done to a setting (KIP-339). */
const OPERATIONS = { set: 0, delete: 1 } as const

export const alterConfigs = async (
  { cluster }: ClientContext,
  resource: ConfigResource,
  changes: ConfigChanges,
  { validateOnly = false, signal }: ChangeOptions,
): Promise<void> => {
  const { type, name } = resource
  const controller = await cluster.controller({ signal })
  const configs = Object.entries(changes).map(([config, value]) => ({
    name: config,
    configOperation: value === null ? OPERATIONS.delete : OPERATIONS.set,
    value: value === null ? null : String(value),
  }))
  const request = {
    resources: [{ resourceType: RESOURCE_TYPES[type], resourceName: name, configs }],
    validateOnly,
  }
  const { responses } = await controller.send(incrementalAlterConfigs, request, { signal })
  for (const { errorCode, errorMessage } of responses) assertNone(resource, errorCode, errorMessage)
}

export const describeConfigs = async (
  { cluster }: ClientContext,
  { type, name }: ConfigResource,
  { includeSynonyms = false, signal }: DescribeConfigsOptions,
): Promise<readonly ConfigEntry[]> => {
  const channel = await cluster.any({ signal })
  const request = {
    resources: [{ resourceType: RESOURCE_TYPES[type], resourceName: name, configurationKeys: null }],
    includeSynonyms,
    includeDocumentation: true,
  }
  const { results } = await channel.send(describeConfigsApi, request, { signal })
  const configs: ConfigEntry[] = []
  for (const result of results) {
    assertNone({ type, name }, result.errorCode, result.errorMessage)
    for (const config of result.configs) {
      configs.push({
        name: config.name,
        value: config.value,
        source: sourceOf(config.configSource),
        type: TYPES[config.configType] ?? 'unknown',
        isReadOnly: config.readOnly,
        isSensitive: config.isSensitive,
        synonyms: config.synonyms.map(({ name: synonym, value, source }) => ({
          name: synonym,
          value,
          source: sourceOf(source),
        })),
        documentation: config.documentation,
      })
    }
  }
  return configs
}

const sourceOf = (code: number): ConfigSource => SOURCES[code] ?? 'unknown'

export const listConfigResources = async (
  { cluster }: ClientContext,
  types: readonly ConfigResource['type'][],
  { signal }: AdminOptions,
): Promise<readonly ConfigResource[]> => {
  const channel = await cluster.any({ signal })
  const request = { resourceTypes: types.map((type) => RESOURCE_TYPES[type]) }
  const { errorCode, configResources } = await channel.send(listConfigResourcesApi, request, { signal })
  if (errorCode !== 0) throw errorFromKafkaCode(errorCode)
  return configResources.flatMap(({ resourceType, resourceName: name }) => {
    const type = types.find((candidate) => RESOURCE_TYPES[candidate] === resourceType)
    return type === undefined ? [] : [{ type, name }]
  })
}

const assertNone = ({ type, name }: ConfigResource, errorCode: number, message: string | null): void => {
  if (errorCode === 0) return
  const { message: meaning } = errorFromKafkaCode(errorCode)
  throw errorFromKafkaCode(errorCode, `The ${type} ${name}: ${message ?? meaning}`, {
    details: { type, name },
  })
}
