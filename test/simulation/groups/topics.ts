/**
 * The topics that the groups read, and what was written to them: single records, transactions that are committed and
 * such that are aborted. A value names its record.
 */
import type { ClientContext } from '../../../src/clients/context.js'
import type { ProducerRecord } from '../../../src/clients/producer/encode-record.js'
import { Producer } from '../../../src/clients/producer/producer.js'
import { readPartition } from '../../../src/clients/consumer/read-partition.js'
import { string } from '../../../src/clients/serdes/string.js'
import { Topic } from '../../../src/clients/topic.js'
import { createTopics } from '../../../src/protocol/api/create-topics.js'
import type { SeededRandom } from '../../support/seeded-random.js'

/** A topic of texts. */
export type TextTopic = Topic<string, string>

/** What became of a record. */
export type Fate = 'committed' | 'aborted'

/** Makes a topic. */
export const createTextTopic = async (
  context: ClientContext,
  name: string,
  partitionCount: number,
): Promise<TextTopic> => {
  const topic = { name, numPartitions: partitionCount, replicationFactor: 1, assignments: [], configs: [] }
  const channel = await context.network.bootstrap()
  const { topics } = await channel.send(createTopics, {
    topics: [topic],
    timeoutMs: 1000,
    validateOnly: false,
  })
  const created = topics[0]
  if (created?.errorCode !== 0) throw new Error(`topic ${name}: ${created?.errorMessage ?? 'no answer'}`)
  const definition = { name, id: created.topicId, partitionCount, key: string, value: string }
  return new Topic(definition, readPartition(context))
}

/** A topic, and the fate of every record that was written to it. */
export class Source {
  readonly fates = new Map<string, Fate>()
  /** How many records were committed. */
  committedCount = 0
  readonly #plain: Producer
  readonly #transactional: Producer
  #written: Promise<void> = Promise.resolve()

  constructor(
    readonly topic: TextTopic,
    context: ClientContext,
  ) {
    this.#plain = new Producer(context, { lingerMs: 0 })
    this.#transactional = new Producer(context, { transactionalId: `source of ${topic.name}` })
  }

  /** Writes one to five records, after what was written before, in a transaction or not. */
  write(random: SeededRandom): Promise<void> {
    const count = 1 + random.below(5)
    const isInTransaction = random.below(3) === 0
    const fate = isInTransaction && random.below(2) === 0 ? 'aborted' : 'committed'
    const records = Array.from({ length: count }, (_, index) => ({
      value: `${this.topic.name}/${this.fates.size + index}`,
      partition: random.below(this.topic.partitionCount),
    }))
    for (const { value } of records) this.fates.set(value, fate)
    if (fate === 'committed') this.committedCount += count
    this.#written = this.#written.then(() =>
      isInTransaction ? this.#writeInTransaction(records, fate) : this.#writeAlone(records),
    )
    return this.#written
  }

  async #writeAlone(records: readonly ProducerRecord<string, string>[]): Promise<void> {
    await this.#plain.send(this.topic, records)
  }

  async #writeInTransaction(records: readonly ProducerRecord<string, string>[], fate: Fate): Promise<void> {
    await this.#transactional.begin()
    await this.#transactional.send(this.topic, records)
    if (fate === 'aborted') await this.#transactional.abort()
    else await this.#transactional.commit()
  }

  async close(): Promise<void> {
    await this.#plain.close()
    await this.#transactional.close()
  }
}
