/** The topics of a log as its storage holds them, read without a broker: what verifying and repairing go by. */
import { openBatch } from '../record/decode.js'
import type { Clock } from '../runtime/clock.js'
import { yieldToEventLoop } from '../runtime/clock.js'
import type { Uuid } from '../runtime/uuid.js'
import type { LogStorage, PartitionId } from '../storage/contract.js'
import { decodeChange, METADATA_TOPIC_ID } from './metadata/metadata-log.js'
import { METADATA_TOPIC } from './metadata/topic-name.js'

/** How much of the metadata log is decoded before the event loop has its turn. */
const SLICE_BYTES = 256 * 1024

/** A topic as the metadata log has it. */
interface StoredTopic {
  readonly name: string
  partitions: number
}

/** Topic ids to topics; `isWhole` is false when the metadata log could not be read to its end. */
export class StoredTopics {
  readonly #topics = new Map<Uuid, StoredTopic>([
    [METADATA_TOPIC_ID, { name: METADATA_TOPIC, partitions: 1 }],
  ])
  #isWhole = true

  /** Reads them. Damage ends the reading: it is found where the metadata log itself is verified. */
  static async read(storage: LogStorage, clock: Clock, signal?: AbortSignal): Promise<StoredTopics> {
    const topics = new StoredTopics()
    try {
      const log = await storage.partition({ topicId: METADATA_TOPIC_ID, partition: 0 })
      const { startOffset, endOffset } = log.state
      for (let offset = startOffset; offset < endOffset;) {
        signal?.throwIfAborted()
        const batches = await log.read(offset, SLICE_BYTES)
        if (batches.length === 0) break
        for (const { bytes, lastOffset } of batches) {
          const cursor = await openBatch(bytes)
          while (cursor.next()) if (cursor.value !== null) topics.#apply(cursor.value)
          offset = lastOffset + 1
        }
        await yieldToEventLoop(clock)
      }
    } catch {
      signal?.throwIfAborted()
      topics.#isWhole = false
    }
    return topics
  }

  /** The name of the topic with this id; the id itself when there is none. */
  nameOf(topicId: Uuid): string {
    return this.#topics.get(topicId)?.name ?? topicId
  }

  /** Whether no topic has the partition, as far as all topics are known. */
  isOrphan({ topicId, partition }: PartitionId): boolean {
    return this.#isWhole && partition >= (this.#topics.get(topicId)?.partitions ?? 0)
  }

  #apply(value: Uint8Array): void {
    const change = decodeChange(value)
    if (change?.type === 'topic') {
      this.#topics.set(change.record.topicId, { name: change.record.name, partitions: 0 })
    } else if (change?.type === 'partition') {
      const topic = this.#topics.get(change.record.topicId)
      if (topic) topic.partitions = Math.max(topic.partitions, change.record.partitionId + 1)
    } else if (change?.type === 'removeTopic') this.#topics.delete(change.record.topicId)
  }
}
