/**
 * What a walk through a log's batches in their order knows of transactions: which data was taken back, and of which
 * marker nothing is left. It comes to the same as in Kafka's cleaner.
 */
import type { BatchHeader } from '../../record/header.js'
import { markerOf, type OpenTransaction } from '../transaction-index.js'

/** The transactions of a part of a log, as its batches are met. */
export class TransactionWalk {
  /** The offsets of the markers of aborted transactions of which no batch is left. */
  readonly emptied: number[] = []
  /** Those that were aborted and did not begin yet; the next is the last. */
  readonly #ahead: OpenTransaction[]
  /** The producers whose transaction is one that was aborted. */
  readonly #aborted = new Set<number>()
  /** The producers of which a batch was met since their last marker, if an empty one. */
  readonly #met = new Set<number>()

  /** @param aborted the transactions that were aborted and end at or beyond where the walk begins. */
  constructor(aborted: readonly OpenTransaction[]) {
    this.#ahead = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** Takes in a batch of data. Tells whether it was taken back. */
  data({ lastOffset, isTransactional, producerId }: BatchHeader): boolean {
    this.#beginUpTo(lastOffset)
    if (!isTransactional) return false
    this.#met.add(producerId)
    return this.#aborted.has(producerId)
  }

  /** Takes in a control batch. Tells whether nothing is left of what it ended. */
  control(header: BatchHeader, bytes: Uint8Array): boolean {
    const { lastOffset, producerId, recordCount } = header
    this.#beginUpTo(lastOffset)
    const marker = markerOf(header, bytes)
    if (marker === undefined) return recordCount === 0
    const isVoid = !this.#met.delete(producerId)
    if (marker.type === 'abort') {
      this.#aborted.delete(producerId)
      if (isVoid) this.emptied.push(lastOffset)
    }
    return isVoid
  }

  #beginUpTo(offset: number): void {
    for (let next = this.#ahead.at(-1); next !== undefined; next = this.#ahead.at(-1)) {
      if (next.firstOffset > offset) return
      this.#ahead.pop()
      this.#aborted.add(next.producerId)
    }
  }
}
