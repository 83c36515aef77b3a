/** The producer, as applications see it: takes records, and tells where each was stored. */
import { abortable } from '../../runtime/abort.js'
import { invalidArgument, OttlaError } from '../../runtime/errors/ottla-error.js'
import { Resource } from '../../runtime/lifecycle.js'
import type { Metrics } from '../../runtime/metrics/metrics.js'
import { checkSignal } from '../../runtime/options.js'
import type { Consumer } from '../consumer/consumer.js'
import type { ClientContext } from '../context.js'
import type { OffsetToCommit } from '../group/group-offsets.js'
import type { Message, RecordHeader } from '../message.js'
import { Topic } from '../topic.js'
import { Spans } from '../tracing/spans.js'
import { Accumulator } from './accumulator.js'
import { ArrayDelivery, RecordDelivery, type RecordMetadata } from './delivery.js'
import { encodeRecord, type EncodeContext, type ProducerRecord } from './encode-record.js'
import { PendingSend } from './pending-send.js'
import { ProducerSensors, type ProducerMetrics, type TimedCall } from './producer-metrics.js'
import {
  checkProducerOptions,
  type CheckedProducerOptions,
  type ProducerOptions,
} from './producer-options.js'
import { Sender } from './sender.js'
import { offsetsAfter, Transaction, type TransactionOptions } from './transaction.js'
import { TransactionCoordinator } from './transaction-coordinator.js'
import { invalidState } from './transaction-errors.js'
import { TransactionManager } from './transaction-manager.js'

/** How to send. */
export interface SendOptions {
  /** Gives up waiting for room in the buffer; records that were taken already are sent all the same. */
  readonly signal?: AbortSignal | undefined
}

/** How to flush. */
export interface FlushOptions {
  /** Gives up waiting; the records are sent all the same. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Sends records to topics. Idempotent by default: a record is stored once, whatever is sent again on the way, and the
 * records of a partition in the order in which they were sent.
 */
export class Producer extends Resource {
  /** What it is called in metrics and log lines, e.g. `ottla-producer-1`. */
  readonly clientId: string
  readonly #context: ClientContext
  readonly #options: CheckedProducerOptions
  readonly #sensors = new ProducerSensors()
  readonly #spans: Spans | undefined
  readonly #sender: Sender
  readonly #accumulator: Accumulator
  readonly #transactions: TransactionManager | undefined

  /** @internal Applications get one from `ottla.producer()`. */
  constructor(context: ClientContext, options: ProducerOptions | undefined, parent?: Resource) {
    const checked = checkProducerOptions(options)
    super('producer', parent)
    this.clientId = context.clientIds.next('producer')
    this.#context = context
    this.#spans = context.tracing && new Spans(context.tracing, this.clientId)
    this.#options = checked
    const { transactionalId } = checked
    if (transactionalId !== undefined) {
      this.#transactions = new TransactionManager(
        new TransactionCoordinator(context, checked, transactionalId),
        { flush: () => this.#drained(), drop: (error) => this.#drop(error) },
        this.closeSignal,
      )
    }
    this.#sender = new Sender(
      context,
      checked,
      this.#sensors,
      this.closeSignal,
      (batch) => this.#accumulator.release(batch),
      this.#transactions,
    )
    this.#accumulator = new Accumulator(context, checked, this.#sender, this.#sensors)
  }

  /**
   * Sends a record, and resolves when it is stored as `acks` says. Sends that are not awaited one by one share batches.
   * @throws OttlaError SERIALIZATION_FAILED when key or value do not fit the topic's serdes, MESSAGE_TOO_LARGE when the
   * record exceeds maxRequestSize or the topic's max.message.bytes, BUFFER_EXHAUSTED when there was no room within
   * maxBlockMs, DELIVERY_TIMED_OUT when it was not stored within deliveryTimeoutMs, UNKNOWN_TOPIC_OR_PARTITION when the
   * topic was deleted, RESOURCE_CLOSED after `close()`.
   */
  send<K, V>(
    topic: Topic<K, V>,
    record: ProducerRecord<NoInfer<K>, NoInfer<V>>,
    options?: SendOptions,
  ): Promise<RecordMetadata>
  /**
   * Sends records, the fastest way for many, and resolves when all are stored; the metadata is in their order. If one
   * of them is no good, the error says which, and none is sent. Do not change the array or what is in it until then.
   */
  send<K, V>(
    topic: Topic<K, V>,
    records: readonly ProducerRecord<NoInfer<K>, NoInfer<V>>[],
    options?: SendOptions,
  ): Promise<readonly RecordMetadata[]>
  send<K, V>(
    topic: Topic<K, V>,
    records: ProducerRecord<K, V> | readonly ProducerRecord<K, V>[],
    options?: SendOptions,
  ): Promise<RecordMetadata | readonly RecordMetadata[]> {
    try {
      this.assertOpen()
      this.#transactions?.assertInTransaction()
      const signal = checkSignal('send', options)
      signal?.throwIfAborted()
      if (!(topic instanceof Topic)) {
        throw invalidArgument(
          'The topic to send to',
          topic,
          'a Topic, from ottla.createTopic() or ottla.topic()',
        )
      }
      return this.#noted(this.#taken(topic, records, signal))
    } catch (error) {
      const refused = Promise.reject<RecordMetadata>(
        error instanceof Error ? error : new Error(String(error)),
      )
      return this.#noted(refused)
    }
  }

  /** Nothing is lost on who does not wait for it: the open transaction cannot be committed then, and says why. */
  #noted<T>(done: Promise<T>): Promise<T> {
    const transactions = this.#transactions
    if (transactions?.isOpen === true) done.catch((error: unknown) => transactions.sendFailed(error))
    return done
  }

  /**
   * Begins a transaction; the first one asks the coordinator for the producer's identity, which fences older producers
   * of the same transactionalId. What `send` takes until {@link commit} or {@link abort} is in it. A producer has one
   * transaction at a time (KIP-98).
   * @throws OttlaError INVALID_TXN_STATE without transactionalId or while one is open, PRODUCER_FENCED and others
   * after which the producer can only be closed.
   */
  async begin(options?: TransactionOptions): Promise<void> {
    await this.#timed('txn-begin', this.#transactional().begin(checkSignal('begin', options)))
  }

  /**
   * Sends what is left, and commits the transaction: all of it is seen by consumers with `read_committed`, and the
   * offsets in it count. Bounded by deliveryTimeoutMs for the records and maxBlockMs for the coordinator. A signal that
   * aborts before all is sent leaves the transaction open; if the coordinator was asked, and that time is up or the
   * signal aborts, the outcome is open until `commit()` was called again.
   * @throws OttlaError TRANSACTION_ABORTABLE when a send or an offset failed: then call {@link abort}. INVALID_TXN_STATE
   * outside a transaction. PRODUCER_FENCED when a newer producer has the transactionalId.
   */
  async commit(options?: TransactionOptions): Promise<void> {
    await this.#timed('txn-commit', this.#transactional().commit(checkSignal('commit', options)))
  }

  /**
   * Aborts the transaction: no consumer with `read_committed` sees anything of it, and its offsets do not count. After
   * it the next one may begin. Bounded as {@link commit} is.
   * @throws OttlaError INVALID_TXN_STATE outside a transaction, PRODUCER_FENCED.
   */
  async abort(options?: TransactionOptions): Promise<void> {
    await this.#timed('txn-abort', this.#transactional().abort(checkSignal('abort', options)))
  }

  /**
   * Commits, with the transaction, that the consumer's group has processed these messages, or offsets (each that of the
   * next record). The consumer's generation goes along, so that one that was replaced commits nothing (KIP-447).
   * It need not be awaited: one that fails keeps the transaction from being committed.
   * After an abort the consumer still stands behind the messages: seek it back, or close it.
   * @throws OttlaError INVALID_ARGUMENT unless the consumer has `enableAutoCommit: false`, ILLEGAL_GENERATION and
   * UNKNOWN_MEMBER_ID when the group has rebalanced, INVALID_TXN_STATE outside a transaction.
   */
  commitOffsets<M extends Message>(
    consumer: Consumer<M>,
    processed: readonly M[] | readonly OffsetToCommit[],
    options?: TransactionOptions,
  ): Promise<void> {
    return this.#noted(this.#commitOffsets(consumer, processed, options))
  }

  /**
   * Begins a transaction, calls `work` with it, and commits when that resolves; what it resolves to is the result. When
   * it rejects, or the commit is refused, the transaction is aborted and the error comes through. Calls on one producer
   * follow one another: one during another is refused.
   * @throws OttlaError as {@link begin} and {@link commit}.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T> | T, options?: TransactionOptions): Promise<T> {
    const transactions = this.#transactional()
    await this.begin(options)
    const tx = new Transaction(this)
    try {
      const result = await work(tx)
      tx.end()
      await this.commit(options)
      return result
    } catch (error) {
      tx.end()
      // What went wrong first is what the caller has to hear of; a failed abort shows at the next begin.
      if (transactions.mayAbort) await this.abort().catch(() => undefined)
      throw error
    }
  }

  /** Sends all that was handed to `send` before, and resolves when each of it is stored or has failed. */
  async flush(options?: FlushOptions): Promise<void> {
    this.assertOpen()
    await this.#timed('flush', abortable(this.#drained(), checkSignal('flush', options)))
  }

  /** What it has measured, as it is now; it may be asked for after the producer was closed, too. */
  metrics(): Metrics<ProducerMetrics> {
    const { clock } = this.#context
    const gauges = {
      requestsInFlight: this.#sender.requestsInFlight,
      bufferTotalBytes: this.#options.bufferMemory,
      bufferUsedBytes: this.#accumulator.usedBytes,
      waitingSends: this.#accumulator.waitingCount,
    }
    return this.#sensors.snapshot(this.clientId, gauges, clock.monotonic())
  }

  protected override async beforeClose(): Promise<void> {
    await this.#transactions?.close()
    // Bounded by maxBlockMs and deliveryTimeoutMs, after which every send and every batch has failed.
    await this.#drained()
  }

  protected override onClose(): void {
    const error = new OttlaError('RESOURCE_CLOSED', 'The producer was closed before the record was sent.')
    this.#accumulator.stop(error)
    this.#sender.stop(error)
  }

  async #commitOffsets<M extends Message>(
    consumer: Consumer<M>,
    processed: readonly M[] | readonly OffsetToCommit[],
    options: TransactionOptions | undefined,
  ): Promise<void> {
    const transactions = this.#transactional()
    transactions.assertInTransaction()
    const signal = checkSignal('commitOffsets', options)
    const metadata = consumer.metadataForTransaction()
    const committing = transactions.commitOffsets(metadata, offsetsAfter(processed), signal)
    await this.#timed('txn-send-offsets', committing)
  }

  async #timed(call: TimedCall, work: Promise<void>): Promise<void> {
    const { clock } = this.#context
    const startedAt = clock.monotonic()
    try {
      await work
    } finally {
      this.#sensors.called(call, clock.monotonic() - startedAt)
    }
  }

  #transactional(): TransactionManager {
    this.assertOpen()
    if (this.#transactions !== undefined) return this.#transactions
    throw invalidState('The producer has no transactionalId; give it one to have transactions.')
  }

  #taken<K, V>(
    topic: Topic<K, V>,
    records: ProducerRecord<K, V> | readonly ProducerRecord<K, V>[],
    signal: AbortSignal | undefined,
  ): Promise<RecordMetadata | readonly RecordMetadata[]> {
    const span = this.#spans?.send(topic.name, Array.isArray(records) ? records.length : 1)
    try {
      const sent: Promise<RecordMetadata | readonly RecordMetadata[]> = Array.isArray(records)
        ? this.#sendAll(topic, records as readonly ProducerRecord<K, V>[], signal, span?.headers)
        : this.#sendOne(topic, records as ProducerRecord<K, V>, signal, span?.headers)
      span?.endWith(sent)
      return sent
    } catch (error) {
      span?.failed(error)
      throw error
    }
  }

  #drop(error: OttlaError): void {
    this.#accumulator.stop(error)
    this.#sender.drop(error)
  }

  async #drained(): Promise<void> {
    this.#sender.completeAll()
    await this.#accumulator.whenEmpty()
    await this.#sender.flush()
  }

  #sendOne<K, V>(
    topic: Topic<K, V>,
    record: ProducerRecord<K, V>,
    signal: AbortSignal | undefined,
    traceHeaders: readonly RecordHeader[] | undefined,
  ): Promise<RecordMetadata> {
    const context = this.#encodeContext(topic, traceHeaders)
    const { partitionCount } = context
    const encoded = encodeRecord(topic, record, context)
    const queues = this.#accumulator.queuesOf(topic.name)
    return new Promise((resolve, reject) => {
      const delivery = new RecordDelivery(resolve, reject)
      if (this.#accumulator.tryAdd(queues, partitionCount, encoded, delivery)) return
      this.#accumulator.take(PendingSend.ofOne(queues, partitionCount, encoded, delivery), signal)
    })
  }

  #sendAll<K, V>(
    topic: Topic<K, V>,
    records: readonly ProducerRecord<K, V>[],
    signal: AbortSignal | undefined,
    traceHeaders: readonly RecordHeader[] | undefined,
  ): Promise<readonly RecordMetadata[]> {
    if (records.length === 0) return Promise.resolve([])
    const context = this.#encodeContext(topic, traceHeaders)
    const queues = this.#accumulator.queuesOf(topic.name)
    return new Promise((resolve, reject) => {
      const delivery = new ArrayDelivery(records.length, resolve, reject)
      this.#accumulator.take(PendingSend.ofAll(queues, topic, records, context, delivery), signal)
    })
  }

  #encodeContext(
    { name, partitionCount }: { name: string; partitionCount: number },
    traceHeaders: readonly RecordHeader[] | undefined,
  ): EncodeContext {
    const { clock, cluster } = this.#context
    return {
      now: clock.now(),
      traceHeaders,
      // Partitions may have been added since the handle was made.
      partitionCount: cluster.knownPartitionCount(name) ?? partitionCount,
      partitioner: this.#options.partitioner,
      maxRequestSize: this.#options.maxRequestSize,
    }
  }
}
