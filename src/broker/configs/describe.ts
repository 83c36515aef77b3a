/** Configs as DescribeConfigs and CreateTopics list them: their values, where those come from, and what is behind them. */
import { CONFIG_TYPES, type ConfigSchema, type ConfigTable } from './config-definition.js'
import { BROKER_CONFIGS, type GivenConfigs } from './broker-configs.js'
import { BROKER_SYNONYMS, TOPIC_CONFIGS } from './topic-configs.js'

/** Kafka's numbers for where a config's value comes from. */
export const CONFIG_SOURCES = { TOPIC: 1, STATIC_BROKER: 4, DEFAULT: 5 } as const

/** A value of a config and where it comes from. */
export interface ConfigSynonym {
  /** The config's name there: what a topic has under one name, a broker has under another. */
  readonly name: string
  readonly value: string
  /** One of {@link CONFIG_SOURCES}. */
  readonly source: number
}

/** One config with its value. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string
  /** One of {@link CONFIG_SOURCES}. */
  readonly source: number
  /** All its values: the one that counts, and those that would if it were not there, down to the default. */
  readonly synonyms: readonly ConfigSynonym[]
  /** Kafka's number of its type. */
  readonly type: number
  readonly doc: string
}

const entries = (
  schema: ConfigSchema<ConfigTable>,
  synonymsOf: (name: string, defaultValue: string) => readonly [ConfigSynonym, ...ConfigSynonym[]],
): ConfigEntry[] =>
  Object.entries(schema.definitions).map(([name, { type, defaultValue, doc }]) => {
    const synonyms = synonymsOf(name, defaultValue)
    const [{ value, source }] = synonyms
    return { name, value, source, synonyms, type: CONFIG_TYPES[type], doc }
  })

const synonymNames: Readonly<Record<string, string>> = BROKER_SYNONYMS

/** All configs of a topic for which `given` were set, and for those left out `brokerDefaults`. */
export const topicConfigEntries = (
  given: ReadonlyMap<string, string>,
  brokerDefaults: ReadonlyMap<string, string>,
): ConfigEntry[] =>
  entries(TOPIC_CONFIGS, (name, defaultValue) => {
    const ofTopic = given.get(name)
    const ofBroker = brokerDefaults.get(name)
    const brokerName = synonymNames[name] ?? name
    const behind: [ConfigSynonym, ...ConfigSynonym[]] = [
      { name: brokerName, value: defaultValue, source: CONFIG_SOURCES.DEFAULT },
    ]
    if (ofBroker !== undefined) {
      behind.unshift({ name: brokerName, value: ofBroker, source: CONFIG_SOURCES.STATIC_BROKER })
    }
    if (ofTopic !== undefined) behind.unshift({ name, value: ofTopic, source: CONFIG_SOURCES.TOPIC })
    return behind
  })

/** All configs of a broker for which `given` were set. */
export const brokerConfigEntries = (given: GivenConfigs): ConfigEntry[] =>
  entries(BROKER_CONFIGS, (name, defaultValue) => {
    const byDefault = { name, value: defaultValue, source: CONFIG_SOURCES.DEFAULT }
    const set = given[name]
    if (set === undefined) return [byDefault]
    return [{ name, value: String(set), source: CONFIG_SOURCES.STATIC_BROKER }, byDefault]
  })
