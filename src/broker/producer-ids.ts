/** Producer ids: handed out from blocks, each of which is durable before its first id is given away. */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { ClusterMetadata } from './metadata/cluster-metadata.js'

/** How many ids one metadata record reserves, as in Kafka. What a crash leaves unused of a block is skipped. */
export const PRODUCER_ID_BLOCK_SIZE = 1000

/** Hands out producer ids that no producer of this cluster had before. */
export class ProducerIds {
  readonly #metadata: ClusterMetadata
  readonly #nodeId: number
  #next = 0
  #end = 0
  #reserving: Promise<void> | undefined

  constructor(metadata: ClusterMetadata, nodeId: number) {
    this.#metadata = metadata
    this.#nodeId = nodeId
  }

  /** A fresh producer id. Rejects when a block could not be made durable. */
  async next(): Promise<number> {
    while (this.#next >= this.#end) await (this.#reserving ??= this.#reserve())
    return this.#next++
  }

  async #reserve(): Promise<void> {
    const metadata = this.#metadata
    try {
      await metadata.exclusive(async () => {
        const start = metadata.nextProducerId
        const nextProducerId = start + PRODUCER_ID_BLOCK_SIZE
        if (nextProducerId > Number.MAX_SAFE_INTEGER) {
          throw new OttlaError('UNKNOWN_SERVER_ERROR', 'All producer ids have been given away.')
        }
        await metadata.commit([
          { type: 'producerIds', record: { brokerId: this.#nodeId, brokerEpoch: -1, nextProducerId } },
        ])
        this.#next = start
        this.#end = nextProducerId
      })
    } finally {
      this.#reserving = undefined
    }
  }
}
