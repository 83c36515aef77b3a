/** A log and a naive one beside it: everything is done to both, and they are compared after each step. */
import { expect } from 'vitest'
import { visibleBatches } from '../../../src/clients/consumer/visible-batches.js'
import type { CompactionOptions } from '../../../src/log/compaction/compactable-log.js'
import { COMPACTION_BLOB } from '../../../src/log/compaction/compaction-state.js'
import { Pace } from '../../../src/log/compaction/pace.js'
import { PLACE_BYTES } from '../../../src/log/compaction/offset-map.js'
import { CHECKPOINT_BLOB } from '../../../src/log/checkpoint.js'
import type { LogConfig } from '../../../src/log/log-config.js'
import { verifyPartition } from '../../../src/log/maintenance/verify-partition.js'
import type { PartitionLog } from '../../../src/log/partition-log.js'
import { encodeControlBatch } from '../../../src/record/control.js'
import { BatchBuilder } from '../../../src/record/encode.js'
import { readHeader, type CompressionType } from '../../../src/record/header.js'
import { toUtf8 } from '../../../src/runtime/bytes.js'
import { systemRandom } from '../../../src/runtime/random.js'
import type { PartitionStorage } from '../../../src/storage/contract.js'
import { clockAt, openLog } from '../../support/log-batches.js'
import { expectBatch, recordsIn } from './expected-batch.js'
import { NaiveLog, type NaiveRecord, type NaiveTransaction } from './naive-compactor.js'

/** A record to be written. */
export interface Written {
  readonly key: string | null
  readonly value: string | null
  readonly age: number
  readonly hasHeaders: boolean
}

const DELETE_RETENTION_MS = 100

const bytesOf = (text: string | null): Uint8Array | null => (text === null ? null : toUtf8(text))

/** A log that is compacted, and what it should be. */
export class CompactedWorld {
  readonly clock = clockAt(1_000_000)
  readonly naive = new NaiveLog()
  log!: PartitionLog
  storage!: PartitionStorage
  readonly #config: Partial<LogConfig>
  readonly #isAppendTime: boolean
  readonly #open: () => Promise<PartitionStorage>
  readonly #transactions = new Map<number, NaiveTransaction>()
  readonly #sequences = new Map<number, number>()
  readonly #epochs = new Map<number, number>()
  #isBlobLost = false

  constructor(open: () => Promise<PartitionStorage>, config: Partial<LogConfig> = {}) {
    this.#open = open
    this.#isAppendTime = config.timestampType === 'LogAppendTime'
    this.#config = {
      deletesOld: false,
      compacts: true,
      segmentBytes: 400,
      minCleanableDirtyRatio: 0,
      deleteRetentionMs: DELETE_RETENTION_MS,
      ...config,
    }
  }

  async open(): Promise<this> {
    this.storage = await this.#open()
    this.log = await openLog(this.storage, this.#config, { clock: this.clock, isOnDisk: true })
    return this
  }

  async #append(
    encoded: Uint8Array,
    origin: 'client' | 'coordinator',
    transaction?: NaiveTransaction,
  ): Promise<void> {
    const { baseOffset, duplicate } = await this.log.append(encoded, { origin })
    expect(duplicate).toBe(false)
    const [stored] = await this.storage.read(baseOffset, 1)
    const bytes = stored!.bytes.slice()
    const header = readHeader(bytes)
    this.naive.append({
      base: header.baseOffset,
      last: header.lastOffset,
      producer: header.producerId,
      epoch: header.producerEpoch,
      sequence: header.baseSequence,
      isControl: header.isControl,
      transaction,
      original: bytes,
      horizon: -1,
      maxTimestamp: header.maxTimestamp,
      records: await recordsIn(bytes),
    })
  }

  #builder(records: readonly Written[]): BatchBuilder {
    const builder = new BatchBuilder()
    for (const { key, value, age, hasHeaders } of records) {
      const headers = hasHeaders ? [{ key: 'of', value: bytesOf(key) }] : []
      builder.append(this.clock.now() - age, bytesOf(key), bytesOf(value), headers)
    }
    return builder
  }

  /** A batch of no producer that is known; the broker's own, so that it may lack keys. */
  async write(records: readonly Written[], codec: CompressionType = 'none'): Promise<void> {
    await this.#append(await this.#builder(records).buildCompressed(codec), 'coordinator')
  }

  /** A batch of an idempotent producer, in its open transaction when it has one or `isTransactional`. */
  async produce(
    producer: number,
    records: readonly Written[],
    isTransactional: boolean,
    codec: CompressionType = 'none',
  ): Promise<void> {
    let transaction = this.#transactions.get(producer)
    if (transaction === undefined && isTransactional) {
      this.#transactions.set(producer, (transaction = { outcome: 'open' }))
    }
    const baseSequence = this.#sequences.get(producer) ?? 0
    const keyed = records.map((record) => ({ ...record, key: record.key ?? 'none' }))
    const bytes = await this.#builder(keyed).buildCompressed(codec, {
      producerId: producer,
      producerEpoch: this.#epochs.get(producer) ?? 0,
      baseSequence,
      isTransactional: transaction !== undefined,
    })
    this.#sequences.set(producer, baseSequence + records.length)
    await this.#append(bytes, 'client', transaction)
  }

  /** Ends the producer's transaction, with a new epoch when it `bumps` (KIP-890); of one that has none, nothing. */
  async end(producer: number, type: 'commit' | 'abort', bumps = false): Promise<void> {
    const transaction = this.#transactions.get(producer) ?? { outcome: 'open' }
    if (bumps) {
      this.#epochs.set(producer, (this.#epochs.get(producer) ?? 0) + 1)
      this.#sequences.set(producer, 0)
    }
    const producerEpoch = this.#epochs.get(producer) ?? 0
    const timestamp = this.clock.now()
    const marker = { type, producerId: producer, producerEpoch, coordinatorEpoch: 0, timestamp }
    this.#transactions.delete(producer)
    transaction.outcome = type
    await this.#append(encodeControlBatch(marker), 'coordinator', transaction)
  }

  get limit(): number {
    return Math.min(this.log.activeSegmentOffset, this.log.lastStableOffset)
  }

  passOptions(maxKeys: number, bufferBytes: number): CompactionOptions {
    const maxBytes = (maxKeys + 1) * PLACE_BYTES
    return { maxBytes, loadFactor: 1, bufferBytes, random: systemRandom, pace: new Pace(this.clock) }
  }

  /** What the records, read from the log's start on, say of each key. */
  tableOf(records: readonly NaiveRecord[]): Map<string, NaiveRecord> {
    const table = new Map<string, NaiveRecord>()
    for (const record of records) {
      if (record.key === null) continue
      if (record.value === null) table.delete(record.key)
      else table.set(record.key, record)
    }
    return table
  }

  /** Compacts both as far as `maxKeys` different keys allow, and compares them. */
  async compact(maxKeys = 1000, bufferBytes = 1 << 20): Promise<boolean> {
    const { log, naive, clock, limit } = this
    const end = naive.sectionEnd(limit)
    const section = await log.dirtySection(clock.now())
    expect(section?.toOffset).toBe(end === undefined ? undefined : end + 1)
    if (section === undefined) return false
    const isAppendTime = this.#isAppendTime
    const untouched = naive.batches.filter(({ last }) => last >= limit)
    const table = naive.table(log.lastStableOffset)
    naive.compact({ now: clock.now(), limit, maxKeys, deleteRetentionMs: DELETE_RETENTION_MS, isAppendTime })
    const result = await log.compact(section, clock.now(), this.passOptions(maxKeys, bufferBytes))
    this.#isBlobLost = false
    expect(result.cleanedTo).toBe(naive.cleanedTo)
    expect(log.lastCompaction?.cleanedTo).toBe(naive.cleanedTo)
    expect(naive.table(log.lastStableOffset), 'C7, of the model').toEqual(table)
    expect(
      naive.batches.filter(({ last }) => last >= limit),
      'C3, of the model',
    ).toEqual(untouched)
    await this.compare()
    return true
  }

  /** Every batch and record is what the naive log has, and everyone who reads sees it so. */
  async compare(): Promise<void> {
    const { naive, storage } = this
    const { startOffset, endOffset } = storage.state
    const stored = await storage.read(startOffset, Number.MAX_SAFE_INTEGER)
    expect([startOffset, endOffset]).toEqual([naive.start, (naive.history.at(-1)?.last ?? -1) + 1])
    expect(stored.map(({ baseOffset }) => baseOffset)).toEqual(naive.batches.map(({ base }) => base))
    for (const [index, { bytes }] of stored.entries()) await expectBatch(bytes, naive.batches[index]!)
    for (const maxBytes of [300, 1 << 20]) {
      expect(await this.committed(maxBytes)).toEqual(this.#expectedCommitted())
    }
    await this.#compareTimes()
  }

  /** Whoever searches by time finds the first record that is there; markers are found as well, as in Kafka. */
  async #compareTimes(): Promise<void> {
    const { log, naive } = this
    const records = naive.batches
      .flatMap((batch) => batch.records)
      .filter(({ offset }) => offset >= naive.start)
    const largest = Math.max(...records.map(({ timestamp }) => timestamp))
    const found = (record: NaiveRecord | undefined) =>
      record && { offset: record.offset, timestamp: record.timestamp, leaderEpoch: 0 }
    expect(await log.maxTimestamp()).toEqual(found(records.find(({ timestamp }) => timestamp === largest)))
    for (const wanted of [0, largest - 30, largest, largest + 1]) {
      const expected = found(records.find(({ timestamp }) => timestamp >= wanted))
      expect(await log.offsetForTimestamp(wanted)).toEqual(expected)
    }
  }

  /** What a consumer with read_committed sees from the start on, fetching little at a time. */
  async committed(maxBytes = 300): Promise<NaiveRecord[]> {
    const seen: NaiveRecord[] = []
    for (let offset = this.log.startOffset; ;) {
      const read = await this.log.read(offset, maxBytes, { isolation: 'read_committed' })
      for (const batch of visibleBatches(read.batches, read.abortedTransactions)) {
        for (const record of await recordsIn(batch)) if (record.offset >= offset) seen.push(record)
      }
      const last = read.batches.at(-1)
      if (last === undefined) {
        expect(offset, 'the reader comes to the end').toBe(this.log.lastStableOffset)
        return seen
      }
      offset = readHeader(last).lastOffset + 1
    }
  }

  #expectedCommitted(): NaiveRecord[] {
    return this.naive.batches
      .filter(({ isControl, transaction, last }) => {
        const isCommitted = transaction === undefined || transaction.outcome === 'commit'
        return !isControl && isCommitted && last < this.log.lastStableOffset
      })
      .flatMap(({ records }) => records)
      .filter(({ offset }) => offset >= this.naive.start)
  }

  async deleteBefore(share: number): Promise<void> {
    const { startOffset, lastStableOffset } = this.log
    const offset = startOffset + Math.floor((lastStableOffset - startOffset) * share)
    await this.log.deleteRecordsBefore(offset)
    this.naive.deleteBefore(offset)
  }

  /** Opens the log again, after closing or as after a crash, perhaps without one of its blobs. */
  async reopen(how: 'clean' | 'crash' | 'no checkpoint' | 'no compaction blob'): Promise<void> {
    if (how === 'clean' || how === 'no compaction blob') await this.log.close()
    // Without both blobs nobody knows that the log was compacted; one of them is written with the next checkpoint.
    if (how === 'no checkpoint' && !this.#isBlobLost) {
      await this.storage.writeBlobs({ [CHECKPOINT_BLOB]: null }, 'os')
      this.naive.forgetAllButBatches()
      // As in Kafka: of whom there is no data, but a marker in this epoch, the sequence begins anew.
      for (const [producer, { lastOffset }] of this.naive.producers) {
        if (lastOffset === undefined) this.#sequences.set(producer, 0)
      }
    }
    if (how === 'no compaction blob') {
      await this.storage.writeBlobs({ [COMPACTION_BLOB]: null }, 'os')
      this.naive.cleanedTo = 0
      this.#isBlobLost = true
    }
    await this.open()
    expect(this.log.failure).toBeUndefined()
    if (how !== 'no compaction blob') this.naive.cleanedTo = this.log.lastCompaction?.cleanedTo ?? 0
  }

  /** P1, P4: the last batch of each producer is known, wherever its records went. */
  async expectRetriesKnown(): Promise<void> {
    for (const [producer, { epoch, lastOffset }] of this.naive.producers) {
      const last = this.naive.history.find(
        (batch) => batch.producer === producer && !batch.isControl && batch.last === lastOffset,
      )
      if (last?.original === undefined || lastOffset! < this.naive.start || last.epoch !== epoch) continue
      const { duplicate, baseOffset } = await this.log.append(last.original.slice())
      expect([duplicate, baseOffset], `the last batch of producer ${producer}`).toEqual([true, last.base])
    }
  }

  /** Whoever verifies the log finds nothing wrong with it. */
  async expectSound(): Promise<void> {
    const { problems } = await verifyPartition(this.storage, { topic: 'orders', clock: this.clock })
    expect(problems).toEqual([])
  }
}
