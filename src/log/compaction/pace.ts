/**
 * How much of the event loop, and of the disk, work in the background takes: slices of a few milliseconds with a pause
 * as long as the slice after each, and no more bytes a second than it may.
 */
import { yieldToEventLoop, type Clock } from '../../runtime/clock.js'
import type { Timers } from '../../runtime/timers.js'

/** After this much work without a pause the event loop has its turn. */
const SLICE_MS = 4

/** The pace of work that goes on in slices. */
export class Pace {
  readonly #clock: Clock
  readonly #timers: Timers | undefined
  readonly #bytesPerMs: number
  readonly #signal: AbortSignal | undefined
  #sliceBegan: number
  #bytes = 0

  /**
   * @param options.timers where pauses are waited for; without them there is a turn of the event loop, no pause.
   * @param options.maxBytesPerSecond what may be read and written, `log.cleaner.io.max.bytes.per.second`.
   */
  constructor(
    clock: Clock,
    options: {
      readonly timers?: Timers
      readonly maxBytesPerSecond?: number
      readonly signal?: AbortSignal
    } = {},
  ) {
    this.#clock = clock
    this.#timers = options.timers
    this.#bytesPerMs = (options.maxBytesPerSecond ?? Infinity) / 1000
    this.#signal = options.signal
    this.#sliceBegan = clock.monotonic()
  }

  /** Whether the slice was long enough. */
  get isDue(): boolean {
    return this.#clock.monotonic() - this.#sliceBegan >= SLICE_MS
  }

  /** Counts what was read or written. */
  moved(bytes: number): void {
    this.#bytes += bytes
  }

  /** Ends a slice, and begins the next when it may. @throws the signal's reason when that aborts. */
  async rest(): Promise<void> {
    this.#signal?.throwIfAborted()
    const workedMs = this.#clock.monotonic() - this.#sliceBegan
    const pauseMs = Math.max(workedMs, this.#bytes / this.#bytesPerMs - workedMs)
    if (this.#timers !== undefined && pauseMs >= 1) await this.#timers.sleep(pauseMs, this.#signal)
    else await yieldToEventLoop(this.#clock)
    this.#signal?.throwIfAborted()
    this.#bytes = 0
    this.#sliceBegan = this.#clock.monotonic()
  }
}
