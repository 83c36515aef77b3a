/** Finds and loads the batches of one partition through its index entries, without reading more than is asked for. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { StoredBatch } from '../contract.js'
import { readRange, VIEWS, type LevelDatabase } from './database.js'
import { dataKey, decodeIndexEntry, indexKey, sequenceOf, type IndexEntry } from './keys.js'

/** How many index entries one walk through the index takes at most. */
const PAGE_ENTRIES = 1024

/** The index of one partition. */
export class BatchIndex {
  readonly #database: LevelDatabase
  readonly #partitionNumber: number
  readonly #name: string

  constructor(database: LevelDatabase, partitionNumber: number, name: string) {
    this.#database = database
    this.#partitionNumber = partitionNumber
    this.#name = name
  }

  /** Entries with a base offset in [fromOffset, endOffset), in order: at most `maxCount`. */
  async rawEntries(
    fromOffset: number,
    endOffset: number | undefined,
    maxCount: number,
  ): Promise<IndexEntry[]> {
    const end =
      endOffset === undefined
        ? indexKey(this.#partitionNumber + 1, 0)
        : indexKey(this.#partitionNumber, endOffset)
    const range = { gte: indexKey(this.#partitionNumber, fromOffset), lt: end, limit: maxCount }
    return (await readRange(this.#database, range)).map(([key, value]) => decodeIndexEntry(key, value))
  }

  /** The last entry with a base offset below `offset`. */
  async before(offset: number): Promise<IndexEntry | undefined> {
    const range = {
      gte: indexKey(this.#partitionNumber, 0),
      lt: indexKey(this.#partitionNumber, offset),
      reverse: true,
      limit: 1,
    }
    const [entry] = await readRange(this.#database, range)
    return entry === undefined ? undefined : decodeIndexEntry(...entry)
  }

  /** Entries from the one that holds `fromOffset` (or the first after it) up to `endOffset`: at most `maxCount`. */
  async entries(fromOffset: number, endOffset: number, maxCount: number): Promise<IndexEntry[]> {
    const found: IndexEntry[] = []
    if (fromOffset >= endOffset) return found
    let at = fromOffset
    while (found.length < maxCount) {
      const page = await this.#page(
        at,
        endOffset,
        Math.min(maxCount - found.length, PAGE_ENTRIES),
        found.length === 0,
      )
      const last = page.at(-1)
      if (last === undefined) break
      found.push(...page)
      at = last.lastOffset + 1
    }
    return found
  }

  /**
   * As {@link entries}, while their batches stay within `maxBytes`; the first one whatever its size. The first walk is
   * as long as batches of `averageBytes` make it, so that one is enough as a rule.
   */
  async entriesWithin(
    fromOffset: number,
    endOffset: number,
    maxBytes: number,
    averageBytes: number,
  ): Promise<IndexEntry[]> {
    const found: IndexEntry[] = []
    let at = fromOffset
    let total = 0
    let pageEntries = Math.min(Math.ceil(Math.max(maxBytes, 0) / Math.max(averageBytes, 1)) + 1, PAGE_ENTRIES)
    while (at < endOffset) {
      const page = await this.#page(at, endOffset, pageEntries, found.length === 0)
      for (const entry of page) {
        total += entry.sizeBytes
        if (total > maxBytes && found.length > 0) return found
        found.push(entry)
      }
      const last = page.at(-1)
      if (last === undefined || total >= maxBytes) break
      at = last.lastOffset + 1
      pageEntries = Math.min(pageEntries * 4, PAGE_ENTRIES)
    }
    return found
  }

  /** The batches that `entries` stand for, in their order. */
  async load(entries: readonly IndexEntry[]): Promise<StoredBatch[]> {
    const [first] = entries
    const last = entries.at(-1)
    if (first === undefined || last === undefined) return []
    // Every one is looked at: a replacement is written later than what follows it, so sequences need not ascend.
    const isContiguous = entries.every((entry, index) => entry.sequence === first.sequence + index)
    const bytes =
      isContiguous && entries.length > 1
        ? await this.#loadRun(first, last, entries)
        : await this.#loadEach(entries)
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
    // The running maximum ascends, so halving the offsets finds where it reaches the timestamp.
    let low = fromOffset
    let high = endOffset
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2)
      const [entry] = await this.rawEntries(middle, high, 1)
      if (entry === undefined || entry.runningMaxTimestamp >= timestamp) high = middle
      else low = entry.lastOffset + 1
    }
    // Whoever raised the running maximum may be gone, so the entry's own timestamp decides.
    for (let at = low; at < endOffset;) {
      const entries = await this.entries(at, endOffset, PAGE_ENTRIES)
      const last = entries.at(-1)
      if (last === undefined) return undefined
      const hit = entries.find((entry) => entry.maxTimestamp >= timestamp)
      if (hit !== undefined) return hit
      at = last.lastOffset + 1
    }
    return undefined
  }

  async #page(
    fromOffset: number,
    endOffset: number,
    maxCount: number,
    isFirst: boolean,
  ): Promise<IndexEntry[]> {
    const entries = await this.rawEntries(fromOffset, endOffset, maxCount)
    // Whoever reads on asks for the first offset of a batch, so the look back is the exception.
    if (!isFirst || entries[0]?.baseOffset === fromOffset) return entries
    const containing = await this.before(fromOffset)
    if (containing === undefined || containing.lastOffset < fromOffset) return entries
    return [containing, ...entries].slice(0, maxCount)
  }

  async #loadEach(entries: readonly IndexEntry[]): Promise<(Uint8Array | undefined)[]> {
    const [only] = entries
    if (only !== undefined && entries.length === 1)
      return [await this.#database.get(dataKey(only.sequence), VIEWS)]
    return this.#database.getMany(
      entries.map((entry) => dataKey(entry.sequence)),
      VIEWS,
    )
  }

  /** Batches that were written one after another are read by one walk. */
  async #loadRun(
    first: IndexEntry,
    last: IndexEntry,
    entries: readonly IndexEntry[],
  ): Promise<(Uint8Array | undefined)[]> {
    let total = 0
    for (const entry of entries) total += entry.sizeBytes
    const found = await readRange(this.#database, {
      gte: dataKey(first.sequence),
      lte: dataKey(last.sequence),
      limit: entries.length,
      highWaterMarkBytes: total + entries.length * 16,
    })
    const bytes = new Array<Uint8Array | undefined>(entries.length).fill(undefined)
    for (const [key, value] of found) bytes[sequenceOf(key) - first.sequence] = value
    return bytes
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
