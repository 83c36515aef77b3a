/**
 * A partition in a key-value store. Appends go straight to the group commit and write to the journal alone; what
 * changes the shape of the partition (truncation at either end, replacement) runs by itself, after the writes before
 * it and before those after it, once all of the partition is in the index.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { assertAscending, assertStart, assertWithin } from '../batch-order.js'
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
import { BatchIndex } from './batch-index.js'
import type { LevelOperation } from './database.js'
import { putBlobs } from './journal-tail.js'
import { journalWrite } from './journal-write.js'
import { blobKey, encodeMeta, metaKey, type IndexEntry, type PartitionMeta } from './keys.js'
import type { LevelEngine, LevelWrite } from './level-engine.js'
import { levelError } from './level-error.js'
import { emptyMeta, withBatch, withoutBatches } from './partition-state.js'
import { planReplacement } from './replacement.js'
import { Shape } from './shape.js'
import { planTrimming } from './trimming.js'
import { WriteOrder } from '../write-order.js'

/** Roughly what a key and its place in a write take besides a batch's bytes. */
const OPERATION_BYTES = 64

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
  /** Whether the database has heard of it. */
  #isKnown: boolean
  #lastWrite: Promise<void> = Promise.resolve()
  readonly #shape = new Shape()
  #isDeleted = false

  /** `isKnown` says whether `meta` is in the database, or that of a partition to be. */
  constructor(engine: LevelEngine, id: PartitionId, meta: PartitionMeta, isKnown: boolean) {
    this.id = id
    this.#engine = engine
    this.#name = partitionKey(id)
    this.#index = new BatchIndex(engine.database, engine.pages, meta.partitionNumber, this.#name)
    this.#metaKey = metaKey(id)
    this.#stored = meta
    this.#planned = meta
    this.#isKnown = isKnown
  }

  get state(): PartitionState {
    const { startOffset, endOffset, sizeBytes, batchCount } = this.#stored
    return { startOffset, endOffset, sizeBytes, batchCount }
  }

  /** What a truncation that a crash cut short has left is removed before anything else happens. */
  async recover(): Promise<void> {
    if (this.#planned.isTrimmingEnd) await this.#dropBeyondEnd()
    if (this.#planned.isTrimmingStart) await this.#dropBelowStart(0)
  }

  /** Everything after this is refused; what was before is over, well or not, and in the index. */
  async retire(): Promise<void> {
    this.#isDeleted = true
    await this.idle()
    await this.#indexAll()
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
    return this.#order.pass(async () => {
      assertAscending(batches, this.#planned.endOffset)
      return this.#journal(batches, options.blobs, options.durability)
    })
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
      if (endOffset >= oldEnd) return this.#journal([], blobs, 'os')
      const [firstDropped] = await this.#index.entries(Math.max(endOffset, startOffset), oldEnd, 1)
      const last = await this.#index.before(firstDropped?.baseOffset ?? oldEnd)
      const keepsLast = last !== undefined && last.lastOffset >= startOffset
      // The new end alone makes what lies beyond it invisible; removing that follows, and is resumed after a crash.
      await this.#writeShape(
        {
          ...this.#planned,
          endOffset: keepsLast ? last.lastOffset + 1 : startOffset,
          runningMaxTimestamp: keepsLast ? last.runningMaxTimestamp : -Infinity,
          isTrimmingEnd: true,
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
      if (startOffset <= oldStart) return this.#journal([], blobs, 'os')
      // As above: the new start alone makes what lies below it invisible.
      await this.#writeShape({ ...this.#planned, startOffset, isTrimmingStart: true }, [], blobs)
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
      const { operations, meta, replaced } = await planReplacement(
        this.#index,
        this.#planned,
        { fromOffset, toOffset },
        batches,
        () => this.#engine.takeSequence(),
      )
      await this.#writeShape(meta, operations, blobs)
      this.#reclaim(replaced)
    })
  }

  readBlob(name: string): Promise<Uint8Array | undefined> {
    return this.#read(async ({ partitionNumber }) => {
      const latest = this.#index.tail.blob(name)
      return latest === undefined ? this.#engine.get(blobKey(partitionNumber, name)) : latest?.slice()
    })
  }

  writeBlobs(blobs: BlobChanges, durability: Durability): Promise<void> {
    const refusal = this.#refusal(durability)
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#order.pass(() => this.#journal([], blobs, durability))
  }

  /** What `find` answers about the partition as it was at one moment. */
  #read<T>(find: (meta: PartitionMeta) => Promise<T>): Promise<T> {
    return this.#shape.read(() => find(this.#stored), {
      assertReadable: () => this.#assertReadable(),
      settled: () => this.#lastWrite,
      alone: (read) => this.#order.alone(read),
      name: this.#name,
    })
  }

  #dropBeyondEnd(): Promise<void> {
    const { endOffset } = this.#planned
    // This may not wait for the next opening: an append that was called before a close would come to lie upon it.
    return this.#drop(endOffset, ({ lastOffset }) => lastOffset >= endOffset, { isTrimmingEnd: false })
  }

  #dropBelowStart(fromOffset: number): Promise<void> {
    const { startOffset } = this.#planned
    const isDropped = ({ lastOffset }: IndexEntry): boolean => lastOffset < startOffset
    return this.#drop(fromOffset, isDropped, { isTrimmingStart: false }, () => this.#engine.isClosing)
  }

  /** Removes those from `fromOffset` on that `isDropped` picks; the last of the slices makes the state `done`. */
  async #drop(
    fromOffset: number,
    isDropped: (entry: IndexEntry) => boolean,
    done: Partial<PartitionMeta>,
    mayWait: () => boolean = () => false,
  ): Promise<void> {
    for (let at = fromOffset; !mayWait();) {
      const { operations, dropped, next } = await planTrimming(this.#index, this.#planned, at, isDropped)
      const meta = withoutBatches(this.#planned, dropped)
      await this.#write(next === undefined ? { ...meta, ...done } : meta, operations, undefined)
      this.#reclaim(dropped)
      if (next === undefined) return
      at = next
    }
  }

  #reclaim(entries: readonly IndexEntry[]): void {
    for (const entry of entries) this.#engine.reclaimer.dropped(entry.sequence, entry.sizeBytes)
  }

  /** Writes to the journal, and to it alone. */
  #journal(
    batches: readonly BatchWrite[],
    blobs: BlobChanges | undefined,
    durability: Durability,
  ): Promise<void> {
    const before = this.#planned
    const meta = batches.reduce(withBatch, before)
    const write = journalWrite(this.#engine, this.#index.tail, before, batches, blobs)
    const build = (operations: LevelOperation[]): void => {
      write.build(operations)
      if (this.#isKnown || write.count === 0) return
      // What the journal holds of a partition is its own once the database knows its number.
      this.#isKnown = true
      this.#putMeta(operations, emptyMeta(meta.partitionNumber), 0)
    }
    const applied = (): void => {
      write.applied()
      this.#stored = meta
      if (write.count > 0) this.#engine.journaled(this, write.count, write.sizeBytes)
    }
    return this.#submit(meta, { build, applied }, write.sizeBytes + write.count * OPERATION_BYTES, durability)
  }

  /** Writes straight to the index, the blobs and the state; nothing of the partition is in the journal alone then. */
  #write(
    meta: PartitionMeta,
    operations: readonly LevelOperation[],
    blobs: BlobChanges | undefined,
  ): Promise<void> {
    const changes = [...operations]
    // Copied when they are handed over.
    const copies = Object.entries(blobs ?? {}).map(([name, value]) => [name, value?.slice() ?? null] as const)
    putBlobs(changes, meta.partitionNumber, copies)
    let sizeBytes = changes.length * OPERATION_BYTES
    for (const change of changes) if (change.type === 'put') sizeBytes += change.value.length
    const build = (target: LevelOperation[]): void => {
      for (const change of changes) target.push(change)
      this.#isKnown = true
      this.#putMeta(target, meta, this.#engine.sequence)
    }
    const applied = (): void => {
      this.#index.changing()
      this.#stored = meta
    }
    this.#index.changing()
    return this.#submit(meta, { build, applied }, sizeBytes, 'os')
  }

  /** As #write, for what readers must not see half of. */
  #writeShape(
    meta: PartitionMeta,
    operations: readonly LevelOperation[],
    blobs: BlobChanges | undefined,
  ): Promise<void> {
    return this.#shape.change(() => this.#write(meta, operations, blobs))
  }

  #submit(meta: PartitionMeta, write: LevelWrite, sizeBytes: number, durability: Durability): Promise<void> {
    this.#planned = meta
    const written = this.#engine.commits.submit(write, sizeBytes, durability)
    this.#lastWrite = written.catch(() => undefined)
    return written
  }

  /** How many of its changes are in the journal and not yet in the index. */
  get journaledCount(): number {
    return this.#index.tail.size
  }

  /** Adds the changes that bring those into the index; everything in the journal below `sequence` is stored. */
  putIndex(operations: LevelOperation[], sequence: number): void {
    this.#index.tail.putInto(operations, this.#stored.partitionNumber)
    this.#putMeta(operations, this.#stored, sequence)
  }

  /** Those are there. */
  indexed(): void {
    this.#index.tail.clear()
  }

  #putMeta(operations: LevelOperation[], meta: PartitionMeta, indexedSequence: number): void {
    operations.push({ type: 'put', key: this.#metaKey, value: encodeMeta({ ...meta, indexedSequence }) })
  }

  async #indexAll(): Promise<void> {
    if (this.journaledCount === 0) return
    const build = (operations: LevelOperation[]): void => this.putIndex(operations, this.#engine.sequence)
    await this.#submit(this.#planned, { build, applied: () => this.indexed() }, 0, 'os')
  }

  /** Runs `change` after all writes before it and ahead of all after it. */
  #reshape(change: () => Promise<void>): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#order.alone(async () => {
      await this.#lastWrite
      if (this.#engine.commits.failure !== undefined) throw this.#engine.commits.failure
      try {
        await this.#indexAll()
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
