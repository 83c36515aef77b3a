/** The producer: takes records, finds their partitions, gathers them into batches and hands those to the sender. */
import { HEADER_BYTES } from '../../record/header.js'
import { anySignal } from '../../runtime/abort.js'
import { Budget } from '../../runtime/budget.js'
import { invalidArgument, OttlaError } from '../../runtime/errors/ottla-error.js'
import { Resource } from '../../runtime/lifecycle.js'
import type { ClientContext } from '../context.js'
import { Topic } from '../topic.js'
import { Delivery, type RecordMetadata } from './delivery.js'
import { encodeRecord, type EncodedRecord, type ProducerRecord } from './encode-record.js'
import { checkPartition, partitionOfKey, StickyPartitions } from './partitioner.js'
import { ProducerBatch } from './producer-batch.js'
import {
  checkProducerOptions,
  type CheckedProducerOptions,
  type ProducerOptions,
} from './producer-options.js'
import { Sender } from './sender.js'

/** How to send. */
export interface SendOptions {
  /** Gives up waiting for room in the buffer; records that were taken already are sent all the same. */
  readonly signal?: AbortSignal
}

/** The most that a record takes in a batch beyond its key, value and headers. */
const MAX_RECORD_OVERHEAD_BYTES = 21

/**
 * Sends records to topics. Idempotent by default: a record is stored once, whatever is sent again on the way, and the
 * records of a partition in the order in which they were sent.
 */
export class Producer extends Resource {
  readonly #context: ClientContext
  readonly #options: CheckedProducerOptions
  readonly #buffer: Budget
  readonly #sticky: StickyPartitions
  readonly #sender: Sender

  /** Applications get one from `ottla.producer()`. */
  constructor(context: ClientContext, options: ProducerOptions | undefined, parent?: Resource) {
    const checked = checkProducerOptions(options)
    super('producer', parent)
    this.#context = context
    this.#options = checked
    this.#buffer = new Budget('bufferMemory', checked.bufferMemory)
    this.#sticky = new StickyPartitions(checked.batchSize, context.random)
    this.#sender = new Sender(context, checked, this.closeSignal, (batch) =>
      this.#buffer.release(batch.reservedBytes),
    )
  }

  /**
   * Sends a record, and resolves when it is stored as `acks` says. Sends that are not awaited one by one share batches.
   * @throws OttlaError SERIALIZATION_FAILED when key or value do not fit the topic's serdes, MESSAGE_TOO_LARGE when the
   * record exceeds maxRequestSize or the topic's max.message.bytes, BUFFER_EXHAUSTED when there was no room within
   * maxBlockMs, DELIVERY_TIMED_OUT when it was not stored within deliveryTimeoutMs.
   */
  send<K, V>(topic: Topic<K, V>, record: ProducerRecord<K, V>, options?: SendOptions): Promise<RecordMetadata>
  /**
   * Sends records, the fastest way for many, and resolves when all are stored; the metadata is in their order. If one
   * of them is no good, the error says which, and none is sent.
   */
  send<K, V>(
    topic: Topic<K, V>,
    records: readonly ProducerRecord<K, V>[],
    options?: SendOptions,
  ): Promise<readonly RecordMetadata[]>
  send<K, V>(
    topic: Topic<K, V>,
    records: ProducerRecord<K, V> | readonly ProducerRecord<K, V>[],
    options: SendOptions = {},
  ): Promise<RecordMetadata | readonly RecordMetadata[]> {
    try {
      this.assertOpen()
      if (!(topic instanceof Topic)) {
        throw invalidArgument(
          'The topic to send to',
          topic,
          'a Topic, from ottla.createTopic() or ottla.topic()',
        )
      }
      const now = this.#context.clock.now()
      return Array.isArray(records)
        ? this.#sendAll(
            topic,
            this.#encodeAll(topic, records as readonly ProducerRecord<K, V>[], now),
            options,
          )
        : this.#sendOne(topic, this.#encode(topic, records as ProducerRecord<K, V>, now), options)
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Sends all that was handed to `send` before, and resolves when each of it is stored or has failed. */
  async flush(): Promise<void> {
    this.assertOpen()
    await this.#sender.flush()
  }

  protected override async beforeClose(): Promise<void> {
    // Bounded by deliveryTimeoutMs, after which every batch has failed.
    await this.#sender.flush()
  }

  protected override onClose(): void {
    this.#sender.stop(
      new OttlaError('RESOURCE_CLOSED', 'The producer was closed before the record was sent.'),
    )
  }

  #encode<K, V>(topic: Topic<K, V>, record: ProducerRecord<K, V>, now: number): EncodedRecord {
    const encoded = encodeRecord(topic, record, now)
    const sizeBytes = HEADER_BYTES + sizeOf(encoded)
    if (sizeBytes > this.#options.maxRequestSize) {
      throw new OttlaError(
        'MESSAGE_TOO_LARGE',
        `A record for ${topic.name} takes ${sizeBytes} bytes; maxRequestSize of the producer allows ${this.#options.maxRequestSize}.`,
        { details: { topic: topic.name, sizeBytes, maxRequestSize: this.#options.maxRequestSize } },
      )
    }
    return encoded
  }

  #encodeAll<K, V>(
    topic: Topic<K, V>,
    records: readonly ProducerRecord<K, V>[],
    now: number,
  ): EncodedRecord[] {
    const encoded: EncodedRecord[] = []
    for (const record of records) {
      try {
        encoded.push(this.#encode(topic, record, now))
      } catch (error) {
        if (!OttlaError.is(error)) throw error
        throw new OttlaError(error.code, `Record ${encoded.length} of ${records.length}: ${error.message}`, {
          cause: error,
          details: { ...error.details, index: encoded.length },
        })
      }
    }
    return encoded
  }

  #sendOne(
    topic: Topic<never, never> | Topic,
    record: EncodedRecord,
    options: SendOptions,
  ): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      const delivery = new Delivery(1, ([metadata]) => metadata !== undefined && resolve(metadata), reject)
      const sizeBytes = sizeOf(record)
      if (this.#buffer.tryAcquire(sizeBytes)) this.#add(topic, record, sizeBytes, delivery, 0)
      else
        this.#reserve(sizeBytes, options).then(() => this.#add(topic, record, sizeBytes, delivery, 0), reject)
    })
  }

  async #sendAll(
    topic: Topic<never, never> | Topic,
    records: readonly EncodedRecord[],
    options: SendOptions,
  ): Promise<readonly RecordMetadata[]> {
    if (records.length === 0) return []
    return new Promise<readonly RecordMetadata[]>((resolve, reject) => {
      const delivery = new Delivery(records.length, resolve, reject)
      const addFrom = (first: number): void => {
        for (let index = first; index < records.length; index++) {
          const record = records[index]
          if (record === undefined) continue
          const sizeBytes = sizeOf(record)
          if (this.#buffer.tryAcquire(sizeBytes)) this.#add(topic, record, sizeBytes, delivery, index)
          else {
            // The rest follows as room is made; sends after this one wait behind it, so order is kept.
            this.#reserve(sizeBytes, options).then(() => {
              this.#add(topic, record, sizeBytes, delivery, index)
              addFrom(index + 1)
            }, reject)
            return
          }
        }
      }
      addFrom(0)
    })
  }

  async #reserve(sizeBytes: number, { signal }: SendOptions): Promise<void> {
    const { maxBlockMs, bufferMemory } = this.#options
    const expiry = new AbortController()
    const timer = this.#context.timers.schedule(maxBlockMs, () =>
      expiry.abort(
        new OttlaError(
          'BUFFER_EXHAUSTED',
          `There was no room for a record of ${sizeBytes} bytes within maxBlockMs (${maxBlockMs}); bufferMemory is ${bufferMemory}.`,
        ),
      ),
    )
    try {
      await this.#buffer.acquire(sizeBytes, anySignal(expiry.signal, signal, this.closeSignal))
    } finally {
      timer.cancel()
    }
  }

  /** Adds the record, for which there is room, to the batch that its partition gathers. */
  #add(
    topic: Topic<never, never> | Topic,
    record: EncodedRecord,
    sizeBytes: number,
    delivery: Delivery,
    index: number,
  ): void {
    let partition: number
    try {
      partition = this.#partitionOf(topic, record, sizeBytes)
    } catch (error) {
      this.#buffer.release(sizeBytes)
      delivery.failed(error)
      return
    }
    const queue = this.#sender.queue(topic.name, partition)
    const { key, value, headers } = record
    let batch = queue.gathering
    if (batch !== undefined && batch.sizeAfter(key, value, headers) > this.#batchLimit) {
      queue.complete()
      batch = undefined
    }
    batch ??= queue.gathering = new ProducerBatch(topic.name, partition, this.#context.clock.monotonic())
    batch.append(record.timestamp, key, value, headers, delivery, index)
    batch.reservedBytes += sizeBytes
    this.#sender.added(queue)
  }

  get #batchLimit(): number {
    return Math.min(this.#options.batchSize, this.#options.maxRequestSize)
  }

  #partitionOf(
    { name, partitionCount }: Topic<never, never> | Topic,
    record: EncodedRecord,
    sizeBytes: number,
  ): number {
    if (record.partition !== undefined) return record.partition
    const { partitioner } = this.#options
    if (partitioner !== undefined) {
      const { key, value } = record
      return checkPartition(partitioner({ topic: name, key, value, partitionCount }), name, partitionCount)
    }
    return record.key === null
      ? this.#sticky.next(name, partitionCount, sizeBytes)
      : partitionOfKey(record.key, partitionCount)
  }
}

const sizeOf = ({ key, value, headers }: EncodedRecord): number => {
  let size = MAX_RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) size += 10 + header.key.length * 3 + (header.value?.length ?? 0)
  return size
}
