/**
 * The transaction coordinator (KIP-98, KIP-360, KIP-890): who produces under which transactional id, what its transaction
 * has written to, and that it ends everywhere as it was decided. Unlike Kafka it answers the request that ends a
 * transaction only when all markers are written: in one process that costs little, and what was committed can be read as
 * soon as the client knows of it.
 */
import type { Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Timers } from '../../runtime/timers.js'
import type { TransactionTimedOutEvent } from '../broker-events.js'
import type { BrokerConfigs } from '../configs/broker-configs.js'
import type { ProducerIds } from '../producer-ids.js'
import type { Partition } from '../topic.js'
import { decideEnd, notMapped, underWay } from './end-transaction.js'
import { writeMarker, writeMarkers, type EndMarker, type MarkerServices } from './markers.js'
import {
  checkExpected,
  completed,
  EPOCH_BUMP_LEVEL,
  fenced,
  hasPartition,
  initialized,
  isPrepared,
  needsProducerId,
  newTransactionalId,
  prepared,
  withFencingEpoch,
  withPartitions,
  type ProducerIdAndEpoch,
  type TransactionMetadata,
  type TransactionPartitions,
} from './transaction-metadata.js'
import type { TransactionalId } from './transactional-id.js'
import { TransactionalIds, type TransactionalIdsServices } from './transactional-ids.js'
import type { TransactionsPartition } from './transactions-partition.js'

/** How long after a marker could not be written it is tried again. */
const MARKER_RETRY_MS = 1000

/** What the coordinator works with. */
export interface TransactionCoordinatorServices extends MarkerServices, TransactionalIdsServices {
  readonly clock: Clock
  readonly timers: Timers
  readonly configs: BrokerConfigs
  readonly producerIds: ProducerIds
  /** A transaction was aborted because its time was up. */
  onTimedOut(event: TransactionTimedOutEvent): void
}

/** Coordinates the transactions of this broker. */
export class TransactionCoordinator {
  readonly #services: TransactionCoordinatorServices
  readonly #ids: TransactionalIds
  #isClosed = false

  constructor(services: TransactionCoordinatorServices) {
    this.#services = services
    this.#ids = new TransactionalIds(services, (id) => {
      this.#watch(id)
      // Decided before a crash: it is completed without anyone asking (T3).
      if (isPrepared(id.metadata)) void id.changing(() => this.#complete(id)).catch(() => undefined)
    })
  }

  /** Loads what there is; what was decided is completed from here on, and whose producer is gone times out. */
  load(): Promise<void> {
    return this.#ids.load()
  }

  /** Resolves when there is a topic for transactions, so that transactional ids can be asked for. */
  ready(): Promise<void> {
    return this.#ids.ready()
  }

  /**
   * InitProducerId: the producer for a transactional id. Its transaction, if it has one, is aborted, and every producer
   * before fenced; one that says who it is (`expected`) goes on with its next epoch, unless it is fenced itself.
   * @throws OttlaError INVALID_REQUEST, INVALID_TRANSACTION_TIMEOUT, PRODUCER_FENCED; CONCURRENT_TRANSACTIONS while
   * another request for the id is carried out.
   */
  async init(
    name: string,
    timeoutMs: number,
    expected: ProducerIdAndEpoch | undefined,
  ): Promise<ProducerIdAndEpoch> {
    const { clock, configs, producerIds } = this.#services
    const maxTimeoutMs = configs['transaction.max.timeout.ms']
    if (timeoutMs <= 0 || timeoutMs > maxTimeoutMs) {
      throw new OttlaError(
        'INVALID_TRANSACTION_TIMEOUT',
        `The transaction timeout is ${timeoutMs} ms; expected 1 to ${maxTimeoutMs} (transaction.max.timeout.ms).`,
        { details: { timeoutMs, maxTimeoutMs } },
      )
    }
    const partition = await this.#ids.partitionOf(name)
    const id =
      partition.ids.get(name) ??
      partition.ensure(name, newTransactionalId(await producerIds.next(), timeoutMs, clock.now()))
    for (;;) {
      await this.#settled(id)
      if (expected !== undefined) checkExpected(id.metadata, expected)
      if (id.metadata.state !== 'Ongoing') break
      await this.#abort(id)
    }
    return id.changing(async () => {
      const next = initialized(
        id.metadata,
        expected,
        timeoutMs,
        await this.#nextProducerId(id.metadata),
        clock.now(),
      )
      await id.write(next)
      return producerOf(next)
    })
  }

  /**
   * The transaction, which begins with that if it has not yet, will write to these partitions (T4): `proceed` is called
   * when that is durable, at once where it is known already, and for several calls in their order.
   * @throws OttlaError INVALID_REQUEST, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED (T2, T5); CONCURRENT_TRANSACTIONS
   * while the transaction before is being ended.
   */
  async addPartitions<T>(
    name: string,
    producer: ProducerIdAndEpoch,
    partitions: TransactionPartitions,
    clientTransactionVersion: number,
    proceed: () => Promise<T>,
  ): Promise<T> {
    const loaded = this.#ids.loaded(name) ?? (await this.#ids.partitionOf(name))
    const id = existing(loaded, name, producer)
    if (!id.isAdding && isInTransaction(id.metadata, producer, partitions)) return proceed()
    const { proceeding } = await id.adding(async () => {
      if (!isInTransaction(id.metadata, producer, partitions)) {
        await this.#add(id, partitions, clientTransactionVersion)
      }
      // Begun here, so that whoever comes next comes after it; how long it takes is not theirs to wait for.
      return { proceeding: proceed() }
    })
    return proceeding
  }

  /**
   * As {@link addPartitions}, for clients that have added them beforehand.
   * @throws OttlaError the same, and TRANSACTION_ABORTABLE when one was not added.
   */
  async verify<T>(
    name: string,
    producer: ProducerIdAndEpoch,
    partitions: TransactionPartitions,
    proceed: () => Promise<T>,
  ): Promise<T> {
    const loaded = this.#ids.loaded(name) ?? (await this.#ids.partitionOf(name))
    if (isInTransaction(existing(loaded, name, producer).metadata, producer, partitions)) return proceed()
    throw new OttlaError(
      'TRANSACTION_ABORTABLE',
      `The transaction of ${name} has not added the partition; expected AddPartitionsToTxn before what is written to it.`,
      { details: { transactionalId: name } },
    )
  }

  /**
   * EndTxn: the transaction is decided and ended everywhere when this resolves, to the producer that begins the next.
   * @param clientTransactionVersion 2 for a client that goes on with the epoch in the answer.
   * @throws OttlaError see {@link decideEnd}.
   */
  async end(
    name: string,
    producer: ProducerIdAndEpoch,
    isCommit: boolean,
    clientTransactionVersion: number,
  ): Promise<ProducerIdAndEpoch> {
    const id = existing(await this.#ids.partitionOf(name), name, producer)
    await this.#settled(id)
    if (decideEnd(id.metadata, producer, isCommit, clientTransactionVersion) === 'prepare') {
      await this.#end(id, id.metadata, isCommit, clientTransactionVersion)
    }
    return producerOf(id.metadata)
  }

  /**
   * Ends a transaction in one partition, whatever its coordinator knows of it; resolves when that is durable.
   * @throws OttlaError as {@link writeMarker}.
   */
  writeMarker(partition: Partition, marker: EndMarker): Promise<void> {
    return writeMarker(this.#services, partition, marker)
  }

  /**
   * What is known of a transactional id.
   * @throws OttlaError INVALID_REQUEST, TRANSACTIONAL_ID_NOT_FOUND.
   */
  async describe(name: string): Promise<TransactionMetadata> {
    const id = this.#ids.exist ? (await this.#ids.partitionOf(name)).ids.get(name) : undefined
    if (id !== undefined) return id.metadata
    throw new OttlaError('TRANSACTIONAL_ID_NOT_FOUND', `There is no transactional id ${name}.`)
  }

  /** All transactional ids. */
  list(): TransactionalId[] {
    return this.#ids.list()
  }

  /** Ends every wait. */
  close(): void {
    this.#isClosed = true
    this.#ids.close()
  }

  /** Nothing else may be under way; a decision whose markers are missing is completed first. */
  async #settled(id: TransactionalId): Promise<void> {
    if (id.change !== undefined) throw underWay()
    if (!isPrepared(id.metadata)) return
    await id.changing(() => this.#complete(id))
    if (isPrepared(id.metadata)) throw underWay()
  }

  /** Aborts the open transaction over the head of its producer, which is fenced with that (T6). */
  #abort(id: TransactionalId): Promise<void> {
    return this.#end(id, withFencingEpoch(id.metadata), false, EPOCH_BUMP_LEVEL)
  }

  async #add(
    id: TransactionalId,
    partitions: TransactionPartitions,
    clientTransactionVersion: number,
  ): Promise<void> {
    await id.changing(() => {
      const now = this.#services.clock.now()
      return id.write(withPartitions(id.metadata, partitions, clientTransactionVersion, now))
    })
    this.#watch(id)
  }

  #end(
    id: TransactionalId,
    metadata: TransactionMetadata,
    isCommit: boolean,
    clientTransactionVersion: number,
  ): Promise<void> {
    return id.changing(async () => {
      const newProducerId = await this.#nextProducerId(metadata)
      const now = this.#services.clock.now()
      await id.write(prepared(metadata, isCommit, clientTransactionVersion, newProducerId, now))
      this.#watch(id)
      await this.#complete(id)
    })
  }

  /**
   * Writes the markers of what was decided. Where one cannot be written the decision stays, and is completed a little
   * later, or as soon as the id is asked for.
   */
  async #complete(id: TransactionalId): Promise<void> {
    const { metadata, partition } = id
    const { producerId, producerEpoch, partitions, state } = metadata
    const type = state === 'PrepareCommit' ? 'commit' : 'abort'
    const marker = { producerId, producerEpoch, type, coordinatorEpoch: partition.coordinatorEpoch } as const
    try {
      await writeMarkers(this.#services, partitions, marker)
      // Without this note the markers are written again, which changes nothing: nobody has to wait for it.
      id.note(completed(metadata, this.#services.clock.now()))
      this.#watch(id)
    } catch (error) {
      // The log that failed has told the application; to the client its transaction is decided.
      this.#completeLater(id)
      if (!OttlaError.is(error)) throw error
    }
  }

  #completeLater(id: TransactionalId): void {
    if (this.#isClosed) return
    const complete = (): void => {
      id.timeout = undefined
      // Whoever completes it just now looks after it.
      if (id.change !== undefined || !isPrepared(id.metadata)) return
      void id.changing(() => this.#complete(id)).catch(() => undefined)
    }
    id.timeout ??= this.#services.timers.schedule(MARKER_RETRY_MS, complete, { keepAlive: false })
  }

  /** The open transaction is aborted when its time is up. */
  #watch(id: TransactionalId): void {
    const { state, startTimestamp, timeoutMs } = id.metadata
    if (state !== 'Ongoing') {
      id.timeout?.cancel()
      id.timeout = undefined
      return
    }
    const { clock, timers } = this.#services
    id.timeout ??= timers.schedule(
      Math.max(0, startTimestamp + timeoutMs - clock.now()),
      () => {
        id.timeout = undefined
        void this.#expire(id)
      },
      { keepAlive: false },
    )
  }

  async #expire(id: TransactionalId): Promise<void> {
    while (id.change !== undefined) await id.change
    const { state, startTimestamp, timeoutMs } = id.metadata
    if (this.#isClosed || state !== 'Ongoing') return
    try {
      if (startTimestamp + timeoutMs > this.#services.clock.now()) {
        this.#watch(id)
        return
      }
      await this.#abort(id)
      this.#services.onTimedOut({ transactionalId: id.name, timeoutMs })
    } catch {
      // The decision could not be written: the log is off line, and the transaction open until it is opened again.
    }
  }

  #nextProducerId(metadata: TransactionMetadata): Promise<number> | number {
    return needsProducerId(metadata) ? this.#services.producerIds.next() : -1
  }
}

const producerOf = ({ producerId, producerEpoch, nextProducerId }: TransactionMetadata): ProducerIdAndEpoch =>
  // What the decided transaction leaves to the next one, though its markers may still be missing.
  nextProducerId === -1 ? { producerId, producerEpoch } : { producerId: nextProducerId, producerEpoch: 0 }

const existing = (
  partition: TransactionsPartition,
  name: string,
  producer: ProducerIdAndEpoch,
): TransactionalId => {
  const id = partition.ids.get(name)
  if (id === undefined) throw notMapped(producer)
  return id
}

/** Whether all of `partitions` are in the open transaction of `producer`. */
const isInTransaction = (
  metadata: TransactionMetadata,
  producer: ProducerIdAndEpoch,
  partitions: TransactionPartitions,
): boolean => {
  if (metadata.producerId !== producer.producerId) throw notMapped(producer, metadata.producerId)
  if (metadata.producerEpoch !== producer.producerEpoch) {
    throw fenced(producer.producerEpoch, metadata.producerEpoch)
  }
  if (isPrepared(metadata)) throw underWay()
  if (metadata.state !== 'Ongoing') return false
  for (const [topic, indexes] of partitions) {
    for (const index of indexes) if (!hasPartition(metadata, topic, index)) return false
  }
  return true
}
