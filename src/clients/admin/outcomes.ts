/** What becomes of the items of a call that names several: each succeeds or fails by itself, and nothing is lost. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { mayPass } from '../retry.js'

/** How many failures the message of an error tells; its details have all of them. */
const TOLD_FAILURES = 3

/** Collects what a call comes to, item by item. `R` is the result of one. */
export class Outcomes<R> {
  readonly #items: readonly string[]
  readonly #succeeded = new Map<string, R>()
  readonly #failed = new Map<string, OttlaError>()

  /** `items` are the names under which a caller finds them; one that is named twice counts once. */
  constructor(items: Iterable<string>) {
    this.#items = [...new Set(items)]
  }

  /** What came of `item`. */
  succeed(item: string, result: R): void {
    this.#failed.delete(item)
    this.#succeeded.set(item, result)
  }

  /** Why there is nothing; what is no OttlaError, such as the reason of an abort, ends the call as a whole. */
  fail(item: string, error: unknown): void {
    if (!OttlaError.is(error)) throw error
    this.#failed.set(item, error)
  }

  /** Whether `item` is yet to be tried, or to be tried again. */
  isOpen(item: string): boolean {
    const error = this.#failed.get(item)
    return error === undefined ? !this.#succeeded.has(item) : mayPass(error)
  }

  /** Runs `action` and keeps what comes of it. */
  async attempt(item: string, action: () => Promise<R>): Promise<void> {
    try {
      this.succeed(item, await action())
    } catch (error) {
      this.fail(item, error)
    }
  }

  /**
   * The results, in the order of the items.
   * @throws OttlaError that of the item when there is but one; otherwise ITEMS_FAILED with all of them.
   */
  results(): readonly R[] {
    for (const item of this.#items) {
      if (this.#succeeded.has(item) || this.#failed.has(item)) continue
      this.fail(item, new OttlaError('UNKNOWN_SERVER_ERROR', `The broker did not answer for ${item}.`))
    }
    const [first] = this.#failed.values()
    if (first === undefined) return this.#items.flatMap((item) => this.#resultOf(item))
    if (this.#items.length === 1) throw first
    throw this.#severalFailed(first)
  }

  #resultOf(item: string): readonly R[] {
    // A result may be undefined, so that the map is asked whether it has one.
    return this.#succeeded.has(item) ? [this.#succeeded.get(item) as R] : []
  }

  #severalFailed(first: OttlaError): OttlaError {
    const told = [...this.#failed.values()].slice(0, TOLD_FAILURES).map(({ message }) => message)
    const untold = this.#failed.size - told.length
    if (untold > 0) told.push(`and ${untold} more.`)
    return new OttlaError(
      'ITEMS_FAILED',
      `${this.#failed.size} of ${this.#items.length} items failed. ${told.join(' ')}`,
      { cause: first, details: { failed: new Map(this.#failed), succeeded: new Map(this.#succeeded) } },
    )
  }
}
