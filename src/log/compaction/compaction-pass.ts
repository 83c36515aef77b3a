/**
 * One pass of compaction over one log, as Kafka's cleaner makes it: the dirty part is read for the last offset of each
 * key, then the log is read from its start, and what is superseded, taken back or past its time is left out. What
 * remains takes the place of what was there range by range, so a pass that ends halfway leaves nothing to mend.
 */
import { readHeader, type BatchHeader } from '../../record/header.js'
import { openBatch } from '../../record/decode.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { BatchWrite } from '../../storage/contract.js'
import type { LogRead } from '../append-and-read.js'
import type { ProducerEntry } from '../producer-state.js'
import type { OpenTransaction } from '../transaction-index.js'
import { filterBatch, type FilterRules } from './batch-filter.js'
import type { DirtySection } from './dirty-section.js'
import { OffsetMap, type OffsetMapBounds } from './offset-map.js'
import type { Pace } from './pace.js'
import { TransactionWalk } from './transaction-walk.js'

/** How much is read at a time. */
const READ_BYTES = 256 * 1024
/** How many batches one replacement concerns. */
const REPLACE_BATCHES = 4096
/** What stays as it is for this part of a replacement need not be written again with what changes around it. */
const UNCHANGED_SHARE = 1 / 8
/** After how many records the clock is asked whether the slice was long enough. */
const RECORDS_A_LOOK = 256

/** A part of the log, and what takes its place. */
export interface ReplacedRange {
  readonly fromOffset: number
  readonly toOffset: number
  readonly batches: readonly BatchWrite[]
  /** The markers of aborted transactions of which nothing is left, so far. */
  readonly emptiedMarkers: readonly number[]
}

/** What a pass works on. */
export interface PassLog {
  readonly startOffset: number
  read(fromOffset: number, maxBytes: number): Promise<LogRead>
  /** Puts a range in its place, as far as it was not dropped meanwhile. */
  replace(range: ReplacedRange): Promise<void>
}

/** What a pass may hold in memory. */
export interface PassBounds extends OffsetMapBounds {
  /** `log.cleaner.io.buffer.size`: how much one replacement writes, in bytes; at least one batch. */
  readonly bufferBytes: number
}

/** What a pass goes by. */
export interface PassOptions {
  readonly section: DirtySection
  readonly nowMs: number
  readonly deleteRetentionMs: number
  readonly bounds: PassBounds
  readonly hashKey: Uint8Array
  readonly producers: readonly ProducerEntry[]
  /** The aborted transactions that end at or beyond an offset. */
  readonly abortedSince: (offset: number) => readonly OpenTransaction[]
  readonly pace: Pace
}

/** What a pass came to. */
export interface PassResult {
  /** Everything below is compacted; the end of the section when all its keys had room in the map. */
  readonly cleanedTo: number
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly recordsBefore: number
  readonly recordsAfter: number
  /** See {@link ReplacedRange}. */
  readonly emptiedMarkers: readonly number[]
}

/** Compacts the log up to the end of the section, or as far as its keys have room in the map. */
export const compactLog = async (log: PassLog, options: PassOptions): Promise<PassResult> => {
  const { section, nowMs, deleteRetentionMs, bounds, producers, abortedSince, pace } = options
  const { map, mappedTo } = await mapKeys(log, options)
  const startOffset = log.startOffset
  const transactions = new TransactionWalk(abortedSince(startOffset))
  const rules: FilterRules = {
    map,
    mappedTo,
    uncleanableFrom: section.toOffset,
    nowMs,
    deleteRetentionMs,
    producers: new Map(producers.map((entry) => [entry.producerId, entry])),
    transactions,
  }
  const range = new PendingRange(log, transactions, bounds.bufferBytes, pace)
  const counts = { bytesBefore: 0, bytesAfter: 0, recordsBefore: 0, recordsAfter: 0 }
  for await (const { header, bytes } of batchesOf(log, startOffset, mappedTo, pace)) {
    const filtered = await filterBatch(rules, header, bytes, pace)
    counts.bytesBefore += bytes.length
    counts.recordsBefore += header.recordCount
    counts.bytesAfter += filtered.bytes?.length ?? 0
    counts.recordsAfter += filtered.recordCount
    await range.add(header, bytes, filtered.bytes)
    if (pace.isDue) await pace.rest()
  }
  await range.flush()
  return { cleanedTo: mappedTo, ...counts, emptiedMarkers: transactions.emptied }
}

/** The last offset of each key in the section, or in as much of it as the map has room for. */
const mapKeys = async (
  log: PassLog,
  { section, bounds, hashKey, abortedSince, pace }: PassOptions,
): Promise<{ readonly map: OffsetMap; readonly mappedTo: number }> => {
  const { fromOffset, toOffset } = section
  const map = new OffsetMap(hashKey, bounds, toOffset - fromOffset)
  const transactions = new TransactionWalk(abortedSince(fromOffset))
  for await (const { header, bytes } of batchesOf(log, fromOffset, toOffset, pace)) {
    if (header.isControl) transactions.control(header, bytes)
    else if (!transactions.data(header)) {
      const records = await openBatch(bytes)
      for (let count = 0; records.next(); count++) {
        if (count % RECORDS_A_LOOK === 0 && pace.isDue) await pace.rest()
        const { offset, keyStart, keyEnd } = records
        if (keyStart < 0 || offset < fromOffset) continue
        if (!map.put(records.bytes, keyStart, keyEnd, offset)) return { map, mappedTo: offset }
      }
    }
  }
  return { map, mappedTo: toOffset }
}

interface ReadBatch {
  readonly header: BatchHeader
  readonly bytes: Uint8Array
}

/** The batches from the one that holds `fromOffset` up to `toOffset`; what is dropped at the start meanwhile is left out. */
async function* batchesOf(
  log: PassLog,
  fromOffset: number,
  toOffset: number,
  pace: Pace,
): AsyncGenerator<ReadBatch, void, undefined> {
  for (let offset = fromOffset; offset < toOffset;) {
    offset = Math.max(offset, log.startOffset)
    const from = offset
    const read = await log.read(from, READ_BYTES).catch((error: unknown) => {
      if (OttlaError.is(error, 'OFFSET_OUT_OF_RANGE') && from < log.startOffset) return undefined
      throw error
    })
    if (read === undefined) continue
    if (read.batches.length === 0) return
    pace.moved(read.sizeBytes)
    await pace.rest()
    for (const bytes of read.batches) {
      const header = readHeader(bytes)
      if (header.baseOffset >= toOffset) return
      yield { header, bytes }
      offset = header.lastOffset + 1
    }
  }
}

/** The batches from the first that changes on, until it is worth a replacement. */
class PendingRange {
  readonly #log: PassLog
  readonly #transactions: TransactionWalk
  readonly #bufferBytes: number
  readonly #pace: Pace
  #fromOffset = -1
  #toOffset = -1
  #batches: BatchWrite[] = []
  #bytes = 0
  /** How many of them stand behind the last that changes, and their bytes. */
  #unchangedCount = 0
  #unchangedBytes = 0
  #seen = 0

  constructor(log: PassLog, transactions: TransactionWalk, bufferBytes: number, pace: Pace) {
    this.#log = log
    this.#bufferBytes = bufferBytes
    this.#transactions = transactions
    this.#pace = pace
  }

  /** Adds the next batch, and what is left of it. */
  async add(header: BatchHeader, before: Uint8Array, after: Uint8Array | undefined): Promise<void> {
    const isUnchanged = before === after
    if (isUnchanged && this.#fromOffset < 0) return
    if (this.#fromOffset < 0) this.#fromOffset = header.baseOffset
    this.#seen++
    if (after !== undefined) {
      const { baseOffset, lastOffset } = header
      const maxTimestamp = isUnchanged ? header.maxTimestamp : readHeader(after).maxTimestamp
      this.#batches.push({ baseOffset, lastOffset, maxTimestamp, sizeBytes: after.length, bytes: after })
      this.#bytes += after.length
    }
    if (isUnchanged) {
      this.#unchangedCount++
      this.#unchangedBytes += before.length
    } else {
      this.#toOffset = header.lastOffset + 1
      this.#unchangedCount = 0
      this.#unchangedBytes = 0
    }
    if (
      this.#bytes >= this.#bufferBytes ||
      this.#seen >= REPLACE_BATCHES ||
      this.#unchangedBytes > this.#bufferBytes * UNCHANGED_SHARE
    ) {
      await this.flush()
    }
  }

  /** Has what changes written. */
  async flush(): Promise<void> {
    if (this.#fromOffset < 0) return
    const batches = this.#batches.slice(0, this.#batches.length - this.#unchangedCount)
    this.#pace.moved(this.#bytes - this.#unchangedBytes)
    await this.#log.replace({
      fromOffset: this.#fromOffset,
      toOffset: this.#toOffset,
      batches,
      emptiedMarkers: this.#transactions.emptied,
    })
    this.#fromOffset = -1
    this.#batches = []
    this.#bytes = 0
    this.#unchangedCount = 0
    this.#unchangedBytes = 0
    this.#seen = 0
    await this.#pace.rest()
  }
}
