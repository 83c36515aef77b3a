/**
 * All transactional ids of this broker, by name: which partition of `__transaction_state` keeps one, loading it, and
 * forgetting those that nobody has used for long.
 */
import type { Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Timers } from '../../runtime/timers.js'
import type { BrokerConfigs } from '../configs/broker-configs.js'
import { offsetsPartitionOf } from '../groups/java-hash.js'
import type { ClusterMetadata } from '../metadata/cluster-metadata.js'
import { TRANSACTIONS_TOPIC } from '../metadata/topic-name.js'
import type { Topic } from '../topic.js'
import { isPrepared } from './transaction-metadata.js'
import type { TransactionalId } from './transactional-id.js'
import { TransactionsPartition } from './transactions-partition.js'

/** What they are kept with. */
export interface TransactionalIdsServices {
  readonly clock: Clock
  readonly timers: Timers
  readonly configs: BrokerConfigs
  readonly metadata: ClusterMetadata
  /** `__transaction_state`, created when it does not exist. */
  ensureTransactionsTopic(): Promise<Topic>
}

/** The transactional ids. */
export class TransactionalIds {
  readonly #services: TransactionalIdsServices
  readonly #onLoaded: (id: TransactionalId) => void
  /** Loaded partitions, and those being loaded, by index. */
  readonly #loaded = new Map<number, TransactionsPartition>()
  readonly #loading = new Map<number, Promise<TransactionsPartition>>()
  #isWatchingExpiry = false
  #isClosed = false

  /** @param onLoaded is told of each id that was in the log. */
  constructor(services: TransactionalIdsServices, onLoaded: (id: TransactionalId) => void) {
    this.#services = services
    this.#onLoaded = onLoaded
  }

  /** Whether there was a transactional producer ever. */
  get exist(): boolean {
    return this.#topic !== undefined
  }

  /** Loads what there is. A partition that cannot be read is tried again when it is asked for. */
  async load(): Promise<void> {
    if (this.#topic === undefined) return
    await Promise.allSettled(this.#topic.partitions.map(({ index }) => this.#load(index)))
    this.#watchExpiry()
  }

  /** Resolves when there is a topic for them. */
  async ready(): Promise<void> {
    if (this.#topic !== undefined) return
    await this.#services.ensureTransactionsTopic()
    this.#watchExpiry()
  }

  /**
   * The partition that keeps the id, when it is loaded; otherwise ask {@link partitionOf}.
   * @throws OttlaError INVALID_REQUEST for an empty name.
   */
  loaded(name: string): TransactionsPartition | undefined {
    checkName(name)
    const topic = this.#topic
    return topic && this.#loaded.get(offsetsPartitionOf(name, topic.partitions.length))
  }

  /** The partition that keeps the id. @throws OttlaError INVALID_REQUEST for an empty name. */
  async partitionOf(name: string): Promise<TransactionsPartition> {
    checkName(name)
    const { metadata } = this.#services
    if (this.#topic === undefined) await this.ready()
    const index = offsetsPartitionOf(name, metadata.topic(TRANSACTIONS_TOPIC)?.partitions.length ?? 1)
    return this.#loaded.get(index) ?? (await this.#load(index))
  }

  /** All of them. */
  list(): TransactionalId[] {
    return [...this.#loaded.values()].flatMap(({ ids }) => [...ids.values()])
  }

  /** Ends every wait, and leaves nothing to be found out again. */
  close(): void {
    this.#isClosed = true
    for (const id of this.list()) {
      id.timeout?.cancel()
      id.writeNote()
    }
  }

  get #topic(): Topic | undefined {
    return this.#services.metadata.topic(TRANSACTIONS_TOPIC)
  }

  #load(index: number): Promise<TransactionsPartition> {
    let loading = this.#loading.get(index)
    if (loading === undefined) {
      loading = this.#loadOnce(index).finally(() => this.#loading.delete(index))
      this.#loading.set(index, loading)
    }
    return loading
  }

  async #loadOnce(index: number): Promise<TransactionsPartition> {
    const { clock } = this.#services
    const partition = this.#topic?.partition(index)
    if (partition === undefined) {
      throw new OttlaError('COORDINATOR_NOT_AVAILABLE', `${TRANSACTIONS_TOPIC} has no partition ${index}.`)
    }
    const log = partition.log ?? (await partition.open())
    const loaded = await TransactionsPartition.load(log, clock)
    if (this.#isClosed) throw new OttlaError('NOT_COORDINATOR', 'The broker is closing.')
    this.#loaded.set(index, loaded)
    for (const id of loaded.ids.values()) this.#onLoaded(id)
    return loaded
  }

  #watchExpiry(): void {
    if (!this.#isWatchingExpiry) this.#removeExpiredLater()
    this.#isWatchingExpiry = true
  }

  #removeExpiredLater(): void {
    const { timers, configs } = this.#services
    const intervalMs = configs['transaction.remove.expired.transaction.cleanup.interval.ms']
    timers.schedule(intervalMs, () => void this.#removeExpired(), { keepAlive: false })
  }

  async #removeExpired(): Promise<void> {
    const { clock, configs } = this.#services
    const oldest = clock.now() - configs['transactional.id.expiration.ms']
    for (const id of this.list()) {
      const { state, lastUpdateTimestamp } = id.metadata
      const isBusy = id.change !== undefined || id.isAdding
      if (isBusy || state === 'Ongoing' || isPrepared(id.metadata) || lastUpdateTimestamp > oldest) continue
      try {
        await id.changing(() => id.partition.write(id.name, null))
        id.partition.ids.delete(id.name)
      } catch {
        // It stays; the log that failed has told the application.
      }
    }
    if (!this.#isClosed) this.#removeExpiredLater()
  }
}

const checkName = (name: string): void => {
  if (name === '') throw new OttlaError('INVALID_REQUEST', 'The transactional id is empty.')
}
