/**
 * A partition's log: the way of a batch in and out, in a straight line. Appending is validate, know a retry, assign
 * offsets, hand to the storage, wait for it, advance the high watermark, acknowledge. Offsets are assigned before
 * anything is awaited, so appends may overlap and the storage can write many at once.
 */
import { assignOffset, setLogAppendTime } from '../record/header.js'
import type { Clock } from '../runtime/clock.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { Resource } from '../runtime/lifecycle.js'
import type { BlobChanges, PartitionStorage } from '../storage/contract.js'
import { readOwnBatch, validateClientBatch } from './append-validation.js'
import { AdvanceListeners } from './advance-listeners.js'
import type { AppendOptions, AppendResult, LogRead } from './append-and-read.js'
import { AppendsInFlight, type PendingAppend } from './appends-in-flight.js'
import { CHECKPOINT_BLOB, encodeCheckpoint } from './checkpoint.js'
import { EpochCache, type EpochEnd } from './epoch-cache.js'
import { DEFAULT_PRODUCER_ID_EXPIRATION_MS, type LogConfig } from './log-config.js'
import { ProducerState, type ProducedBatch } from './producer-state.js'
import { recover, stateAt, type LogState, type RecoveredLog } from './recovery.js'
import { retentionCut } from './retention.js'
import { readableBatches } from './stored-batch.js'
import { findByTimestamp, findMaxTimestamp, type TimestampedOffset } from './time-search.js'

/** After this many appended bytes a checkpoint goes along, so an unclean stop costs no more to recover from. */
const CHECKPOINT_INTERVAL_BYTES = 16 * 1024 * 1024

/** How to open a log. */
export interface PartitionLogOptions {
  /** What errors call it, e.g. `orders-0`. */
  readonly name: string
  readonly config: LogConfig
  readonly clock: Clock
  /** The epoch in which this node leads the partition; default the latest in the log, or 0. */
  readonly leaderEpoch?: number
}

/** One partition's log. What can fail rejects; after a storage error, or damage, everything does (L5, L8). */
export class PartitionLog extends Resource {
  /** How it was opened: a checkpoint that was damaged, or bytes that had to be validated, tell of an unclean stop. */
  readonly recovery: Omit<RecoveredLog, 'state'>
  readonly #storage: PartitionStorage
  readonly #clock: Clock
  readonly #leaderEpoch: number
  readonly #inFlight = new AppendsInFlight()
  readonly #listeners = new AdvanceListeners()
  #config: LogConfig
  #state: LogState
  #startOffset: number
  #highWatermark: number
  #failure: OttlaError | undefined
  #bytesSinceCheckpoint: number
  #changedSinceCheckpoint: boolean
  #truncating = false
  /** Ends when those that cut the log, checkpoint or close it are done: one at a time. */
  #maintenance: Promise<unknown> = Promise.resolve()
  /** The cut that is being made, and how many were begun: what was read meanwhile is read again. */
  #cutting: Promise<void> | undefined
  #cuts = 0

  /**
   * Opens the log in `storage`, validating what was appended after the last checkpoint. When that is damaged the
   * log is off line: it opens with {@link PartitionLog.failure} set, and refuses everything.
   * @throws OttlaError FENCED_LEADER_EPOCH when the log has batches of a later epoch; what the storage throws.
   */
  static async open(storage: PartitionStorage, options: PartitionLogOptions): Promise<PartitionLog> {
    const { name, clock } = options
    try {
      return new PartitionLog(storage, options, await recover(storage, name, clock))
    } catch (error) {
      if (!OttlaError.is(error, 'STORAGE_CORRUPT')) throw error
      const { endOffset } = storage.state
      const state = { endOffset, gapsBelow: 0, epochs: new EpochCache(), producers: new ProducerState(name) }
      const log = new PartitionLog(storage, options, { state, checkpoint: 'damaged', validatedBytes: 0 })
      log.takeOffline(error)
      return log
    }
  }

  private constructor(storage: PartitionStorage, options: PartitionLogOptions, recovered: RecoveredLog) {
    super(options.name)
    const { state, checkpoint, validatedBytes } = recovered
    const latestEpoch = state.epochs.latestEpoch
    this.#leaderEpoch = options.leaderEpoch ?? Math.max(latestEpoch, 0)
    if (this.#leaderEpoch < latestEpoch) {
      throw new OttlaError(
        'FENCED_LEADER_EPOCH',
        `${options.name}: opened in leader epoch ${this.#leaderEpoch}; expected at least ${latestEpoch}, which the log has.`,
      )
    }
    this.recovery = { checkpoint, validatedBytes }
    this.#storage = storage
    this.#clock = options.clock
    this.#config = options.config
    this.#state = state
    this.#startOffset = storage.state.startOffset
    this.#highWatermark = state.endOffset
    this.#bytesSinceCheckpoint = validatedBytes
    this.#changedSinceCheckpoint = validatedBytes > 0 || checkpoint === 'damaged'
  }

  /** The log start offset: nothing below can be read. Durable, and never goes back. */
  get startOffset(): number {
    return this.#startOffset
  }

  /** The offset that the next append gets. */
  get endOffset(): number {
    return this.#state.endOffset
  }

  /** One past the last offset that may be read; with a single replica one past the last that is stored. */
  get highWatermark(): number {
    return this.#highWatermark
  }

  /** One past the last offset that no open transaction can take back: the high watermark while there is none (H5). */
  get lastStableOffset(): number {
    return this.#highWatermark
  }

  /** Bytes of the stored batches. */
  get sizeBytes(): number {
    return this.#storage.state.sizeBytes
  }

  /** The epoch that appended batches get. */
  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** Why the log is off line; undefined while it is well. */
  get failure(): OttlaError | undefined {
    return this.#failure
  }

  /**
   * Appends one batch; its bytes are patched, then belong to the log. Offsets are assigned in the order of the
   * calls. Resolves when it is stored as durably as asked and can be read. A retry of one of the producer's last
   * five batches resolves to where that one is.
   * @throws OttlaError what makes a client's batch invalid (see {@link validateClientBatch});
   * INVALID_PRODUCER_EPOCH or OUT_OF_ORDER_SEQUENCE_NUMBER; the failure that took the log off line;
   * RESOURCE_CLOSED.
   */
  async append(batch: Uint8Array, options?: AppendOptions): Promise<AppendResult> {
    const fromClient = options?.origin !== 'coordinator'
    this.#assertWell()
    if (this.#truncating) {
      throw new OttlaError('NOT_LEADER_OR_FOLLOWER', `${this.name} is being truncated: nobody leads it now.`)
    }
    const config = this.#config
    const now = this.#clock.now()
    const header = fromClient
      ? validateClientBatch(this.name, batch, config, now)
      : readOwnBatch(this.name, batch)
    const state = this.#state
    const hasProducer = header.producerId >= 0
    const retried = hasProducer ? state.producers.check(header, fromClient) : undefined
    if (retried !== undefined) return this.#acknowledgeAgain(retried)

    const baseOffset = state.endOffset
    const lastOffset = baseOffset + header.lastOffsetDelta
    const setsTime = config.timestampType === 'LogAppendTime'
    const maxTimestamp = setsTime ? now : header.maxTimestamp
    assignOffset(batch, baseOffset, this.#leaderEpoch)
    if (setsTime) setLogAppendTime(batch, now)

    // From here to the storage nothing waits and nothing throws: all that the append changes goes as one (L3).
    state.epochs.assign(this.#leaderEpoch, baseOffset)
    if (hasProducer) state.producers.apply(header, baseOffset, lastOffset, maxTimestamp, now)
    state.endOffset = lastOffset + 1
    const pending = this.#inFlight.add({
      baseOffset,
      lastOffset,
      logAppendTime: setsTime ? now : -1,
      startOffset: this.#startOffset,
      duplicate: false,
    })
    this.#changedSinceCheckpoint = true
    this.#bytesSinceCheckpoint += batch.length
    const write = { baseOffset, lastOffset, maxTimestamp, sizeBytes: batch.length, bytes: batch }
    const durability = options?.durability ?? config.durability
    const due = this.#bytesSinceCheckpoint >= CHECKPOINT_INTERVAL_BYTES
    this.#storage.append([write], due ? { durability, blobs: this.#checkpointBlob() } : { durability }).then(
      () => this.#stored(pending),
      (error: unknown) => this.#fail(error),
    )
    return pending.promise
  }

  #acknowledgeAgain({ baseOffset, lastOffset, timestamp }: ProducedBatch): Promise<AppendResult> {
    const logAppendTime = this.#config.timestampType === 'LogAppendTime' ? timestamp : -1
    const result = { baseOffset, lastOffset, logAppendTime, startOffset: this.#startOffset, duplicate: true }
    const original = this.#inFlight.find(lastOffset)
    return original === undefined ? Promise.resolve(result) : original.promise.then(() => result)
  }

  #stored(pending: PendingAppend): void {
    pending.stored = true
    const end = this.#inFlight.storedEnd()
    if (end < 0 || this.#failure !== undefined) return
    this.#highWatermark = end
    this.#inFlight.acknowledge()
    this.#listeners.notify()
  }

  /**
   * Reads whole batches below the high watermark, from the one that holds `fromOffset` on, while they stay within
   * `maxBytes`; the first is returned even when it alone exceeds that. Empty between high watermark and end.
   * @throws OttlaError OFFSET_OUT_OF_RANGE below the start or beyond the end; STORAGE_CORRUPT, which takes the log
   * off line, when what is stored is damaged or missing.
   */
  async read(fromOffset: number, maxBytes: number): Promise<LogRead> {
    for (;;) {
      this.#assertWell()
      this.#assertInRange(fromOffset)
      if (fromOffset >= this.#highWatermark) return this.#readOf([])
      if (this.#cutting !== undefined) {
        await this.#cutting
        continue
      }
      const cuts = this.#cuts
      const stored = await this.#storage.read(fromOffset, maxBytes).catch((error: unknown) => {
        throw OttlaError.is(error, 'STORAGE_CORRUPT') ? this.#fail(error) : error
      })
      if (cuts !== this.#cuts) continue
      try {
        return this.#readOf(
          readableBatches(this.name, stored, fromOffset, this.#highWatermark, this.#state.gapsBelow),
        )
      } catch (error) {
        throw this.#fail(error)
      }
    }
  }

  #readOf(batches: readonly Uint8Array[]): LogRead {
    const { highWatermark, lastStableOffset, startOffset } = this
    let sizeBytes = 0
    for (const batch of batches) sizeBytes += batch.length
    return { batches, sizeBytes, highWatermark, lastStableOffset, startOffset }
  }

  /** The first readable record whose timestamp, in milliseconds, is at least `timestamp`. */
  async offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined> {
    this.#assertWell()
    return findByTimestamp(this.#storage, this.#readable(), timestamp)
  }

  /** The first readable record with the largest timestamp (KIP-734); undefined when none has a timestamp. */
  async maxTimestamp(): Promise<TimestampedOffset | undefined> {
    this.#assertWell()
    return findMaxTimestamp(this.#storage, this.#readable())
  }

  #readable(): { readonly startOffset: number; readonly endOffset: number } {
    return { startOffset: this.#startOffset, endOffset: this.#highWatermark }
  }

  /** Where the largest epoch that is at most `epoch` ends; -1 and -1 when unknown (KIP-101). */
  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.#state.epochs.endOffsetFor(epoch, this.#highWatermark)
  }

  /**
   * Drops every batch that reaches `offset`, and what the log knew of them, as one. Waits for appends in flight.
   * @throws OttlaError OFFSET_OUT_OF_RANGE below the log start offset.
   */
  truncateTo(offset: number): Promise<void> {
    return this.#exclusively(async () => {
      this.#assertWell()
      if (offset >= this.#state.endOffset) return
      if (offset < this.#startOffset) throw this.#outOfRange(offset)
      this.#truncating = true
      try {
        await this.#inFlight.drained()
        this.#assertWell()
        const state = await stateAt(this.#storage, this.name, this.#clock, this.#state, offset)
        this.#state = state
        this.#highWatermark = Math.min(this.#highWatermark, state.endOffset)
        await this.#cut(this.#storage.truncateSuffix(offset, this.#checkpointBlob()))
      } finally {
        this.#truncating = false
      }
    })
  }

  /**
   * Raises the log start offset to `offset`, at most the high watermark, which -1 stands for. Resolves to the log
   * start offset, which is as it was when that is higher already.
   * @throws OttlaError OFFSET_OUT_OF_RANGE beyond the high watermark.
   */
  deleteRecordsBefore(offset: number): Promise<number> {
    return this.#exclusively(async () => {
      this.#assertWell()
      const target = offset === -1 ? this.#highWatermark : offset
      if (!(target >= 0 && target <= this.#highWatermark)) throw this.#outOfRange(offset)
      if (target > this.#startOffset) await this.#dropPrefix(target)
      return this.#startOffset
    })
  }

  /** Drops what retention no longer keeps at `nowMs`, batches and idle producers. Resolves to the bytes dropped. */
  applyRetention(nowMs: number, signal?: AbortSignal): Promise<number> {
    return this.#exclusively(async () => {
      signal?.throwIfAborted()
      this.#assertWell()
      const config = this.#config
      const expirationMs = config.producerIdExpirationMs ?? DEFAULT_PRODUCER_ID_EXPIRATION_MS
      this.#state.producers.expire(nowMs, expirationMs)
      const cut = await retentionCut(this.#storage, config, this.#highWatermark, nowMs, this.#clock, signal)
      if (cut.startOffset <= this.#startOffset) return 0
      this.#assertWell()
      await this.#dropPrefix(cut.startOffset)
      return cut.sizeBytes
    })
  }

  async #dropPrefix(startOffset: number): Promise<void> {
    this.#state.epochs.truncateFromStart(startOffset)
    await this.#cut(this.#storage.truncatePrefix(startOffset, this.#checkpointBlob()))
    this.#listeners.notify()
  }

  async #cut(write: Promise<void>): Promise<void> {
    this.#cuts++
    this.#cutting = write.then(
      () => {
        this.#startOffset = Math.max(this.#startOffset, this.#storage.state.startOffset)
      },
      (error: unknown) => {
        this.#fail(error)
      },
    )
    await this.#cutting
    this.#cutting = undefined
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Writes down what the next opening would otherwise have to find out. */
  checkpoint(): Promise<void> {
    return this.#exclusively(async () => {
      this.#assertWell()
      await this.#writeCheckpoint()
    })
  }

  async #writeCheckpoint(): Promise<void> {
    if (!this.#changedSinceCheckpoint) return
    await this.#storage
      .writeBlobs(this.#checkpointBlob(), this.#config.durability)
      .catch((error: unknown) => {
        throw this.#fail(error)
      })
  }

  /**
   * The checkpoint of all that was handed to the storage so far. Goes to the storage before anything else does:
   * writes take effect in the order of the calls, so it is true when it is stored.
   */
  #checkpointBlob(): BlobChanges {
    const { endOffset, gapsBelow, epochs, producers } = this.#state
    this.#bytesSinceCheckpoint = 0
    this.#changedSinceCheckpoint = false
    return {
      [CHECKPOINT_BLOB]: encodeCheckpoint(endOffset, gapsBelow, epochs.entries, producers.entries()),
    }
  }

  /** What holds for appends and retention from now on. */
  updateConfig(config: LogConfig): void {
    this.#config = config
  }

  /**
   * Calls `listener` after the high watermark or the log start offset has moved, and when the log goes off line;
   * once for several moves in a row. Returns what takes it off again.
   */
  onAdvance(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Refuses everything with `failure` from now on, what is in flight included; closing writes nothing then. */
  takeOffline(failure: OttlaError): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#inFlight.rejectAll(failure)
    this.#listeners.notify()
  }

  #fail(error: unknown): OttlaError {
    const message = `${this.name}: the storage failed; nothing is accepted until it was closed and reopened.`
    this.takeOffline(
      OttlaError.is(error) ? error : new OttlaError('STORAGE_FAILED', message, { cause: error }),
    )
    return this.#failure ?? new OttlaError('STORAGE_FAILED', message, { cause: error })
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#maintenance.then(work)
    this.#maintenance = run.catch(() => undefined)
    return run
  }

  #assertWell(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.assertOpen()
  }

  #assertInRange(offset: number): void {
    if (!(offset >= this.#startOffset && offset <= this.#state.endOffset)) throw this.#outOfRange(offset)
  }

  #outOfRange(offset: number): OttlaError {
    const { startOffset, highWatermark } = this
    return new OttlaError(
      'OFFSET_OUT_OF_RANGE',
      `${this.name} has no offset ${offset}; expected ${startOffset} to ${highWatermark}.`,
      { details: { offset, startOffset, highWatermark } },
    )
  }

  /** Waits for what is in flight, then writes the checkpoint; after a failure nothing is written. */
  protected override onClose(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#inFlight.drained()
      if (this.#failure === undefined) await this.#writeCheckpoint()
      this.#listeners.clear()
    })
  }
}
