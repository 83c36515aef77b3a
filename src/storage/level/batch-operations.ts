/** The changes to the database that store a batch, remove one, and keep the running maxima of timestamps ascending. */
import type { BatchWrite } from '../contract.js'
import type { BatchIndex } from './batch-index.js'
import type { LevelOperation } from './database.js'
import { dataKey, encodeIndexEntry, indexKey, type IndexEntry } from './keys.js'

/** How many entries are looked at at a time. */
const PAGE_ENTRIES = 512

/** Stores `batch` in the place `sequence`. */
export const putBatch = (
  operations: LevelOperation[],
  partitionNumber: number,
  batch: BatchWrite,
  sequence: number,
  runningMaxTimestamp: number,
): void => {
  const { baseOffset, lastOffset, maxTimestamp, sizeBytes } = batch
  const entry = { baseOffset, lastOffset, maxTimestamp, sizeBytes, sequence, runningMaxTimestamp }
  operations.push(
    { type: 'put', key: dataKey(sequence), value: batch.bytes },
    { type: 'put', key: indexKey(partitionNumber, baseOffset), value: encodeIndexEntry(entry) },
  )
}

/** Removes the batch of `entry`. */
export const removeBatch = (
  operations: LevelOperation[],
  partitionNumber: number,
  { sequence, baseOffset }: IndexEntry,
): void => {
  operations.push(
    { type: 'del', key: dataKey(sequence) },
    { type: 'del', key: indexKey(partitionNumber, baseOffset) },
  )
}

/**
 * The entries behind a replaced range keep their running maximum unless the replacement exceeds it; then they are
 * raised until they catch up. Returns the maximum at the end of the partition, undefined for the one it had.
 */
export const raiseRunningMax = async (
  operations: LevelOperation[],
  index: BatchIndex,
  partitionNumber: number,
  range: { readonly fromOffset: number; readonly endOffset: number },
  replacementMax: number,
): Promise<number | undefined> => {
  let runningMax = replacementMax
  for (let at = range.fromOffset; ;) {
    const entries = await index.rawEntries(at, range.endOffset, PAGE_ENTRIES)
    for (const entry of entries) {
      if (entry.runningMaxTimestamp >= runningMax) return undefined
      runningMax = Math.max(runningMax, entry.maxTimestamp)
      const value = encodeIndexEntry({ ...entry, runningMaxTimestamp: runningMax })
      operations.push({ type: 'put', key: indexKey(partitionNumber, entry.baseOffset), value })
    }
    const last = entries.at(-1)
    if (last === undefined) return runningMax
    at = last.lastOffset + 1
  }
}
