/** Admin requests about configs. */
import { describeConfigs as describeConfigsApi } from '../../protocol/api/describe-configs.js'
import { incrementalAlterConfigs } from '../../protocol/api/incremental-alter-configs.js'
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
    assertNone({ type, name }, result.errorCode, result.errorMessage)
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

const assertNone = ({ type, name }: ConfigResource, errorCode: number, message: string | null): void => {
  if (errorCode === 0) return
  const { message: meaning } = errorFromKafkaCode(errorCode)
  throw errorFromKafkaCode(errorCode, `The ${type} ${name}: ${message ?? meaning}`, {
    details: { type, name },
  })
}
