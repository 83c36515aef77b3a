/** Who waits for a log to move on: long polls and coordinators. They bound themselves; one subscribes per wait. */

/** Listeners that hear of several moves in a row once. */
export class AdvanceListeners {
  readonly #listeners = new Set<() => void>()
  #notifying = false

  /** Calls `listener` after every move from now on. Returns what takes it off again. */
  add(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Calls them soon: after what runs now, before the event loop turns. */
  notify(): void {
    if (this.#notifying || this.#listeners.size === 0) return
    this.#notifying = true
    // Not queueMicrotask, which makes an async resource of every call.
    void Promise.resolve().then(() => {
      this.#notifying = false
      // A copy: a long poll that subscribes again from its listener waits for the next move.
      for (const listener of [...this.#listeners]) this.#call(listener)
    })
  }

  clear(): void {
    this.#listeners.clear()
  }

  /** A listener that throws harms neither the log nor the others; the process reports its error as uncaught. */
  #call(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
