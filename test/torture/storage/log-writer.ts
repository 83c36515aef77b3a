/** Writes a small log through Ottla, so that there is something to operate on. */
import { Ottla, string } from 'ottla'
import type { LogStorage } from '../../../src/storage/contract.js'
import { SeededRandom } from '../../support/seeded-random.js'
import { lineOf, PARTITIONS, TOPIC, valueOf, type RecordName } from '../ledger.js'
import { say } from './say.js'

/**
 * Sends `sends` groups of records, one after another, says each record that was acknowledged, and `done`; then closes
 * the log, or waits for its death.
 */
export const writeLog = async (storage: LogStorage, sends: number, isClosed: boolean): Promise<void> => {
  const ottla = await Ottla.open({ storage })
  const topic = await ottla.createTopic(TOPIC, { partitions: PARTITIONS, key: string, value: string })
  const producer = ottla.producer({ lingerMs: 0 })
  const random = new SeededRandom(1)
  let sequence = 0
  for (let send = 0; send < sends; send++) {
    const names = Array.from({ length: 1 + random.below(12) }, (): RecordName => ({
      round: 0,
      producer: 0,
      sequence: sequence++,
    }))
    const records = names.map((name) => ({ key: `key-${random.below(40)}`, value: valueOf(name) }))
    const sent = await producer.send(topic, records)
    say(
      sent
        .map(({ partition, offset }, at) => lineOf({ kind: 'record', partition, offset, name: names[at]! }))
        .join(''),
    )
  }
  if (isClosed) await ottla.close()
  say('done\n')
  if (!isClosed) setInterval(() => undefined, 60_000)
}
