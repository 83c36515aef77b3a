/** The scenarios that `test/scenarios` plays on Ottla, on an Apache Kafka: what it answers otherwise is wrong in them. */
import type { Suite } from '../support/suite-command.js'
import { AREAS } from '../scenarios/areas.js'
import { play } from '../scenarios/play.js'
import { ApacheKafka } from './apache-kafka.js'

/** All of them, on one broker. */
export const scenarios: Suite = {
  name: 'scenarios',
  summary: 'the scenarios of test/scenarios on Apache Kafka 4.3',
  defaultRounds: 1,
  async run({ rounds, check }) {
    let kafka: ApacheKafka | undefined
    const isReady = await check('Apache Kafka starts', async () => {
      kafka = await ApacheKafka.start()
    })
    if (!isReady || kafka === undefined) return
    const { port } = kafka
    try {
      for (let round = 0; round < rounds; round++) {
        for (const area of AREAS) {
          for (const scenario of area.scenarios) {
            await check(`${area.name}: ${scenario.name}`, () => play(scenario, port))
          }
        }
      }
    } finally {
      await kafka.stop()
    }
  },
}
