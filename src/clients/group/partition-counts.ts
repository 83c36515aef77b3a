/**
 * What the leader of a group remembers of the topics that it shared out: how many partitions each had, so that a
 * change is noticed and shared anew.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { METADATA_MAX_AGE_MS } from '../cluster.js'
import type { ClientContext } from '../context.js'

/** The numbers of partitions of a group's topics. */
export class PartitionCounts {
  readonly #context: ClientContext
  #topics: ReadonlySet<string> = new Set()
  #counts: ReadonlyMap<string, number> | undefined
  #lookedAt = 0

  constructor(context: ClientContext) {
    this.#context = context
  }

  /** Asks how many partitions each topic has, and remembers it; a topic that does not exist is left out. */
  async refresh(topics: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    this.#topics = topics
    this.#counts = await this.#ask(signal)
    return this.#counts
  }

  /** No longer ours to watch: another member leads. */
  forget(): void {
    this.#counts = undefined
  }

  /** Whether there are other numbers than those remembered. Asks when metadata may be old, at most. */
  async haveChanged(signal: AbortSignal): Promise<boolean> {
    const known = this.#counts
    if (known === undefined || this.#context.clock.monotonic() - this.#lookedAt < METADATA_MAX_AGE_MS)
      return false
    const counts = await this.#ask(signal)
    // Another generation may have begun meanwhile.
    if (this.#counts !== known) return false
    return counts.size !== known.size || [...counts].some(([topic, count]) => known.get(topic) !== count)
  }

  async #ask(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { cluster, clock } = this.#context
    this.#lookedAt = clock.monotonic()
    const counts = new Map<string, number>()
    for (const topic of this.#topics) {
      cluster.invalidate(topic)
      try {
        counts.set(topic, (await cluster.topic(topic, { signal })).partitions.length)
      } catch (error) {
        if (!OttlaError.is(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw error
      }
    }
    return counts
  }
}
