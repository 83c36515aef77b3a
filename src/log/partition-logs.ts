/** The logs of a storage: each is opened when it is first asked for, once, and closed with the others. */
import type { Clock } from '../runtime/clock.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { Resource } from '../runtime/lifecycle.js'
import type { Timers } from '../runtime/timers.js'
import type { LogStorage, PartitionId } from '../storage/contract.js'
import type { DiskBudget } from './disk-budget.js'
import type { LogConfig } from './log-config.js'
import type { LogListeners } from './log-events.js'
import { PartitionLog } from './partition-log.js'

/** What is known of a partition that nobody opened yet. */
export interface PartitionDescription {
  /** What errors call it, e.g. `orders-0`. */
  readonly name: string
  readonly config: LogConfig
  /** The epoch in which this node leads it; default the latest in the log. */
  readonly leaderEpoch?: number
}

/** What the logs work with. */
export interface PartitionLogsOptions extends LogListeners {
  readonly clock: Clock
  /** Where logs have the deadlines of `flush.ms`. */
  readonly timers?: Timers
  /** What all logs may take together. */
  readonly diskBudget?: DiskBudget
  /**
   * Tells the retention sweep of stored partitions that nobody opened. Without it, or when it knows nothing of one,
   * that is left alone.
   */
  readonly describe?: (id: PartitionId) => PartitionDescription | undefined
}

/** How many logs write their checkpoints at once while all are closed: those wait in memory for the disk. */
const MAX_CLOSING_LOGS = 256

interface Entry {
  readonly opening: Promise<PartitionLog>
  log: PartitionLog | undefined
}

const keyOf = ({ topicId, partition }: PartitionId): string => `${topicId}-${partition}`

/** The partition logs over one open storage, which stays the caller's to close. An open log is cheap, so all are kept. */
export class PartitionLogs extends Resource {
  readonly #storage: LogStorage
  readonly #options: PartitionLogsOptions
  readonly #entries = new Map<string, Entry>()

  constructor(storage: LogStorage, options: PartitionLogsOptions) {
    super('partition logs')
    this.#storage = storage
    this.#options = options
  }

  /**
   * The log of a partition, opened at the first call; a partition that was never written is empty. `name`, `config`
   * and `leaderEpoch` count at the first call only. A log that is damaged comes with its `failure` set.
   * @throws OttlaError RESOURCE_CLOSED; what {@link PartitionLog.open} throws, after which the next call tries again.
   */
  get(id: PartitionId, name: string, config: LogConfig, leaderEpoch?: number): Promise<PartitionLog> {
    const entry = this.#entries.get(keyOf(id))
    if (entry !== undefined) return entry.opening
    return this.#open(id, leaderEpoch === undefined ? { name, config } : { name, config, leaderEpoch })
  }

  async #open(id: PartitionId, description: PartitionDescription): Promise<PartitionLog> {
    this.assertOpen()
    const key = keyOf(id)
    const opening = this.#storage.partition(id).then((storage) => {
      const isOnDisk = this.#storage.capabilities.persistent
      return PartitionLog.open(storage, { ...this.#options, ...description, isOnDisk })
    })
    const entry: Entry = { opening, log: undefined }
    this.#entries.set(key, entry)
    try {
      entry.log = await opening
      return entry.log
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      throw error
    }
  }

  /** What holds for a partition from now on; nothing to do when nobody opened it. */
  updateConfig(id: PartitionId, config: LogConfig): void {
    const entry = this.#entries.get(keyOf(id))
    if (entry === undefined) return
    if (entry.log !== undefined) entry.log.updateConfig(config)
    else entry.opening.then((log) => log.updateConfig(config)).catch(() => undefined)
  }

  /** Removes a partition and all that it holds. What is in flight there is refused. */
  async delete(id: PartitionId): Promise<void> {
    this.assertOpen()
    const entry = this.#entries.get(keyOf(id))
    if (entry !== undefined) {
      this.#entries.delete(keyOf(id))
      const log = await entry.opening.catch(() => undefined)
      log?.takeOffline(new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `${log.name} was deleted.`))
      await log?.close()
      await this.#storage.deletePartition(id)
      log?.leaveDiskBudget()
    } else await this.#storage.deletePartition(id)
  }

  /** Opens those that are stored and described, one after another. @throws the signal's reason when that aborts. */
  async openAll(signal?: AbortSignal): Promise<void> {
    const { describe } = this.#options
    if (describe === undefined) return
    for (const id of await this.#storage.partitions()) {
      signal?.throwIfAborted()
      if (this.isClosed) return
      const description = this.#entries.has(keyOf(id)) ? undefined : describe(id)
      if (description !== undefined) await this.#open(id, description)
    }
  }

  /** The logs that are open now. */
  *opened(): Iterable<PartitionLog> {
    for (const { log } of this.#entries.values()) if (log !== undefined) yield log
  }

  /**
   * Drops what retention no longer keeps, one partition after another: those that are open, and those that are
   * stored and described. Resolves to the bytes dropped. A log that is off line or closed meanwhile is passed over.
   * @throws the signal's reason when that aborts; what made a sound log fail.
   */
  async applyRetention(signal?: AbortSignal): Promise<number> {
    this.assertOpen()
    const { clock } = this.#options
    await this.openAll(signal)
    let droppedBytes = 0
    for (const log of [...this.opened()]) {
      signal?.throwIfAborted()
      if (log.failure !== undefined || log.isClosed || this.isClosed) continue
      droppedBytes += await log.applyRetention(clock.now(), signal)
    }
    return droppedBytes
  }

  /** Closes many at once, so that their checkpoints go to the storage together. */
  protected override async onClose(): Promise<void> {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    const errors: unknown[] = []
    for (let from = 0; from < entries.length; from += MAX_CLOSING_LOGS) {
      const closing = entries.slice(from, from + MAX_CLOSING_LOGS).map((entry) => this.#closeLog(entry))
      for (const closed of await Promise.allSettled(closing)) {
        if (closed.status === 'rejected') errors.push(closed.reason)
      }
    }
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} logs did not close.`)
  }

  async #closeLog({ opening }: Entry): Promise<void> {
    const log = await opening.catch(() => undefined)
    if (this.#storage.failure !== undefined) log?.takeOffline(this.#storage.failure)
    await log?.close()
  }
}
