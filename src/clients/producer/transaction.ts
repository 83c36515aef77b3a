/** A transaction as the function that works in it sees it. */
import type { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Consumer } from '../consumer/consumer.js'
import type { OffsetToCommit } from '../group/group-offsets.js'
import type { Message } from '../message.js'
import type { Topic } from '../topic.js'
import type { RecordMetadata } from './delivery.js'
import type { ProducerRecord } from './encode-record.js'
import type { Producer, SendOptions } from './producer.js'
import { invalidState } from './transaction-errors.js'

/** How to begin, commit or abort. */
export interface TransactionOptions {
  /** Gives up waiting. What was asked of the coordinator may take effect all the same. */
  readonly signal?: AbortSignal | undefined
}

/** What is sent and committed through it counts together, or not at all (KIP-98). */
export class Transaction {
  readonly #producer: Producer
  #isOver = false

  /** @internal Applications get one from {@link Producer.transaction}. */
  constructor(producer: Producer) {
    this.#producer = producer
  }

  /** As {@link Producer.send}. It need not be awaited: a send that fails keeps the transaction from being committed. */
  send<K, V>(
    topic: Topic<K, V>,
    record: ProducerRecord<NoInfer<K>, NoInfer<V>>,
    options?: SendOptions,
  ): Promise<RecordMetadata>
  /** As {@link Producer.send} of many. */
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
    if (this.#isOver) return Promise.reject(isOver())
    return isList(records)
      ? this.#producer.send<K, V>(topic, records, options)
      : this.#producer.send<K, V>(topic, records, options)
  }

  /** As {@link Producer.commitOffsets}. */
  commitOffsets<M extends Message>(
    consumer: Consumer<M>,
    processed: readonly M[] | readonly OffsetToCommit[],
    options?: TransactionOptions,
  ): Promise<void> {
    if (this.#isOver) return Promise.reject(isOver())
    return this.#producer.commitOffsets(consumer, processed, options)
  }

  /** @internal Its function is over. */
  end(): void {
    this.#isOver = true
  }
}

const isOver = (): OttlaError =>
  invalidState('The function of this transaction is over; send in a transaction of its own.')

const isList = <T>(records: T | readonly T[]): records is readonly T[] => Array.isArray(records)

/** After the last of the messages of each partition; offsets are left as they are. */
export const offsetsAfter = (
  processed: readonly Message[] | readonly OffsetToCommit[],
): readonly OffsetToCommit[] => {
  const next = new Map<string, OffsetToCommit>()
  for (const item of processed) {
    const { topic, partition, leaderEpoch } = item
    const isMessage = 'timestampType' in item
    const offset = isMessage ? item.offset + 1 : item.offset
    const name = `${topic}-${partition}`
    const known = next.get(name)
    if (known !== undefined && known.offset > offset) continue
    next.set(
      name,
      isMessage ? { topic, partition, offset, ...(leaderEpoch === undefined ? {} : { leaderEpoch }) } : item,
    )
  }
  return [...next.values()]
}
