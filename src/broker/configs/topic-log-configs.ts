/** How the configs of a topic become the config of its partitions' logs: what it sets, then the broker's, then defaults. */
import type { LogConfig } from '../../log/log-config.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { StorageCapabilities } from '../../storage/contract.js'
import type { GivenConfigs } from './broker-configs.js'
import { parseConfigs, type ConfigValues } from './config-definition.js'
import { BROKER_SYNONYMS, TOPIC_CONFIGS } from './topic-configs.js'

type GivenTopicConfigs = Iterable<readonly [name: string, text: string]>
type Values = ConfigValues<(typeof TOPIC_CONFIGS)['definitions']>

/** Numbers this large are Kafka's way to say that there is no limit. */
const unlimited = (value: number): number => (value >= Number.MAX_SAFE_INTEGER ? -1 : value)

/** The log configs of one broker's topics. */
export class TopicLogConfigs {
  /** What topics have that set nothing, by topic config: the broker configs that were given. */
  readonly brokerDefaults: ReadonlyMap<string, string>
  readonly #storageName: string
  readonly #hasDisk: boolean

  constructor(
    given: GivenConfigs,
    storage: { readonly name: string; readonly capabilities: StorageCapabilities },
  ) {
    this.brokerDefaults = new Map(
      Object.entries(BROKER_SYNONYMS).flatMap(([name, synonym]) =>
        given[synonym] === undefined ? [] : [[name, String(given[synonym])]],
      ),
    )
    this.#storageName = storage.name
    this.#hasDisk = storage.capabilities.durability === 'fsync'
  }

  /**
   * The config of the logs of a topic with the configs `given`. What a storage without a disk cannot do is left out.
   * @throws OttlaError INVALID_CONFIG for a config that cannot be used.
   */
  logConfigOf(given: GivenTopicConfigs, isInternal: boolean): LogConfig {
    const values = this.#valuesOf(given)
    const { 'cleanup.policy': policy, 'compression.type': compression } = values
    return {
      deletesOld: policy.has('delete'),
      compacts: policy.has('compact'),
      retentionMs: unlimited(values['retention.ms']),
      retentionBytes: unlimited(values['retention.bytes']),
      segmentBytes: values['segment.bytes'],
      segmentMs: unlimited(values['segment.ms']),
      minCleanableDirtyRatio: values['min.cleanable.dirty.ratio'],
      minCompactionLagMs: values['min.compaction.lag.ms'],
      maxCompactionLagMs: unlimited(values['max.compaction.lag.ms']),
      deleteRetentionMs: values['delete.retention.ms'],
      maxMessageBytes: values['max.message.bytes'],
      compressionType: compression === 'uncompressed' ? 'none' : compression,
      timestampType: values['message.timestamp.type'],
      timestampBeforeMaxMs: unlimited(values['message.timestamp.before.max.ms']),
      timestampAfterMaxMs: unlimited(values['message.timestamp.after.max.ms']),
      durability: this.#hasDisk ? values.durability : 'os',
      flushMessages: this.#hasDisk ? unlimited(values['flush.messages']) : -1,
      flushMs: this.#hasDisk ? unlimited(values['flush.ms']) : -1,
      diskPriority: isInternal ? undefined : values['ottla.disk.priority'],
    }
  }

  /** The config of a log that the broker keeps its own state in: nothing is dropped, and no limit refuses a record. */
  internalLogConfig(): LogConfig {
    return {
      ...this.logConfigOf([], true),
      deletesOld: false,
      compacts: false,
      retentionMs: -1,
      retentionBytes: -1,
      maxMessageBytes: 0x7fffffff,
    }
  }

  /**
   * Checks the configs that a topic is to have.
   * @throws OttlaError INVALID_CONFIG for a bad one, for those that contradict each other, and for what the storage
   * cannot do.
   */
  check(given: ReadonlyMap<string, string>): void {
    const values = this.#valuesOf(given)
    const { 'min.compaction.lag.ms': shortest, 'max.compaction.lag.ms': longest } = values
    if (shortest > longest) {
      throw new OttlaError(
        'INVALID_CONFIG',
        `The topic config min.compaction.lag.ms is ${shortest}; expected at most ${longest}, which is max.compaction.lag.ms.`,
      )
    }
    if (this.#hasDisk) return
    const flushes = ['flush.messages', 'flush.ms'] as const
    const flush = flushes.find((name) => given.has(name) && unlimited(values[name]) !== -1)
    if (given.get('durability') === 'fsync') throw this.#needsDisk('durability', 'fsync', 'os')
    if (flush !== undefined) throw this.#needsDisk(flush, String(values[flush]), 'to leave it out')
  }

  #valuesOf(given: GivenTopicConfigs): Values {
    return parseConfigs(TOPIC_CONFIGS, [...this.brokerDefaults, ...given])
  }

  #needsDisk(name: string, value: string, expected: string): OttlaError {
    return new OttlaError(
      'INVALID_CONFIG',
      `The topic config ${name} is ${value}; expected ${expected}, as ${this.#storageName} storage has no disk of its own to flush.`,
      { details: { name, value } },
    )
  }
}
