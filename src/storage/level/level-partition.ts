/**
 * A partition in a key-value store. Appends go straight to the group commit; what changes the shape of the partition
 * (truncation at either end, replacement) runs by itself, after the writes before it and before those after it.
 */
import { OttlaError, invalidArgument } from '../../runtime/errors/ottla-error.js'
import { assertAscending, assertWithin } from '../batch-order.js'
import { partitionKey } from '../partition-key.js'
import type {
  BatchInfo,
  BatchWrite,
  BlobChanges,
  Durability,
  PartitionId,
  PartitionState,
  PartitionStorage,
  StoredBatch,
} from '../contract.js'
import type { LevelOperation } from './database.js'
import {
  blobKey,
  dataKey,
  encodeIndexEntry,
  encodeMeta,
  indexKey,
  metaKey,
  type IndexEntry,
  type PartitionMeta,
} from './keys.js'
import { BatchIndex } from './batch-index.js'
import type { LevelEngine } from './level-engine.js'

/** How many batches one write removes: enough to be quick, few enough not to hold up anything else. */
const DROP_SLICE_BATCHES = 512

/** Roughly what a key and its place in a write take besides a batch's bytes. */
const OPERATION_BYTES = 64

/** A partition in a level storage. */
export class LevelPartition implements PartitionStorage {
  readonly id: PartitionId
  readonly #engine: LevelEngine
  readonly #index: BatchIndex
  readonly #metaKey: Uint8Array
  /** The state after every write that was acknowledged, and after every write that was submitted. */
  #stored: PartitionMeta
  #planned: PartitionMeta
  #lastWrite: Promise<void> = Promise.resolve()
  /** The end of the chain of changes of shape; undefined when none is under way. */
  #reshaping: Promise<void> | undefined
  #isDeleted = false

  constructor(engine: LevelEngine, id: PartitionId, meta: PartitionMeta) {
    this.id = id
    this.#engine = engine
    this.#index = new BatchIndex(engine.database, meta.partitionNumber, partitionKey(id))
    this.#metaKey = metaKey(id)
    this.#stored = meta
    this.#planned = meta
  }

  get state(): PartitionState {
    const { startOffset, endOffset, sizeBytes, batchCount } = this.#stored
    return { startOffset, endOffset, sizeBytes, batchCount }
  }

  /** What a truncation that a crash cut short has left is removed before anything else happens. */
  async recover(): Promise<void> {
    await this.#dropBeyondEnd()
    await this.#dropBelowStart()
  }

  /** Everything after this is refused. */
  markDeleted(): void {
    this.#isDeleted = true
  }

  /** Resolves when the writes and changes of shape that were begun are over, well or not. */
  async idle(): Promise<void> {
    while (this.#reshaping !== undefined) await this.#reshaping
    await this.#lastWrite
  }

  append(
    batches: readonly BatchWrite[],
    options: { readonly durability: Durability; readonly blobs?: BlobChanges },
  ): Promise<void> {
    if (this.#reshaping !== undefined) return this.#reshaping.then(() => this.append(batches, options))
    const refusal = this.#refusal(options.durability)
    if (refusal !== undefined) return Promise.reject(refusal)
    try {
      assertAscending(batches, this.#planned.endOffset)
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
    const operations: LevelOperation[] = []
    let { endOffset, sizeBytes, batchCount, runningMaxTimestamp } = this.#planned
    for (const batch of batches) {
      runningMaxTimestamp = Math.max(runningMaxTimestamp, batch.maxTimestamp)
      this.#put(operations, batch, runningMaxTimestamp)
      endOffset = batch.lastOffset + 1
      sizeBytes += batch.sizeBytes
      batchCount++
    }
    const meta = { ...this.#planned, endOffset, sizeBytes, batchCount, runningMaxTimestamp }
    return this.#write(meta, operations, options.blobs, options.durability)
  }

  async read(fromOffset: number, maxBytes: number): Promise<readonly StoredBatch[]> {
    this.#assertReadable()
    const { startOffset, endOffset } = this.#stored
    const entries = await this.#index.entriesWithin(Math.max(fromOffset, startOffset), endOffset, maxBytes)
    return this.#index.load(entries)
  }

  async infos(fromOffset: number, maxCount: number): Promise<readonly BatchInfo[]> {
    this.#assertReadable()
    const { startOffset, endOffset } = this.#stored
    return this.#index.entries(Math.max(fromOffset, startOffset), endOffset, maxCount)
  }

  async findByTimestamp(timestamp: number, fromOffset: number): Promise<BatchInfo | undefined> {
    this.#assertReadable()
    const { startOffset, endOffset } = this.#stored
    return this.#index.findByTimestamp(timestamp, Math.max(fromOffset, startOffset), endOffset)
  }

  truncateSuffix(endOffset: number, blobs?: BlobChanges): Promise<void> {
    return this.#reshape(async () => {
      const { startOffset, endOffset: oldEnd } = this.#planned
      const [firstDropped] = await this.#index.entries(Math.max(endOffset, startOffset), oldEnd, 1)
      if (firstDropped === undefined) {
        await this.#write(this.#planned, [], blobs, 'os')
        return
      }
      const last = await this.#index.before(firstDropped.baseOffset)
      const keepsLast = last !== undefined && last.lastOffset >= startOffset
      // The new end alone makes what lies beyond it invisible; removing that follows, and is resumed after a crash.
      const meta = {
        ...this.#planned,
        endOffset: keepsLast ? last.lastOffset + 1 : startOffset,
        runningMaxTimestamp: keepsLast ? last.runningMaxTimestamp : -Infinity,
      }
      await this.#write(meta, [], blobs, 'os')
      await this.#dropBeyondEnd()
    })
  }

  truncatePrefix(startOffset: number, blobs?: BlobChanges): Promise<void> {
    return this.#reshape(async () => {
      if (startOffset > this.#planned.endOffset) {
        throw invalidArgument(
          `The new log start offset of ${partitionKey(this.id)}`,
          startOffset,
          `at most its end, ${this.#planned.endOffset}`,
        )
      }
      // As above: the new start alone makes what lies below it invisible.
      await this.#write(
        { ...this.#planned, startOffset: Math.max(this.#planned.startOffset, startOffset) },
        [],
        blobs,
        'os',
      )
      await this.#dropBelowStart()
    })
  }

  replace(
    fromOffset: number,
    toOffset: number,
    batches: readonly BatchWrite[],
    blobs?: BlobChanges,
  ): Promise<void> {
    return this.#reshape(async () => {
      assertWithin(batches, fromOffset, toOffset)
      const replaced = (await this.#index.entries(fromOffset, toOffset, Number.MAX_SAFE_INTEGER)).filter(
        (entry) => entry.baseOffset >= fromOffset,
      )
      const operations: LevelOperation[] = []
      let { sizeBytes, batchCount } = this.#planned
      for (const entry of replaced) {
        this.#remove(operations, entry)
        sizeBytes -= entry.sizeBytes
        batchCount--
      }
      let runningMaxTimestamp = (await this.#index.before(fromOffset))?.runningMaxTimestamp ?? -Infinity
      for (const batch of batches) {
        runningMaxTimestamp = Math.max(runningMaxTimestamp, batch.maxTimestamp)
        this.#put(operations, batch, runningMaxTimestamp)
        sizeBytes += batch.sizeBytes
        batchCount++
      }
      runningMaxTimestamp = await this.#raiseRunningMax(operations, toOffset, runningMaxTimestamp)
      const meta = { ...this.#planned, sizeBytes, batchCount, runningMaxTimestamp }
      await this.#write(meta, operations, blobs, 'os')
      this.#reclaim(replaced)
    })
  }

  async readBlob(name: string): Promise<Uint8Array | undefined> {
    this.#assertReadable()
    return this.#engine.get(blobKey(this.#planned.partitionNumber, name))
  }

  writeBlobs(blobs: BlobChanges, durability: Durability): Promise<void> {
    if (this.#reshaping !== undefined) return this.#reshaping.then(() => this.writeBlobs(blobs, durability))
    const refusal = this.#refusal(durability)
    return refusal === undefined ? this.#write(this.#planned, [], blobs, durability) : Promise.reject(refusal)
  }

  /**
   * The entries behind a replaced range keep their running maximum unless the replacement exceeds it; then they are
   * raised until they catch up. Returns the maximum at the end of the partition.
   */
  async #raiseRunningMax(
    operations: LevelOperation[],
    fromOffset: number,
    runningMax: number,
  ): Promise<number> {
    const { partitionNumber, endOffset } = this.#planned
    let at = fromOffset
    for (;;) {
      const entries = await this.#index.entries(at, endOffset, DROP_SLICE_BATCHES)
      for (const entry of entries) {
        if (entry.baseOffset < fromOffset) continue
        if (entry.runningMaxTimestamp >= runningMax) return this.#planned.runningMaxTimestamp
        runningMax = Math.max(runningMax, entry.maxTimestamp)
        const value = encodeIndexEntry({ ...entry, runningMaxTimestamp: runningMax })
        operations.push({ type: 'put', key: indexKey(partitionNumber, entry.baseOffset), value })
      }
      const last = entries.at(-1)
      if (last === undefined) return runningMax
      at = last.lastOffset + 1
    }
  }

  async #dropBeyondEnd(): Promise<void> {
    await this.#drop(() => this.#index.rawEntries(this.#planned.endOffset, undefined, DROP_SLICE_BATCHES))
  }

  async #dropBelowStart(): Promise<void> {
    await this.#drop(async () => {
      const entries = await this.#index.rawEntries(0, this.#planned.startOffset, DROP_SLICE_BATCHES)
      return entries.filter((entry) => entry.lastOffset < this.#planned.startOffset)
    })
  }

  /** Removes what `next` finds, slice by slice, until it finds nothing. */
  async #drop(next: () => Promise<readonly IndexEntry[]>): Promise<void> {
    for (let entries = await next(); entries.length > 0; entries = await next()) {
      const operations: LevelOperation[] = []
      let { sizeBytes, batchCount } = this.#planned
      for (const entry of entries) {
        this.#remove(operations, entry)
        sizeBytes -= entry.sizeBytes
        batchCount--
      }
      await this.#write({ ...this.#planned, sizeBytes, batchCount }, operations, undefined, 'os')
      this.#reclaim(entries)
    }
  }

  #put(operations: LevelOperation[], batch: BatchWrite, runningMaxTimestamp: number): void {
    const sequence = this.#engine.nextSequence()
    const { baseOffset, lastOffset, maxTimestamp, sizeBytes } = batch
    const entry = { baseOffset, lastOffset, maxTimestamp, sizeBytes, sequence, runningMaxTimestamp }
    operations.push(
      { type: 'put', key: dataKey(sequence), value: batch.bytes },
      {
        type: 'put',
        key: indexKey(this.#planned.partitionNumber, baseOffset),
        value: encodeIndexEntry(entry),
      },
    )
  }

  #remove(operations: LevelOperation[], entry: IndexEntry): void {
    operations.push(
      { type: 'del', key: dataKey(entry.sequence) },
      { type: 'del', key: indexKey(this.#planned.partitionNumber, entry.baseOffset) },
    )
  }

  #reclaim(entries: readonly IndexEntry[]): void {
    for (const entry of entries) this.#engine.reclaimer.dropped(entry.sequence, entry.sizeBytes)
  }

  #write(
    meta: PartitionMeta,
    operations: LevelOperation[],
    blobs: BlobChanges | undefined,
    durability: Durability,
  ): Promise<void> {
    let sizeBytes = operations.length * OPERATION_BYTES
    for (const operation of operations) if (operation.type === 'put') sizeBytes += operation.value.length
    for (const [name, value] of Object.entries(blobs ?? {})) {
      const key = blobKey(meta.partitionNumber, name)
      operations.push(value === null ? { type: 'del', key } : { type: 'put', key, value })
      sizeBytes += value?.length ?? 0
    }
    this.#planned = meta
    const write = {
      operations,
      metaKey: this.#metaKey,
      metaValue: encodeMeta(meta),
      partitionNumber: meta.partitionNumber,
    }
    const written = this.#engine.commits.submit(write, sizeBytes, durability).then(() => {
      this.#stored = meta
    })
    this.#lastWrite = written.catch(() => undefined)
    return written
  }

  /** Runs `change` after all writes before it and ahead of all after it. */
  #reshape(change: () => Promise<void>): Promise<void> {
    const previous = this.#reshaping ?? Promise.resolve()
    const result = previous.then(async () => {
      await this.#lastWrite
      const refusal = this.#refusal()
      if (refusal !== undefined) throw refusal
      await change()
    })
    const settled: Promise<void> = result
      .catch(() => undefined)
      .then(() => {
        if (this.#reshaping === settled) this.#reshaping = undefined
      })
    this.#reshaping = settled
    return result
  }

  #refusal(durability?: Durability): OttlaError | undefined {
    if (this.#isDeleted)
      return new OttlaError('RESOURCE_CLOSED', `The partition ${partitionKey(this.id)} was deleted.`)
    return this.#engine.refusal(durability)
  }

  #assertReadable(): void {
    if (this.#isDeleted)
      throw new OttlaError('RESOURCE_CLOSED', `The partition ${partitionKey(this.id)} was deleted.`)
    this.#engine.assertOpen()
  }
}
