/**
 * A process that is killed while it consumes, transforms and produces: what it reads of one topic goes into another, with
 * its offsets in the same transactions, some of which it aborts.
 */
import { Ottla, string } from 'ottla'
import type { Durability, LogStorage } from '../../src/storage/contract.js'
import { SeededRandom } from '../support/seeded-random.js'
import { say } from './storage/say.js'

/** The topic that is read, and the one that is written. */
export const SOURCE = 'source'
export const TARGET = 'target'
export const TRANSFORM_PARTITIONS = 2
/** The group that reads, and the id under which it writes. */
export const TRANSFORMER = 'transformer'

/** How many records a round adds to the source. */
const RECORDS = 300

/** Says `ready`, then `committed PARTITION OFFSET` for what a commit was acknowledged for. */
export const transformUntilKilled = async (
  storage: LogStorage,
  durability: Durability,
  seed: number,
  round: number,
): Promise<void> => {
  const random = new SeededRandom(seed)
  const ottla = await Ottla.open({ storage, durability })
  const topicOptions = { partitions: TRANSFORM_PARTITIONS, value: string }
  const source = await ottla.createTopic(SOURCE, topicOptions)
  const target = await ottla.createTopic(TARGET, topicOptions)
  say('ready\n')
  const records = Array.from({ length: RECORDS }, (_, index) => ({ value: `${round}.${index}` }))
  const produced = ottla.producer().send(source, records)

  const producer = ottla.producer({ transactionalId: TRANSFORMER })
  const group = ottla.consumerGroup(TRANSFORMER, { topics: [source] })
  for (;;) {
    const consumer = await group.join({
      enableAutoCommit: false,
      isolationLevel: 'read_committed',
      maxPollRecords: 1 + random.below(40),
    })
    const aborted = new Error('aborted on purpose')
    try {
      await consumer.run({
        eachBatch: async (batch) => {
          const messages = [...batch]
          await producer.transaction(async (tx) => {
            for (const { value } of messages) void tx.send(target, { value })
            await tx.commitOffsets(consumer, messages)
            if (random.below(4) === 0) throw aborted
          })
          const { partition, offset } = messages.at(-1)!
          say(`committed ${partition} ${offset + 1}\n`)
        },
      })
    } catch (error) {
      if (error !== aborted) throw error
    }
    await consumer.close()
    await produced
  }
}
