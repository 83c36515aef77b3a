/** What a producer keeps per topic: the queues of its partitions, and where keyless records go. */
import { PartitionQueue } from './partition-queue.js'
import type { StickyPartition } from './partitioner.js'

/** The queues of a topic. */
export class TopicQueues {
  readonly sticky: StickyPartition
  readonly #topic: string
  readonly #queues: (PartitionQueue | undefined)[] = []

  constructor(topic: string, sticky: StickyPartition) {
    this.#topic = topic
    this.sticky = sticky
  }

  /** The queue of a partition. */
  of(partition: number): PartitionQueue {
    return (this.#queues[partition] ??= new PartitionQueue(this.#topic, partition))
  }
}
