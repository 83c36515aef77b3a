/** The batches of one partition that are not yet acknowledged, in the order in which they must be stored. */
import { incrementSequence } from '../../record/header.js'
import type { ProducerBatch } from './producer-batch.js'
import type { ProducerIdentity } from './producer-identity.js'

/** A partition's batches. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** Gathers records; undefined when there is none to gather into. */
  gathering: ProducerBatch | undefined
  /** Complete, or to be sent again; oldest first. */
  readonly waiting: ProducerBatch[] = []
  readonly inFlight: ProducerBatch[] = []
  /** Not before this time on the monotonic clock, after an error. */
  retryAt = 0
  /** Whether something is being looked up or encoded on behalf of the first waiting batch. */
  isBusy = false
  #identity: ProducerIdentity | undefined
  #nextSequence = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** Ends the gathering: what was gathered is to be sent. */
  complete(): void {
    const batch = this.gathering
    if (batch === undefined) return
    this.gathering = undefined
    batch.state = 'waiting'
    this.waiting.push(batch)
  }

  /** Puts a batch back that is to be sent again, in its place among those that wait. */
  putBack(batch: ProducerBatch): void {
    batch.state = 'waiting'
    const later = this.waiting.findIndex(
      (other) => other.createdAt > batch.createdAt || other.sequence === undefined,
    )
    if (later < 0) this.waiting.push(batch)
    else this.waiting.splice(later, 0, batch)
  }

  /** Whether a batch that was sent earlier than `batch` is still without an outcome. */
  hasEarlier(batch: ProducerBatch): boolean {
    const sequence = batch.sequence?.baseSequence ?? 0
    const isEarlier = (other: ProducerBatch): boolean =>
      other !== batch &&
      other.sequence?.identity === batch.sequence?.identity &&
      (other.sequence?.baseSequence ?? 0) < sequence
    return (
      this.inFlight.some(isEarlier) ||
      this.waiting.some((other) => other.sequence !== undefined && isEarlier(other))
    )
  }

  /** Gives `batch` the next place in the sequence of `identity`, which starts at 0. */
  nextSequence(identity: ProducerIdentity, batch: ProducerBatch): number {
    if (this.#identity !== identity) {
      this.#identity = identity
      this.#nextSequence = 0
    }
    const baseSequence = this.#nextSequence
    this.#nextSequence = incrementSequence(baseSequence, batch.recordCount)
    return baseSequence
  }

  /** Takes `batch` out of wherever it is. */
  remove(batch: ProducerBatch): void {
    if (this.gathering === batch) this.gathering = undefined
    for (const list of [this.waiting, this.inFlight]) {
      const index = list.indexOf(batch)
      if (index >= 0) list.splice(index, 1)
    }
  }

  /** All batches, oldest first. */
  *batches(): Iterable<ProducerBatch> {
    yield* this.inFlight
    yield* this.waiting
    if (this.gathering !== undefined) yield this.gathering
  }
}
