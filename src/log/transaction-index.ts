/**
 * The transactions of one log (KIP-98): which are open, which were aborted, and from where on nothing is settled.
 * The aborted ones are kept in pages of a bounded size, each a blob, so that a checkpoint writes the last of them
 * alone however many there ever were.
 */
import { parseTransactionMarker, type TransactionMarker } from '../record/control.js'
import { crc32c } from '../record/crc32c.js'
import { RecordCursor } from '../record/decode.js'
import { HEADER_BYTES, type BatchHeader } from '../record/header.js'
import { allocateBytes } from '../runtime/bytes.js'
import type { BlobChanges, PartitionStorage } from '../storage/contract.js'

/** A transaction that has begun and has no marker yet. */
export interface OpenTransaction {
  readonly producerId: number
  /** The offset of its first record here. */
  readonly firstOffset: number
}

/** A transaction that was aborted, as Kafka's transaction index has it. */
export interface AbortedTransaction extends OpenTransaction {
  /** The offset of its marker. */
  readonly lastOffset: number
  /** The last stable offset when the marker was written: all aborted later begin there at the earliest. */
  readonly lastStableOffset: number
}

/** Which pages of aborted transactions are stored, as the checkpoint says it. */
export interface AbortedPages {
  readonly firstPage: number
  /** How many transactions there are in the pages from `firstPage` on; all but the last page are full. */
  readonly count: number
}

/** How many aborted transactions a page holds. */
export const PAGE_TRANSACTIONS = 512
const ENTRY_BYTES = 32
const CRC_BYTES = 4

const blobOf = (page: number): string => `aborted-transactions-${page}`
const pageOf = (index: number): number => Math.floor(index / PAGE_TRANSACTIONS)
const NO_PAGES: AbortedPages = { firstPage: 0, count: 0 }

/** What a control batch says of a transaction; undefined for other batches, and for one that compaction emptied. */
export const markerOf = (header: BatchHeader, bytes: Uint8Array): TransactionMarker | undefined => {
  if (!header.isControl) return undefined
  const cursor = new RecordCursor(header, bytes, HEADER_BYTES, header.sizeBytes)
  return cursor.next() ? parseTransactionMarker(cursor.key, cursor.value) : undefined
}

/** The transactions of one log. */
export class TransactionIndex {
  /** By producer, in the order of their first offsets. */
  readonly #open: Map<number, number>
  /** Ended, but their marker may be lost still: to readers they are open until the high watermark has passed it. */
  #ending: { readonly firstOffset: number; readonly lastOffset: number }[] = []
  /** Ascending by last offset; the first is the first of `#firstPage`. */
  readonly #aborted: AbortedTransaction[]
  #firstPage: number
  /** What is stored, and from which place in `#aborted` on that is out of date. */
  #stored: AbortedPages
  #changedFrom: number

  constructor(
    open: Iterable<OpenTransaction> = [],
    aborted: Iterable<AbortedTransaction> = [],
    stored = NO_PAGES,
  ) {
    this.#open = new Map([...open].map(({ producerId, firstOffset }) => [producerId, firstOffset]))
    this.#aborted = [...aborted]
    this.#firstPage = stored.firstPage
    this.#stored = stored
    this.#changedFrom = this.#aborted.length
  }

  /** By first offset. */
  get open(): OpenTransaction[] {
    return [...this.#open].map(([producerId, firstOffset]) => ({ producerId, firstOffset }))
  }

  /** How many are open. */
  get openCount(): number {
    return this.#open.size
  }

  /** In the order of their markers. May begin with some that lie below the log start. */
  get aborted(): readonly AbortedTransaction[] {
    return this.#aborted
  }

  /** The pages that {@link TransactionIndex.changes} leaves. */
  get pages(): AbortedPages {
    return { firstPage: this.#firstPage, count: this.#aborted.length }
  }

  /** Whether the producer has a transaction open. */
  isOpen(producerId: number): boolean {
    return this.#open.has(producerId)
  }

  /** Takes in a batch as it stands in the log. One without records, as compaction leaves them, opens nothing. */
  apply(header: BatchHeader, baseOffset: number, marker: TransactionMarker | undefined): void {
    const { producerId } = header
    if (!header.isTransactional) return
    if (!header.isControl) {
      if (header.recordCount > 0 && !this.#open.has(producerId)) this.#open.set(producerId, baseOffset)
      return
    }
    const firstOffset = this.#open.get(producerId)
    if (marker === undefined || firstOffset === undefined) return
    const lastOffset = baseOffset + header.lastOffsetDelta
    this.#open.delete(producerId)
    this.#ending.push({ firstOffset, lastOffset })
    if (marker.type === 'commit') return
    const lastStableOffset = this.#firstOpen() ?? lastOffset + 1
    this.#aborted.push({ producerId, firstOffset, lastOffset, lastStableOffset })
  }

  /** The first offset that is not settled below `highWatermark`, which never goes back (H5). */
  lastStableOffset(highWatermark: number): number {
    const ending = this.#ending
    let settled = 0
    while ((ending[settled]?.lastOffset ?? Infinity) < highWatermark) settled++
    if (settled > 0) this.#ending = ending.slice(settled)
    let first = Math.min(this.#firstOpen() ?? highWatermark, highWatermark)
    for (const { firstOffset } of this.#ending) first = Math.min(first, firstOffset)
    return first
  }

  /** The aborted transactions that have records in `[fromOffset, toOffset)`. */
  abortedBetween(fromOffset: number, toOffset: number): OpenTransaction[] {
    const found: OpenTransaction[] = []
    for (let i = this.#firstEndingAt(fromOffset); i < this.#aborted.length; i++) {
      const transaction = this.#aborted[i]
      if (transaction === undefined) break
      const { producerId, firstOffset, lastStableOffset } = transaction
      if (firstOffset < toOffset) found.push({ producerId, firstOffset })
      if (lastStableOffset >= toOffset) break
    }
    return found
  }

  /** Forgets the aborted transactions that these markers end, given by their offsets. Tells whether there were any. */
  forget(markers: readonly number[]): boolean {
    let firstGone = Infinity
    for (const marker of markers) {
      const at = this.#firstEndingAt(marker)
      if (this.#aborted[at]?.lastOffset === marker) firstGone = Math.min(firstGone, at)
    }
    if (firstGone === Infinity) return false
    const gone = new Set(markers)
    const kept = this.#aborted.splice(firstGone).filter(({ lastOffset }) => !gone.has(lastOffset))
    for (const one of kept) this.#aborted.push(one)
    this.#changedFrom = Math.min(this.#changedFrom, firstGone)
    return true
  }

  /** Forgets whole pages of what lies below `startOffset`. */
  truncateFromStart(startOffset: number): void {
    const pages = pageOf(this.#firstEndingAt(startOffset))
    this.#firstPage += pages
    this.#aborted.splice(0, pages * PAGE_TRANSACTIONS)
    this.#changedFrom = Math.max(0, this.#changedFrom - pages * PAGE_TRANSACTIONS)
  }

  /**
   * What the index was when the log ended at `endOffset`, with what is `replayed` as its open transactions. One that
   * began below the log start is known to this index alone.
   */
  truncated(endOffset: number, replayed: TransactionIndex): TransactionIndex {
    const open = new Map(
      this.open.flatMap((one) => (one.firstOffset < endOffset ? [[one.producerId, one]] : [])),
    )
    for (const one of replayed.open) if (!open.has(one.producerId)) open.set(one.producerId, one)
    const sorted = [...open.values()].sort((a, b) => a.firstOffset - b.firstOffset)
    const kept = this.#aborted.slice(0, this.#firstEndingAt(endOffset))
    const index = new TransactionIndex(sorted, kept, this.#stored)
    index.#firstPage = this.#firstPage
    index.#changedFrom = Math.min(this.#changedFrom, kept.length)
    return index
  }

  /** The pages that are not stored as they are now; what this returns must go to the storage with the checkpoint. */
  changes(): BlobChanges {
    const blobs: Record<string, Uint8Array | null> = {}
    const { firstPage, count } = this.pages
    const storedEnd = this.#stored.firstPage + pageOf(this.#stored.count + PAGE_TRANSACTIONS - 1)
    const end = firstPage + pageOf(count + PAGE_TRANSACTIONS - 1)
    for (let page = this.#stored.firstPage; page < storedEnd; page++) {
      if (page < firstPage || page >= end) blobs[blobOf(page)] = null
    }
    // A page that was cut is written anew, though nothing was added to it.
    const cut = firstPage + pageOf(Math.min(this.#changedFrom, count))
    for (let page = cut; page < end; page++) {
      const from = (page - firstPage) * PAGE_TRANSACTIONS
      blobs[blobOf(page)] = encodePage(this.#aborted.slice(from, from + PAGE_TRANSACTIONS))
    }
    this.#stored = this.pages
    this.#changedFrom = count
    return blobs
  }

  #firstOpen(): number | undefined {
    for (const firstOffset of this.#open.values()) return firstOffset
    return undefined
  }

  /** The place of the first aborted transaction that ends at or beyond `offset`. */
  #firstEndingAt(offset: number): number {
    let low = 0
    for (let high = this.#aborted.length; low < high;) {
      const middle = (low + high) >>> 1
      if ((this.#aborted[middle]?.lastOffset ?? offset) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The index as the checkpoint has it; undefined when a page is missing or damaged. */
export const loadTransactionIndex = async (
  storage: PartitionStorage,
  open: readonly OpenTransaction[],
  pages: AbortedPages,
): Promise<TransactionIndex | undefined> => {
  const aborted: AbortedTransaction[] = []
  for (let page = pages.firstPage; aborted.length < pages.count; page++) {
    const bytes = await storage.readBlob(blobOf(page))
    const expected = Math.min(PAGE_TRANSACTIONS, pages.count - aborted.length)
    const entries = bytes && decodePage(bytes)
    if (entries?.length !== expected) return undefined
    aborted.push(...entries)
  }
  return new TransactionIndex(open, aborted, pages)
}

/** The names of the blobs that hold `pages`. */
export const blobNamesOf = ({ firstPage, count }: AbortedPages): string[] =>
  Array.from({ length: Math.ceil(count / PAGE_TRANSACTIONS) }, (_, index) => blobOf(firstPage + index))

/** Four numbers for each as doubles, which hold every safe integer, then the CRC-32C of all before. */
const encodePage = (transactions: readonly AbortedTransaction[]): Uint8Array => {
  const end = transactions.length * ENTRY_BYTES
  const bytes = allocateBytes(end + CRC_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  for (const { producerId, firstOffset, lastOffset, lastStableOffset } of transactions) {
    view.setFloat64(at, producerId)
    view.setFloat64(at + 8, firstOffset)
    view.setFloat64(at + 16, lastOffset)
    view.setFloat64(at + 24, lastStableOffset)
    at += ENTRY_BYTES
  }
  view.setUint32(end, crc32c(bytes, 0, end))
  return bytes
}

const decodePage = (bytes: Uint8Array): AbortedTransaction[] | undefined => {
  const end = bytes.length - CRC_BYTES
  if (end < 0 || end % ENTRY_BYTES !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(end) !== crc32c(bytes, 0, end)) return undefined
  const transactions: AbortedTransaction[] = []
  for (let at = 0; at < end; at += ENTRY_BYTES) {
    transactions.push({
      producerId: view.getFloat64(at),
      firstOffset: view.getFloat64(at + 8),
      lastOffset: view.getFloat64(at + 16),
      lastStableOffset: view.getFloat64(at + 24),
    })
  }
  return transactions
}
