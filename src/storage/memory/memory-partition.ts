/**
 * A partition in memory: its batches in an array, in offset order. Nothing is copied, so every call completes before
 * it returns; the promises are there because the contract's other storages need them.
 */
import type { OttlaError } from '../../runtime/errors/ottla-error.js'
import { assertAscending, assertStart, assertWhole, assertWithin } from '../batch-order.js'
import type {
  BatchInfo,
  BatchWrite,
  BlobChanges,
  Durability,
  PartitionId,
  PartitionState,
  PartitionStorage,
  StorageCapabilities,
  StoredBatch,
} from '../contract.js'
import { durabilityRefusal } from '../durability.js'
import { partitionKey } from '../partition-key.js'

interface Entry extends StoredBatch {
  /** The largest timestamp in this batch and all before it: ascends, so a timestamp is found by halving. */
  readonly runningMaxTimestamp: number
}

/** Dropped places at the front are given back when they outnumber this and the batches that remain. */
const MIN_DROPPED_PLACES = 1024

const DONE: Promise<void> = Promise.resolve()

/** A partition in memory. */
export class MemoryPartition implements PartitionStorage {
  readonly id: PartitionId
  /** Why writes and reads are refused: the storage was closed, or the partition deleted. */
  readonly #refusal: (partition: MemoryPartition) => OttlaError | undefined
  #entries: Entry[] = []
  /** How many places at the front of #entries are dropped already. */
  #dropped = 0
  #startOffset = 0
  #endOffset = 0
  #sizeBytes = 0
  readonly #blobs = new Map<string, Uint8Array>()

  constructor(id: PartitionId, refusal: (partition: MemoryPartition) => OttlaError | undefined) {
    this.id = id
    this.#refusal = refusal
  }

  get state(): PartitionState {
    return {
      startOffset: this.#startOffset,
      endOffset: this.#endOffset,
      sizeBytes: this.#sizeBytes,
      batchCount: this.#entries.length - this.#dropped,
    }
  }

  append(
    batches: readonly BatchWrite[],
    options: { readonly durability: Durability; readonly blobs?: BlobChanges },
  ): Promise<void> {
    return this.#attempt(() => {
      assertDurability(options.durability)
      assertAscending(batches, this.#endOffset)
      for (const batch of batches) this.#push(batch)
      this.#endOffset = (batches.at(-1)?.lastOffset ?? this.#endOffset - 1) + 1
      this.#change(options.blobs)
    })
  }

  read(fromOffset: number, maxBytes: number): Promise<readonly StoredBatch[]> {
    return this.#answer(() => {
      const first = this.#indexOf(fromOffset)
      let after = first
      let total = 0
      for (let entry = this.#entries[after]; entry !== undefined; entry = this.#entries[++after]) {
        total += entry.sizeBytes
        if (total > maxBytes && after > first) break
      }
      return this.#entries.slice(first, after)
    })
  }

  infos(fromOffset: number, maxCount: number): Promise<readonly BatchInfo[]> {
    return this.#answer(() => {
      const first = this.#indexOf(fromOffset)
      return this.#entries.slice(first, first + maxCount)
    })
  }

  findByTimestamp(timestamp: number, fromOffset: number): Promise<BatchInfo | undefined> {
    return this.#answer(() => {
      const byRunningMax = this.#firstIndex((entry) => entry.runningMaxTimestamp >= timestamp)
      let index = Math.max(byRunningMax, this.#indexOf(fromOffset))
      // A batch that was dropped, or lies before fromOffset, may have raised the running maximum.
      for (let entry = this.#entries[index]; entry !== undefined; entry = this.#entries[++index]) {
        if (entry.maxTimestamp >= timestamp) return entry
      }
      return undefined
    })
  }

  truncateSuffix(endOffset: number, blobs?: BlobChanges): Promise<void> {
    return this.#attempt(() => {
      if (endOffset < this.#endOffset) {
        const keep = this.#firstIndex((entry) => entry.lastOffset >= endOffset)
        for (const entry of this.#entries.splice(keep)) this.#sizeBytes -= entry.sizeBytes
        const last = this.#dropped < this.#entries.length ? this.#entries.at(-1) : undefined
        this.#endOffset = last === undefined ? this.#startOffset : last.lastOffset + 1
      }
      this.#change(blobs)
    })
  }

  truncatePrefix(startOffset: number, blobs?: BlobChanges): Promise<void> {
    return this.#attempt(() => {
      assertStart(partitionKey(this.id), startOffset, this.#endOffset)
      this.#startOffset = Math.max(this.#startOffset, startOffset)
      const keep = this.#firstIndex((entry) => entry.lastOffset >= this.#startOffset)
      for (let index = this.#dropped; index < keep; index++)
        this.#sizeBytes -= this.#entries[index]?.sizeBytes ?? 0
      this.#drop(keep)
      this.#change(blobs)
    })
  }

  replace(
    fromOffset: number,
    toOffset: number,
    batches: readonly BatchWrite[],
    blobs?: BlobChanges,
  ): Promise<void> {
    return this.#attempt(() => {
      assertWithin(batches, fromOffset, toOffset, this.state)
      const first = this.#indexOf(fromOffset)
      const after = this.#firstIndex((entry) => entry.baseOffset >= toOffset)
      assertWhole(this.#entries.slice(first, after), fromOffset, toOffset)
      const rest = this.#entries.splice(first)
      for (const entry of rest) this.#sizeBytes -= entry.sizeBytes
      for (const batch of batches) this.#push(batch)
      for (const entry of rest.slice(after - first)) this.#push(entry)
      this.#change(blobs)
    })
  }

  readBlob(name: string): Promise<Uint8Array | undefined> {
    return this.#answer(() => this.#blobs.get(name))
  }

  writeBlobs(blobs: BlobChanges, durability: Durability): Promise<void> {
    return this.#attempt(() => {
      assertDurability(durability)
      this.#change(blobs)
    })
  }

  /** Whether nothing was ever kept here. */
  get isUnused(): boolean {
    return this.#endOffset === 0 && this.#blobs.size === 0
  }

  #push(batch: BatchWrite): void {
    const before = this.#dropped < this.#entries.length ? this.#entries.at(-1) : undefined
    this.#entries.push({
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      maxTimestamp: batch.maxTimestamp,
      sizeBytes: batch.sizeBytes,
      bytes: batch.bytes,
      runningMaxTimestamp: Math.max(before?.runningMaxTimestamp ?? -Infinity, batch.maxTimestamp),
    })
    this.#sizeBytes += batch.sizeBytes
  }

  /** Lets go of everything before `index`; the array itself is cut only now and then, which keeps dropping cheap. */
  #drop(index: number): void {
    if (index > MIN_DROPPED_PLACES && index * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(index)
      this.#dropped = 0
      return
    }
    // The places stay, but must not hold on to the bytes.
    for (let place = this.#dropped; place < index; place++) {
      const entry = this.#entries[place]
      if (entry !== undefined) this.#entries[place] = { ...entry, bytes: NO_BYTES }
    }
    this.#dropped = index
  }

  /** The index of the batch that holds `offset`, or of the first one after it. */
  #indexOf(offset: number): number {
    return this.#firstIndex((entry) => entry.lastOffset >= offset)
  }

  /** The first index whose entry satisfies a condition that holds for all after it too. */
  #firstIndex(condition: (entry: Entry) => boolean): number {
    let low = this.#dropped
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.#entries[middle]
      if (entry !== undefined && condition(entry)) high = middle
      else low = middle + 1
    }
    return low
  }

  #change(blobs: BlobChanges | undefined): void {
    if (blobs === undefined) return
    for (const [name, value] of Object.entries(blobs)) {
      if (value === null) this.#blobs.delete(name)
      else this.#blobs.set(name, value.slice())
    }
  }

  #attempt(write: () => void): Promise<void> {
    const refusal = this.#refusal(this)
    if (refusal !== undefined) return Promise.reject(refusal)
    try {
      write()
      return DONE
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #answer<T>(read: () => T): Promise<T> {
    const refusal = this.#refusal(this)
    return refusal === undefined ? Promise.resolve(read()) : Promise.reject(refusal)
  }
}

/** What memory promises. */
export const MEMORY_CAPABILITIES: StorageCapabilities = { persistent: false, durability: 'none' }

const assertDurability = (asked: Durability): void => {
  const refusal = durabilityRefusal('memory', MEMORY_CAPABILITIES, asked)
  if (refusal !== undefined) throw refusal
}

const NO_BYTES = new Uint8Array(0)
