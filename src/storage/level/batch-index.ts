/**
 * Finds and loads the batches of one partition: those that are indexed through its pages, the latest through the tail
 * of the journal, without reading more than is asked for.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { StoredBatch } from '../contract.js'
import { readRange, VIEWS, type LevelDatabase } from './database.js'
import { indexOfOffset, indexOfTimestamp, PAGE_ENTRIES, type IndexPage } from './index-pages.js'
import { JournalTail } from './journal-tail.js'
import { batchKey, decodePage, pageKey, type IndexEntry } from './keys.js'
import type { PageCache } from './page-cache.js'

/** How many pages one walk through the index takes at most. */
const MAX_PAGES_A_WALK = 16
/** What a walk through the index reads ahead: a few pages. */
const INDEX_READ_AHEAD_BYTES = 64 * 1024

/** The index of one partition. */
export class BatchIndex {
  /** What is not in the pages yet. */
  readonly tail = new JournalTail()
  readonly #database: LevelDatabase
  readonly #cache: PageCache
  readonly #partitionNumber: number
  readonly #name: string
  /** Counts the changes of pages that were there: a page read before one is not kept. */
  #version = 0

  constructor(database: LevelDatabase, cache: PageCache, partitionNumber: number, name: string) {
    this.#database = database
    this.#cache = cache
    this.#partitionNumber = partitionNumber
    this.#name = name
  }

  /** Called before and after pages that are there are changed. */
  changing(): void {
    this.#version++
    this.#cache.delete(this.#partitionNumber)
  }

  /** The pages from the one that holds `fromOffset` (or the first after it) on: at most `maxCount`. */
  async pages(fromOffset: number, maxCount: number): Promise<IndexPage[]> {
    const found = await readRange(this.#database, {
      gte: pageKey(this.#partitionNumber, fromOffset),
      lt: pageKey(this.#partitionNumber + 1, 0),
      limit: maxCount,
      highWaterMarkBytes: INDEX_READ_AHEAD_BYTES,
    })
    return found.map(([key, value]) => ({ key, entries: decodePage(key, value) }))
  }

  /** The last indexed batch that begins below `offset`. */
  async before(offset: number): Promise<IndexEntry | undefined> {
    const [page] = await this.pages(offset, 1)
    const inPage = page?.entries.findLast(({ baseOffset }) => baseOffset < offset)
    if (inPage !== undefined) return inPage
    const [previous] = await readRange(this.#database, {
      gte: pageKey(this.#partitionNumber, 0),
      lt: pageKey(this.#partitionNumber, offset),
      reverse: true,
      limit: 1,
    })
    return previous === undefined ? undefined : decodePage(...previous).at(-1)
  }

  /** Entries from the one that holds `fromOffset` (or the first after it) up to `endOffset`: at most `maxCount`. */
  async entries(fromOffset: number, endOffset: number, maxCount: number): Promise<IndexEntry[]> {
    const found: IndexEntry[] = []
    if (maxCount <= 0) return found
    await this.#walk(fromOffset, endOffset, maxCount, (entry) => {
      found.push(entry)
      return found.length < maxCount
    })
    return found
  }

  /**
   * As {@link entries}, while their batches stay within `maxBytes`; the first one whatever its size. Batches of
   * `averageBytes` are expected.
   */
  async entriesWithin(
    fromOffset: number,
    endOffset: number,
    maxBytes: number,
    averageBytes: number,
  ): Promise<IndexEntry[]> {
    const found: IndexEntry[] = []
    let total = 0
    const expectedCount = Math.ceil(Math.max(maxBytes, 0) / Math.max(averageBytes, 1))
    await this.#walk(fromOffset, endOffset, expectedCount, (entry) => {
      total += entry.sizeBytes
      if (total <= maxBytes || found.length === 0) found.push(entry)
      return total < maxBytes
    })
    return found
  }

  /**
   * The batches that `entries` stand for, in their order. They are looked up by their keys: to begin a walk, LevelDB
   * reads a batch in every one of its levels, and throws most of them away.
   */
  async load(entries: readonly IndexEntry[]): Promise<StoredBatch[]> {
    const keys = entries.map((entry) => batchKey(this.#partitionNumber, entry))
    // In two halves: while the bytes of one are handed over, the other is read.
    const half = Math.ceil(keys.length / 2)
    const halves = [keys.slice(0, half), keys.slice(half)].map((part) => this.#lookUp(part))
    const bytes = (await Promise.all(halves)).flat()
    return entries.map((entry, index) => {
      const batch = bytes[index]
      if (batch?.length !== entry.sizeBytes) throw this.#missing(entry, batch)
      const { baseOffset, lastOffset, maxTimestamp, sizeBytes } = entry
      return { baseOffset, lastOffset, maxTimestamp, sizeBytes, bytes: batch }
    })
  }

  /** The first entry from `fromOffset` on with a timestamp of at least `timestamp`. */
  async findByTimestamp(
    timestamp: number,
    fromOffset: number,
    endOffset: number,
  ): Promise<IndexEntry | undefined> {
    let found: IndexEntry | undefined
    // Whoever raised the running maximum may be gone, so from where it reaches the timestamp a batch's own decides.
    const from = await this.#whereReached(timestamp, fromOffset, endOffset)
    await this.#walk(from, endOffset, PAGE_ENTRIES, (entry) => {
      if (entry.maxTimestamp >= timestamp) found = entry
      return found === undefined
    })
    return found
  }

  /** An offset before which no batch from `fromOffset` on reaches `timestamp`. */
  async #whereReached(timestamp: number, fromOffset: number, endOffset: number): Promise<number> {
    const tail = this.tail.entries
    const tailStart = tail[0]?.baseOffset ?? Infinity
    // The running maximum ascends, so halving the offsets finds the page in which it reaches the timestamp.
    let low = fromOffset
    let high = endOffset
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2)
      const entries = middle >= tailStart ? tail : (await this.#pagesFrom(middle, 1))[0]
      const at = entries === undefined ? 0 : indexOfTimestamp(entries, timestamp)
      const reached = entries?.[at]
      const last = entries?.at(-1)
      if (last !== undefined && reached === undefined) low = Math.max(low, last.lastOffset) + 1
      else if (reached === undefined || at === 0) high = Math.min(middle, reached?.baseOffset ?? middle)
      else return Math.max(low, reached.baseOffset)
    }
    return low
  }

  /**
   * Hands over the entries from the one that holds `fromOffset` (or the first after it) up to `endOffset` while
   * `onEntry` answers true. About `expectedCount` are read at a time.
   */
  async #walk(
    fromOffset: number,
    endOffset: number,
    expectedCount: number,
    onEntry: (entry: IndexEntry) => boolean,
  ): Promise<void> {
    // Taken before the first wait: what is indexed while the pages are read is in both, and is taken from here.
    const tail = this.tail.entries
    const pagesEnd = Math.min(endOffset, tail[0]?.baseOffset ?? Infinity)
    const maxPages = Math.min(Math.ceil(Math.max(expectedCount, 1) / PAGE_ENTRIES), MAX_PAGES_A_WALK)
    let at = fromOffset
    while (at < pagesEnd) {
      const version = this.#version
      const pages = await this.#pagesFrom(at, maxPages)
      if (pages.length === 0) break
      for (const entries of pages) {
        if (version === this.#version) this.#cache.set(this.#partitionNumber, entries)
        for (let index = indexOfOffset(entries, at); index < entries.length; index++) {
          const entry = entries[index]
          if (entry === undefined || entry.baseOffset >= pagesEnd) break
          if (!onEntry(entry)) return
        }
        at = (entries.at(-1)?.lastOffset ?? at) + 1
      }
    }
    for (let index = indexOfOffset(tail, fromOffset); index < tail.length; index++) {
      const entry = tail[index]
      if (entry === undefined || entry.baseOffset >= endOffset || !onEntry(entry)) return
    }
  }

  async #pagesFrom(offset: number, maxCount: number): Promise<(readonly IndexEntry[])[]> {
    const cached = this.#cache.get(this.#partitionNumber, offset)
    if (cached !== undefined) return [cached]
    return (await this.pages(offset, maxCount)).map(({ entries }) => entries)
  }

  async #lookUp(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    // What is read once, in passing, is not to push the index out of the store's cache.
    return keys.length === 0 ? [] : this.#database.getMany(keys, { ...VIEWS, fillCache: false })
  }

  #missing(entry: IndexEntry, batch: Uint8Array | undefined): OttlaError {
    const found =
      batch === undefined ? 'are missing' : `have ${batch.length} bytes instead of ${entry.sizeBytes}`
    return new OttlaError(
      'STORAGE_CORRUPT',
      `${this.#name}: the records from offset ${entry.baseOffset} to ${entry.lastOffset} ${found}.`,
      { details: { partition: this.#name, baseOffset: entry.baseOffset, lastOffset: entry.lastOffset } },
    )
  }
}
