/** Removing what a truncation cut off, slice by slice, so that however much it is, nothing else waits for long. */
import type { BatchIndex } from './batch-index.js'
import type { LevelOperation } from './database.js'
import { removeBatches, replacePages } from './index-pages.js'
import type { IndexEntry, PartitionMeta } from './keys.js'

/** How many index pages one slice looks at, with their batches. */
const SLICE_PAGES = 4

/** A slice that is ready to be written. */
export interface Trimming {
  readonly operations: readonly LevelOperation[]
  readonly dropped: readonly IndexEntry[]
  /** Where the next slice begins; undefined behind the last. */
  readonly next: number | undefined
}

/**
 * Prepares to remove those of a partition from `fromOffset` on that `isDropped` picks; it picks them without a gap, at
 * one end of the partition, and all of the partition must be in the index.
 */
export const planTrimming = async (
  index: BatchIndex,
  { partitionNumber }: PartitionMeta,
  fromOffset: number,
  isDropped: (entry: IndexEntry) => boolean,
): Promise<Trimming> => {
  const pages = await index.pages(fromOffset, SLICE_PAGES)
  const touched = pages.filter(({ entries }) => entries.some(isDropped))
  const entries = touched.flatMap((page) => page.entries)
  const dropped = entries.filter(isDropped)
  const kept = entries.filter((entry) => !isDropped(entry))
  const operations: LevelOperation[] = []
  removeBatches(operations, partitionNumber, dropped)
  replacePages(operations, partitionNumber, touched, kept)
  const last = pages.at(-1)?.entries.at(-1)
  const isLast = last === undefined || pages.length < SLICE_PAGES || !isDropped(last)
  // Not from the front again: the store would walk past all that is removed already.
  return { operations, dropped, next: isLast ? undefined : last.lastOffset + 1 }
}
