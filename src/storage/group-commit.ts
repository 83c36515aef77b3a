/**
 * Group commit: while one write is on its way to the disk, later ones gather, and go together as the next. Any number
 * of partitions and callers share one write and one flush. After a failed write nothing is written any more.
 */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Durability } from './contract.js'

/**
 * How many bytes go into one write at most; a larger single write goes alone. What waits beyond that keeps its place:
 * its bytes are its caller's until it is acknowledged, so a bound here would save no memory. Every caller has one of its
 * own, which counts a write until then: the table in ARCHITECTURE.md says which.
 */
const MAX_GROUP_BYTES = 8 * 1024 * 1024

interface Pending<W> {
  readonly write: W
  readonly sizeBytes: number
  readonly durability: Durability
  readonly resolve: () => void
  readonly reject: (error: OttlaError) => void
}

/** Gathers writes of the kind `W` for one store. */
export class GroupCommit<W> {
  readonly #commit: (writes: readonly W[], durability: Durability) => Promise<void>
  #pending: Pending<W>[] = []
  #running: Promise<void> | undefined
  #failure: OttlaError | undefined

  /** `commit` writes a group as one atomic unit, as durable as the strictest of its members asks. */
  constructor(commit: (writes: readonly W[], durability: Durability) => Promise<void>) {
    this.#commit = commit
  }

  /** The failure after which every write is refused. */
  get failure(): OttlaError | undefined {
    return this.#failure
  }

  /** Resolves when `write` is stored. Writes take effect, and are acknowledged, in the order of the calls. */
  submit(write: W, sizeBytes: number, durability: Durability): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#pending.push({ write, sizeBytes, durability, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when all that was submitted has been written or refused. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Refuses every write from now on. */
  fail(cause: unknown): OttlaError {
    this.#failure ??= new OttlaError(
      'STORAGE_FAILED',
      `A write failed (${cause instanceof Error ? cause.message : String(cause)}); nothing is written any more. Close and open again to recover.`,
      { cause },
    )
    return this.#failure
  }

  async #run(): Promise<void> {
    // What is submitted in the same turn shares the first write too.
    await Promise.resolve()
    while (this.#pending.length > 0) {
      const group = this.#nextGroup()
      try {
        if (this.#failure !== undefined) throw this.#failure
        const durability = group.some((member) => member.durability === 'fsync') ? 'fsync' : 'os'
        await this.#commit(
          group.map((member) => member.write),
          durability,
        )
        for (const member of group) member.resolve()
      } catch (error) {
        const failure = this.fail(error)
        for (const member of group) member.reject(failure)
      }
    }
    // In the same turn as the last look: whoever submits after it starts the next run.
    this.#running = undefined
  }

  #nextGroup(): Pending<W>[] {
    let groupBytes = 0
    let count = 0
    for (const { sizeBytes } of this.#pending) {
      groupBytes += sizeBytes
      if (groupBytes > MAX_GROUP_BYTES && count > 0) break
      count++
    }
    if (count === this.#pending.length) {
      const all = this.#pending
      this.#pending = []
      return all
    }
    return this.#pending.splice(0, count)
  }
}
