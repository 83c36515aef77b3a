/** The offsets that a group has committed, by topic and partition. */
import { ZERO_UUID, type Uuid } from '../../runtime/uuid.js'

/** One committed offset. */
export interface CommittedOffset {
  readonly offset: number
  /** Leader epoch of the last consumed record; -1 when the client did not tell. */
  readonly leaderEpoch: number
  /** What the client wants to find again with the offset. */
  readonly metadata: string
  /** When it was committed, in milliseconds since the epoch. */
  readonly commitTimestamp: number
  /**
   * Until when it is to be kept, in milliseconds since the epoch; only clients from before KIP-211 say so, for others
   * the broker config offsets.retention.minutes decides.
   */
  readonly expireTimestamp?: number
  /** The id of the topic when it was committed; all zero when the record has none. */
  readonly topicId: Uuid
  /** Where its record lies in the offsets log: of two commits the later record counts. */
  readonly logOffset: number
}

/** Whether it was committed for the topic with this id, not for one of the same name that was there before. */
export const isOfTopic = (committed: CommittedOffset, topicId: Uuid): boolean =>
  committed.topicId === ZERO_UUID || committed.topicId === topicId

/** A group's committed offsets. */
export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()
  #size = 0

  /** How many partitions have an offset. */
  get size(): number {
    return this.#size
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  /** Keeps `committed` unless a later one is there already. */
  set(topic: string, partition: number, committed: CommittedOffset): void {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map<number, CommittedOffset>()
      this.#topics.set(topic, partitions)
    }
    const before = partitions.get(partition)
    if (before !== undefined && before.logOffset > committed.logOffset) return
    if (before === undefined) this.#size++
    partitions.set(partition, committed)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    if (partitions?.delete(partition) !== true) return
    this.#size--
    if (partitions.size === 0) this.#topics.delete(topic)
  }

  /** The topics that have offsets. */
  topics(): string[] {
    return [...this.#topics.keys()]
  }

  /** The partitions of `topic` that have offsets. */
  partitions(topic: string): number[] {
    return [...(this.#topics.get(topic)?.keys() ?? [])]
  }
}
