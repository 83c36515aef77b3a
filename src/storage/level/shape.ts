/**
 * Reads beside changes of a partition's shape. Index and batches are looked up one after another, so a read during
 * which the shape changed has seen half of each, and is made again.
 */
import { levelError } from './level-error.js'

/** How often a read is tried beside changes of shape before it takes its turn among them. */
const MAX_READ_ATTEMPTS = 4

/** What a read needs of its partition. */
export interface ShapedPartition {
  /** Throws when there is nothing to be read any more. */
  readonly assertReadable: () => void
  /** Resolves when the change that is under way is over. */
  readonly settled: () => Promise<void>
  /** Reads with no change of shape beside it. */
  readonly alone: <T>(read: () => Promise<T>) => Promise<T>
  /** What errors call the partition. */
  readonly name: string
}

/** The shape of a partition, as far as readers must know of it. */
export class Shape {
  /** Counts when a change goes to the database, and when it is there: odd in between. */
  #changes = 0

  /** Makes a change that readers must not see half of. */
  async change(write: () => Promise<void>): Promise<void> {
    this.#changes++
    try {
      await write()
    } finally {
      this.#changes++
    }
  }

  /** What `read` answers when no change fell into it. */
  async read<T>(read: () => Promise<T>, partition: ShapedPartition): Promise<T> {
    for (let attempt = 0; attempt < MAX_READ_ATTEMPTS; attempt++) {
      partition.assertReadable()
      const before = this.#changes
      const isSettled = (): boolean => before % 2 === 0 && before === this.#changes
      try {
        const found = await read()
        partition.assertReadable()
        if (isSettled()) return found
      } catch (error) {
        partition.assertReadable()
        if (isSettled()) throw levelError(error, `The partition ${partition.name}`, 'could not be read')
      }
      if (this.#changes % 2 === 1) await partition.settled()
    }
    return partition.alone(read)
  }
}
