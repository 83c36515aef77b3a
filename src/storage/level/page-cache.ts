/** The index page that each partition was last read with: whoever reads on finds the next batches in it. */
import type { IndexEntry } from './keys.js'

/** How many pages are kept, over all partitions; those read longest ago go first. */
const MAX_CACHED_PAGES = 128

/** Recently read pages, one a partition. */
export class PageCache {
  readonly #pages = new Map<number, readonly IndexEntry[]>()

  /** The page of the partition, when it holds `offset`. */
  get(partitionNumber: number, offset: number): readonly IndexEntry[] | undefined {
    const entries = this.#pages.get(partitionNumber)
    const [first] = entries ?? []
    const last = entries?.at(-1)
    if (first === undefined || last === undefined) return undefined
    return first.baseOffset <= offset && offset <= last.lastOffset ? entries : undefined
  }

  /** Keeps `entries` for the partition. */
  set(partitionNumber: number, entries: readonly IndexEntry[]): void {
    this.#pages.delete(partitionNumber)
    this.#pages.set(partitionNumber, entries)
    if (this.#pages.size <= MAX_CACHED_PAGES) return
    const [oldest] = this.#pages.keys()
    if (oldest !== undefined) this.#pages.delete(oldest)
  }

  /** Forgets the page of the partition. */
  delete(partitionNumber: number): void {
    this.#pages.delete(partitionNumber)
  }
}
