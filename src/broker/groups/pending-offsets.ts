/** The offsets that a group has committed in transactions that are still open: they count when those are committed (T1). */
import { CommittedOffsets, type CommittedOffset } from './committed-offsets.js'

/** A group's pending offsets, by producer. */
export class PendingOffsets {
  readonly #byProducer = new Map<number, CommittedOffsets>()

  /** How many there are. */
  get size(): number {
    let size = 0
    for (const offsets of this.#byProducer.values()) size += offsets.size
    return size
  }

  /** Whether one for the partition is pending. */
  has(topic: string, partition: number): boolean {
    for (const offsets of this.#byProducer.values()) {
      if (offsets.get(topic, partition) !== undefined) return true
    }
    return false
  }

  /** Keeps what a producer committed. */
  set(producerId: number, topic: string, partition: number, committed: CommittedOffset): void {
    let offsets = this.#byProducer.get(producerId)
    if (offsets === undefined) this.#byProducer.set(producerId, (offsets = new CommittedOffsets()))
    offsets.set(topic, partition, committed)
  }

  /** Forgets those for a partition, which were deleted. */
  delete(topic: string, partition: number): void {
    for (const [producerId, offsets] of this.#byProducer) {
      offsets.delete(topic, partition)
      if (offsets.size === 0) this.#byProducer.delete(producerId)
    }
  }

  /** Ends the producer's transaction: what it committed is handed to `target`, or dropped without one. */
  end(producerId: number, target: CommittedOffsets | undefined): void {
    const offsets = this.#byProducer.get(producerId)
    this.#byProducer.delete(producerId)
    if (offsets === undefined || target === undefined) return
    for (const topic of offsets.topics()) {
      for (const partition of offsets.partitions(topic)) {
        const committed = offsets.get(topic, partition)
        if (committed !== undefined) target.set(topic, partition, committed)
      }
    }
  }

  /** All partitions that have one. */
  *partitions(): IterableIterator<{ readonly topic: string; readonly partition: number }> {
    for (const offsets of this.#byProducer.values()) {
      for (const topic of offsets.topics()) {
        for (const partition of offsets.partitions(topic)) yield { topic, partition }
      }
    }
  }
}
