/**
 * Ottla: opens the storage, the broker over it and the channel to that, and hands out what an application works
 * with: topics, producers, consumers, groups, admin.
 */
import { Broker, type BrokerEvents } from './broker/broker.js'
import type { LogInspection } from './broker/inspection.js'
import { repairLog, verifyLog } from './broker/log-maintenance.js'
import type { BrokerMetrics } from './broker/metrics/broker-metrics.js'
import { Admin } from './clients/admin/admin.js'
import { ClientIds } from './clients/client-ids.js'
import { Cluster } from './clients/cluster.js'
import { Consumer } from './clients/consumer/consumer.js'
import type { ConsumerMetrics } from './clients/consumer/consumer-metrics.js'
import type { ConsumerOptions } from './clients/consumer/consumer-options.js'
import { readPartition } from './clients/consumer/read-partition.js'
import type { ClientContext } from './clients/context.js'
import { ConsumerGroup, type ConsumerGroupOptions } from './clients/group/consumer-group.js'
import { Producer } from './clients/producer/producer.js'
import type { ProducerMetrics } from './clients/producer/producer-metrics.js'
import type { ProducerOptions } from './clients/producer/producer-options.js'
import type { Serde } from './clients/serdes/serde.js'
import type { Tracing } from './clients/tracing/tracing.js'
import { Topic, type AnyTopic, type MessageOf } from './clients/topic.js'
import { copyLog } from './log/maintenance/copy-log.js'
import type { LogWorkOptions } from './log/maintenance/progress.js'
import type { PartitionRepair } from './log/maintenance/repair-partition.js'
import type { LogReport } from './log/maintenance/verify-report.js'
import { DirectNetwork } from './network/direct.js'
import type { Listener } from './network/listener/listener.js'
import type { ListenerOptions } from './network/listener/listener-options.js'
import {
  checkOpenOptions,
  checkTopicOptions,
  type CreateTopicOptions,
  type OttlaOptions,
  type RepairOptions,
  type TopicOptions,
} from './ottla-options.js'
import { loadNativeCrc32c } from './record/crc32c.js'
import { systemClock, type Clock } from './runtime/clock.js'
import { invalidArgument, OttlaError } from './runtime/errors/ottla-error.js'
import type { EventSource } from './runtime/events.js'
import { Resource } from './runtime/lifecycle.js'
import { SILENT, type Logger } from './runtime/logger.js'
import { Metrics } from './runtime/metrics/metrics.js'
import type { Random } from './runtime/random.js'
import { Timers } from './runtime/timers.js'
import type { LogStorage } from './storage/contract.js'

/**
 * A Kafka inside this process: a broker with its log, and the clients that use it.
 *
 * @example
 * ```ts
 * await using ottla = await Ottla.open('./data')
 * const orders = await ottla.createTopic('orders', { partitions: 3, key: string, value: json<Order>() })
 * await ottla.producer().send(orders, { key: 'c-17', value: { total: 40 } })
 * ```
 */
export class Ottla extends Resource {
  /** Topics, groups and configs, strictly as Kafka's Admin has them. */
  readonly admin: Admin
  /** What happens in the broker. */
  readonly events: EventSource<BrokerEvents>
  readonly #broker: Broker
  readonly #storage: LogStorage
  readonly #context: ClientContext
  readonly #network: DirectNetwork

  private constructor(
    broker: Broker,
    storage: LogStorage,
    options: {
      clock: Clock
      random: Random
      clientId: string
      logger: Logger | undefined
      tracing: Tracing | undefined
    },
  ) {
    super('ottla')
    this.#broker = broker
    this.#storage = storage
    this.events = broker.events
    this.#network = new DirectNetwork(broker, options)
    const timers = new Timers(options.clock)
    this.#context = {
      network: this.#network,
      cluster: new Cluster({ network: this.#network, timers, ...options }),
      timers,
      clientIds: new ClientIds(options.clientId),
      ...options,
      logger: options.logger ?? SILENT,
    }
    this.admin = new Admin(this.#context)
  }

  /**
   * Opens the log in a folder (`Ottla.open('./data')`, with options behind it or not), in memory (`Ottla.open()`), or as
   * the options say.
   * @throws OttlaError UNKNOWN_OPTION and INVALID_ARGUMENT for options, STORAGE_LOCKED when another owner holds the
   * folder, STORAGE_CORRUPT when it is damaged, INVALID_CONFIG for broker configs.
   */
  static async open(location: string, options?: Omit<OttlaOptions, 'location' | 'storage'>): Promise<Ottla>
  static async open(options?: OttlaOptions): Promise<Ottla>
  static async open(location?: string | OttlaOptions, more?: OttlaOptions): Promise<Ottla> {
    const options = checkOpenOptions(location, more)
    const [storage] = await Promise.all([options.storage ?? storageIn(options.location), loadNativeCrc32c()])
    const broker = await Broker.open({ ...options, storage })
    return new Ottla(broker, storage, options)
  }

  /**
   * The topic `name` with these serdes, created if it does not exist. A program that runs again gets its topic
   * again; `admin.createTopics` is the strict form.
   * @throws OttlaError TOPIC_MISMATCH when it exists with other partitions or configs than asked for here,
   * INVALID_TOPIC_EXCEPTION for a bad name, INVALID_CONFIG for a bad config.
   */
  async createTopic<const N extends string, K = Uint8Array, V = Uint8Array>(
    name: N,
    options?: CreateTopicOptions<K, V>,
  ): Promise<Topic<K, V, N>> {
    this.assertOpen()
    const checked = checkTopicOptions('createTopic', options)
    const configs = Object.fromEntries(
      Object.entries(checked.configs).map(([config, value]) => [config, String(value)]),
    )
    try {
      await this.admin.createTopics([{ name, numPartitions: checked.partitions ?? -1, configs }], {
        signal: checked.signal,
      })
    } catch (error) {
      if (!OttlaError.is(error, 'TOPIC_ALREADY_EXISTS')) throw error
      await this.#assertMatches(name, checked.partitions, configs, checked.signal)
    }
    return this.#topic<K, V, N>(name, checked.key as Serde<K>, checked.value as Serde<V>, checked.signal)
  }

  /**
   * The topic `name`, which exists, with these serdes.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION when there is none.
   */
  async topic<const N extends string, K = Uint8Array, V = Uint8Array>(
    name: N,
    options?: TopicOptions<K, V>,
  ): Promise<Topic<K, V, N>> {
    this.assertOpen()
    const checked = checkTopicOptions('topic', options)
    return this.#topic<K, V, N>(name, checked.key as Serde<K>, checked.value as Serde<V>, checked.signal)
  }

  /** A producer. It is closed, and its records sent, with this Ottla. */
  producer(options?: ProducerOptions): Producer {
    this.assertOpen()
    return new Producer(this.#context, options, this)
  }

  /** A consumer of partitions of your choosing, without a group. */
  consumer<T extends AnyTopic>(options: ConsumerOptions<T>): Consumer<MessageOf<T>> {
    this.assertOpen()
    return new Consumer<MessageOf<T>>(this.#context, options, this)
  }

  /** A group whose members share the partitions of its topics. Nothing happens before `join()`. */
  consumerGroup<T extends AnyTopic>(groupId: string, options: ConsumerGroupOptions<T>): ConsumerGroup<T> {
    this.assertOpen()
    return new ConsumerGroup<T>(this.#context, groupId, options, this)
  }

  /**
   * Listens for Kafka clients: whatever speaks Kafka's protocol can then use this Ottla. It is closed with it.
   * @throws OttlaError UNKNOWN_OPTION and INVALID_ARGUMENT for options, an address beyond this machine without `tls`
   * and `sasl` among them; NETWORK_EXCEPTION when the address cannot be listened on.
   */
  async listen(options?: ListenerOptions): Promise<Listener> {
    this.assertOpen()
    // Only who listens loads what that takes.
    const [{ Listener }, { nodeSockets }] = await Promise.all([
      import('./network/listener/listener.js'),
      import('./runtime/node/node-sockets.js'),
    ])
    const { clock, random, logger } = this.#context
    const parts = { broker: this.#broker, sockets: nodeSockets, clock, random, logger, owner: this }
    return Listener.open(options, parts)
  }

  /**
   * Checks the whole log while it is in use: every batch, the storage's books, the time index and the checkpoints are
   * held against each other. Nothing is changed. It reads everything, a slice at a time.
   * @throws the signal's reason when that aborts.
   */
  verify(options: LogWorkOptions = {}): Promise<LogReport> {
    this.assertOpen()
    return verifyLog(this.#storage, this.#context.clock, options)
  }

  /**
   * Checks a log that nobody has open: the one in a folder, or in a storage, which is opened and closed again.
   * @throws OttlaError STORAGE_LOCKED when it is open somewhere, STORAGE_CORRUPT when the storage does not open at
   * all; the signal's reason when that aborts.
   */
  static verify(log: string | LogStorage, options: LogWorkOptions = {}): Promise<LogReport> {
    return withStorage(log, (storage) => verifyLog(storage, systemClock, options))
  }

  /**
   * Cuts damaged partitions of a log off where their first damage is, so that it opens and is appended to again. All
   * records from there on are lost to the log; their batches, as far as they can be read, are kept in `keepAt`, as a
   * plain `.log` file of Kafka's per partition with a `.json` note. Never runs by itself. The metadata log is repaired
   * only when it is named (`__cluster_metadata`): topics that it loses are deleted when the log is opened.
   * @throws OttlaError NOT_DAMAGED when nothing is, UNKNOWN_TOPIC_OR_PARTITION for a name, STORAGE_LOCKED when the log
   * is open somewhere, INVALID_ARGUMENT for a storage without `keepAt`, INVALID_REQUEST for a partition that was compacted.
   */
  static async repair(
    log: string | LogStorage,
    options: RepairOptions = {},
  ): Promise<readonly PartitionRepair[]> {
    const keepAt = options.keepAt ?? (typeof log === 'string' ? `${log}-cut-off` : undefined)
    if (keepAt === undefined) {
      throw invalidArgument('Option keepAt of Ottla.repair', undefined, 'a folder for what is cut off')
    }
    const { nodeFiles } = await import('./runtime/node/node-files.js')
    return withStorage(log, (storage) => repairLog(storage, systemClock, nodeFiles, keepAt, options))
  }

  /**
   * Copies a log that nobody has open into an empty folder or storage; both are opened, and closed again.
   * @see copyLog
   */
  static copy(
    from: string | LogStorage,
    to: string | LogStorage,
    options: LogWorkOptions = {},
  ): Promise<void> {
    return withStorage(from, (source) => withStorage(to, (target) => copyLog(source, target, options)))
  }

  /**
   * What the log holds: sizes, offsets, segments and the last compaction of every partition, of `topic` alone or of
   * all topics, the log's own among them. Opens what nobody has opened yet; costs no reading of records.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION.
   */
  inspect(topic?: string): Promise<LogInspection> {
    this.assertOpen()
    return this.#broker.inspect(topic)
  }

  /**
   * What has been measured, as it is now: by the broker, then by each producer and consumer that is open, which the tag
   * `client-id` tells apart. Costs next to nothing, so that it may be asked for every few seconds.
   */
  metrics(): Metrics<BrokerMetrics & ProducerMetrics & ConsumerMetrics> {
    this.assertOpen()
    const clients = [...this.descendants()].filter(
      (client): client is Producer | Consumer => client instanceof Producer || client instanceof Consumer,
    )
    return new Metrics([...this.#broker.metrics(), ...clients.flatMap((client) => client.metrics().all)])
  }

  /** What the log takes on disk, or in memory when it lives there, in bytes. */
  storageSizeBytes(): Promise<number> {
    this.assertOpen()
    return this.#storage.sizeBytes()
  }

  async #topic<K, V, N extends string>(
    name: N,
    key: Serde<K>,
    value: Serde<V>,
    signal: AbortSignal | undefined,
  ): Promise<Topic<K, V, N>> {
    const { topicId, partitions } = await this.#context.cluster.topic(name, { signal })
    const definition = { name, id: topicId, partitionCount: partitions.length, key, value }
    return new Topic(definition, readPartition(this.#context, this.closeSignal))
  }

  async #assertMatches(
    name: string,
    partitions: number | undefined,
    configs: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const topic = await this.#context.cluster.topic(name, { signal })
    const mismatch = (what: string, is: string, asked: string): OttlaError =>
      new OttlaError(
        'TOPIC_MISMATCH',
        `Topic ${name} exists already, with ${what} ${is} instead of ${asked}. Ask for what it has, or change it through admin.`,
        { details: { topic: name, what, is, asked } },
      )
    if (partitions !== undefined && partitions !== topic.partitions.length) {
      throw mismatch('partitions', String(topic.partitions.length), String(partitions))
    }
    if (Object.keys(configs).length === 0) return
    const entries = await this.admin.describeConfigs({ type: 'topic', name }, { signal })
    const current = new Map(entries.map((entry) => [entry.name, entry.value]))
    for (const [config, asked] of Object.entries(configs)) {
      const is = current.get(config)
      if (is !== asked) throw mismatch(config, String(is), asked)
    }
  }

  protected override async onClose(): Promise<void> {
    // Clients are children and closed already: producers have drained, members have left, offsets are committed.
    this.#context.timers.clear()
    await this.#network.close()
    await this.#broker.close()
  }
}

/** Opens the log's storage for `work`, and closes it again. */
const withStorage = async <T>(
  log: string | LogStorage,
  work: (storage: LogStorage) => Promise<T>,
): Promise<T> => {
  const [storage] = await Promise.all([typeof log === 'string' ? storageIn(log) : log, loadNativeCrc32c()])
  await storage.open()
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}

/** Only who keeps a log on disk loads LevelDB. */
const storageIn = async (location: string | undefined): Promise<LogStorage> => {
  if (location === undefined) return new (await import('./storage/memory/memory-storage.js')).MemoryStorage()
  return (await import('./storage/level/index.js')).levelStorage(location)
}
