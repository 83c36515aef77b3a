/** Typed handles on a topic and its partitions: they carry the serdes, so that types flow from here everywhere. */
import { invalidArgument } from '../runtime/errors/ottla-error.js'
import type { Uuid } from '../runtime/uuid.js'
import type { Message, TopicPartition } from './message.js'
import type { Serde } from './serdes/serde.js'

/** Where a reading starts or ends: an offset, the time of a record, or an end of the partition. */
export type PartitionPosition = number | Date | 'earliest' | 'latest'

/** What to read of a partition. */
export interface ReadOptions {
  /** Where to start; default `'earliest'`. */
  readonly from?: PartitionPosition
  /**
   * Where to end, exclusively. `'latest'` is the end as it stands when the reading starts. Left out: go on as records
   * arrive.
   */
  readonly to?: PartitionPosition
  /**
   * `'read_committed'` leaves out what transactions have not committed; `'latest'` is then where the first open one
   * begins. Default `'read_uncommitted'`.
   */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
  /** Ends the reading with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Reads a partition; handed to the handles, which do not know what carries the records. */
export type PartitionReader = <K, V, N extends string>(
  topic: Topic<K, V, N>,
  partition: number,
  options: ReadOptions,
) => AsyncIterable<Message<K, V, N>>

/** What a handle is made of. */
export interface TopicDefinition<K, V, N extends string> {
  /** The topic's name. */
  readonly name: N
  /** The topic's id. */
  readonly id: Uuid
  /** How many partitions it has. */
  readonly partitionCount: number
  /** How keys become bytes. */
  readonly key: Serde<K>
  /** How values become bytes. */
  readonly value: Serde<V>
}

/** A topic: its name, its partitions, and the serdes of its keys and values. */
export class Topic<K = unknown, V = unknown, N extends string = string> implements TopicDefinition<K, V, N> {
  /** The topic's name; with several topics it tells their messages apart. */
  readonly name: N
  /** The topic's id; a topic that is deleted and created again has another. */
  readonly id: Uuid
  /** How many partitions it had when this handle was made. */
  readonly partitionCount: number
  /** How keys become bytes. */
  readonly key: Serde<K>
  /** How values become bytes. */
  readonly value: Serde<V>
  readonly #reader: PartitionReader

  constructor(definition: TopicDefinition<K, V, N>, reader: PartitionReader) {
    this.name = definition.name
    this.id = definition.id
    this.partitionCount = definition.partitionCount
    this.key = definition.key
    this.value = definition.value
    this.#reader = reader
  }

  /**
   * The partition with this index.
   * @throws OttlaError INVALID_ARGUMENT when there is none.
   */
  partition(index: number): Partition<K, V, N> {
    if (!Number.isInteger(index) || index < 0 || index >= this.partitionCount) {
      throw invalidArgument(
        `The partition of ${this.name}`,
        index,
        `a whole number from 0 to ${this.partitionCount - 1}`,
      )
    }
    return new Partition(this, index, this.#reader)
  }

  /** All partitions, in order. */
  partitions(): readonly Partition<K, V, N>[] {
    return Array.from({ length: this.partitionCount }, (_, index) => this.partition(index))
  }
}

/** One partition of a topic. */
export class Partition<K = unknown, V = unknown, N extends string = string> implements TopicPartition {
  /** The topic's name. */
  readonly topic: N
  /** The partition's index. */
  readonly partition: number
  readonly #topic: Topic<K, V, N>
  readonly #reader: PartitionReader

  constructor(topic: Topic<K, V, N>, partition: number, reader: PartitionReader) {
    this.topic = topic.name
    this.partition = partition
    this.#topic = topic
    this.#reader = reader
  }

  /** The handle of the topic. */
  topicHandle(): Topic<K, V, N> {
    return this.#topic
  }

  /**
   * Its records in order, without a group: `for await (const message of orders.partition(0).read({ to: 'latest' }))`.
   * @throws OttlaError OFFSET_OUT_OF_RANGE while iterating, when `from` is an offset that is not there.
   */
  read(options: ReadOptions = {}): AsyncIterable<Message<K, V, N>> {
    return this.#reader(this.#topic, this.partition, options)
  }
}

/** Any topic, whatever its keys and values. */
export type AnyTopic = Topic

/** The messages of a topic; of a union of topics, a union that the topic's name tells apart. */
export type MessageOf<T> = T extends Topic<infer K, infer V, infer N> ? Message<K, V, N> : never
