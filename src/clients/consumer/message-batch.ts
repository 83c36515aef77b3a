/** What `eachBatch` gets: a run of messages of one partition. */
import type { Message, TopicPartition } from '../message.js'
import type { PartitionState } from './partition-state.js'

/** Messages of one partition, in order; iterating over the batch iterates over them. */
export class MessageBatch<M extends Message = Message> implements TopicPartition, Iterable<M> {
  /** The topic's name. */
  readonly topic: M['topic']
  /** The partition that all of its messages are of. */
  readonly partition: number
  /** At least one. */
  readonly messages: readonly M[]
  /** The end of the partition that a consumer can see, as the last fetch told it; -1 when unknown. */
  readonly highWatermark: number

  constructor({ topic, partition, ends }: PartitionState, messages: readonly M[]) {
    this.topic = topic
    this.partition = partition
    this.messages = messages
    this.highWatermark = ends.highWatermark
  }

  /** The offset of the first message. */
  get firstOffset(): number {
    return this.messages[0]?.offset ?? -1
  }

  /** The offset of the last message. */
  get lastOffset(): number {
    return this.messages.at(-1)?.offset ?? -1
  }

  /** How many offsets there are behind the last message; 0 at the end of the partition. */
  get lag(): number {
    return Math.max(0, this.highWatermark - this.lastOffset - 1)
  }

  /** Its messages, one after another. */
  [Symbol.iterator](): Iterator<M> {
    return this.messages[Symbol.iterator]()
  }
}
