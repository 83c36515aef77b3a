/**
 * A partition's folder, as it is written: groups of batches to the segments, and what commits them to the journal.
 *
 * Both are written at once, in any order: recovery takes a commit only with its batches. When enough came together,
 * everything is synced in the background and a new journal, with a snapshot of that moment first, replaces the old.
 */
import type { BatchWrite, BlobChanges, Durability } from '../contract.js'
import type { FileEngine } from './file-engine.js'
import { JOURNAL_DRAFT, JOURNAL_FILE, segmentFile } from './file-names.js'
import { encodeFrame, FORMAT_VERSION } from './journal-format.js'
import { segmentsOf, type PartitionMeta, type Segment } from './partition-meta.js'
import { SegmentIndexes } from './segment-indexes.js'

/**
 * How much all partitions together write until checkpoints are made: what the next open has to validate, and to sync,
 * after a crash. Checkpoints sync; at a quarter of this they were measured to take a fifth of the rate of appending.
 */
const CHECKPOINT_BYTES = 256 * 1024 * 1024
/** The least that a partition's own checkpoint is worth then. */
const CHECKPOINT_PARTITION_BYTES = 16 * 1024 * 1024
/** How long a journal grows until the next checkpoint. */
const CHECKPOINT_JOURNAL_BYTES = 1024 * 1024

/** A batch and where it goes. */
export interface PlacedBatch {
  readonly segment: number
  readonly position: number
  readonly batch: BatchWrite
}

/** One write as the contract has it: all of it counts, or nothing. */
export interface Unit {
  readonly batches: readonly PlacedBatch[]
  /** The segments that it changes, as they are after it. */
  readonly segments: readonly Segment[]
  readonly meta: PartitionMeta
  readonly blobs: BlobChanges
}

/** What a folder holds, as recovery found it. */
export interface FolderState {
  readonly meta: PartitionMeta
  readonly blobs: ReadonlyMap<string, Uint8Array>
  readonly sequence: number
  readonly journalBytes: number
  readonly isThere: boolean
}

/** The moment that a checkpoint is made of, and the frames since. */
interface Checkpoint {
  readonly meta: PartitionMeta
  readonly blobs: ReadonlyMap<string, Uint8Array>
  readonly sequence: number
  readonly frames: Uint8Array[]
  isSynced: boolean
}

/** Writes a partition's folder. One commit or snapshot runs at a time; the caller sees to that. */
export class PartitionFolder {
  readonly path: string
  readonly indexes: SegmentIndexes
  readonly #engine: FileEngine
  readonly #root: string
  #meta: PartitionMeta
  #blobs: ReadonlyMap<string, Uint8Array>
  #isThere: boolean
  #sequence: number
  #synced: number
  #journalBytes: number
  #bytesSinceCheckpoint = 0
  /** Segments with batches that may not be on the disk, and whether their names may not. */
  readonly #dirty = new Set<number>()
  #isNamesDirty = false
  #checkpoint: Checkpoint | undefined
  #syncing: Promise<void> | undefined

  constructor(engine: FileEngine, root: string, path: string, state: FolderState) {
    this.#engine = engine
    this.#root = root
    this.path = path
    this.indexes = new SegmentIndexes(engine, path)
    this.#meta = state.meta
    this.#blobs = state.blobs
    this.#isThere = state.isThere
    this.#sequence = state.sequence
    this.#synced = state.sequence
    this.#journalBytes = state.journalBytes
  }

  /** The state as of the last commit. */
  get meta(): PartitionMeta {
    return this.#meta
  }

  /** Whether it was ever written. */
  get isThere(): boolean {
    return this.#isThere
  }

  /** A blob as of the last commit. */
  blob(name: string): Uint8Array | undefined {
    return this.#blobs.get(name)
  }

  /** The path of a segment's file. */
  segmentPath(baseOffset: number): string {
    return `${this.path}/${segmentFile(baseOffset)}`
  }

  /** Stores `units` as one group. */
  async commit(units: readonly Unit[], durability: Durability): Promise<void> {
    const last = units.at(-1)
    if (last === undefined) return
    const batches = units.flatMap((unit) => unit.batches)
    const blobs: BlobChanges = Object.assign({}, ...units.map((unit) => unit.blobs)) as BlobChanges
    if (batches.length > 0 || Object.keys(blobs).length > 0) {
      if (!this.#isThere) await this.#create()
      const segments = new Map(units.flatMap((unit) => unit.segments).map((each) => [each.baseOffset, each]))
      const frame = encodeFrame(
        {
          sequence: ++this.#sequence,
          synced: this.#synced,
          endOffset: last.meta.endOffset,
          segments: [...segments.values()],
        },
        blobs,
      )
      await all([this.#writeBatches(batches), this.#writeFrame(frame)])
      await this.indexes.add(batches, this.#meta)
      this.#meta = last.meta
      this.#blobs = changed(this.#blobs, blobs)
    }
    if (durability === 'fsync' && this.#isThere) await this.#sync()
    await this.#mindCheckpoint()
  }

  /** Replaces the journal by a snapshot of `meta` and the changed blobs; everything is on the disk then. */
  async snapshot(
    meta: PartitionMeta,
    blobs: BlobChanges = {},
    swapped: readonly number[] = [],
  ): Promise<void> {
    await this.#syncing
    this.#checkpoint = undefined
    if (!this.#isThere) await this.#create()
    await this.#sync()
    const after = changed(this.#blobs, blobs)
    await this.#replaceJournal(meta, after, ++this.#sequence, [], swapped)
    this.#synced = this.#sequence
    this.#meta = meta
    this.#blobs = after
  }

  /** Removes segments that no snapshot names any more. */
  async removeSegments(baseOffsets: readonly number[]): Promise<void> {
    await this.indexes.remove(baseOffsets)
    for (const baseOffset of baseOffsets) {
      this.#dirty.delete(baseOffset)
      this.#engine.open.forget(this.segmentPath(baseOffset))
      await this.#engine.files.remove(this.segmentPath(baseOffset))
    }
    await this.#engine.files.syncDirectory(this.path)
  }

  /** Leaves the folder so that opening it costs little. */
  async close(): Promise<void> {
    await this.#syncing
    if (this.#engine.failure !== undefined || !this.#isThere || this.#bytesSinceCheckpoint === 0) return
    await this.snapshot(this.#meta)
    await this.indexes.saveGrowing()
  }

  /** Counts no longer: the folder goes. */
  retire(): void {
    this.#recount(0)
  }

  /** Resolves when nothing goes on in the background. */
  async idle(): Promise<void> {
    await this.#syncing
  }

  async #create(): Promise<void> {
    await this.#engine.files.makeDirectory(this.path)
    await this.#replaceJournal(this.#meta, this.#blobs, this.#sequence, [], [])
    await this.#engine.files.syncDirectory(this.#root)
    this.#isThere = true
  }

  async #writeBatches(batches: readonly PlacedBatch[]): Promise<void> {
    for (let from = 0; from < batches.length;) {
      const first = batches[from]
      if (first === undefined) return
      let to = from
      while (batches[to]?.segment === first.segment) to++
      const pieces = batches.slice(from, to).map(({ batch }) => batch.bytes)
      const isNew = first.position === 0
      await this.#engine.open.use(
        this.segmentPath(first.segment),
        (file) => file.write(pieces, first.position),
        isNew ? 'create' : 'existing',
      )
      this.#dirty.add(first.segment)
      if (isNew) this.#isNamesDirty = true
      for (const piece of pieces) this.#count(piece.length)
      from = to
    }
  }

  async #writeFrame(frame: Uint8Array): Promise<void> {
    await this.#engine.open.use(`${this.path}/${JOURNAL_FILE}`, (file) =>
      file.write([frame], this.#journalBytes),
    )
    this.#journalBytes += frame.length
    this.#count(frame.length)
    this.#checkpoint?.frames.push(frame)
  }

  async #sync(): Promise<void> {
    const sequence = this.#sequence
    await all([
      ...[...this.#dirty].map((segment) => this.#syncFile(this.segmentPath(segment))),
      this.#syncFile(`${this.path}/${JOURNAL_FILE}`),
      ...(this.#isNamesDirty ? [this.#engine.files.syncDirectory(this.path)] : []),
    ])
    this.#dirty.clear()
    this.#isNamesDirty = false
    this.#synced = sequence
  }

  #syncFile(path: string): Promise<void> {
    return this.#engine.open.use(path, (file) => file.datasync())
  }

  /** Begins a checkpoint when it is time, and ends one whose batches are on the disk by now. */
  async #mindCheckpoint(): Promise<void> {
    const checkpoint = this.#checkpoint
    if (checkpoint?.isSynced === true) {
      this.#checkpoint = undefined
      const { meta, blobs, sequence, frames } = checkpoint
      await this.#replaceJournal(meta, blobs, sequence, frames, [])
    } else if (
      checkpoint === undefined &&
      (this.#journalBytes > CHECKPOINT_JOURNAL_BYTES ||
        (this.#engine.unsyncedBytes > CHECKPOINT_BYTES &&
          this.#bytesSinceCheckpoint > CHECKPOINT_PARTITION_BYTES))
    ) {
      this.#recount(1)
      this.#beginCheckpoint()
    }
  }

  #beginCheckpoint(): void {
    const begun: Checkpoint = {
      meta: this.#meta,
      blobs: this.#blobs,
      sequence: this.#sequence,
      frames: [],
      isSynced: false,
    }
    this.#checkpoint = begun
    const segments = [...this.#dirty]
    this.#syncing = (async () => {
      try {
        await all(segments.map((segment) => this.#syncFile(this.segmentPath(segment))))
        await this.#engine.files.syncDirectory(this.path)
        // Nothing is appended to those any more: they need no other sync.
        for (const segment of segments)
          if (segment !== this.#meta.active?.baseOffset) this.#dirty.delete(segment)
        begun.isSynced = true
      } catch (error) {
        this.#engine.fail(error)
      }
    })()
  }

  async #replaceJournal(
    meta: PartitionMeta,
    blobs: ReadonlyMap<string, Uint8Array>,
    sequence: number,
    frames: readonly Uint8Array[],
    swapped: readonly number[],
  ): Promise<void> {
    const { startOffset, endOffset, head } = meta
    const snapshot = encodeFrame(
      {
        sequence,
        synced: sequence,
        endOffset,
        segments: segmentsOf(meta),
        snapshot: { version: FORMAT_VERSION, startOffset, head, swapped },
      },
      Object.fromEntries(blobs),
    )
    const draft = `${this.path}/${JOURNAL_DRAFT}`
    const journal = `${this.path}/${JOURNAL_FILE}`
    await this.#engine.open.use(
      draft,
      async (file) => {
        await file.write([snapshot, ...frames], 0)
        await file.datasync()
      },
      'create',
    )
    this.#engine.open.forget(draft)
    this.#engine.open.forget(journal)
    await this.#engine.files.rename(draft, journal)
    await this.#engine.files.syncDirectory(this.path)
    this.#isNamesDirty = false
    this.#journalBytes = frames.reduce((total, frame) => total + frame.length, snapshot.length)
    this.#recount(frames.length)
  }

  #count(bytes: number): void {
    this.#bytesSinceCheckpoint += bytes
    this.#engine.unsyncedBytes += bytes
  }

  /** What was counted is in a checkpoint; `bytes` are not. */
  #recount(bytes: number): void {
    this.#count(bytes - this.#bytesSinceCheckpoint)
  }
}

/** Waits for all, and then throws the first failure: nothing is under way any more when it is reported. */
const all = async (tasks: readonly Promise<void>[]): Promise<void> => {
  for (const outcome of await Promise.allSettled(tasks))
    if (outcome.status === 'rejected') throw outcome.reason
}

const changed = (
  blobs: ReadonlyMap<string, Uint8Array>,
  changes: BlobChanges,
): ReadonlyMap<string, Uint8Array> => {
  const entries = Object.entries(changes)
  if (entries.length === 0) return blobs
  const after = new Map(blobs)
  for (const [name, value] of entries) {
    if (value === null) after.delete(name)
    else after.set(name, value)
  }
  return after
}
