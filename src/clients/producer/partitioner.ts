/** Which partition a record goes to. */
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { Random } from '../../runtime/random.js'
import { murmur2 } from './murmur2.js'

/** What a partitioner is asked about. */
export interface PartitionerInput {
  /** The topic's name. */
  readonly topic: string
  /** The serialized key; null when the record has none. */
  readonly key: Uint8Array | null
  /** The serialized value; null for a tombstone. */
  readonly value: Uint8Array | null
  /** How many partitions there are to choose from. */
  readonly partitionCount: number
}

/** A partitioner of your own: returns the index of a partition. */
export type Partitioner = (record: PartitionerInput) => number

/** The partition that Kafka's default partitioner gives a key. */
export const partitionOfKey = (key: Uint8Array, partitionCount: number): number =>
  (murmur2(key) & 0x7fff_ffff) % partitionCount

/** `partition`, if the topic has it. */
export const checkPartition = (partition: number, topic: string, partitionCount: number): number => {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitionCount) return partition
  throw invalidArgument(
    `The partition of a record for ${topic}`,
    partition,
    `a whole number from 0 to ${partitionCount - 1}`,
  )
}

/**
 * Keyless records of a topic stay with one partition until a batch is full, then go to another one: full batches,
 * evenly spread (KIP-480, KIP-794).
 */
export class StickyPartition {
  readonly #batchSize: number
  readonly #random: Random
  #partition = -1
  #bytes = 0

  constructor(batchSize: number, random: Random) {
    this.#batchSize = batchSize
    this.#random = random
  }

  /** The partition for the next keyless record, which takes `sizeBytes`. */
  next(partitionCount: number, sizeBytes: number): number {
    if (this.#partition < 0 || this.#partition >= partitionCount) {
      this.#partition = Math.floor(this.#random.next() * partitionCount)
      this.#bytes = 0
    } else if (this.#bytes >= this.#batchSize) {
      // Another one than before, each of the others as likely.
      if (partitionCount > 1) {
        const step = 1 + Math.floor(this.#random.next() * (partitionCount - 1))
        this.#partition = (this.#partition + step) % partitionCount
      }
      this.#bytes = 0
    }
    this.#bytes += sizeBytes
    return this.#partition
  }
}
