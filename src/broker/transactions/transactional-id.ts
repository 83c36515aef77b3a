/** One transactional id as its coordinator holds it: what counts, and whether something about it is being written. */
import type { ScheduledTimer } from '../../runtime/clock.js'
import { underWay } from './end-transaction.js'
import type { TransactionMetadata } from './transaction-metadata.js'
import type { TransactionsPartition } from './transactions-partition.js'

/** A transactional id. */
export class TransactionalId {
  readonly name: string
  readonly partition: TransactionsPartition
  /** What is in the log. */
  metadata: TransactionMetadata
  /** Aborts the transaction that is open, or tries again to write the markers of one that is decided. */
  timeout: ScheduledTimer | undefined
  #change: Promise<unknown> | undefined
  #noted: TransactionMetadata | undefined
  /** Requests to add partitions go one after the other, so that what waits for them keeps its order. */
  #additions: Promise<unknown> = Promise.resolve()
  #additionCount = 0

  constructor(name: string, partition: TransactionsPartition, metadata: TransactionMetadata) {
    this.name = name
    this.partition = partition
    this.metadata = metadata
  }

  /** The change under way, which no other may overlap; undefined when there is none. */
  get change(): Promise<unknown> | undefined {
    return this.#change
  }

  /** Carries a change out. @throws OttlaError CONCURRENT_TRANSACTIONS while there is another. */
  async changing<T>(change: () => Promise<T>): Promise<T> {
    if (this.#change !== undefined) throw underWay()
    const running = change()
    const settled = running.then(
      () => undefined,
      () => undefined,
    )
    this.#change = settled
    try {
      return await running
    } finally {
      this.#change = undefined
    }
  }

  /** Writes the next step, which counts when this resolves. */
  async write(next: TransactionMetadata): Promise<void> {
    this.#noted = undefined
    await this.partition.write(this.name, next)
    this.metadata = next
  }

  /**
   * Takes a step that is only a note: it counts at once, and is written when the event loop turns, unless the next step
   * has been by then, which says more. What a crash loses of it is found out again.
   */
  note(next: TransactionMetadata): void {
    this.metadata = next
    this.#noted = next
    this.partition.clock.defer(() => this.writeNote())
  }

  /** Writes a note that is not written yet. */
  writeNote(): void {
    if (this.#noted === undefined) return
    // The log that failed has told the application, and refuses every step after this one.
    this.partition.write(this.name, this.#noted).catch(() => undefined)
    this.#noted = undefined
  }

  /** Whether partitions are being added. */
  get isAdding(): boolean {
    return this.#additionCount > 0
  }

  /** Carries `addition` out after those before it; it is over when the function of it is. */
  adding<T>(addition: () => Promise<T>): Promise<T> {
    this.#additionCount++
    const added = this.#additions.then(addition).finally(() => this.#additionCount--)
    this.#additions = added.catch(() => undefined)
    return added
  }
}
