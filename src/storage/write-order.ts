/**
 * The order of one partition's writes. Appends follow each other without waiting; a change of shape (truncation,
 * replacement) runs alone, and what is called meanwhile takes its turn behind it.
 */

/** Lets writes through in the order of the calls. */
export class WriteOrder {
  readonly #waiting: (() => unknown)[] = []
  #draining: Promise<void> | undefined

  /** Begins `write` at once, or when everything before it that runs alone has ended. */
  pass(write: () => Promise<void>): Promise<void> {
    if (this.#draining === undefined) return write()
    return new Promise((resolve, reject) => this.#enqueue(() => void write().then(resolve, reject)))
  }

  /** Runs `change` by itself: nothing that comes after it begins before it has ended. */
  alone<T>(change: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => this.#enqueue(() => change().then(resolve, reject)))
  }

  /** Resolves when nothing waits for its turn. */
  async idle(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining
  }

  #enqueue(task: () => unknown): void {
    this.#waiting.push(task)
    this.#draining ??= this.#drain()
  }

  async #drain(): Promise<void> {
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift()) await task()
    // In the same turn as the last look, so that no call slips in between those that waited.
    this.#draining = undefined
  }
}
