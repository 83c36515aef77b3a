/** What the members of one group made of the records: each at least once, and none that its transaction took back. */
import type { Source } from './topics.js'

/** What is expected of a group. */
export interface TallyRules {
  readonly groupId: string
  readonly sources: readonly Source[]
  readonly isReadCommitted: boolean
  /** Whether each record counts once: it went through a transaction. */
  readonly isExactlyOnce: boolean
}

/** How often each record was processed. */
export class Tally {
  readonly #rules: TallyRules
  readonly #counts = new Map<string, number>()
  /** How often a record was processed again. */
  repeatedCount = 0

  constructor(rules: TallyRules) {
    this.#rules = rules
  }

  /** A record was processed, with its results where they count. */
  count(value: string): void {
    const { groupId, sources, isReadCommitted, isExactlyOnce } = this.#rules
    const fate = sources.map(({ fates }) => fates.get(value)).find((found) => found !== undefined)
    if (fate === undefined) throw new Error(`${groupId}: nobody wrote ${value}`)
    if (fate === 'aborted' && isReadCommitted)
      throw new Error(`${groupId}: ${value} was aborted, and is seen`)
    const before = this.#counts.get(value) ?? 0
    if (before > 0) this.repeatedCount++
    if (before > 0 && isExactlyOnce) throw new Error(`${groupId}: ${value} is there twice`)
    this.#counts.set(value, before + 1)
  }

  /** How many records were processed, each counted once. */
  get size(): number {
    return this.#counts.size
  }

  /** How many are to be processed. */
  get expected(): number {
    const { sources, isReadCommitted } = this.#rules
    return sources.reduce(
      (sum, { fates, committedCount }) => sum + (isReadCommitted ? committedCount : fates.size),
      0,
    )
  }

  /** Throws when a record was never processed. */
  check(): void {
    const { groupId, sources, isReadCommitted } = this.#rules
    for (const { fates } of sources) {
      for (const [value, fate] of fates) {
        if (isReadCommitted && fate === 'aborted') continue
        if (!this.#counts.has(value)) throw new Error(`${groupId}: ${value} was never processed`)
      }
    }
  }
}
