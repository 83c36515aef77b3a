/** Changing the configs of a topic that exists: Kafka's checks, then one durable change of the metadata. */
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import { listOf } from '../configs/config-definition.js'
import { TOPIC_CONFIGS } from '../configs/topic-configs.js'
import type { TopicLogConfigs } from '../configs/topic-log-configs.js'
import type { Topic } from '../topic.js'
import { RESOURCE_TYPES, type ClusterMetadata } from './cluster-metadata.js'
import { checkTopicName } from './topic-name.js'

/** Kafka's numbers for what is done to a config (KIP-339). */
const OPERATIONS = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

/** One config to be changed. */
export interface ConfigOperation {
  readonly name: string
  /** 0 sets it, 1 returns it to its default, 2 adds to a list, 3 takes from one. */
  readonly configOperation: number
  /** null only to return it to its default. */
  readonly value: string | null
}

/** What has configs, and how a change to it goes. */
export interface ConfigTarget {
  readonly resourceType: number
  readonly resourceName: string
}

/** What config changes work with. */
export interface ConfigChangesServices {
  readonly metadata: ClusterMetadata
  readonly topicConfigs: TopicLogConfigs
}

/** Changes configs. They hold for open logs as soon as they are durable. */
export class ConfigChanges {
  readonly #services: ConfigChangesServices

  constructor(services: ConfigChangesServices) {
    this.#services = services
  }

  /**
   * Changes some configs of a topic, or only checks whether that could be done.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_CONFIG, INVALID_REQUEST for anything but a topic.
   */
  alter(
    target: ConfigTarget,
    operations: readonly ConfigOperation[],
    options: { readonly validateOnly: boolean },
  ): Promise<void> {
    return this.#change(target, operations, options, (topic) => {
      const configs = new Map(topic.configs)
      for (const operation of operations) this.#apply(configs, operation)
      return configs
    })
  }

  /**
   * Makes `configs` all that a topic sets, or only checks whether that could be done.
   * @throws OttlaError as {@link alter} does.
   */
  replace(
    target: ConfigTarget,
    configs: readonly { readonly name: string; readonly value: string | null }[],
    options: { readonly validateOnly: boolean },
  ): Promise<void> {
    return this.#change(
      target,
      configs,
      options,
      () => new Map(configs.map(({ name, value }) => [name, value ?? raise(nullValue(name))])),
    )
  }

  #change(
    { resourceType, resourceName }: ConfigTarget,
    named: readonly { readonly name: string }[],
    { validateOnly }: { readonly validateOnly: boolean },
    wanted: (topic: Topic) => ReadonlyMap<string, string>,
  ): Promise<void> {
    const { metadata, topicConfigs } = this.#services
    return metadata.exclusive(async () => {
      checkResource(resourceType)
      const topic = metadata.topic(resourceName)
      if (topic === undefined) {
        checkTopicName(resourceName)
        throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic named ${show(resourceName)}.`)
      }
      checkNamedOnce(named)
      const configs = wanted(topic)
      topicConfigs.check(configs)
      if (validateOnly) return
      const names = new Set([...topic.configs.keys(), ...configs.keys()])
      const changed = [...names].filter((name) => topic.configs.get(name) !== configs.get(name))
      if (changed.length === 0) return
      await metadata.commit(
        changed.map((name) => {
          const value = configs.get(name) ?? null
          return { type: 'config', record: { resourceType, resourceName, name, value } }
        }),
      )
    })
  }

  #apply(configs: Map<string, string>, { name, configOperation, value }: ConfigOperation): void {
    if (configOperation === OPERATIONS.DELETE) {
      configs.delete(name)
      return
    }
    if (value === null) throw nullValue(name)
    if (configOperation === OPERATIONS.SET) {
      configs.set(name, value)
      return
    }
    if (configOperation !== OPERATIONS.APPEND && configOperation !== OPERATIONS.SUBTRACT) {
      throw new OttlaError(
        'INVALID_REQUEST',
        `The operation on ${name} is ${configOperation}; expected 0 (set), 1 (delete), 2 (append) or 3 (subtract).`,
      )
    }
    const definition = Object.entries(TOPIC_CONFIGS.definitions).find(([known]) => known === name)?.[1]
    if (definition?.type !== 'LIST') {
      throw new OttlaError(
        'INVALID_CONFIG',
        `The topic config ${name} is not a list: nothing can be appended to it or subtracted from it. Set it.`,
      )
    }
    const { brokerDefaults } = this.#services.topicConfigs
    const present = listOf(configs.get(name) ?? brokerDefaults.get(name) ?? definition.defaultValue)
    const words = listOf(value)
    const result =
      configOperation === OPERATIONS.APPEND
        ? new Set([...present, ...words])
        : present.filter((word) => !words.includes(word))
    configs.set(name, [...result].join(','))
  }
}

const checkResource = (resourceType: number): void => {
  if (resourceType === RESOURCE_TYPES.TOPIC) return
  throw new OttlaError(
    'INVALID_REQUEST',
    resourceType === RESOURCE_TYPES.BROKER
      ? "A broker's configs are set when it is opened; while it runs only those of topics can be changed."
      : `Configs of resource type ${resourceType} cannot be changed; expected ${RESOURCE_TYPES.TOPIC} (topic).`,
  )
}

const checkNamedOnce = (named: readonly { readonly name: string }[]): void => {
  const names = new Set<string>()
  for (const { name } of named) {
    if (names.has(name)) throw new OttlaError('INVALID_REQUEST', `The config ${name} is named twice.`)
    names.add(name)
  }
}

const nullValue = (name: string): OttlaError =>
  new OttlaError('INVALID_REQUEST', `The value of ${name} is null; expected a text.`)

const raise = (error: OttlaError): never => {
  throw error
}
