/** The model: a partition as an array that is filtered and sorted, with nothing clever in it. */
import type { BatchInfo, BatchWrite, BlobChanges, PartitionState, StoredBatch } from '../contract.js'
import { batchOf, infoOf } from './samples.js'

/** A partition as the contract describes it. */
export class NaivePartition {
  batches: BatchWrite[] = []
  blobs: Readonly<Record<string, Uint8Array>> = {}
  startOffset = 0
  endOffset = 0

  /** As {@link PartitionState}. */
  get state(): PartitionState {
    return {
      startOffset: this.startOffset,
      endOffset: this.endOffset,
      sizeBytes: this.batches.reduce((total, batch) => total + batch.sizeBytes, 0),
      batchCount: this.batches.length,
    }
  }

  append(batches: readonly BatchWrite[], blobs: BlobChanges): void {
    this.batches = [...this.batches, ...batches]
    this.endOffset = (batches.at(-1)?.lastOffset ?? this.endOffset - 1) + 1
    this.change(blobs)
  }

  truncateSuffix(endOffset: number, blobs: BlobChanges): void {
    if (endOffset < this.endOffset) {
      this.batches = this.batches.filter((batch) => batch.lastOffset < endOffset)
      this.endOffset = Math.max(this.startOffset, (this.batches.at(-1)?.lastOffset ?? -1) + 1)
    }
    this.change(blobs)
  }

  truncatePrefix(startOffset: number, blobs: BlobChanges): void {
    this.startOffset = Math.max(this.startOffset, startOffset)
    this.batches = this.batches.filter((batch) => batch.lastOffset >= this.startOffset)
    this.change(blobs)
  }

  replace(fromOffset: number, toOffset: number, batches: readonly BatchWrite[], blobs: BlobChanges): void {
    const kept = this.batches.filter(({ baseOffset }) => baseOffset < fromOffset || baseOffset >= toOffset)
    this.batches = [...kept, ...batches].sort((a, b) => a.baseOffset - b.baseOffset)
    this.change(blobs)
  }

  change(blobs: BlobChanges): void {
    const kept = Object.entries({ ...this.blobs, ...blobs }).flatMap(([name, value]) =>
      value === null ? [] : [[name, value] as const],
    )
    this.blobs = Object.fromEntries(kept)
  }

  read(fromOffset: number, maxBytes: number): StoredBatch[] {
    const found: StoredBatch[] = []
    let total = 0
    for (const batch of this.#from(fromOffset)) {
      total += batch.sizeBytes
      if (found.length > 0 && total > maxBytes) break
      found.push(batchOf(batch))
    }
    return found
  }

  infos(fromOffset: number, maxCount: number): BatchInfo[] {
    return this.#from(fromOffset).slice(0, maxCount).map(infoOf)
  }

  findByTimestamp(timestamp: number, fromOffset: number): BatchInfo | undefined {
    const found = this.#from(fromOffset).find((batch) => batch.maxTimestamp >= timestamp)
    return found === undefined ? undefined : infoOf(found)
  }

  #from(offset: number): BatchWrite[] {
    return this.batches.filter((batch) => batch.lastOffset >= offset)
  }
}
