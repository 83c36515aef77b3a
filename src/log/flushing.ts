/** When a log waits for the disk of its own accord: after `flush.messages` records, and `flush.ms` after the first of them. */
import type { ScheduledTimer } from '../runtime/clock.js'
import type { Timers } from '../runtime/timers.js'
import type { Durability } from '../storage/contract.js'
import type { LogConfig } from './log-config.js'

/** The records of one log that nobody has asked the disk for yet. */
export class Flushing {
  readonly #timers: Timers | undefined
  readonly #flush: () => void
  #records = 0
  #timer: ScheduledTimer | undefined

  /** `flush` is called when `flush.ms` is over; without `timers` it never is. */
  constructor(timers: Timers | undefined, flush: () => void) {
    this.#timers = timers
    this.#flush = flush
  }

  /** How durable an append of `records` is to be, for which `asked` would do. What the disk gets includes all before. */
  durabilityOf(records: number, asked: Durability, config: LogConfig): Durability {
    this.#records += records
    const { flushMessages } = config
    const isDue = flushMessages >= 0 && this.#records >= flushMessages
    if (isDue || asked === 'fsync') {
      this.stop()
      return 'fsync'
    }
    this.schedule(config)
    return asked
  }

  /** Sets the deadline that `flush.ms` asks for, unless there is one or nothing to flush. */
  schedule({ flushMs }: LogConfig): void {
    if (flushMs < 0 || this.#records === 0 || this.#timer !== undefined) return
    const fire = (): void => {
      this.stop()
      this.#flush()
    }
    this.#timer = this.#timers?.schedule(flushMs, fire, { keepAlive: false })
  }

  /** The config is another one: the deadline counts from now. */
  reschedule(config: LogConfig): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.schedule(config)
  }

  /** Nothing is left to flush. */
  stop(): void {
    this.#records = 0
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
