/**
 * The disk budget: how many bytes the batches of all logs may have together. It is exact, because every log tells it
 * what it holds and what is on its way, and it is asked before an append is accepted.
 *
 * When the budget is used up, `refuse` refuses clients' batches, and `drop-oldest` drops the oldest batches of the
 * topics with the lowest priority: always a prefix of a log, never at or beyond its high watermark. The broker's own
 * topics, and those whose `cleanup.policy` has no delete, give nothing. What the broker writes itself may go beyond
 * by {@link DISK_BUDGET_SLACK}; the metadata log is never refused, so topics and records can always be deleted.
 */
import { deferred, type Deferred } from '../runtime/abort.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { BatchInfo } from '../storage/contract.js'
import type { LogConfig } from './log-config.js'
import type { DropReason } from './log-events.js'

/** What happens when the budget is used up. */
export type DiskPolicy = 'refuse' | 'drop-oldest'

/** Who writes: clients within the budget, coordinators within it and its slack, the metadata log always. */
export type DiskClaim = 'client' | 'coordinator' | 'metadata'

/** How far the broker's own topics may go beyond the budget, as a share of it. */
export const DISK_BUDGET_SLACK = 1 / 16

/** How much more is dropped than is needed at once, as a share of the budget: each drop is a write of its own. */
export const DISK_DROP_STEP = 1 / 64

/**
 * What share of the budget must be free before it counts as relieved: more than one drop gives, or dropping the oldest
 * would be told of with every drop.
 */
export const DISK_RELIEF = 1 / 16

/** How many batches of a log are looked at together. */
const PAGE_BATCHES = 100

/** What the budget needs of a log to make room there. */
export interface DroppableLog {
  readonly name: string
  readonly currentConfig: Pick<LogConfig, 'deletesOld' | 'diskPriority'>
  readonly startOffset: number
  readonly failure: OttlaError | undefined
  readonly isClosed: boolean
  /** Its batches below the high watermark, from the one that holds `fromOffset` on. */
  readableInfos(fromOffset: number, maxCount: number): Promise<readonly BatchInfo[]>
  deleteRecordsBefore(offset: number, reason: DropReason): Promise<number>
}

/** What the budget works with. */
export interface DiskBudgetOptions {
  /** How many bytes all batches may have together. */
  readonly maxBytes: number
  readonly policy: DiskPolicy
  /** All logs there are. */
  readonly logs: () => Iterable<DroppableLog>
  /** A batch did not fit: from now on the policy decides. Told once until there is room again. */
  readonly onReached?: () => void
  /** After that, {@link DISK_RELIEF} of the budget is free again. */
  readonly onRelieved?: () => void
}

/** The disk budget of all logs of a broker. */
export class DiskBudget {
  readonly #options: DiskBudgetOptions
  #usedBytes = 0
  #inFlightBytes = 0
  #isReached = false
  /** Whoever waits for an append on its way to be stored, when nothing else could be dropped. */
  #landed: Deferred<undefined> | undefined
  /** Room is made for one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: DiskBudgetOptions) {
    this.#options = options
  }

  /** The bytes of all batches that are stored or on their way. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** An account for one more log, which holds `storedBytes()` now. */
  account(storedBytes: () => number): DiskAccount {
    return new DiskAccount(storedBytes, (used, inFlight) => {
      this.#usedBytes += used
      this.#inFlightBytes += inFlight
      if (this.#isReached && this.#usedBytes <= this.#options.maxBytes * (1 - DISK_RELIEF)) this.#relieve()
      if (inFlight >= 0) return
      this.#landed?.resolve(undefined)
      this.#landed = undefined
    })
  }

  /** Whether a batch of `bytes` may be appended now. */
  fits(bytes: number, claim: DiskClaim): boolean {
    return this.#usedBytes + bytes <= this.#limitOf(claim)
  }

  /**
   * Makes room for a batch of `bytes`. When this resolves, ask {@link fits} again before anything else is awaited.
   * @throws OttlaError DISK_BUDGET_EXCEEDED when the policy forbids it, or nothing that may go is left.
   */
  makeRoom(bytes: number, claim: DiskClaim): Promise<void> {
    const run = this.#last.then(() => this.#makeRoom(bytes, claim))
    this.#last = run.catch(() => undefined)
    return run
  }

  #relieve(): void {
    this.#isReached = false
    this.#options.onRelieved?.()
  }

  async #makeRoom(bytes: number, claim: DiskClaim): Promise<void> {
    if (!this.#isReached && !this.fits(bytes, claim)) {
      this.#isReached = true
      this.#options.onReached?.()
    }
    const { maxBytes, policy } = this.#options
    while (!this.fits(bytes, claim)) {
      if (policy === 'refuse' || bytes > this.#limitOf(claim)) throw this.#exceeded(bytes)
      const step = Math.floor(maxBytes * DISK_DROP_STEP)
      const missing = this.#usedBytes + bytes - this.#limitOf(claim)
      const plan = await this.#plan(missing, missing + step)
      if (plan === undefined) {
        // What is on its way can be dropped as soon as it is there.
        if (this.#inFlightBytes === 0) throw this.#exceeded(bytes)
        this.#landed ??= deferred<undefined>()
        await this.#landed.promise
        continue
      }
      let hasDropped = false
      for (const [log, offset] of plan) hasDropped = (await drop(log, offset)) || hasDropped
      if (!hasDropped) throw this.#exceeded(bytes)
    }
  }

  /** How far to cut which log so that `wantedBytes` go; undefined when not even `leastBytes` can. */
  async #plan(
    leastBytes: number,
    wantedBytes: number,
  ): Promise<ReadonlyMap<DroppableLog, number> | undefined> {
    const cursors = await this.#cursors()
    const plan = new Map<DroppableLog, number>()
    let plannedBytes = 0
    while (plannedBytes < wantedBytes) {
      let oldest: OldestBatch | undefined
      for (const cursor of cursors) if (comesBefore(cursor, oldest)) oldest = cursor
      if (oldest?.batch === undefined) break
      plan.set(oldest.log, oldest.batch.lastOffset + 1)
      plannedBytes += oldest.batch.sizeBytes
      await oldest.advance()
    }
    return plannedBytes < leastBytes ? undefined : plan
  }

  async #cursors(): Promise<OldestBatch[]> {
    const cursors: OldestBatch[] = []
    for (const log of this.#options.logs()) {
      const { deletesOld, diskPriority } = log.currentConfig
      if (!deletesOld || diskPriority === undefined || log.failure !== undefined || log.isClosed) continue
      const cursor = new OldestBatch(log, diskPriority)
      await cursor.advance()
      cursors.push(cursor)
    }
    return cursors
  }

  #limitOf(claim: DiskClaim): number {
    const { maxBytes } = this.#options
    if (claim === 'metadata') return Infinity
    return claim === 'client' ? maxBytes : Math.floor(maxBytes * (1 + DISK_BUDGET_SLACK))
  }

  #exceeded(bytes: number): OttlaError {
    const { maxBytes, policy } = this.#options
    const usedBytes = this.#usedBytes
    return new OttlaError(
      'DISK_BUDGET_EXCEEDED',
      `A batch of ${bytes} bytes does not fit: ${usedBytes} of ${maxBytes} bytes are used (ottla.disk.max.bytes), and ${
        policy === 'refuse' ? 'ottla.disk.policy is refuse' : 'no topic has anything left that may be dropped'
      }. Delete records or topics, or raise the budget.`,
      { details: { sizeBytes: bytes, usedBytes, maxBytes, policy } },
    )
  }
}

/** What one log has in the budget. */
export class DiskAccount {
  readonly #storedBytes: () => number
  readonly #change: (usedBytes: number, inFlightBytes: number) => void
  #inFlightBytes = 0
  #countedBytes = 0
  #isClosed = false

  constructor(storedBytes: () => number, change: (usedBytes: number, inFlightBytes: number) => void) {
    this.#storedBytes = storedBytes
    this.#change = change
    this.settle()
  }

  /** A batch of `bytes` is on its way to the storage. */
  begin(bytes: number): void {
    this.#count(this.#storedBytes() + this.#inFlightBytes + bytes, bytes)
  }

  /** A batch of `bytes` has arrived. */
  end(bytes: number): void {
    this.#count(this.#storedBytes() + this.#inFlightBytes - bytes, -bytes)
  }

  /** The storage holds another number of bytes than before. */
  settle(): void {
    this.#count(this.#storedBytes() + this.#inFlightBytes, 0)
  }

  /** The log is gone with all that it held. */
  close(): void {
    this.#count(0, -this.#inFlightBytes)
    this.#isClosed = true
  }

  #count(bytes: number, inFlightBytes: number): void {
    if (this.#isClosed) return
    const counted = this.#countedBytes
    this.#countedBytes = bytes
    this.#inFlightBytes += inFlightBytes
    this.#change(bytes - counted, inFlightBytes)
  }
}

/** Goes through the batches of a log, the oldest first. */
class OldestBatch {
  readonly log: DroppableLog
  readonly priority: number
  /** The oldest that was not passed yet; undefined when all were. */
  batch: BatchInfo | undefined
  #page: readonly BatchInfo[] = []
  #at = 0
  #next: number

  constructor(log: DroppableLog, priority: number) {
    this.log = log
    this.priority = priority
    this.#next = log.startOffset
  }

  async advance(): Promise<void> {
    if (this.#at === this.#page.length) {
      // One that cannot be read has nothing to give; whoever reads its records is told why.
      this.#page = await this.log.readableInfos(this.#next, PAGE_BATCHES).catch(() => [])
      this.#at = 0
    }
    this.batch = this.#page[this.#at++]
    if (this.batch !== undefined) this.#next = this.batch.lastOffset + 1
  }
}

/** Lowest priority first; then the batch whose largest timestamp is the oldest. */
const comesBefore = (a: OldestBatch, b: OldestBatch | undefined): boolean => {
  if (a.batch === undefined) return false
  if (b?.batch === undefined) return true
  if (a.priority !== b.priority) return a.priority < b.priority
  return a.batch.maxTimestamp < b.batch.maxTimestamp
}

/** Cuts `log`, and tells whether that gave anything: one that went off line or was deleted meanwhile gives nothing. */
const drop = async (log: DroppableLog, offset: number): Promise<boolean> => {
  const { startOffset } = log
  try {
    return (await log.deleteRecordsBefore(offset, 'ottla.disk.max.bytes')) > startOffset
  } catch (error) {
    if (log.failure === undefined && !log.isClosed) throw error
    return false
  }
}
