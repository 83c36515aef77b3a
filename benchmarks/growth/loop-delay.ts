/** How late the timers of an application come that shares its event loop with the log. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Figures } from './settings.js'

const RESOLUTION_MS = 2

/** Watches from its making on. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  constructor() {
    this.#histogram.enable()
  }

  /** What it saw, in milliseconds: the time by which a timer came too late. */
  figures(): Figures {
    // The histogram has the time between two timers, so the interval that was asked for is part of it.
    const late = (nanoseconds: number): number => Math.max(nanoseconds / 1e6 - RESOLUTION_MS, 0.001)
    return {
      'loop-delay-p99': late(this.#histogram.percentile(99)),
      'loop-delay-max': late(this.#histogram.max),
    }
  }
}
