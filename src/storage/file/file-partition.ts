/** A partition in files: puts its writes in order, gathers them, and answers reads from what was acknowledged. */
import { invalidArgument, OttlaError } from '../../runtime/errors/ottla-error.js'
import { assertAscending, assertStart, assertWithin } from '../batch-order.js'
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
import { GroupCommit } from '../group-commit.js'
import { WriteOrder } from '../write-order.js'
import { partitionKey } from '../partition-key.js'
import { readInfo } from './batch-walk.js'
import type { FileEngine } from './file-engine.js'
import { closed } from './open-files.js'
import type { PartitionFolder, PlacedBatch, Unit } from './partition-folder.js'
import { beginsSegment, segmentsOf, withBatch, type PartitionMeta, type Segment } from './partition-meta.js'
import { replaceBatches, swap, withoutPrefix, withoutSuffix } from './reshape.js'
import { SegmentReader } from './segment-reader.js'

/** How often a read is tried beside changes of shape before it takes its turn among them. */
const MAX_READ_ATTEMPTS = 4
/** Roughly what a write takes in memory besides its batches. */
const UNIT_BYTES = 256

/** A partition in a storage in files. */
export class FilePartition implements PartitionStorage {
  readonly id: PartitionId
  readonly #name: string
  readonly #engine: FileEngine
  readonly #folder: PartitionFolder
  readonly #reader: SegmentReader
  readonly #order = new WriteOrder()
  readonly #commits: GroupCommit<Unit>
  /** The state after every write that was submitted. */
  #planned: PartitionMeta
  /** Counts when a change of shape begins, and when it is there: odd in between. */
  #shape = 0
  #isDeleted = false

  constructor(engine: FileEngine, id: PartitionId, folder: PartitionFolder) {
    this.id = id
    this.#name = partitionKey(id)
    this.#engine = engine
    this.#folder = folder
    this.#reader = new SegmentReader(engine, folder)
    this.#planned = folder.meta
    this.#commits = new GroupCommit((units, durability) =>
      engine.writing(() => folder.commit(units, durability)),
    )
  }

  get state(): PartitionState {
    const { startOffset, endOffset, sizeBytes, batchCount } = this.#folder.meta
    return { startOffset, endOffset, sizeBytes, batchCount }
  }

  get segmentCount(): number {
    return segmentsOf(this.#folder.meta).length
  }

  append(
    batches: readonly BatchWrite[],
    options: { readonly durability: Durability; readonly blobs?: BlobChanges; readonly newSegment?: boolean },
  ): Promise<void> {
    return this.#pass(async () => {
      assertAscending(batches, this.#planned.endOffset)
      for (const batch of batches) assertBatch(batch)
      const { durability, blobs, newSegment } = options
      return this.#write(batches, blobs, durability, newSegment === true)
    })
  }

  read(fromOffset: number, maxBytes: number): Promise<readonly StoredBatch[]> {
    return this.#read((meta) => this.#reader.read(meta, fromOffset, maxBytes))
  }

  infos(fromOffset: number, maxCount: number): Promise<readonly BatchInfo[]> {
    return this.#read((meta) => this.#reader.infos(meta, fromOffset, maxCount))
  }

  findByTimestamp(timestamp: number, fromOffset: number): Promise<BatchInfo | undefined> {
    return this.#read((meta) => this.#reader.findByTimestamp(meta, timestamp, fromOffset))
  }

  truncateSuffix(endOffset: number, blobs?: BlobChanges): Promise<void> {
    return this.#reshape(async () => {
      if (endOffset >= this.#planned.endOffset) return this.#write([], blobs, 'os')
      const before = segmentsOf(this.#planned)
      const meta = await withoutSuffix(this.#reader, this.#planned, endOffset)
      await this.#engine.writing(async () => {
        const kept = new Set(segmentsOf(meta).map(({ baseOffset }) => baseOffset))
        const { active } = meta
        await this.#folder.indexes.remove(active === undefined ? [] : [active.baseOffset])
        await this.#changeShape(meta, blobs)
        await this.#folder.removeSegments(
          before.map(({ baseOffset }) => baseOffset).filter((base) => !kept.has(base)),
        )
        if (active === undefined) return
        // What lies behind the end must never be taken for what is appended next, so this is synced.
        await this.#engine.open.use(this.#folder.segmentPath(active.baseOffset), async (file) => {
          await file.truncate(active.sizeBytes)
          await file.datasync()
        })
      })
    })
  }

  truncatePrefix(startOffset: number, blobs?: BlobChanges): Promise<void> {
    return this.#reshape(async () => {
      assertStart(this.#name, startOffset, this.#planned.endOffset)
      if (startOffset <= this.#planned.startOffset) return this.#write([], blobs, 'os')
      const before = segmentsOf(this.#planned)
      const meta = await withoutPrefix(this.#reader, this.#planned, startOffset)
      const dropped = before.slice(0, before.length - segmentsOf(meta).length)
      await this.#engine.writing(async () => {
        await this.#changeShape(meta, blobs)
        await this.#folder.removeSegments(dropped.map(({ baseOffset }) => baseOffset))
      })
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
      for (const batch of batches) assertBatch(batch)
      if (segmentsOf(this.#planned).length === 0 && batches.length === 0) return this.#write([], blobs, 'os')
      const range = { meta: this.#planned, fromOffset, toOffset }
      const replacement = await replaceBatches(this.#engine, this.#folder, range, batches)
      await this.#engine.writing(() =>
        swap(this.#engine, this.#folder, replacement, (swapped) =>
          this.#changeShape(replacement.meta, blobs, swapped),
        ),
      )
    })
  }

  readBlob(name: string): Promise<Uint8Array | undefined> {
    return this.#read(() => Promise.resolve(this.#folder.blob(name)?.slice()))
  }

  writeBlobs(blobs: BlobChanges, durability: Durability): Promise<void> {
    return this.#pass(() => this.#write([], blobs, durability))
  }

  /** Resolves when the writes and changes of shape that were begun are over, well or not. */
  async idle(): Promise<void> {
    await this.#order.idle()
    await this.#commits.idle()
    await this.#folder.idle()
  }

  /** Everything after this is refused; what was before is over. */
  async retire(): Promise<void> {
    this.#isDeleted = true
    await this.idle()
    this.#folder.retire()
  }

  /** Lets go of the partition, so that opening it again costs little. */
  async close(): Promise<void> {
    await this.idle()
    await this.#folder.close()
  }

  /** Plans a write and hands it over. */
  #write(
    batches: readonly BatchWrite[],
    blobs: BlobChanges | undefined,
    durability: Durability,
    isNewSegment = false,
  ): Promise<void> {
    let meta = this.#planned
    const placed: PlacedBatch[] = []
    const segments = new Map<number, Segment>()
    let sizeBytes = UNIT_BYTES
    for (const [index, batch] of batches.entries()) {
      const isNew = beginsSegment(meta, batch, isNewSegment && index === 0)
      const position = isNew ? 0 : (meta.active?.sizeBytes ?? 0)
      meta = withBatch(meta, batch, isNew)
      const segment = meta.active
      if (segment === undefined) continue
      segments.set(segment.baseOffset, segment)
      placed.push({ segment: segment.baseOffset, position, batch })
      sizeBytes += batch.sizeBytes
    }
    const copied = Object.entries(blobs ?? {}).map(([name, value]) => [name, value?.slice() ?? null] as const)
    for (const [, value] of copied) sizeBytes += value?.length ?? 0
    this.#planned = meta
    const unit: Unit = {
      batches: placed,
      segments: [...segments.values()],
      meta,
      blobs: Object.fromEntries(copied),
    }
    return this.#commits.submit(unit, sizeBytes, durability)
  }

  async #changeShape(
    meta: PartitionMeta,
    blobs: BlobChanges | undefined,
    swapped: readonly number[] = [],
  ): Promise<void> {
    const copied = Object.entries(blobs ?? {}).map(([name, value]) => [name, value?.slice() ?? null] as const)
    await this.#folder.snapshot(meta, Object.fromEntries(copied), swapped)
    this.#planned = meta
  }

  /** Begins a write when it is its turn. */
  #pass(write: () => Promise<void>): Promise<void> {
    const refusal = this.#refusal()
    return refusal === undefined ? this.#order.pass(write) : Promise.reject(refusal)
  }

  /** Runs `change` after all writes before it and ahead of all after it. */
  #reshape(change: () => Promise<void>): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#order.alone(async () => {
      await this.#commits.idle()
      await this.#folder.idle()
      if (this.#engine.failure !== undefined) throw this.#engine.failure
      this.#shape++
      try {
        await change()
      } catch (error) {
        throw readError(error, this.#name)
      } finally {
        this.#shape++
      }
    })
  }

  /** What `find` answers about the partition as it was at one moment; when its shape changes meanwhile, it is asked again. */
  async #read<T>(find: (meta: PartitionMeta) => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < MAX_READ_ATTEMPTS; attempt++) {
      this.#assertReadable()
      const shape = this.#shape
      if (shape % 2 === 1) break
      try {
        const found = await find(this.#folder.meta)
        this.#assertReadable()
        if (shape === this.#shape) return found
      } catch (error) {
        this.#assertReadable()
        if (shape === this.#shape) throw readError(error, this.#name)
      }
    }
    return this.#order.alone(() => {
      this.#assertReadable()
      return find(this.#folder.meta)
    })
  }

  #refusal(): OttlaError | undefined {
    if (this.#isDeleted) return deleted(this.#name)
    return this.#engine.isClosing ? closed() : this.#engine.failure
  }

  #assertReadable(): void {
    if (this.#isDeleted) throw deleted(this.#name)
    if (this.#engine.isClosing) throw closed()
  }
}

const deleted = (name: string): OttlaError =>
  new OttlaError('RESOURCE_CLOSED', `The partition ${name} was deleted.`)

const readError = (error: unknown, name: string): OttlaError =>
  OttlaError.is(error)
    ? error
    : new OttlaError(
        'STORAGE_FAILED',
        `The partition ${name} could not be read (${error instanceof Error ? error.message : String(error)}).`,
        { cause: error },
      )

/** @throws OttlaError INVALID_ARGUMENT when the bytes are not the v2 batch that the infos tell of. */
const assertBatch = (batch: BatchWrite): void => {
  let found: BatchInfo | undefined
  try {
    found = readInfo(batch.bytes, 'to be', 0, batch.sizeBytes)
  } catch {
    // Said below.
  }
  if (
    found?.baseOffset === batch.baseOffset &&
    found.lastOffset === batch.lastOffset &&
    found.maxTimestamp === batch.maxTimestamp &&
    found.sizeBytes === batch.sizeBytes
  )
    return
  throw invalidArgument(
    'A batch',
    `${batch.sizeBytes} bytes for the offsets ${batch.baseOffset} to ${batch.lastOffset}`,
    'a RecordBatch v2 whose header says the same offsets, maxTimestamp and size: file storage keeps nothing else of it',
  )
}
