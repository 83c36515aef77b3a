/**
 * Lifecycle: what every long-lived part has in common. A Resource is born open (async factories do the opening),
 * owns children, and closes them before itself. `close()` is idempotent, and a second call waits for the first.
 */
import { OttlaError } from './errors/ottla-error.js'

/** Something that is open until it is closed. */
export abstract class Resource implements AsyncDisposable {
  /** What errors and events call it, e.g. `producer` or `partition orders-0`. */
  readonly name: string
  readonly #parent: Resource | undefined
  readonly #children = new Set<Resource>()
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined

  protected constructor(name: string, parent?: Resource) {
    this.name = name
    this.#parent = parent
    if (parent === undefined) return
    parent.assertOpen()
    parent.#children.add(this)
  }

  /** Aborts, with a RESOURCE_CLOSED error as reason, as soon as closing begins: waits inside hang on it. */
  get closeSignal(): AbortSignal {
    return this.#closing.signal
  }

  /** True from the first call of `close()` on. */
  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  /** @internal What hangs on this, directly or not. */
  *descendants(): Generator<Resource, undefined> {
    for (const child of this.#children) {
      yield child
      yield* child.descendants()
    }
  }

  /** @throws OttlaError RESOURCE_CLOSED once `close()` was called. */
  protected assertOpen(): void {
    if (this.#closed !== undefined) throw closedError(this.name)
  }

  /**
   * Closes children in reverse order of their opening, then this. All errors on the way reach the caller: one as
   * itself, several as an AggregateError.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#closeOnce())
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What is this resource's own to let go of; its children are closed already. */
  protected abstract onClose(): Promise<void> | void

  /** What must end before the children can be closed, for instance a drain that still uses them. */
  protected beforeClose(): Promise<void> | void {
    // Most resources have nothing to drain.
  }

  async #closeOnce(): Promise<void> {
    const errors: unknown[] = []
    const step = async (action: () => Promise<void> | void): Promise<void> => {
      try {
        await action()
      } catch (error) {
        errors.push(error)
      }
    }
    await step(() => this.beforeClose())
    this.#closing.abort(closedError(this.name))
    for (const child of [...this.#children].reverse()) await step(() => child.close())
    await step(() => this.onClose())
    if (this.#parent !== undefined) this.#parent.#children.delete(this)
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1)
      throw new AggregateError(errors, `${errors.length} errors while closing ${this.name}`)
  }
}

const closedError = (name: string): OttlaError =>
  new OttlaError('RESOURCE_CLOSED', `${name} is closed; open a new one to go on.`, { details: { name } })
