/**
 * The embedded broker: one node of a cluster of one. It opens the storage, replays the metadata, and answers
 * requests; what each API does is in handlers/.
 */
import type { DiskBudget } from '../log/disk-budget.js'
import { refuseUnfinishedCopy } from '../log/maintenance/copy-log.js'
import { PartitionLogs } from '../log/partition-logs.js'
import type { Api, Fields, RequestOf, ResponseOf } from '../protocol/schema.js'
import type { ScramMechanism } from '../protocol/scram.js'
import { systemClock, type Clock } from '../runtime/clock.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { Events, type EventSource } from '../runtime/events.js'
import { Resource } from '../runtime/lifecycle.js'
import { SILENT, type Logger } from '../runtime/logger.js'
import type { Metrics } from '../runtime/metrics/metrics.js'
import { systemRandom, type Random } from '../runtime/random.js'
import { Timers } from '../runtime/timers.js'
import type { Durability, LogStorage } from '../storage/contract.js'
import { answerGuarded } from './authorizer/guarded.js'
import type { BrokerEvents } from './broker-events.js'
import { Compaction } from './compaction.js'
import { brokerConfigsOf, type GivenConfigs } from './configs/broker-configs.js'
import { compactedTopicConfigs } from './configs/compacted-topic-configs.js'
import { TopicLogConfigs } from './configs/topic-log-configs.js'
import type { ScramCredential } from './credentials/scram-credentials.js'
import { diskBudgetOf } from './disk-budget-of.js'
import { logEvents } from './event-log.js'
import { logListeners } from './log-listeners.js'
import { FetchSessions } from './fetch-sessions.js'
import { FetchWaiters } from './fetch-waiters.js'
import { inspectLog, type LogInspection } from './inspection.js'
import { GroupCoordinator } from './groups/group-coordinator.js'
import { HANDLERS } from './handlers.js'
import { ClusterMetadata } from './metadata/cluster-metadata.js'
import { ConfigChanges } from './metadata/config-changes.js'
import { METADATA_TOPIC_ID } from './metadata/metadata-log.js'
import { TopicChanges, type NewTopic } from './metadata/topic-changes.js'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from './metadata/topic-name.js'
import { BrokerSensors, type BrokerMetrics } from './metrics/broker-metrics.js'
import { ProducerIds } from './producer-ids.js'
import { ClientQuotaManager } from './quotas/client-quota-manager.js'
import type { RequestContext } from './request-context.js'
import { Retention } from './retention.js'
import type { BrokerServices } from './services.js'
import { TransactionCoordinator } from './transactions/transaction-coordinator.js'

export type { BrokerEvents } from './broker-events.js'

/** How to open a broker. */
export interface BrokerOptions {
  /** Where the logs are; the broker opens it, and closes it with itself. */
  readonly storage: LogStorage
  /** Default the machine's clock. */
  readonly clock?: Clock
  /** Default the platform's randomness. */
  readonly random?: Random
  /** Broker configs by Kafka's dotted names. */
  readonly configs?: GivenConfigs
  /** Where log lines go; default nowhere. */
  readonly logger?: Logger | undefined
  /** When an acknowledged write is safe; default `'os'`. */
  readonly durability?: Durability
  /** Default 1. It stays the same for the life of the storage: replicas are recorded by it. */
  readonly nodeId?: number
  /** What Metadata and FindCoordinator answer; clients in this process have no use for it. Default `localhost:0`. */
  readonly address?: { readonly host: string; readonly port: number }
}

/** A broker. */
export class Broker extends Resource {
  readonly nodeId: number
  /** What happens in it. */
  readonly events: EventSource<BrokerEvents>
  /** Holds clients of listeners to their quotas. */
  readonly quotas: ClientQuotaManager
  readonly #services: BrokerServices
  readonly #storage: LogStorage
  readonly #logger: Logger
  readonly #logs: PartitionLogs
  readonly #timers: Timers
  readonly #retention: Retention
  readonly #compaction: Compaction

  private constructor(options: BrokerOptions, parts: BrokerParts) {
    super('broker')
    const { configs, topicConfigs, clock, random, events, metadata, logs, nodeId } = parts
    this.nodeId = nodeId
    this.events = events
    const windows = {
      samples: configs['quota.window.num'],
      windowMs: configs['quota.window.size.seconds'] * 1000,
    }
    this.quotas = new ClientQuotaManager({ quotas: metadata.clientQuotas, windows, clock })
    this.#storage = options.storage
    this.#logger = options.logger ?? SILENT
    this.#logs = logs
    this.#timers = parts.timers
    const topicChanges = new TopicChanges({ nodeId, metadata, logs, configs, topicConfigs, random, events })
    let hasFailed = false
    const reportFailure = (error: OttlaError): void => {
      if (!hasFailed) events.emit('storageFailed', error)
      hasFailed = true
    }
    const producerIds = new ProducerIds(metadata, nodeId)
    const groups = new GroupCoordinator({
      clock,
      timers: this.#timers,
      random,
      configs,
      metadata,
      events,
      ensureOffsetsTopic: () =>
        topicChanges.ensure(
          coordinatorTopic(
            OFFSETS_TOPIC,
            configs['offsets.topic.num.partitions'],
            configs['offsets.topic.segment.bytes'],
          ),
        ),
    })
    const transactions = new TransactionCoordinator({
      clock,
      timers: this.#timers,
      configs,
      metadata,
      producerIds,
      ensureTransactionsTopic: () =>
        topicChanges.ensure(
          coordinatorTopic(
            TRANSACTIONS_TOPIC,
            configs['transaction.state.log.num.partitions'],
            configs['transaction.state.log.segment.bytes'],
          ),
        ),
      onTimedOut: (event) => events.emit('transactionTimedOut', event),
      endInOffsets: (partition, marker, batch) => groups.endTransaction(partition, marker, batch),
    })
    this.#services = {
      nodeId,
      address: options.address ?? { host: 'localhost', port: 0 },
      storage: options.storage,
      diskBudget: parts.diskBudget,
      clock,
      random,
      configs,
      givenConfigs: parts.given,
      metadata,
      topicConfigs,
      topicChanges,
      configChanges: new ConfigChanges({ metadata, topicConfigs }),
      producerIds,
      fetchSessions: new FetchSessions(clock, random),
      fetchWaiters: new FetchWaiters(this.#timers),
      sensors: new BrokerSensors(),
      groups,
      transactions,
      reportFailure,
    }
    this.#retention = new Retention({
      logs,
      timers: this.#timers,
      intervalMs: configs['log.retention.check.interval.ms'],
      signal: this.closeSignal,
      onFailed: (error) => {
        if (OttlaError.is(error)) reportFailure(error)
      },
    })
    this.#retention.start()
    this.#compaction = new Compaction({
      logs: () => logs.opened(),
      clock,
      timers: this.#timers,
      random,
      configs,
      signal: this.closeSignal,
      onCompacted: ({ id }, { cleanedTo: _, ...result }) => {
        const topic = metadata.topicById(id.topicId)?.name
        if (topic !== undefined) events.emit('logCompacted', { topic, partition: id.partition, ...result })
      },
      onFailed: ({ id, failure }, error) => {
        if (failure !== undefined) {
          reportFailure(failure)
          return
        }
        const topic = metadata.topicById(id.topicId)?.name
        if (topic !== undefined) events.emit('compactionFailed', { topic, partition: id.partition, error })
      },
    })
    this.#compaction.start()
  }

  /**
   * Opens the storage and a broker over it.
   * @throws OttlaError INVALID_CONFIG for a broker config, STORAGE_LOCKED and STORAGE_CORRUPT from the storage,
   * COPY_INCOMPLETE for the target of a copy that was not finished.
   */
  static async open(options: BrokerOptions): Promise<Broker> {
    const { storage, clock = systemClock, random = systemRandom, durability = 'os', nodeId = 1 } = options
    const given = durability === 'os' ? { ...options.configs } : { ...options.configs, durability }
    const configs = brokerConfigsOf(given)
    const topicConfigs = new TopicLogConfigs(given, storage)
    topicConfigs.check(topicConfigs.brokerDefaults)
    await storage.open()
    const timers = new Timers(clock)
    const events = new Events<BrokerEvents>()
    if (options.logger !== undefined) logEvents(events, options.logger)
    try {
      await refuseUnfinishedCopy(storage)
      let known: ClusterMetadata | undefined
      const diskBudget = diskBudgetOf(configs, () => logs.opened(), events)
      const logs: PartitionLogs = new PartitionLogs(storage, {
        clock,
        timers,
        ...(diskBudget === undefined ? {} : { diskBudget }),
        ...logListeners((id) => known?.topicById(id.topicId)?.name, events),
        describe: ({ topicId, partition }) => {
          const topic = known?.topicById(topicId)
          const { leaderEpoch } = topic?.partition(partition) ?? {}
          if (topic === undefined || leaderEpoch === undefined) return undefined
          return { name: `${topic.name}-${partition}`, config: topic.logConfig, leaderEpoch }
        },
      })
      const metadata = (known = await ClusterMetadata.open({ logs, clock, random, topicConfigs }))
      // What a crash left of topics that were just being deleted.
      for (const id of await storage.partitions()) {
        if (id.topicId !== METADATA_TOPIC_ID && metadata.topicById(id.topicId) === undefined)
          await logs.delete(id)
      }
      // The budget knows what the logs hold that are open.
      if (configs['ottla.disk.max.bytes'] >= 0) await logs.openAll()
      const broker = new Broker(options, {
        diskBudget,
        given,
        configs,
        topicConfigs,
        clock,
        random,
        events,
        metadata,
        logs,
        nodeId,
        timers,
      })
      await broker.#services.transactions.load()
      const topics = [...metadata.topics()].length
      options.logger?.info(
        { nodeId, storage: storage.name, location: storage.location, topics },
        'broker opened',
      )
      return broker
    } catch (error) {
      await storage.close()
      throw error
    }
  }

  /**
   * Carries `request` out. Requests take effect in the order of the calls.
   * @throws OttlaError UNSUPPORTED_VERSION for an API that it does not have, CLUSTER_AUTHORIZATION_FAILED for one that
   * nobody may use, RESOURCE_CLOSED after close.
   */
  async handle<Q extends Fields, P extends Fields>(
    api: Api<Q, P>,
    request: RequestOf<Api<Q, P>>,
    context: RequestContext,
  ): Promise<ResponseOf<Api<Q, P>>> {
    this.assertOpen()
    const handler = HANDLERS.get(api.key)
    if (handler === undefined) {
      throw new OttlaError('UNSUPPORTED_VERSION', `This broker has no API ${api.name} (key ${api.key}).`)
    }
    const { clock, sensors } = this.#services
    const startedAt = clock.monotonic()
    // The tables forgot the types; the key says that they fit.
    const handle = (allowed: unknown): unknown => handler.handle(this.#services, allowed as never, context)
    try {
      return (await answerGuarded(this.#services, api, request, context, handle)) as ResponseOf<Api<Q, P>>
    } finally {
      sensors.requests.answered(api, startedAt, clock.monotonic())
    }
  }

  /** What it has measured, and what its parts tell, as it is now. */
  metrics(): Metrics<BrokerMetrics> {
    const { sensors, metadata, groups, fetchWaiters, clock } = this.#services
    const gauges = {
      topics: metadata.topics(),
      groups: groups.count(),
      waitingFetches: fetchWaiters.size,
    }
    return sensors.snapshot(gauges, clock.monotonic())
  }

  /** What the log holds: of `topic` alone, or of all topics. */
  inspect(topic?: string): Promise<LogInspection> {
    this.assertOpen()
    return inspectLog(this.#services, topic)
  }

  /** A user's SCRAM credential, for a listener that authenticates its clients by it. */
  scramCredential(user: string, mechanism: ScramMechanism): ScramCredential | undefined {
    return this.#services.metadata.scramCredentials.get(user, mechanism)
  }

  protected override async onClose(): Promise<void> {
    this.#services.fetchWaiters.close()
    this.#services.groups.close()
    this.#services.transactions.close()
    await this.#retention.stop()
    await this.#compaction.stop()
    this.#timers.clear()
    try {
      await this.#logs.close()
    } finally {
      await this.#storage.close()
    }
    this.#logger.info({ nodeId: this.nodeId }, 'broker closed')
  }
}

/** The topic of a coordinator. */
const coordinatorTopic = (name: string, numPartitions: number, segmentBytes: number): NewTopic => ({
  name,
  numPartitions,
  replicationFactor: 1,
  assignments: [],
  configs: compactedTopicConfigs(segmentBytes),
})

interface BrokerParts {
  readonly diskBudget: DiskBudget | undefined
  readonly timers: Timers
  readonly given: GivenConfigs
  readonly topicConfigs: TopicLogConfigs
  readonly configs: BrokerServices['configs']
  readonly clock: Clock
  readonly random: Random
  readonly events: Events<BrokerEvents>
  readonly metadata: ClusterMetadata
  readonly logs: PartitionLogs
  readonly nodeId: number
}
