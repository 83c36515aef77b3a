/**
 * The batches of one partition that are not yet acknowledged, in the order in which they must be stored. A batch keeps
 * its place until it is stored or has failed, however often it is sent.
 */
import { incrementSequence } from '../../record/header.js'
import type { ProducerBatch } from './producer-batch.js'
import type { ProducerIdentity } from './producer-identity.js'

/** What a batch is expected to need before one was seen. */
const FIRST_CAPACITY_BYTES = 512

/** How many batches of a producer a broker remembers, to know those that are sent again (KIP-98). */
const REMEMBERED_BATCHES = 5

/** A partition's batches. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** Gathers records; undefined when there is none to gather into. */
  gathering: ProducerBatch | undefined
  inFlightCount = 0
  /** The broker that has what is in flight. */
  nodeId = -1
  /** What the next batch will probably need: batches of one partition are alike. */
  capacityBytes = FIRST_CAPACITY_BYTES
  /** Not before this time on the monotonic clock, after an error. */
  retryAt = 0
  /** How many look-ups and encodings are under way without which the queue cannot go on. */
  busyCount = 0
  readonly #batches: ProducerBatch[] = []
  #sequenceOf: ProducerIdentity | undefined
  #nextSequence = 0
  #sentCount = 0
  #established: ProducerIdentity | undefined

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** Whether there is anything to gather or send. */
  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** Begins a batch that gathers records. */
  gather(batch: ProducerBatch): void {
    this.gathering = batch
    this.#batches.push(batch)
  }

  /** Ends the gathering: what was gathered is to be sent. */
  complete(): void {
    const batch = this.gathering
    if (batch === undefined) return
    this.gathering = undefined
    this.capacityBytes = batch.sizeBytes + (batch.sizeBytes >> 3)
    batch.state = 'waiting'
  }

  /** The batch to be sent next: none is in flight that was created after it, unless it is sent again. */
  firstWaiting(): ProducerBatch | undefined {
    // At most a handful before it are in flight.
    for (const batch of this.#batches) if (batch.state === 'waiting') return batch
    return undefined
  }

  /** `batch` is on its way to a broker. */
  sent(batch: ProducerBatch, nodeId: number): void {
    this.nodeId = nodeId
    batch.state = 'in flight'
    if (batch.attempts++ === 0) batch.ordinal = this.#sentCount++
    this.inFlightCount++
  }

  /** `batch` has to be sent again, in its place. */
  returned(batch: ProducerBatch): void {
    batch.state = 'waiting'
    this.inFlightCount--
  }

  /** `batch`, which is stored or has failed, leaves its place. */
  remove(batch: ProducerBatch): void {
    if (this.gathering === batch) this.gathering = undefined
    if (batch.state === 'in flight') this.inFlightCount--
    const index = this.#batches.indexOf(batch)
    if (index >= 0) this.#batches.splice(index, 1)
  }

  /** The place of `batch`, which waits, is taken by its halves. */
  replace(batch: ProducerBatch, halves: readonly ProducerBatch[]): void {
    const index = this.#batches.indexOf(batch)
    if (index >= 0) this.#batches.splice(index, 1, ...halves)
  }

  /** Whether a batch of the same sequence before `batch` is still without an outcome. */
  hasEarlier(batch: ProducerBatch): boolean {
    for (const other of this.#batches) {
      if (other === batch) return false
      if (other.sequence?.identity === batch.sequence?.identity) return true
    }
    return false
  }

  /** Gives `batch` the next place in the sequence of `identity`, which starts at 0. */
  nextSequence(identity: ProducerIdentity, batch: ProducerBatch): number {
    if (this.#sequenceOf !== identity) {
      this.#sequenceOf = identity
      this.#nextSequence = 0
    }
    const baseSequence = this.#nextSequence
    this.#nextSequence = incrementSequence(baseSequence, batch.recordCount)
    return baseSequence
  }

  /** The broker has stored a batch of `identity`, so from now on it knows what must follow. */
  established(identity: ProducerIdentity): void {
    this.#established = identity
  }

  /**
   * Whether `batch`, the first that waits, may be sent to `nodeId` while others are in flight. Not when it was sent
   * before: then those after it may fail for lack of it. Not to another broker, which may be faster. Not before the
   * broker has stored something of `identity`: it takes a producer that it does not know at any sequence, so were the
   * first batch refused, the second would take its place. And not when the broker would forget the oldest one by it,
   * whose answer may be lost: that one could not be sent again.
   */
  mayFollow(batch: ProducerBatch, identity: ProducerIdentity | undefined, nodeId: number): boolean {
    if (this.inFlightCount === 0) return true
    if (batch.attempts > 0 || nodeId !== this.nodeId || identity === undefined) return false
    const oldest = this.#batches[0]
    if (oldest !== undefined && this.#sentCount - oldest.ordinal >= REMEMBERED_BATCHES) return false
    return this.#established === (batch.sequence?.identity ?? identity)
  }

  /** All batches, oldest first. */
  batches(): readonly ProducerBatch[] {
    return [...this.#batches]
  }
}
