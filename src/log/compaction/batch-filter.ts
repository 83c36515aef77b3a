/**
 * What compaction leaves of one batch. The rules are those of Kafka's cleaner (Cleaner and MemoryRecords.filterTo), so
 * that a log which one of the two compacted can go on being compacted by the other.
 */
import { openBatch, RecordCursor } from '../../record/decode.js'
import { HEADER_BYTES, type BatchHeader } from '../../record/header.js'
import type { ProducerEntry } from '../producer-state.js'
import type { OffsetMap } from './offset-map.js'
import type { Pace } from './pace.js'
import { emptyBatch, rewriteBatch, type KeptRecords } from './rewrite-batch.js'
import type { TransactionWalk } from './transaction-walk.js'

/** After how many records the clock is asked whether the slice was long enough. */
const RECORDS_A_LOOK = 256

/** What a pass goes by. */
export interface FilterRules {
  /** The last offset of each key written below `mappedTo`, as far as this pass looked. */
  readonly map: OffsetMap
  /** Records from here on stay as they are. */
  readonly mappedTo: number
  /** The pass may not go beyond this. The batch that ends there stays, if empty, so the log has no gap at its end. */
  readonly uncleanableFrom: number
  /** When the pass began. */
  readonly nowMs: number
  readonly deleteRetentionMs: number
  /** Of whom the last batch must stay. */
  readonly producers: ReadonlyMap<number, ProducerEntry>
  readonly transactions: TransactionWalk
}

/** What is left of a batch. */
export interface FilteredBatch {
  /** The very bytes that were given when nothing changes; undefined when the batch goes. */
  readonly bytes: Uint8Array | undefined
  /** How many records it holds then. */
  readonly recordCount: number
}

const GONE: FilteredBatch = { bytes: undefined, recordCount: 0 }

/** What is left of `bytes`, the next batch of the log. */
export const filterBatch = async (
  rules: FilterRules,
  header: BatchHeader,
  bytes: Uint8Array,
  pace: Pace,
): Promise<FilteredBatch> => {
  const { transactions, nowMs, deleteRetentionMs } = rules
  const { isControl, deleteHorizonMs, recordCount } = header
  const unchanged = { bytes, recordCount }
  const isVoid = isControl ? transactions.control(header, bytes) : transactions.data(header)
  const isPastHorizon = deleteHorizonMs >= 0 && deleteHorizonMs <= nowMs
  const staysEmpty = isLastOfProducer(rules, header) || header.lastOffset + 1 === rules.uncleanableFrom
  const emptied = (): FilteredBatch => (staysEmpty ? { bytes: emptyBatch(header), recordCount: 0 } : GONE)

  if (recordCount === 0) return staysEmpty ? unchanged : GONE
  if (isVoid && (!isControl || isPastHorizon)) return emptied()
  if (isControl) {
    if (!isVoid || deleteHorizonMs >= 0) return unchanged
    // Nothing is left of what it ended; until then it stays for those who read what was there.
    const marker = await openBatch(bytes)
    const kept = await keptRecords(marker, () => true, pace)
    return { bytes: await rewriteBatch(again(marker), kept, nowMs + deleteRetentionMs, pace), recordCount }
  }
  const records = await openBatch(bytes)
  const kept = await keptRecords(records, (record) => isKept(rules, record, isPastHorizon), pace)
  if (kept.count === 0) return emptied()
  const setsHorizon = kept.hasTombstones && deleteHorizonMs < 0
  if (kept.count === recordCount && !setsHorizon) return unchanged
  const horizon = setsHorizon ? nowMs + deleteRetentionMs : deleteHorizonMs
  return { bytes: await rewriteBatch(again(records), kept, horizon, pace), recordCount: kept.count }
}

const isKept = ({ map, mappedTo }: FilterRules, record: RecordCursor, isPastHorizon: boolean): boolean => {
  const { offset, keyStart } = record
  if (offset >= mappedTo) return true
  // As in Kafka: what has no key was there before the log was compacted, and cannot be kept.
  if (keyStart < 0) return false
  if (record.valueStart < 0 && isPastHorizon) return false
  return offset >= map.get(record.bytes, keyStart, record.keyEnd)
}

/** The records of a batch from the first one on, without decompressing them again. */
const again = ({ header, bytes }: RecordCursor): RecordCursor =>
  header.compression === 'none'
    ? new RecordCursor(header, bytes, HEADER_BYTES, header.sizeBytes)
    : new RecordCursor(header, bytes, 0, bytes.length)

/** As in Kafka: the last of its data or, when there is none in this epoch, what ended its transaction. */
const isLastOfProducer = ({ producers }: FilterRules, header: BatchHeader): boolean => {
  const producer = header.producerId < 0 ? undefined : producers.get(header.producerId)
  if (producer === undefined) return false
  const last = producer.batches.at(-1)
  if (last !== undefined) return last.lastOffset === header.lastOffset
  return header.isControl && header.producerEpoch === producer.epoch
}

const keptRecords = async (
  records: RecordCursor,
  isKeptRecord: (record: RecordCursor) => boolean,
  pace: Pace,
): Promise<KeptRecords & { readonly hasTombstones: boolean }> => {
  const flags = new Uint8Array(records.header.recordCount)
  let count = 0
  let firstTimestamp = -1
  let maxTimestamp = -1
  let hasTombstones = false
  for (let place = 0; records.next(); place++) {
    if (place % RECORDS_A_LOOK === 0 && pace.isDue) await pace.rest()
    if (!isKeptRecord(records)) continue
    flags[place] = 1
    if (count++ === 0) firstTimestamp = records.timestamp
    maxTimestamp = Math.max(maxTimestamp, records.timestamp)
    if (records.valueStart < 0) hasTombstones = true
  }
  return { isKept: flags, count, firstTimestamp, maxTimestamp, hasTombstones }
}
