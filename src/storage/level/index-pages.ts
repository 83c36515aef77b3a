/** The pages in which the index is stored: making them of entries, and changing those that are there. */
import type { LevelOperation } from './database.js'
import { batchKey, encodePage, pageKey, type IndexEntry } from './keys.js'

/** How many entries a page has at most. */
export const PAGE_ENTRIES = 128

/** A page as it was read. */
export interface IndexPage {
  readonly key: Uint8Array
  /** At least one, in the order of their offsets. */
  readonly entries: readonly IndexEntry[]
}

/** Stores `entries` as pages. */
export const putPages = (
  operations: LevelOperation[],
  partitionNumber: number,
  entries: readonly IndexEntry[],
): void => {
  for (let from = 0; from < entries.length; from += PAGE_ENTRIES) {
    const page = entries.slice(from, from + PAGE_ENTRIES)
    const key = pageKey(partitionNumber, page.at(-1)?.lastOffset ?? 0)
    operations.push({ type: 'put', key, value: encodePage(page) })
  }
}

/** Removes the bytes of batches; their entries are for the caller to remove. */
export const removeBatches = (
  operations: LevelOperation[],
  partitionNumber: number,
  entries: readonly IndexEntry[],
): void => {
  for (const entry of entries) operations.push({ type: 'del', key: batchKey(partitionNumber, entry) })
}

/** Stores `kept` in place of what `pages` hold. */
export const replacePages = (
  operations: LevelOperation[],
  partitionNumber: number,
  pages: readonly IndexPage[],
  kept: readonly IndexEntry[],
): void => {
  for (const { key } of pages) operations.push({ type: 'del', key })
  // A page may keep its key: what is put later counts.
  putPages(operations, partitionNumber, kept)
}

/** Where the first of `entries` is that ends at or after `offset`; their count when none does. */
export const indexOfOffset = (entries: readonly IndexEntry[], offset: number): number =>
  firstIndex(entries, ({ lastOffset }) => lastOffset >= offset)

/** Where the first of `entries` is from which on all that came before, itself included, has reached `timestamp`. */
export const indexOfTimestamp = (entries: readonly IndexEntry[], timestamp: number): number =>
  firstIndex(entries, ({ runningMaxTimestamp }) => runningMaxTimestamp >= timestamp)

const firstIndex = (entries: readonly IndexEntry[], isReached: (entry: IndexEntry) => boolean): number => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry !== undefined && isReached(entry)) high = middle
    else low = middle + 1
  }
  return low
}

/** Entries whose running maximum is at least `runningMax`, and whether they have caught up with it by themselves. */
export const raiseRunningMax = (
  entries: readonly IndexEntry[],
  runningMax: number,
): {
  readonly entries: readonly IndexEntry[]
  readonly runningMax: number
  readonly hasCaughtUp: boolean
} => {
  let max = runningMax
  const raised: IndexEntry[] = []
  for (const [index, entry] of entries.entries()) {
    if (entry.runningMaxTimestamp >= max) {
      return { entries: [...raised, ...entries.slice(index)], runningMax: max, hasCaughtUp: true }
    }
    max = Math.max(max, entry.maxTimestamp)
    raised.push({ ...entry, runningMaxTimestamp: max })
  }
  return { entries: raised, runningMax: max, hasCaughtUp: false }
}
