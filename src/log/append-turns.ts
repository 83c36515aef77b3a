/**
 * Whose turn it is to append. A batch that must be compressed, or wait for room, before its offset is assigned keeps
 * its place: those after it wait too, so the order of the calls is that of the offsets.
 */

const ignore = (): void => undefined

/** The appends of one log that wait for their turn. What bounds them is the budget of those who append. */
export class AppendTurns {
  #last: Promise<void> | undefined

  /** Whether nobody waits: who comes now may append at once. */
  get areFree(): boolean {
    return this.#last === undefined
  }

  /** Does `work` when all before it is done or has failed; one at a time. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last === undefined ? work() : this.#last.then(work)
    const ended = run.then(ignore, ignore)
    this.#last = ended
    void ended.then(() => {
      if (this.#last === ended) this.#last = undefined
    })
    return run
  }
}
