/** How a partition's state follows from what is done to it: the same while it runs and when a journal is read again. */
import type { BatchInfo } from '../contract.js'
import type { PartitionMeta } from './keys.js'

/** The state of a partition that was never written. */
export const emptyMeta = (partitionNumber: number): PartitionMeta => ({
  partitionNumber,
  startOffset: 0,
  endOffset: 0,
  sizeBytes: 0,
  batchCount: 0,
  runningMaxTimestamp: -Infinity,
  indexedSequence: 0,
  isTrimmingStart: false,
  isTrimmingEnd: false,
})

/** The state once `batch` is appended. */
export const withBatch = (
  meta: PartitionMeta,
  { lastOffset, sizeBytes, maxTimestamp }: BatchInfo,
): PartitionMeta => ({
  ...meta,
  endOffset: lastOffset + 1,
  sizeBytes: meta.sizeBytes + sizeBytes,
  batchCount: meta.batchCount + 1,
  runningMaxTimestamp: Math.max(meta.runningMaxTimestamp, maxTimestamp),
})

/** The state once `batches` have gone. */
export const withoutBatches = (meta: PartitionMeta, batches: readonly BatchInfo[]): PartitionMeta => {
  let { sizeBytes } = meta
  for (const batch of batches) sizeBytes -= batch.sizeBytes
  return { ...meta, sizeBytes, batchCount: meta.batchCount - batches.length }
}
