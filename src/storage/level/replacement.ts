/** Replacing a range of a partition's batches: the changes to the store, and what the partition is afterwards. */
import { assertWhole } from '../batch-order.js'
import type { BatchWrite } from '../contract.js'
import type { BatchIndex } from './batch-index.js'
import type { LevelOperation } from './database.js'
import { raiseRunningMax, removeBatches, replacePages, type IndexPage } from './index-pages.js'
import { batchKey, type IndexEntry, type PartitionMeta } from './keys.js'
import { withoutBatches } from './partition-state.js'

/** How many index pages are read at a time. */
const PAGES_A_STEP = 16

/** A replacement that is ready to be written. */
export interface Replacement {
  readonly operations: LevelOperation[]
  readonly meta: PartitionMeta
  readonly replaced: readonly IndexEntry[]
}

/**
 * Prepares to put `batches` in the place of those in the range; all of the partition must be in the index.
 * @throws OttlaError INVALID_ARGUMENT when the range cuts through a batch.
 */
export const planReplacement = async (
  index: BatchIndex,
  meta: PartitionMeta,
  range: { readonly fromOffset: number; readonly toOffset: number },
  batches: readonly BatchWrite[],
  takeSequence: () => number,
): Promise<Replacement> => {
  const { partitionNumber } = meta
  const { fromOffset, toOffset } = range
  const pages = await pagesWithin(index, fromOffset, toOffset)
  const entries = pages.flatMap((page) => page.entries)
  const before = entries.filter(({ lastOffset }) => lastOffset < fromOffset)
  const behind = entries.filter(({ baseOffset }) => baseOffset >= toOffset)
  const replaced = entries.slice(before.length, entries.length - behind.length)
  assertWhole(replaced, fromOffset, toOffset)

  const operations: LevelOperation[] = []
  removeBatches(operations, partitionNumber, replaced)
  let runningMaxTimestamp = (await index.before(fromOffset))?.runningMaxTimestamp ?? -Infinity
  let { sizeBytes, batchCount } = withoutBatches(meta, replaced)
  const added = batches.map(({ bytes, ...info }): IndexEntry => {
    runningMaxTimestamp = Math.max(runningMaxTimestamp, info.maxTimestamp)
    sizeBytes += info.sizeBytes
    batchCount++
    const entry = { ...info, sequence: takeSequence(), runningMaxTimestamp }
    operations.push({ type: 'put', key: batchKey(partitionNumber, entry), value: bytes })
    return entry
  })
  // The entries behind keep their running maximum unless the replacement exceeds it; then they are raised until they
  // catch up.
  let raised = raiseRunningMax(behind, runningMaxTimestamp)
  replacePages(operations, partitionNumber, pages, [...before, ...added, ...raised.entries])
  for (let at = endOf(entries) ?? toOffset; !raised.hasCaughtUp;) {
    const [page] = await index.pages(at, 1)
    if (page === undefined) break
    raised = raiseRunningMax(page.entries, raised.runningMax)
    replacePages(operations, partitionNumber, [page], raised.entries)
    at = endOf(page.entries) ?? Infinity
  }
  return {
    operations,
    meta: {
      ...meta,
      sizeBytes,
      batchCount,
      runningMaxTimestamp: raised.hasCaughtUp ? meta.runningMaxTimestamp : raised.runningMax,
    },
    replaced,
  }
}

/** The pages that hold an entry in the range. */
const pagesWithin = async (index: BatchIndex, fromOffset: number, toOffset: number): Promise<IndexPage[]> => {
  const found: IndexPage[] = []
  for (let at = fromOffset; at < toOffset;) {
    const step = await index.pages(at, PAGES_A_STEP)
    const last = step.at(-1)
    if (last === undefined) break
    found.push(...step.filter(({ entries }) => (entries[0]?.baseOffset ?? toOffset) < toOffset))
    at = endOf(last.entries) ?? toOffset
  }
  return found
}

const endOf = (entries: readonly IndexEntry[]): number | undefined => {
  const last = entries.at(-1)
  return last === undefined ? undefined : last.lastOffset + 1
}
