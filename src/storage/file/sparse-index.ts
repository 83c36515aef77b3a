/**
 * The sparse index of a segment: one entry for every few kilobytes, with the offset and the position at which a
 * batch begins, how many batches stand before it, and the largest timestamp up to the next entry. So one structure
 * finds offsets, timestamps and counts. It is made of the batches alone, and can be made of them again at any time.
 */
import { allocateBytes } from '../../runtime/bytes.js'
import { crc32c } from '../../record/crc32c.js'
import { readInt32, writeInt32 } from '../../record/header.js'
import type { BatchInfo } from '../contract.js'

/** From one entry to the next there are at least as many bytes; what a look-up reads past is hardly more. */
export const INTERVAL_BYTES = 16 * 1024
const FIELDS = 4
const FIRST_CAPACITY = 4
const CHECKSUM_BYTES = 4

/** Where a look-up goes on from. */
export interface IndexEntry {
  readonly baseOffset: number
  readonly position: number
  /** How many batches of the segment stand before that position. */
  readonly batchCount: number
  /** The largest timestamp from here to the next entry, or more after a truncation. */
  readonly maxTimestamp: number
}

/** The index of one segment, as far as it was built. */
export class SparseIndex {
  #values = new Float64Array(FIRST_CAPACITY * FIELDS)
  #count = 0
  /** Up to where the segment is indexed, and how many batches that are. */
  #position = 0
  #batchCount = 0

  /** Up to where the segment is indexed. */
  get position(): number {
    return this.#position
  }

  /** What it takes in memory. */
  get sizeBytes(): number {
    return this.#values.byteLength
  }

  /** Adds the batch that begins where the index ends. */
  add(batch: BatchInfo): void {
    const last = (this.#count - 1) * FIELDS
    if (this.#count === 0 || this.#position - this.#at(last + 1) >= INTERVAL_BYTES) {
      const at = this.#count * FIELDS
      if (at === this.#values.length) {
        const values = new Float64Array(this.#values.length * 2)
        values.set(this.#values)
        this.#values = values
      }
      this.#values.set([batch.baseOffset, this.#position, this.#batchCount, batch.maxTimestamp], at)
      this.#count++
    } else {
      this.#values[last + 3] = Math.max(this.#at(last + 3), batch.maxTimestamp)
    }
    this.#position += batch.sizeBytes
    this.#batchCount++
  }

  /** Forgets what lies at or beyond `position`, before which there are `batchCount` batches. */
  truncate(position: number, batchCount: number): void {
    while (this.#count > 0 && this.#at((this.#count - 1) * FIELDS + 1) >= position) this.#count--
    this.#position = position
    this.#batchCount = batchCount
  }

  /** The last entry at or below `offset`, or the first: from there on the batch of that offset is found. */
  floor(offset: number): IndexEntry {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#at(middle * FIELDS) <= offset) low = middle + 1
      else high = middle
    }
    return this.#entry(Math.max(0, low - 1))
  }

  /** The last entry below `position`. */
  before(position: number): IndexEntry {
    let index = this.#count - 1
    while (index > 0 && this.#at(index * FIELDS + 1) >= position) index--
    return this.#entry(Math.max(0, index))
  }

  /** The first entry from the one at `position` on with a batch of at least `timestamp` before the next entry. */
  byTimestamp(timestamp: number, position: number): IndexEntry | undefined {
    for (let index = 0; index < this.#count; index++) {
      if (this.#at(index * FIELDS + 1) >= position && this.#at(index * FIELDS + 3) >= timestamp)
        return this.#entry(index)
    }
    return undefined
  }

  /** As a file: the checksum, how far it goes, and the entries. */
  encode(): Uint8Array {
    const numbers = [this.#position, this.#batchCount, ...this.#values.subarray(0, this.#count * FIELDS)]
    const bytes = allocateBytes(CHECKSUM_BYTES + numbers.length * 8)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    for (const [index, value] of numbers.entries()) view.setFloat64(CHECKSUM_BYTES + index * 8, value)
    writeInt32(bytes, crc32c(bytes, CHECKSUM_BYTES, bytes.length), 0)
    return bytes
  }

  /** The index of that file; undefined when it is damaged. */
  static decode(bytes: Uint8Array): SparseIndex | undefined {
    const values = (bytes.length - CHECKSUM_BYTES) / 8 - 2
    if (values < 0 || values % FIELDS !== 0) return undefined
    if (readInt32(bytes, 0) >>> 0 !== crc32c(bytes, CHECKSUM_BYTES, bytes.length)) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset + CHECKSUM_BYTES)
    const index = new SparseIndex()
    index.#position = view.getFloat64(0)
    index.#batchCount = view.getFloat64(8)
    index.#count = values / FIELDS
    index.#values = new Float64Array(Math.max(values, FIRST_CAPACITY * FIELDS))
    for (let at = 0; at < values; at++) index.#values[at] = view.getFloat64(16 + at * 8)
    return index
  }

  #entry(index: number): IndexEntry {
    const at = index * FIELDS
    if (index >= this.#count) return { baseOffset: 0, position: 0, batchCount: 0, maxTimestamp: -Infinity }
    return {
      baseOffset: this.#at(at),
      position: this.#at(at + 1),
      batchCount: this.#at(at + 2),
      maxTimestamp: this.#at(at + 3),
    }
  }

  #at(place: number): number {
    return this.#values[place] ?? 0
  }
}
