/**
 * A partition's log: the way of a batch in and out, in a straight line. Appending is validate, know a retry, assign
 * offsets, hand to the storage, wait for it, advance the high watermark, acknowledge. Offsets are assigned before
 * anything is awaited, so appends may overlap and the storage can write many at once.
 */
import { assignOffset, lastOffsetOf, setLogAppendTime, type BatchHeader } from '../record/header.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { BatchInfo, PartitionStorage } from '../storage/contract.js'
import { emptySegment, extended, mustRoll, type ActiveSegment } from './active-segment.js'
import { readOwnBatch, validateClientBatch } from './append-validation.js'
import type { AppendOptions, AppendResult, LogRead, ReadOptions } from './append-and-read.js'
import { AppendTurns } from './append-turns.js'
import type { PendingAppend } from './appends-in-flight.js'
import { CompactableLog } from './compaction/compactable-log.js'
import { needsPreparation, prepareBatch, type IncomingBatch } from './batch-preparation.js'
import { EpochCache, type EpochEnd } from './epoch-cache.js'
import type { PartitionLogOptions } from './log-base.js'
import { loadCompaction } from './compaction/compaction-state.js'
import { DEFAULT_PRODUCER_ID_EXPIRATION_MS } from './log-config.js'
import type { DropReason } from './log-events.js'
import { ProducerState, type ProducedBatch, type ProducerEntry } from './producer-state.js'
import { recover, stateAt } from './recovery.js'
import { retentionCut } from './retention.js'
import { readableBatches } from './stored-batch.js'
import { markerOf, TransactionIndex } from './transaction-index.js'
import { findByTimestamp, findMaxTimestamp, type TimestampedOffset } from './time-search.js'

/** After this many appended bytes a checkpoint goes along, so an unclean stop costs no more to recover from. */
const CHECKPOINT_INTERVAL_BYTES = 16 * 1024 * 1024

/** One partition's log. What can fail rejects; after a storage error, or damage, everything does (L5, L8). */
export class PartitionLog extends CompactableLog {
  #truncating = false
  readonly #turns = new AppendTurns()
  /** The bytes of all appends that were stored since it was opened. */
  #storedBytes = 0
  /** The cut that is being made. */
  #cutting: Promise<void> | undefined

  /**
   * Opens the log in `storage`, validating what was appended after the last checkpoint. When that is damaged the
   * log is off line: it opens with {@link PartitionLog.failure} set, and refuses everything.
   * @throws OttlaError FENCED_LEADER_EPOCH when the log has batches of a later epoch; what the storage throws.
   */
  static async open(storage: PartitionStorage, options: PartitionLogOptions): Promise<PartitionLog> {
    const { name, clock } = options
    try {
      const log = new PartitionLog(storage, options, await recover(storage, name, clock))
      const { recovery } = log
      const wasUnclean = recovery.validatedBytes > 0 || recovery.checkpoint === 'damaged'
      if (wasUnclean) options.onRecovered?.(storage.id, recovery)
      return log
    } catch (error) {
      if (!OttlaError.is(error, 'STORAGE_CORRUPT')) throw error
      const { endOffset } = storage.state
      const state = {
        endOffset,
        compaction: await loadCompaction(storage),
        segment: emptySegment(endOffset),
        epochs: new EpochCache(),
        producers: new ProducerState(name),
        transactions: new TransactionIndex(),
      }
      const found = { state, checkpoint: 'damaged', validatedBytes: 0, durationMs: 0 } as const
      const log = new PartitionLog(storage, options, found)
      log.fail(error)
      return log
    }
  }

  /**
   * Appends one batch; its bytes are patched, then belong to the log. Offsets are assigned in the order of the
   * calls. Resolves when it is stored as durably as asked and can be read. A retry of one of the producer's last
   * five batches resolves to where that one is.
   * @throws OttlaError what makes a client's batch invalid (see {@link validateClientBatch});
   * INVALID_PRODUCER_EPOCH or OUT_OF_ORDER_SEQUENCE_NUMBER; INVALID_TXN_STATE for a batch outside of the producer's
   * open transaction; TRANSACTION_COORDINATOR_FENCED for a marker; the failure that took the log off line;
   * RESOURCE_CLOSED.
   */
  async append(batch: Uint8Array, options: AppendOptions = {}): Promise<AppendResult> {
    this.assertWell()
    const { config } = this
    const fromClient = isFromClient(options)
    const header = fromClient
      ? validateClientBatch(this.name, batch, config, this.clock.now())
      : readOwnBatch(this.name, batch)
    const incoming = { bytes: batch, header, config }
    const mustPrepare = fromClient && needsPreparation(incoming)
    if (!mustPrepare && this.#turns.areFree && this.#hasRoom(incoming, options)) {
      return this.#enter(incoming, options).promise
    }
    const entered = await this.#turns.take(async () => {
      const ready = mustPrepare ? await prepareBatch(this.name, incoming, this.clock.now()) : incoming
      while (!this.#hasRoom(ready, options)) {
        await this.diskBudget?.makeRoom(ready.bytes.length, options.origin ?? 'client')
      }
      return this.#enter(ready, options)
    })
    return entered.promise
  }

  /** Whether the batch fits into the disk budget; a retry of what is stored takes no room. */
  #hasRoom({ bytes, header }: IncomingBatch, options: AppendOptions): boolean {
    const { diskBudget } = this
    return (
      diskBudget === undefined ||
      diskBudget.fits(bytes.length, options.origin ?? 'client') ||
      this.#retriedBatch(header, options) !== undefined
    )
  }

  #retriedBatch(header: BatchHeader, options: AppendOptions): ProducedBatch | undefined {
    return header.producerId >= 0
      ? this.state.producers.check(header, isFromClient(options), options.isEpochBumped)
      : undefined
  }

  /** Gives the batch its place and hands it to the storage. The promise is that of its being stored. */
  #enter(
    { bytes, header, config }: IncomingBatch,
    options: AppendOptions,
  ): { readonly promise: Promise<AppendResult> } {
    this.assertWell()
    if (this.#truncating) {
      throw new OttlaError('NOT_LEADER_OR_FOLLOWER', `${this.name} is being truncated: nobody leads it now.`)
    }
    const state = this.state
    const retried = this.#retriedBatch(header, options)
    if (retried !== undefined) return { promise: this.#acknowledgeAgain(retried) }

    const marker = markerOf(header, bytes)
    if (marker !== undefined) state.producers.checkCoordinator(header.producerId, marker.coordinatorEpoch)
    else if (!header.isTransactional && state.transactions.isOpen(header.producerId)) {
      throw new OttlaError(
        'INVALID_TXN_STATE',
        `${this.name}: producer ${header.producerId} appends outside of its open transaction; expected a transactional batch.`,
      )
    }

    const now = this.clock.now()
    const sizeBytes = bytes.length
    const baseOffset = state.endOffset
    const lastOffset = baseOffset + header.lastOffsetDelta
    const setsTime = config.timestampType === 'LogAppendTime'
    const maxTimestamp = setsTime ? now : header.maxTimestamp
    assignOffset(bytes, baseOffset, this.leaderEpoch)
    if (setsTime) setLogAppendTime(bytes, now)

    // From here to the storage nothing waits and nothing throws: all that the append changes goes as one (L3).
    state.epochs.assign(this.leaderEpoch, baseOffset)
    if (header.producerId >= 0) {
      const coordinatorEpoch = marker?.coordinatorEpoch
      state.producers.apply(header, baseOffset, lastOffset, maxTimestamp, now, coordinatorEpoch)
      state.transactions.apply(header, baseOffset, marker)
      state.producers.forgetIdlest(state.transactions)
    }
    state.endOffset = lastOffset + 1
    const write = { baseOffset, lastOffset, maxTimestamp, sizeBytes, bytes }
    const rolls = mustRoll(state.segment, write, config, now)
    const previous = rolls ? state.segment : undefined
    if (rolls) state.segment = emptySegment(baseOffset)
    const newSegment = state.segment.sizeBytes === 0
    state.segment = extended(state.segment, write, now)
    this.diskAccount?.begin(sizeBytes)
    const pending = this.inFlight.add({
      baseOffset,
      lastOffset,
      logAppendTime: setsTime ? now : -1,
      startOffset: this.logStart,
      duplicate: false,
    })
    this.changedSinceCheckpoint = true
    this.bytesSinceCheckpoint += sizeBytes
    const asked = options.durability ?? config.durability
    const durability = this.flushing.durabilityOf(header.recordCount, asked, config)
    // A checkpoint goes along with a roll: what is read through after an unclean stop lies in one segment.
    const due = rolls || this.bytesSinceCheckpoint >= CHECKPOINT_INTERVAL_BYTES
    const blobs = due ? { blobs: this.checkpointBlob() } : {}
    this.storage.append([write], { durability, newSegment, ...blobs }).then(
      () => {
        this.diskAccount?.end(sizeBytes)
        this.#stored(pending, sizeBytes)
        if (previous !== undefined) this.#tellRolled(previous, baseOffset)
      },
      (error: unknown) => {
        this.diskAccount?.end(sizeBytes)
        this.fail(error)
      },
    )
    return pending
  }

  #acknowledgeAgain({ baseOffset, lastOffset, timestamp }: ProducedBatch): Promise<AppendResult> {
    const logAppendTime = this.config.timestampType === 'LogAppendTime' ? timestamp : -1
    const result = { baseOffset, lastOffset, logAppendTime, startOffset: this.logStart, duplicate: true }
    const original = this.inFlight.find(lastOffset)
    return original === undefined ? Promise.resolve(result) : original.promise.then(() => result)
  }

  #tellRolled({ baseOffset: previousBaseOffset, sizeBytes }: ActiveSegment, baseOffset: number): void {
    this.told.onRolled?.(this.id, { baseOffset, previousBaseOffset, previousSizeBytes: sizeBytes })
  }

  #stored(pending: PendingAppend, sizeBytes: number): void {
    pending.stored = true
    this.#storedBytes += sizeBytes
    const end = this.inFlight.storedEnd()
    if (end < 0 || this.failure !== undefined) return
    this.watermark = end
    this.inFlight.acknowledge()
    this.listeners.notify()
  }

  /**
   * Reads whole batches below the high watermark, or with `read_committed` the last stable offset, from the one that holds `fromOffset` on, while they stay within
   * `maxBytes`; the first is returned even when it alone exceeds that. Empty between there and the end.
   * @throws OttlaError OFFSET_OUT_OF_RANGE below the start or beyond the end; STORAGE_CORRUPT, which takes the log
   * off line, when what is stored is damaged or missing.
   */
  async read(fromOffset: number, maxBytes: number, options: ReadOptions = {}): Promise<LogRead> {
    const isCommitted = options.isolation === 'read_committed'
    for (;;) {
      this.assertWell()
      this.#assertInRange(fromOffset)
      const limit = isCommitted ? this.lastStableOffset : this.watermark
      if (fromOffset >= limit) return this.#readOf([], fromOffset, isCommitted)
      if (this.#cutting !== undefined) {
        await this.#cutting
        continue
      }
      const cuts = this.cuts
      const stored = await this.storage.read(fromOffset, maxBytes).catch((error: unknown) => {
        throw OttlaError.is(error, 'STORAGE_CORRUPT') ? this.fail(error) : error
      })
      if (cuts !== this.cuts) continue
      try {
        return this.#readOf(
          readableBatches(
            this.name,
            stored,
            fromOffset,
            limit,
            this.state.compaction.gapsBelow,
            this.isOnDisk,
          ),
          fromOffset,
          isCommitted,
        )
      } catch (error) {
        throw this.fail(error)
      }
    }
  }

  #readOf(batches: readonly Uint8Array[], fromOffset: number, isCommitted: boolean): LogRead {
    const { highWatermark, lastStableOffset, startOffset } = this
    let sizeBytes = 0
    for (const batch of batches) sizeBytes += batch.length
    const last = batches.at(-1)
    const toOffset = last === undefined ? fromOffset : lastOffsetOf(last) + 1
    const abortedTransactions = isCommitted
      ? this.state.transactions.abortedBetween(fromOffset, toOffset)
      : null
    return { batches, sizeBytes, highWatermark, lastStableOffset, startOffset, abortedTransactions }
  }

  /** The first readable record whose timestamp, in milliseconds, is at least `timestamp`. */
  async offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined> {
    this.assertWell()
    return findByTimestamp(this.storage, this.#readable(), timestamp)
  }

  /** The first readable record with the largest timestamp (KIP-734); undefined when none has a timestamp. */
  async maxTimestamp(): Promise<TimestampedOffset | undefined> {
    this.assertWell()
    return findMaxTimestamp(this.storage, this.#readable())
  }

  /** The producers that are remembered, each with where its open transaction begins, if it has one. */
  producers(): { readonly producer: ProducerEntry; readonly firstOffset: number | undefined }[] {
    const { producers, transactions } = this.state
    const open = new Map(transactions.open.map(({ producerId, firstOffset }) => [producerId, firstOffset]))
    return producers.entries().map((producer) => ({ producer, firstOffset: open.get(producer.producerId) }))
  }

  /** What the storage knows of the readable batches, from the one that holds `fromOffset` on; at most `maxCount`. */
  async readableInfos(fromOffset: number, maxCount: number): Promise<readonly BatchInfo[]> {
    const infos = await this.storage.infos(fromOffset, maxCount)
    return infos.filter(({ lastOffset }) => lastOffset < this.watermark)
  }

  #readable(): { readonly startOffset: number; readonly endOffset: number } {
    return { startOffset: this.logStart, endOffset: this.watermark }
  }

  /** Where the largest epoch that is at most `epoch` ends; -1 and -1 when unknown (KIP-101). */
  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.state.epochs.endOffsetFor(epoch, this.watermark)
  }

  /**
   * Drops every batch that reaches `offset`, and what the log knew of them, as one. Waits for appends in flight.
   * @throws OttlaError OFFSET_OUT_OF_RANGE below the log start offset.
   */
  truncateTo(offset: number): Promise<void> {
    return this.exclusively(async () => {
      this.assertWell()
      if (offset >= this.state.endOffset) return
      if (offset < this.logStart) throw this.#outOfRange(offset)
      this.#truncating = true
      try {
        await this.inFlight.drained()
        this.assertWell()
        const state = await stateAt(this.storage, this.name, this.clock, this.state, offset)
        this.state = state
        this.watermark = Math.min(this.watermark, state.endOffset)
        await this.#cut(this.storage.truncateSuffix(offset, this.checkpointBlob()))
      } finally {
        this.#truncating = false
      }
    })
  }

  /**
   * Raises the log start offset to `offset`, at most the high watermark, which -1 stands for. Resolves to the log
   * start offset, which is as it was when that is higher already. `reason` is what listeners are told.
   * @throws OttlaError OFFSET_OUT_OF_RANGE beyond the high watermark.
   */
  deleteRecordsBefore(offset: number, reason: DropReason = 'DeleteRecords'): Promise<number> {
    return this.exclusively(async () => {
      this.assertWell()
      const target = offset === -1 ? this.watermark : offset
      if (!(target >= 0 && target <= this.watermark)) throw this.#outOfRange(offset)
      if (target > this.logStart) await this.#dropPrefix(target, reason)
      return this.logStart
    })
  }

  /** Drops what retention no longer keeps at `nowMs`, batches and idle producers. Resolves to the bytes dropped. */
  applyRetention(nowMs: number, signal?: AbortSignal): Promise<number> {
    return this.exclusively(async () => {
      signal?.throwIfAborted()
      this.assertWell()
      const config = this.config
      const expirationMs = config.producerIdExpirationMs ?? DEFAULT_PRODUCER_ID_EXPIRATION_MS
      const { producers, transactions } = this.state
      // Whoever is forgotten stays so: the next opening must not find them in an older checkpoint.
      if (producers.expire(nowMs, expirationMs, transactions)) this.changedSinceCheckpoint = true
      if (!config.deletesOld) return 0
      const cut = await retentionCut(this.storage, config, this.watermark, nowMs, this.clock, signal)
      if (cut.startOffset <= this.logStart) return 0
      this.assertWell()
      await this.#dropPrefix(cut.startOffset, cut.reason)
      return cut.sizeBytes
    })
  }

  async #dropPrefix(startOffset: number, reason: DropReason): Promise<void> {
    const fromOffset = this.logStart
    const before = this.sizeBytes - this.#storedBytes
    this.state.epochs.truncateFromStart(startOffset)
    this.state.transactions.truncateFromStart(startOffset)
    await this.#cut(this.storage.truncatePrefix(startOffset, this.checkpointBlob()))
    this.listeners.notify()
    // What was stored meanwhile is not what was dropped.
    const bytes = Math.max(0, before - (this.sizeBytes - this.#storedBytes))
    const dropped = { fromOffset, toOffset: this.logStart, bytes, reason }
    this.lastDropped = { ...dropped, timestamp: this.clock.now() }
    this.told.onDropped?.(this.id, dropped)
  }

  async #cut(write: Promise<void>): Promise<void> {
    this.cuts++
    this.#cutting = write.then(
      () => {
        this.logStart = Math.max(this.logStart, this.storage.state.startOffset)
        this.diskAccount?.settle()
      },
      (error: unknown) => {
        this.fail(error)
      },
    )
    await this.#cutting
    this.#cutting = undefined
    if (this.failure !== undefined) throw this.failure
  }

  #assertInRange(offset: number): void {
    if (!(offset >= this.logStart && offset <= this.state.endOffset)) throw this.#outOfRange(offset)
  }

  #outOfRange(offset: number): OttlaError {
    const { startOffset, highWatermark } = this
    return new OttlaError(
      'OFFSET_OUT_OF_RANGE',
      `${this.name} has no offset ${offset}; expected ${startOffset} to ${highWatermark}.`,
      { details: { offset, startOffset, highWatermark } },
    )
  }
}

const isFromClient = ({ origin = 'client' }: AppendOptions): boolean => origin === 'client'
