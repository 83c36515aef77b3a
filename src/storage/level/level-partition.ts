/**
 * A partition in a key-value store. Appends go straight to the group commit; what changes the shape of the partition
 * (truncation at either end, replacement) runs by itself, after the writes before it and before those after it.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { assertAscending, assertStart, assertWhole, assertWithin } from '../batch-order.js'
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
import { putBatch, raiseRunningMax, removeBatch } from './batch-operations.js'
import { blobKey, encodeMeta, metaKey, type IndexEntry, type PartitionMeta } from './keys.js'
import { BatchIndex } from './batch-index.js'
import type { LevelEngine } from './level-engine.js'
import { levelError } from './level-error.js'
import { WriteOrder } from './write-order.js'

/** How many batches one write removes: enough to be quick, few enough not to hold up anything else. */
const DROP_SLICE_BATCHES = 512

/** Roughly what a key and its place in a write take besides a batch's bytes. */
const OPERATION_BYTES = 64

/** How often a read is tried beside changes of shape before it takes its turn among them. */
const MAX_READ_ATTEMPTS = 4

/** A partition in a level storage. */
export class LevelPartition implements PartitionStorage {
  readonly id: PartitionId
  readonly #engine: LevelEngine
  readonly #index: BatchIndex
  readonly #metaKey: Uint8Array
  readonly #name: string
  readonly #order = new WriteOrder()
  /** The state after every write that was acknowledged, and after every write that was submitted. */
  #stored: PartitionMeta
  #planned: PartitionMeta
  #lastWrite: Promise<void> = Promise.resolve()
  /** Counts when a change of shape goes to the database, and when it is there: odd in between. */
  #shape = 0
  #isDeleted = false

  constructor(engine: LevelEngine, id: PartitionId, meta: PartitionMeta) {
    this.id = id
    this.#engine = engine
    this.#name = partitionKey(id)
    this.#index = new BatchIndex(engine.database, meta.partitionNumber, this.#name)
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
    await this.#dropBelowStart(0)
  }

  /** Everything after this is refused. */
  markDeleted(): void {
    this.#isDeleted = true
  }

  /** Resolves when the writes and changes of shape that were begun are over, well or not. */
  async idle(): Promise<void> {
    await this.#order.idle()
    await this.#lastWrite
  }

  append(
    batches: readonly BatchWrite[],
    options: { readonly durability: Durability; readonly blobs?: BlobChanges },
  ): Promise<void> {
    const refusal = this.#refusal(options.durability)
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#order.pass(() => this.#append(batches, options.durability, options.blobs))
  }

  read(fromOffset: number, maxBytes: number): Promise<readonly StoredBatch[]> {
    return this.#read(async ({ startOffset, endOffset, sizeBytes, batchCount }) => {
      const from = Math.max(fromOffset, startOffset)
      const averageBytes = batchCount === 0 ? 0 : sizeBytes / batchCount
      return this.#index.load(await this.#index.entriesWithin(from, endOffset, maxBytes, averageBytes))
    })
  }

  infos(fromOffset: number, maxCount: number): Promise<readonly BatchInfo[]> {
    return this.#read(({ startOffset, endOffset }) =>
      this.#index.entries(Math.max(fromOffset, startOffset), endOffset, maxCount),
    )
  }

  findByTimestamp(timestamp: number, fromOffset: number): Promise<BatchInfo | undefined> {
    return this.#read(({ startOffset, endOffset }) =>
      this.#index.findByTimestamp(timestamp, Math.max(fromOffset, startOffset), endOffset),
    )
  }

  truncateSuffix(endOffset: number, blobs?: BlobChanges): Promise<void> {
    return this.#reshape(async () => {
      const { startOffset, endOffset: oldEnd } = this.#planned
      if (endOffset >= oldEnd) {
        await this.#write(this.#planned, [], blobs, 'os')
        return
      }
      const [firstDropped] = await this.#index.entries(Math.max(endOffset, startOffset), oldEnd, 1)
      const last = await this.#index.before(firstDropped?.baseOffset ?? oldEnd)
      const keepsLast = last !== undefined && last.lastOffset >= startOffset
      // The new end alone makes what lies beyond it invisible; removing that follows, and is resumed after a crash.
      await this.#writeShape(
        {
          ...this.#planned,
          endOffset: keepsLast ? last.lastOffset + 1 : startOffset,
          runningMaxTimestamp: keepsLast ? last.runningMaxTimestamp : -Infinity,
        },
        [],
        blobs,
      )
      await this.#dropBeyondEnd()
    })
  }

  truncatePrefix(startOffset: number, blobs?: BlobChanges): Promise<void> {
    return this.#reshape(async () => {
      const { startOffset: oldStart, endOffset } = this.#planned
      assertStart(this.#name, startOffset, endOffset)
      // As above: the new start alone makes what lies below it invisible.
      await this.#writeShape({ ...this.#planned, startOffset: Math.max(oldStart, startOffset) }, [], blobs)
      await this.#dropBelowStart(oldStart)
    })
  }

  replace(
    fromOffset: number,
    toOffset: number,
    batches: readonly BatchWrite[],
    blobs?: BlobChanges,
  ): Promise<void> {
    return this.#reshape(async () => {
      assertWithin(batches, fromOffset, toOffset, this.#planned)
      const replaced = await this.#index.entries(fromOffset, toOffset, Number.MAX_SAFE_INTEGER)
      assertWhole(replaced, fromOffset, toOffset)
      const operations: LevelOperation[] = []
      let { sizeBytes, batchCount } = this.#planned
      for (const entry of replaced) {
        removeBatch(operations, this.#planned.partitionNumber, entry)
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
      const { partitionNumber, endOffset } = this.#planned
      const behind = { fromOffset: toOffset, endOffset }
      runningMaxTimestamp =
        (await raiseRunningMax(operations, this.#index, partitionNumber, behind, runningMaxTimestamp)) ??
        this.#planned.runningMaxTimestamp
      await this.#writeShape(
        { ...this.#planned, sizeBytes, batchCount, runningMaxTimestamp },
        operations,
        blobs,
      )
      this.#reclaim(replaced)
    })
  }

  readBlob(name: string): Promise<Uint8Array | undefined> {
    return this.#read(({ partitionNumber }) => this.#engine.get(blobKey(partitionNumber, name)))
  }

  writeBlobs(blobs: BlobChanges, durability: Durability): Promise<void> {
    const refusal = this.#refusal(durability)
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#order.pass(() => this.#write(this.#planned, [], blobs, durability))
  }

  async #append(
    batches: readonly BatchWrite[],
    durability: Durability,
    blobs: BlobChanges | undefined,
  ): Promise<void> {
    assertAscending(batches, this.#planned.endOffset)
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
    return this.#write(meta, operations, blobs, durability)
  }

  /**
   * What `find` answers about the partition as it was at one moment. Index and batches are looked up one after
   * another, so when the shape changed in between it is asked again.
   */
  async #read<T>(find: (meta: PartitionMeta) => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < MAX_READ_ATTEMPTS; attempt++) {
      this.#assertReadable()
      const shape = this.#shape
      const isSettled = (): boolean => shape % 2 === 0 && shape === this.#shape
      try {
        const found = await find(this.#stored)
        this.#assertReadable()
        if (isSettled()) return found
      } catch (error) {
        this.#assertReadable()
        if (isSettled()) throw levelError(error, `The partition ${this.#name}`, 'could not be read')
      }
      if (this.#shape % 2 === 1) await this.#lastWrite
    }
    return this.#order.alone(() => find(this.#stored))
  }

  async #dropBeyondEnd(): Promise<void> {
    const { endOffset } = this.#planned
    await this.#drop(endOffset, Number.MAX_SAFE_INTEGER, ({ lastOffset }) => lastOffset >= endOffset)
  }

  async #dropBelowStart(fromOffset: number): Promise<void> {
    const { startOffset } = this.#planned
    await this.#drop(fromOffset, startOffset, ({ lastOffset }) => lastOffset < startOffset)
  }

  /**
   * Removes those from `fromOffset` on that `isDropped` picks, slice by slice, until a slice has none of them. What
   * lies below the start may wait for the next opening when the storage closes; what lies beyond the end may not, as
   * an append that was called before the close would come to lie upon it.
   */
  async #drop(
    fromOffset: number,
    toOffset: number,
    isDropped: (entry: IndexEntry) => boolean,
  ): Promise<void> {
    let found = await this.#index.entries(fromOffset, toOffset, DROP_SLICE_BATCHES)
    while (toOffset === Number.MAX_SAFE_INTEGER || !this.#engine.isClosing) {
      const dropped = found.filter(isDropped)
      const last = dropped.at(-1)
      if (last === undefined) return
      const operations: LevelOperation[] = []
      let { sizeBytes, batchCount } = this.#planned
      for (const entry of dropped) {
        removeBatch(operations, this.#planned.partitionNumber, entry)
        sizeBytes -= entry.sizeBytes
        batchCount--
      }
      await this.#write({ ...this.#planned, sizeBytes, batchCount }, operations, undefined, 'os')
      this.#reclaim(dropped)
      // Not from the front again: the store would walk past all that is removed already.
      found = await this.#index.rawEntries(last.lastOffset + 1, toOffset, DROP_SLICE_BATCHES)
    }
  }

  #put(operations: LevelOperation[], batch: BatchWrite, runningMaxTimestamp: number): void {
    const { partitionNumber } = this.#planned
    putBatch(operations, partitionNumber, batch, this.#engine.nextSequence(), runningMaxTimestamp)
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
      operations.push(value === null ? { type: 'del', key } : { type: 'put', key, value: value.slice() })
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

  /** As #write, for what readers must not see half of. */
  async #writeShape(
    meta: PartitionMeta,
    operations: LevelOperation[],
    blobs: BlobChanges | undefined,
  ): Promise<void> {
    this.#shape++
    try {
      await this.#write(meta, operations, blobs, 'os')
    } finally {
      this.#shape++
    }
  }

  /** Runs `change` after all writes before it and ahead of all after it. */
  #reshape(change: () => Promise<void>): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#order.alone(async () => {
      await this.#lastWrite
      if (this.#engine.commits.failure !== undefined) throw this.#engine.commits.failure
      try {
        await change()
      } catch (error) {
        throw levelError(error, `The partition ${this.#name}`, 'could not be changed')
      }
    })
  }

  #refusal(durability?: Durability): OttlaError | undefined {
    return this.#isDeleted ? deleted(this.#name) : this.#engine.refusal(durability)
  }

  #assertReadable(): void {
    if (this.#isDeleted) throw deleted(this.#name)
    this.#engine.assertOpen()
  }
}

const deleted = (name: string): OttlaError =>
  new OttlaError('RESOURCE_CLOSED', `The partition ${name} was deleted.`)
