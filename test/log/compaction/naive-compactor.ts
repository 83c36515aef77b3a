/** Compaction as anyone would write it down: arrays, and the whole history at hand. The rules are Kafka's. */

/** A transaction, and how it ended. */
export interface NaiveTransaction {
  outcome: 'open' | 'commit' | 'abort'
}

/** A record, as it can be compared. */
export interface NaiveRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: string
}

/** A batch, as it stands in the log. */
export interface NaiveBatch {
  readonly base: number
  readonly last: number
  readonly producer: number
  readonly epoch: number
  readonly sequence: number
  readonly isControl: boolean
  readonly transaction: NaiveTransaction | undefined
  /** As it was appended; undefined since something in it was changed. */
  readonly original: Uint8Array | undefined
  readonly horizon: number
  readonly maxTimestamp: number
  /** Default 0. */
  readonly leaderEpoch?: number
  readonly records: readonly NaiveRecord[]
}

/** What a naive compaction is told. */
export interface NaiveCompaction {
  readonly now: number
  /** Nothing from here on may be touched. */
  readonly limit: number
  readonly maxKeys: number
  readonly deleteRetentionMs: number
  readonly isAppendTime: boolean
}

/** A log without a storage. */
export class NaiveLog {
  batches: NaiveBatch[] = []
  /** All that was ever appended. */
  readonly history: NaiveBatch[] = []
  start = 0
  cleanedTo = 0
  /** Of each producer its epoch, and the last data that it appended in it. */
  producers = new Map<number, { epoch: number; lastOffset: number | undefined }>()

  append(batch: NaiveBatch): void {
    this.batches.push(batch)
    this.history.push(batch)
    this.#remember(batch)
  }

  #remember({ producer, epoch, last, isControl }: NaiveBatch): void {
    if (producer < 0) return
    let known = this.producers.get(producer)
    if (known?.epoch !== epoch) known = { epoch, lastOffset: undefined }
    this.producers.set(producer, isControl ? known : { epoch, lastOffset: last })
  }

  /** What a log knows of its producers that has nothing but its batches. */
  forgetAllButBatches(): void {
    this.producers = new Map()
    for (const batch of this.batches) this.#remember(batch)
  }

  /** The log ends before `offset`; producers and transactions that reach it are not expected. */
  truncateTo(offset: number): void {
    this.batches = this.batches.filter(({ last }) => last < offset)
    this.history.splice(0, this.history.length, ...this.history.filter(({ last }) => last < offset))
    this.forgetAllButBatches()
  }

  deleteBefore(offset: number): void {
    this.start = Math.max(this.start, offset)
    this.batches = this.batches.filter(({ last }) => last >= this.start)
  }

  /** Where a pass would end that has room for all keys; undefined when there is nothing to do. */
  sectionEnd(limit: number): number | undefined {
    const from = Math.max(this.cleanedTo, this.start)
    return this.batches.filter(({ last }) => last >= from && last < limit).at(-1)?.last
  }

  compact({ now, limit, maxKeys, deleteRetentionMs, isAppendTime }: NaiveCompaction): void {
    const from = Math.max(this.cleanedTo, this.start)
    const end = this.sectionEnd(limit)! + 1
    const latest = new Map<string, number>()
    let mappedTo = end
    mapping: for (const { base, last, isControl, transaction, records } of this.batches) {
      if (last < from || base >= end || isControl || transaction?.outcome === 'abort') continue
      for (const { key, offset } of records) {
        if (key === null || offset < from) continue
        if (latest.size === maxKeys && !latest.has(key)) {
          mappedTo = offset
          break mapping
        }
        latest.set(key, offset)
      }
    }
    const before = this.batches
    this.batches = before.flatMap((batch): NaiveBatch[] => {
      const { base, last, isControl, transaction, horizon, producer, records } = batch
      if (base >= mappedTo) return [batch]
      const isPast = horizon >= 0 && horizon <= now
      const hasNothingLeft = !before.some((one) => one.transaction === transaction && !one.isControl)
      const known = this.producers.get(producer)
      const isLastOfProducer =
        known !== undefined &&
        (known.lastOffset === undefined
          ? isControl && known.epoch === batch.epoch
          : known.lastOffset === last)
      const kept = records.filter(({ offset, key, value }) => {
        if (isControl) return !(hasNothingLeft && isPast)
        if (transaction?.outcome === 'abort') return false
        if (offset >= mappedTo) return true
        return key !== null && !((latest.get(key) ?? -1) > offset) && !(value === null && isPast)
      })
      if (kept.length === 0) {
        if (!isLastOfProducer && last + 1 !== end) return []
        return records.length === 0 ? [batch] : [{ ...batch, records: [], horizon: -1, original: undefined }]
      }
      const sets = horizon < 0 && (isControl ? hasNothingLeft : kept.some(({ value }) => value === null))
      if (kept.length === records.length && !sets) return [batch]
      return [
        {
          ...batch,
          records: kept,
          original: undefined,
          horizon: sets ? now + deleteRetentionMs : horizon,
          maxTimestamp: isAppendTime
            ? batch.maxTimestamp
            : Math.max(...kept.map(({ timestamp }) => timestamp)),
        },
      ]
    })
    this.cleanedTo = mappedTo
  }

  /** What a reader from the start knows of each key below `end`, who sees only what was committed. */
  table(end: number): Map<string, NaiveRecord> {
    const table = new Map<string, NaiveRecord>()
    for (const { isControl, transaction, records } of this.batches) {
      if (isControl || (transaction !== undefined && transaction.outcome !== 'commit')) continue
      for (const record of records) {
        if (record.key === null || record.offset < this.start || record.offset >= end) continue
        if (record.value === null) table.delete(record.key)
        else table.set(record.key, record)
      }
    }
    return table
  }
}
