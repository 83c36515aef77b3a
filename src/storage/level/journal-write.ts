/** A write to the journal: batches that are appended, and blobs that change with them. */
import type { BatchWrite, BlobChanges } from '../contract.js'
import type { LevelOperation } from './database.js'
import type { JournalTail } from './journal-tail.js'
import { batchKey, blobChangeKey, type IndexEntry, type PartitionMeta } from './keys.js'
import type { LevelWrite } from './level-engine.js'

const NO_BYTES = new Uint8Array(0)

/** A write to the journal, which the tail holds once it is applied. */
export interface JournalWrite extends LevelWrite {
  /** How many changes it makes. */
  readonly count: number
  /** The bytes of its values. */
  readonly sizeBytes: number
}

/** Prepares a write of `batches` and `blobs` to a partition whose state before it is `meta`. */
export const journalWrite = (
  sequences: { takeSequence(): number },
  tail: JournalTail,
  meta: PartitionMeta,
  batches: readonly BatchWrite[],
  blobs: BlobChanges | undefined,
): JournalWrite => {
  const { partitionNumber } = meta
  // Copied when they are handed over.
  const changes = Object.entries(blobs ?? {}).map(([name, value]) => ({
    name,
    value: value?.slice() ?? null,
  }))
  let sizeBytes = 0
  for (const batch of batches) sizeBytes += batch.sizeBytes
  for (const { value } of changes) sizeBytes += value?.length ?? 0
  const entries: IndexEntry[] = []
  const blobKeys: Uint8Array[] = []
  return {
    count: batches.length + changes.length,
    sizeBytes,
    build: (operations: LevelOperation[]) => {
      let { runningMaxTimestamp } = meta
      for (const { baseOffset, lastOffset, maxTimestamp, sizeBytes, bytes } of batches) {
        runningMaxTimestamp = Math.max(runningMaxTimestamp, maxTimestamp)
        const sequence = sequences.takeSequence()
        const entry = { sequence, baseOffset, lastOffset, sizeBytes, maxTimestamp, runningMaxTimestamp }
        entries.push(entry)
        operations.push({ type: 'put', key: batchKey(partitionNumber, entry), value: bytes })
      }
      for (const { name, value } of changes) {
        const key = blobChangeKey(partitionNumber, sequences.takeSequence(), name, value === null)
        blobKeys.push(key)
        operations.push({ type: 'put', key, value: value ?? NO_BYTES })
      }
    },
    applied: () => {
      for (const entry of entries) tail.addBatch(entry)
      for (const [index, { name, value }] of changes.entries()) {
        tail.addBlob(name, value, blobKeys[index] ?? NO_BYTES)
      }
    },
  }
}
