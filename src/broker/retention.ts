/** Retention: one deadline for the whole broker. */
import type { PartitionLogs } from '../log/partition-logs.js'
import type { ScheduledTimer } from '../runtime/clock.js'
import type { Timers } from '../runtime/timers.js'

/** What retention works with. */
export interface RetentionServices {
  readonly logs: PartitionLogs
  readonly timers: Timers
  readonly intervalMs: number
  readonly signal: AbortSignal
  readonly onFailed: (error: unknown) => void
}

/** Looks for old records at an interval. */
export class Retention {
  readonly #services: RetentionServices
  #timer: ScheduledTimer | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(services: RetentionServices) {
    this.#services = services
  }

  /** Begins; the deadline alone does not keep the process running. */
  start(): void {
    const { timers, intervalMs, signal } = this.#services
    if (signal.aborted) return
    this.#timer = timers.schedule(
      intervalMs,
      () => {
        this.#running = this.#sweep()
      },
      { keepAlive: false },
    )
  }

  /** Ends, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#timer?.cancel()
    await this.#running
  }

  async #sweep(): Promise<void> {
    const { logs, signal, onFailed } = this.#services
    try {
      await logs.applyRetention(signal)
    } catch (error) {
      if (!signal.aborted) onFailed(error)
    }
    this.start()
  }
}
