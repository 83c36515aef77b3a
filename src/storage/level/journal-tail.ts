/**
 * What a partition has in the journal and not yet in its index: kept in memory, where reads find it, until it is
 * written to the index and the blobs in bulk.
 */
import type { LevelOperation } from './database.js'
import { putPages } from './index-pages.js'
import { blobKey, type IndexEntry } from './keys.js'

/** Adds the changes that set blobs, and remove those that are null. */
export const putBlobs = (
  operations: LevelOperation[],
  partitionNumber: number,
  blobs: Iterable<readonly [string, Uint8Array | null]>,
): void => {
  for (const [name, value] of blobs) {
    const key = blobKey(partitionNumber, name)
    operations.push(value === null ? { type: 'del', key } : { type: 'put', key, value })
  }
}

/** The end of a partition's journal. */
export class JournalTail {
  #entries: IndexEntry[] = []
  readonly #blobs = new Map<string, Uint8Array | null>()
  #blobChangeKeys: Uint8Array[] = []

  /** The batches, in order. The array only ever grows; clear() begins a new one, so a reader's stays as it was. */
  get entries(): readonly IndexEntry[] {
    return this.#entries
  }

  /** How many changes it holds. */
  get size(): number {
    return this.#entries.length + this.#blobChangeKeys.length
  }

  /** A batch was appended. */
  addBatch(entry: IndexEntry): void {
    this.#entries.push(entry)
  }

  /** A blob was set, or removed with null; the journal has it under `key`. */
  addBlob(name: string, value: Uint8Array | null, key: Uint8Array): void {
    this.#blobs.set(name, value)
    this.#blobChangeKeys.push(key)
  }

  /** The blob as it was last set here; null when it was removed, undefined when it was not touched. */
  blob(name: string): Uint8Array | null | undefined {
    return this.#blobs.get(name)
  }

  /** The changes that bring all of it where it belongs. */
  putInto(operations: LevelOperation[], partitionNumber: number): void {
    putPages(operations, partitionNumber, this.#entries)
    putBlobs(operations, partitionNumber, this.#blobs)
    // A blob in the journal has served then; the batches stay, as they are where they belong.
    for (const key of this.#blobChangeKeys) operations.push({ type: 'del', key })
  }

  /** Forgets it all: it is where it belongs. */
  clear(): void {
    this.#entries = []
    this.#blobs.clear()
    this.#blobChangeKeys = []
  }
}
