/**
 * A writer that is killed: opens the log in a storage and writes until it dies. Several producers have records in flight
 * at all times, and a member of a group reads and commits.
 */
import { Ottla, string } from 'ottla'
import type { Durability, LogStorage } from '../../src/storage/contract.js'
import { SeededRandom } from '../support/seeded-random.js'
import { groupOf, lineOf, PARTITIONS, TOPIC, valueOf } from './ledger.js'
import { say } from './storage/say.js'

const PRODUCERS = 3
const MAX_IN_FLIGHT = 16
/** So that fifty rounds stay small; who gets this far waits for its death. */
const MAX_RECORDS = 20_000

/** Says `ready`, then each promise as a line of the ledger. */
export const writeUntilKilled = async (
  storage: LogStorage,
  durability: Durability,
  seed: number,
  round: number,
): Promise<void> => {
  const ottla = await Ottla.open({ storage, durability })
  const topic = await ottla.createTopic(TOPIC, { partitions: PARTITIONS, key: string, value: string })
  say('ready\n')

  /** Sends single records and groups of them, without waiting for each other, and now and then rests. */
  const produce = async (index: number): Promise<void> => {
    const random = new SeededRandom(seed + index)
    const producer = ottla.producer()
    const inFlight = new Set<Promise<void>>()
    let sequence = 0
    while (sequence < MAX_RECORDS) {
      const names = Array.from({ length: random.below(3) === 0 ? 1 + random.below(80) : 1 }, () => ({
        round,
        producer: index,
        sequence: sequence++,
      }))
      const records = names.map((name) => ({ key: `key-${random.below(40)}`, value: valueOf(name) }))
      const sent = producer.send(topic, records).then((acknowledged) => {
        const lines = acknowledged.map(({ partition, offset }, at) =>
          lineOf({ kind: 'record', partition, offset, name: names[at]! }),
        )
        say(lines.join(''))
      })
      inFlight.add(sent)
      void sent.then(() => inFlight.delete(sent))
      if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight)
      if (random.below(20) === 0) await new Promise((resolve) => setTimeout(resolve, random.below(4)))
    }
    await Promise.all(inFlight)
  }

  const read = async (): Promise<void> => {
    const consumer = await ottla
      .consumerGroup(groupOf(round), { topics: [topic], enableAutoCommit: false })
      .join()
    let count = 0
    for await (const message of consumer) {
      if (++count % 20 !== 0) continue
      const { partition, offset } = message
      await consumer.commit([{ topic: TOPIC, partition, offset: offset + 1 }])
      say(lineOf({ kind: 'commit', partition, offset: offset + 1 }))
    }
  }

  await Promise.all([read(), ...Array.from({ length: PRODUCERS }, (_, index) => produce(index))])
}
