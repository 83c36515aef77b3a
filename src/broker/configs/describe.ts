/** Configs as DescribeConfigs and CreateTopics list them: those that were set, and the defaults. */
import { CONFIG_TYPES, type ConfigSchema, type ConfigTable } from './config-definition.js'
import { BROKER_CONFIGS, type GivenConfigs } from './broker-configs.js'
import { TOPIC_CONFIGS } from './topic-configs.js'

/** Kafka's numbers for where a config's value comes from. */
export const CONFIG_SOURCES = { TOPIC: 1, STATIC_BROKER: 4, DEFAULT: 5 } as const

/** One config with its value. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string
  readonly isDefault: boolean
  readonly defaultValue: string
  /** Kafka's number of its type. */
  readonly type: number
  readonly doc: string
}

const entries = (schema: ConfigSchema<ConfigTable>, given: ReadonlyMap<string, string>): ConfigEntry[] =>
  Object.entries(schema.definitions).map(([name, { type, defaultValue, doc }]) => ({
    name,
    value: given.get(name) ?? defaultValue,
    isDefault: !given.has(name),
    defaultValue,
    type: CONFIG_TYPES[type],
    doc,
  }))

/** All configs of a topic for which `given` were set. */
export const topicConfigEntries = (given: ReadonlyMap<string, string>): ConfigEntry[] =>
  entries(TOPIC_CONFIGS, given)

/** All configs of a broker for which `given` were set. */
export const brokerConfigEntries = (given: GivenConfigs): ConfigEntry[] =>
  entries(BROKER_CONFIGS, new Map(Object.entries(given).map(([name, value]) => [name, String(value)])))
