/**
 * What an open log is, whatever is done with it: where it begins and ends, whether it is well, its checkpoint, and
 * how it is closed. What is done with it stands in partition-log.ts.
 */
import type { Clock } from '../runtime/clock.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { Resource } from '../runtime/lifecycle.js'
import type { Timers } from '../runtime/timers.js'
import type { BlobChanges, PartitionId, PartitionStorage } from '../storage/contract.js'
import { AdvanceListeners } from './advance-listeners.js'
import { AppendsInFlight } from './appends-in-flight.js'
import { CHECKPOINT_BLOB, encodeCheckpoint } from './checkpoint.js'
import { compactionBlob } from './compaction/compaction-state.js'
import type { DiskAccount, DiskBudget } from './disk-budget.js'
import { Flushing } from './flushing.js'
import type { LogConfig } from './log-config.js'
import type { DroppedRecords, LogListeners, LogRecovery } from './log-events.js'
import type { LogState, RecoveredLog } from './recovery.js'

/** How to open a log. */
export interface PartitionLogOptions extends LogListeners {
  /** What errors call it, e.g. `orders-0`. */
  readonly name: string
  readonly config: LogConfig
  readonly clock: Clock
  /** The epoch in which this node leads the partition; default the latest in the log, or 0. */
  readonly leaderEpoch?: number
  /** Whether the storage keeps it on a disk, so that what is read is proved by its CRC; default false. */
  readonly isOnDisk?: boolean
  /** Where `flush.ms` has its deadlines; without them it never ends. */
  readonly timers?: Timers
  /** What all logs may take together; without it there is no limit. */
  readonly diskBudget?: DiskBudget
}

/** What an open log dropped last. */
export interface LastDropped extends DroppedRecords {
  /** When, in milliseconds since the epoch. */
  readonly timestamp: number
}

/** An open log. */
export abstract class LogBase extends Resource {
  /** How it was opened: a checkpoint that was damaged, or bytes that had to be validated, tell of an unclean stop. */
  readonly recovery: LogRecovery
  protected readonly storage: PartitionStorage
  protected readonly isOnDisk: boolean
  protected readonly clock: Clock
  readonly #leaderEpoch: number
  protected readonly inFlight = new AppendsInFlight()
  protected readonly listeners = new AdvanceListeners()
  protected readonly flushing: Flushing
  protected readonly diskBudget: DiskBudget | undefined
  protected readonly diskAccount: DiskAccount | undefined
  protected config: LogConfig
  protected state: LogState
  protected logStart: number
  protected watermark: number
  protected readonly told: LogListeners
  /** What was dropped last since it was opened. */
  protected lastDropped: LastDropped | undefined
  #failure: OttlaError | undefined
  protected bytesSinceCheckpoint: number
  protected changedSinceCheckpoint: boolean
  /** Ends when those that cut the log, checkpoint or close it are done: one at a time. */
  #maintenance: Promise<unknown> = Promise.resolve()

  protected constructor(storage: PartitionStorage, options: PartitionLogOptions, recovered: RecoveredLog) {
    super(options.name)
    const { state, checkpoint, validatedBytes, durationMs } = recovered
    const latestEpoch = state.epochs.latestEpoch
    this.#leaderEpoch = options.leaderEpoch ?? Math.max(latestEpoch, 0)
    if (this.#leaderEpoch < latestEpoch) {
      throw new OttlaError(
        'FENCED_LEADER_EPOCH',
        `${options.name}: opened in leader epoch ${this.#leaderEpoch}; expected at least ${latestEpoch}, which the log has.`,
      )
    }
    this.recovery = { checkpoint, validatedBytes, durationMs }
    this.storage = storage
    this.told = options
    this.isOnDisk = options.isOnDisk ?? false
    this.clock = options.clock
    this.flushing = new Flushing(options.timers, () => void this.flush().catch(() => undefined))
    this.diskBudget = options.diskBudget
    this.diskAccount = options.diskBudget?.account(() => storage.state.sizeBytes)
    this.config = options.config
    this.state = state
    this.logStart = storage.state.startOffset
    this.watermark = state.endOffset
    this.bytesSinceCheckpoint = validatedBytes
    this.changedSinceCheckpoint = validatedBytes > 0 || checkpoint === 'damaged'
  }

  /** Which partition of its storage it is. */
  get id(): PartitionId {
    return this.storage.id
  }

  /** The log start offset: nothing below can be read. Durable, and never goes back. */
  get startOffset(): number {
    return this.logStart
  }

  /** The offset that the next append gets. */
  get endOffset(): number {
    return this.state.endOffset
  }

  /** What holds for it now. */
  get currentConfig(): LogConfig {
    return this.config
  }

  /** Where the active segment begins: what lies below is settled, and may be compacted. */
  get activeSegmentOffset(): number {
    return this.state.segment.baseOffset
  }

  /** One past the last offset that may be read; with a single replica one past the last that is stored. */
  get highWatermark(): number {
    return this.watermark
  }

  /** One past the last offset that no open transaction can take back: the high watermark while there is none (H5). */
  get lastStableOffset(): number {
    return Math.max(this.logStart, this.state.transactions.lastStableOffset(this.watermark))
  }

  /** Bytes of the stored batches. */
  get sizeBytes(): number {
    return this.storage.state.sizeBytes
  }

  /** The epoch that appended batches get. */
  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** Why the log is off line; undefined while it is well. */
  get failure(): OttlaError | undefined {
    return this.#failure
  }

  /** Writes down what the next opening would otherwise have to find out. */
  checkpoint(): Promise<void> {
    return this.exclusively(async () => {
      this.assertWell()
      await this.#writeCheckpoint()
    })
  }

  async #writeCheckpoint(): Promise<void> {
    if (!this.changedSinceCheckpoint) return
    await this.storage.writeBlobs(this.checkpointBlob(), this.config.durability).catch((error: unknown) => {
      throw this.fail(error)
    })
  }

  /**
   * The checkpoint of all that was handed to the storage so far. Goes to the storage before anything else does:
   * writes take effect in the order of the calls, so it is true when it is stored.
   */
  protected checkpointBlob(): BlobChanges {
    const { endOffset, compaction, segment, epochs, producers, transactions } = this.state
    this.bytesSinceCheckpoint = 0
    this.changedSinceCheckpoint = false
    return {
      ...transactions.changes(),
      ...compactionBlob(compaction),
      [CHECKPOINT_BLOB]: encodeCheckpoint({
        recoveryPoint: endOffset,
        gapsBelow: compaction.gapsBelow,
        segment,
        epochs: epochs.entries,
        producers: producers.entries(),
        openTransactions: transactions.open,
        abortedPages: transactions.pages,
      }),
    }
  }

  /** What holds for appends and retention from now on. */
  updateConfig(config: LogConfig): void {
    this.config = config
    this.flushing.reschedule(config)
  }

  /** Waits until the disk has all that was appended so far. */
  async flush(): Promise<void> {
    this.assertWell()
    await this.storage.writeBlobs({}, 'fsync').catch((error: unknown) => {
      throw this.fail(error)
    })
  }

  /** Takes what the log holds out of the disk budget, as it is deleted. */
  leaveDiskBudget(): void {
    this.diskAccount?.close()
  }

  /**
   * Calls `listener` after the high watermark or the log start offset has moved, and when the log goes off line;
   * once for several moves in a row. Returns what takes it off again.
   */
  onAdvance(listener: () => void): () => void {
    return this.listeners.add(listener)
  }

  /** Refuses everything with `failure` from now on, what is in flight included; closing writes nothing then. */
  takeOffline(failure: OttlaError): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.inFlight.rejectAll(failure)
    this.listeners.notify()
  }

  protected fail(error: unknown): OttlaError {
    if (this.#failure !== undefined) return this.#failure
    const message = `${this.name}: the storage failed; nothing is accepted until it was closed and reopened.`
    const failure = OttlaError.is(error) ? error : new OttlaError('STORAGE_FAILED', message, { cause: error })
    this.takeOffline(failure)
    this.told.onFailed?.(this.id, failure)
    return failure
  }

  protected exclusively<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#maintenance.then(work)
    this.#maintenance = run.catch(() => undefined)
    return run
  }

  protected assertWell(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.assertOpen()
  }

  /** Waits for what is in flight, then writes the checkpoint; after a failure nothing is written. */
  protected override onClose(): Promise<void> {
    return this.exclusively(async () => {
      this.flushing.stop()
      await this.inFlight.drained()
      if (this.#failure === undefined) await this.#writeCheckpoint()
      this.listeners.clear()
    })
  }
}
