/**
 * The storage contract: all that Ottla asks of a place to keep logs. Implementations live in the folders beside
 * this file; `test-suite` proves one, also a third party's.
 *
 * A storage keeps partitions. A partition is a sequence of opaque batches with ascending offsets, a log start
 * offset, and a few small named blobs. The storage never looks into a batch: what it must know of one comes with
 * it. It knows nothing of CRCs, epochs, producers or consumers; the log layer does.
 */
import type { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Uuid } from '../runtime/uuid.js'

/**
 * When an acknowledged write is safe: `'os'` when the process dies (kill -9), `'fsync'` when the power fails too.
 * `'os'` is the least that can be asked for, so every storage accepts it; one without a disk beneath it gives neither,
 * says so in its capabilities, and refuses `'fsync'`.
 */
export type Durability = 'os' | 'fsync'

/** What a storage promises; declared, and checked by the contract suite. */
export interface StorageCapabilities {
  /** Whether data is there again after close and open. */
  readonly persistent: boolean
  /** The strongest durability that it gives; one that does not give `'fsync'` refuses it with INVALID_ARGUMENT. */
  readonly durability: Durability | 'none'
}

/** What the storage knows of a batch without looking into it. */
export interface BatchInfo {
  /** Offset of its first record. */
  readonly baseOffset: number
  /** Offset of its last record, as the batch header tells it (compaction may have emptied that place). */
  readonly lastOffset: number
  /** Largest record timestamp in it, in milliseconds since the epoch. */
  readonly maxTimestamp: number
  /** Its encoded length. */
  readonly sizeBytes: number
}

/** A batch to be written: its bytes, and what the storage must know of them. */
export interface BatchWrite extends BatchInfo {
  /** The encoded batch, `sizeBytes` long. Once handed over, it belongs to the storage and is never changed again. */
  readonly bytes: Uint8Array
}

/** A batch that was read. */
export interface StoredBatch extends BatchInfo {
  /** The encoded batch; a view that must not be changed. */
  readonly bytes: Uint8Array
}

/** Small named values kept with a partition, e.g. `checkpoint`; copied when they are handed over. null removes one. */
export type BlobChanges = Readonly<Record<string, Uint8Array | null>>

/** What a partition holds now. */
export interface PartitionState {
  /** The log start offset: nothing below it can be read any more. Never goes back. */
  readonly startOffset: number
  /** One past the last stored offset; equal to startOffset in an empty partition. */
  readonly endOffset: number
  /** Bytes of the stored batches. */
  readonly sizeBytes: number
  /** How many batches are stored. */
  readonly batchCount: number
}

/** The disk, or the part of it, that a storage is on. */
export interface StorageVolume {
  /** How large it is, in bytes. */
  readonly totalBytes: number
  /** How much of it this process may still write, in bytes. */
  readonly usableBytes: number
}

/** Names a partition in a storage. */
export interface PartitionId {
  /** The topic's id; a topic that is deleted and created again has a new one. */
  readonly topicId: Uuid
  /** The partition's index in the topic. */
  readonly partition: number
}

/**
 * One partition. Calls may overlap: writes take effect in the order of the calls, reads see every write that was
 * acknowledged before they were called, and may see later ones whole.
 *
 * Every write is atomic: after a crash at any moment either all of it is there or nothing, blobs included.
 */
export interface PartitionStorage {
  /** Which partition this is. */
  readonly id: PartitionId
  /** What it holds, as of the last acknowledged write. */
  readonly state: PartitionState
  /** How many files the batches are in; only where the storage keeps segments. */
  readonly segmentCount?: number

  /**
   * Appends `batches` as one unit, together with `blobs`. Each batch starts at or after the end before it. With
   * `newSegment` the first of them begins a new segment, in a storage that keeps segments; one without does as usual.
   * @throws OttlaError INVALID_ARGUMENT when offsets do not ascend; STORAGE_FAILED when the write failed, and for
   * every write after that.
   */
  append(
    batches: readonly BatchWrite[],
    options: {
      readonly durability: Durability
      readonly blobs?: BlobChanges
      readonly newSegment?: boolean
    },
  ): Promise<void>

  /**
   * Reads batches in order, from the one that holds `fromOffset` (or the first after it) on, while the total stays
   * within `maxBytes`; the first batch is returned even when it alone exceeds that. Empty at the end.
   */
  read(fromOffset: number, maxBytes: number): Promise<readonly StoredBatch[]>

  /** Like read, but only the infos: at most `maxCount`, without touching batch bytes. */
  infos(fromOffset: number, maxCount: number): Promise<readonly BatchInfo[]>

  /** The first batch at or after `fromOffset` whose maxTimestamp is at least `timestamp`; found without reading the log through. */
  findByTimestamp(timestamp: number, fromOffset: number): Promise<BatchInfo | undefined>

  /**
   * Drops every batch whose lastOffset is at or beyond `endOffset`; endOffset becomes the end of what remains, or
   * startOffset when nothing does. At or beyond the end it changes nothing but the blobs.
   */
  truncateSuffix(endOffset: number, blobs?: BlobChanges): Promise<void>

  /**
   * Raises the log start offset to `startOffset` (at most endOffset) and drops every batch that lies below it as a
   * whole; a batch that contains it stays. Never lowers it. The space is given back, at once or soon after.
   */
  truncatePrefix(startOffset: number, blobs?: BlobChanges): Promise<void>

  /**
   * Replaces the batches from the one with baseOffset `fromOffset` up to (not including) `toOffset` by `batches`,
   * which lie within that range and ascend; gaps are allowed. endOffset and startOffset stay.
   * @throws OttlaError INVALID_ARGUMENT when the range cuts through a batch, or `batches` leave it.
   */
  replace(
    fromOffset: number,
    toOffset: number,
    batches: readonly BatchWrite[],
    blobs?: BlobChanges,
  ): Promise<void>

  /** The blob called `name`; undefined when there is none. */
  readBlob(name: string): Promise<Uint8Array | undefined>

  /**
   * Changes blobs as one unit. With `'fsync'`, as with an append, all that the partition wrote before is safe too; so
   * no changes and `'fsync'` flushes it.
   */
  writeBlobs(blobs: BlobChanges, durability: Durability): Promise<void>
}

/** A place that keeps partitions. */
export interface LogStorage {
  /** What errors and figures call it: `memory`, `level`, ... */
  readonly name: string
  /** The folder; only where it is in one. */
  readonly location?: string
  /** What it promises. */
  readonly capabilities: StorageCapabilities
  /** The failure after which it refuses every write; undefined while it is well. */
  readonly failure: OttlaError | undefined

  /**
   * Opens it. A storage that failed is usable again after close() and open().
   * @throws OttlaError STORAGE_LOCKED when another owner holds it, STORAGE_CORRUPT when it is damaged,
   * UNSUPPORTED_VERSION when a later version of its format wrote it, STORAGE_FAILED when it cannot be opened at all.
   */
  open(): Promise<void>

  /** Finishes the writes that were begun, and lets go of everything; idempotent. */
  close(): Promise<void>

  /** Opens a partition; one that was never written is empty and starts at offset 0. Costs the same however long it is. */
  partition(id: PartitionId): Promise<PartitionStorage>

  /** The partitions that hold anything. */
  partitions(): Promise<readonly PartitionId[]>

  /** Removes a partition and all that it holds; what was opened of it refuses everything. */
  deletePartition(id: PartitionId): Promise<void>

  /** What the storage takes on disk (in memory for one without), in bytes. */
  sizeBytes(): Promise<number>

  /** What it is on, where it is open and knows. */
  volume?(): Promise<StorageVolume>
}
