/**
 * Gives disk back. LevelDB keeps the bytes of deleted keys until it happens to compact them, so dropped batches are
 * counted, and when they are worth it the range in which they lay is compacted, in the background, one range at a time.
 */
import type { LevelDatabase } from './database.js'
import { journalKey } from './keys.js'

/** How many dropped bytes are worth a compaction. */
const WORTHWHILE_BYTES = 1024 * 1024

/** Compacts what was dropped. */
export class Reclaimer {
  readonly #database: LevelDatabase
  #first = Infinity
  #last = -1
  #droppedBytes = 0
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(database: LevelDatabase) {
    this.#database = database
  }

  /** Counts a batch that was removed from the place `sequence`. */
  dropped(sequence: number, sizeBytes: number): void {
    this.#first = Math.min(this.#first, sequence)
    this.#last = Math.max(this.#last, sequence)
    this.#droppedBytes += sizeBytes
    if (this.#droppedBytes < WORTHWHILE_BYTES || this.#isClosed) return
    this.#running ??= this.#compact()
  }

  /** Resolves when the compaction that is under way has ended. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Begins no further compaction, and waits for the one that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.idle()
  }

  async #compact(): Promise<void> {
    // What is dropped in the same turn, in the slices of one truncation, belongs to one compaction.
    await Promise.resolve()
    while (this.#droppedBytes >= WORTHWHILE_BYTES && !this.#isClosed) {
      const start = journalKey(this.#first)
      const end = journalKey(this.#last + 1)
      this.#first = Infinity
      this.#last = -1
      this.#droppedBytes = 0
      try {
        // LevelDB looks how deep it must go before it writes out what it has in memory, and so misses what is only then
        // on its way to a file. The first call, for a range with nothing in it, has all of that written out.
        await this.#database.compactRange?.(end, end, { keyEncoding: 'view' })
        await this.#database.compactRange?.(start, end, { keyEncoding: 'view' })
      } catch {
        // Space that was not given back now is given back when LevelDB compacts by itself; nothing else depends on it.
      }
    }
    // In the same turn as the last look: what is dropped after it starts the next run.
    this.#running = undefined
  }
}
