/** The producer, as applications see it: takes records, and tells where each was stored. */
import { abortable } from '../../runtime/abort.js'
import { invalidArgument, OttlaError } from '../../runtime/errors/ottla-error.js'
import { Resource } from '../../runtime/lifecycle.js'
import { checkSignal } from '../../runtime/options.js'
import type { ClientContext } from '../context.js'
import { Topic } from '../topic.js'
import { Accumulator } from './accumulator.js'
import { ArrayDelivery, RecordDelivery, type RecordMetadata } from './delivery.js'
import { encodeRecord, type EncodeContext, type ProducerRecord } from './encode-record.js'
import { PendingSend } from './pending-send.js'
import {
  checkProducerOptions,
  type CheckedProducerOptions,
  type ProducerOptions,
} from './producer-options.js'
import { Sender } from './sender.js'

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
  readonly #context: ClientContext
  readonly #options: CheckedProducerOptions
  readonly #sender: Sender
  readonly #accumulator: Accumulator

  /** @internal Applications get one from `ottla.producer()`. */
  constructor(context: ClientContext, options: ProducerOptions | undefined, parent?: Resource) {
    const checked = checkProducerOptions(options)
    super('producer', parent)
    this.#context = context
    this.#options = checked
    this.#sender = new Sender(context, checked, this.closeSignal, (batch) => this.#accumulator.release(batch))
    this.#accumulator = new Accumulator(context, checked, this.#sender)
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
      const signal = checkSignal('send', options)
      signal?.throwIfAborted()
      if (!(topic instanceof Topic)) {
        throw invalidArgument(
          'The topic to send to',
          topic,
          'a Topic, from ottla.createTopic() or ottla.topic()',
        )
      }
      return Array.isArray(records)
        ? this.#sendAll(topic, records as readonly ProducerRecord<K, V>[], signal)
        : this.#sendOne(topic, records as ProducerRecord<K, V>, signal)
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Sends all that was handed to `send` before, and resolves when each of it is stored or has failed. */
  async flush(options?: FlushOptions): Promise<void> {
    this.assertOpen()
    await abortable(this.#drained(), checkSignal('flush', options))
  }

  protected override async beforeClose(): Promise<void> {
    // Bounded by maxBlockMs and deliveryTimeoutMs, after which every send and every batch has failed.
    await this.#drained()
  }

  protected override onClose(): void {
    const error = new OttlaError('RESOURCE_CLOSED', 'The producer was closed before the record was sent.')
    this.#accumulator.stop(error)
    this.#sender.stop(error)
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
  ): Promise<RecordMetadata> {
    const context = this.#encodeContext(topic)
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
  ): Promise<readonly RecordMetadata[]> {
    if (records.length === 0) return Promise.resolve([])
    const context = this.#encodeContext(topic)
    const queues = this.#accumulator.queuesOf(topic.name)
    return new Promise((resolve, reject) => {
      const delivery = new ArrayDelivery(records.length, resolve, reject)
      this.#accumulator.take(PendingSend.ofAll(queues, topic, records, context, delivery), signal)
    })
  }

  #encodeContext({ name, partitionCount }: { name: string; partitionCount: number }): EncodeContext {
    const { clock, cluster } = this.#context
    return {
      now: clock.now(),
      // Partitions may have been added since the handle was made.
      partitionCount: cluster.knownPartitionCount(name) ?? partitionCount,
      partitioner: this.#options.partitioner,
      maxRequestSize: this.#options.maxRequestSize,
    }
  }
}
