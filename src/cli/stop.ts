/** When to stop: a signal asks for it, or the log can take no more. */
import { onAbort } from '../runtime/abort.js'
import type { Log } from './log.js'
import type { World } from './world.js'

/** Within this time a further signal is the first one again: npx passes on what a terminal sends to both. */
const ECHO_MS = 1_000

/** Whether and why to stop. */
export class Stop {
  readonly #controller = new AbortController()
  #failure: Error | undefined

  /** Aborts when it is time to stop. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why it cannot go on; undefined when it was asked to stop. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Takes the signals of the process: the first asks to stop, a second one ends the process at once. */
  watchSignals({ program, clock }: Omit<World, 'files'>, log: Log): void {
    let firstAt: number | undefined
    program.onStopSignal((signal) => {
      const now = clock.monotonic()
      if (firstAt === undefined) {
        firstAt = now
        log.info('stopping', `${signal}: stopping; once more ends it at once`, { signal })
        this.#controller.abort()
      } else if (now - firstAt >= ECHO_MS) {
        log.warn('ended', `${signal} again: ended before it had stopped`, { signal })
        program.endNow(1)
      }
    })
  }

  /** Stops because of `error`. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#controller.abort()
  }

  /** Resolves when it is time to stop. */
  requested(): Promise<void> {
    if (this.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => onAbort(this.signal, resolve))
  }
}
