/** One call of `send` on its way into batches, slice by slice where it is large. */
import { onAbort } from '../../runtime/abort.js'
import type { Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Topic } from '../topic.js'
import type { Recipient } from './delivery.js'
import { encodeRecord, type EncodeContext, type EncodedRecord, type ProducerRecord } from './encode-record.js'
import type { TopicQueues } from './topic-queues.js'

/** How many records pass between two looks at the clock. */
const RECORDS_PER_LOOK = 64

/** A send that is not yet, or not wholly, in batches. */
export class PendingSend {
  readonly queues: TopicQueues
  readonly partitionCount: number
  readonly recipient: Recipient
  /** Its records as bytes. All of them are there before the first goes into a batch: one that is bad stops them all. */
  readonly encoded: EncodedRecord[]
  /** How many of them are in batches. */
  addedCount = 0
  /** Until when it waits for room, on the monotonic clock; moves on with every record that gets some. */
  expiresAt = Infinity
  /** True once it failed: none of its records is added any more. */
  isOver = false
  readonly #encodeNext: ((index: number) => EncodedRecord) | undefined
  readonly #count: number
  #onLeave: (() => void) | undefined

  private constructor(
    queues: TopicQueues,
    partitionCount: number,
    recipient: Recipient,
    encoded: EncodedRecord[],
    count: number,
    encodeNext?: (index: number) => EncodedRecord,
  ) {
    this.queues = queues
    this.partitionCount = partitionCount
    this.recipient = recipient
    this.encoded = encoded
    this.#count = count
    this.#encodeNext = encodeNext
  }

  /** One record that is encoded already. */
  static ofOne(
    queues: TopicQueues,
    partitionCount: number,
    record: EncodedRecord,
    recipient: Recipient,
  ): PendingSend {
    return new PendingSend(queues, partitionCount, recipient, [record], 1)
  }

  /** Records that have yet to be encoded. */
  static ofAll<K, V>(
    queues: TopicQueues,
    topic: Topic<K, V>,
    records: readonly ProducerRecord<K, V>[],
    context: EncodeContext,
    recipient: Recipient,
  ): PendingSend {
    const encodeNext = (index: number): EncodedRecord => encodeRecord(topic, records[index], context)
    return new PendingSend(queues, context.partitionCount, recipient, [], records.length, encodeNext)
  }

  /** Whether all its records are in batches. */
  get isAdded(): boolean {
    return this.addedCount === this.#count
  }

  /**
   * Encodes until `until` on the monotonic clock; whether all is encoded now.
   * @throws OttlaError what is wrong with a record, and with which.
   */
  encode(clock: Clock, until: number): boolean {
    const { encoded } = this
    const encodeNext = this.#encodeNext
    if (encodeNext === undefined) return true
    const count = this.#count
    try {
      while (encoded.length < count) {
        encoded.push(encodeNext(encoded.length))
        if (encoded.length % RECORDS_PER_LOOK === 0 && clock.monotonic() >= until) break
      }
    } catch (error) {
      if (!OttlaError.is(error)) throw error
      const index = encoded.length
      throw new OttlaError(error.code, `Record ${index} of ${count}: ${error.message}`, {
        cause: error,
        details: { ...error.details, index },
      })
    }
    return encoded.length === count
  }

  /** Calls `aborted` if `signal` aborts before {@link leave}. */
  watch(signal: AbortSignal | undefined, aborted: (reason: unknown) => void): void {
    if (signal !== undefined) this.#onLeave = onAbort(signal, () => aborted(signal.reason))
  }

  /** It waits no longer. */
  leave(): void {
    this.#onLeave?.()
    this.#onLeave = undefined
  }

  /** It gives up; records that are in batches already are sent all the same. */
  fail(error: unknown): void {
    this.isOver = true
    this.recipient.failed(error)
  }
}
