/** The names that a scenario has for things: its own, and what it captured. */

/** What `~` and `$` stand for in one run of one scenario. */
export class Names {
  readonly #prefix: string
  readonly #captured = new Map<string, unknown>()

  /** @param prefix what makes a scenario's names its own. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  set(name: string, value: unknown): void {
    this.#captured.set(name, value)
  }

  get(name: string): unknown {
    if (!this.#captured.has(name)) throw new Error(`nothing was captured as ${name}`)
    return this.#captured.get(name)
  }

  number(name: string): number {
    return Number(this.get(name))
  }

  own(name: string): string {
    return `${this.#prefix}-${name}`
  }

  /** What a string of a scenario stands for. */
  resolve(of: string): unknown {
    if (of.startsWith('~')) return this.own(of.slice(1))
    return of.startsWith('$') ? this.get(of.slice(1)) : of
  }
}
