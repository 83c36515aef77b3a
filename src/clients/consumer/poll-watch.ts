/**
 * Watches over `maxPollIntervalMs` (KIP-62): whether the application still asks for messages. One deadline, which
 * looks now and then; the loops only count.
 */
import type { ScheduledTimer } from '../../runtime/clock.js'
import type { ClientContext } from '../context.js'

/** Signs of life of the application. */
export interface PollSource {
  /** Grows whenever a loop asks for a message. */
  readonly turns: number
  /** Whether a loop waits for messages now. */
  readonly isAwaited: boolean
}

/** How many looks there are in an interval: how exactly it is kept. */
const LOOKS = 8

/** Notices when nobody asked for a whole interval. */
export class PollWatch {
  readonly #context: ClientContext
  readonly #intervalMs: number
  readonly #source: PollSource
  readonly #onTimeout: () => void
  #timer: ScheduledTimer | undefined
  #turns = -1
  #askedAt = 0

  constructor(context: ClientContext, intervalMs: number, source: PollSource, onTimeout: () => void) {
    this.#context = context
    this.#intervalMs = intervalMs
    this.#source = source
    this.#onTimeout = onTimeout
  }

  /** Begins to watch; a turn that is under way when it does so already gets no more time for that. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#turns = this.#source.turns
    this.#askedAt = this.#context.clock.monotonic()
    this.#timer = this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): ScheduledTimer {
    const waitMs = Math.max(1, Math.ceil(this.#intervalMs / LOOKS))
    return this.#context.timers.schedule(waitMs, () => this.#look(), { keepAlive: false })
  }

  #look(): void {
    this.#timer = undefined
    const { turns, isAwaited } = this.#source
    const now = this.#context.clock.monotonic()
    if (isAwaited || turns !== this.#turns) {
      this.#turns = turns
      this.#askedAt = now
    } else if (now - this.#askedAt >= this.#intervalMs) {
      this.#onTimeout()
      return
    }
    this.#timer = this.#schedule()
  }
}
