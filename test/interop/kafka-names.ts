/** The lists that docs/kafka.md is held against (test/fixtures/kafka-names), against Kafka's own client. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Suite } from '../support/suite-command.js'
import { runJava } from './java-client.js'

const LISTS = ['producer', 'consumer', 'admin'].flatMap((client) => [
  `${client}-configs`,
  `${client}-methods`,
])

/** What Kafka's client has, and no more. */
export const kafkaNames: Suite = {
  name: 'names',
  summary: "the names of configs and methods of Apache Kafka 4.3's client",
  defaultRounds: 1,
  async run({ check }) {
    await check('the lists are those of the client', () => {
      const lines = runJava('Names.java', [])
      for (const list of LISTS) {
        const names = lines
          .filter((line) => line.startsWith(`${list} `))
          .map((line) => line.slice(list.length + 1))
        const file = new URL(`../fixtures/kafka-names/${list}.txt`, import.meta.url)
        assert.deepEqual(readFileSync(file, 'utf8').trimEnd().split('\n'), names, list)
      }
      return `${lines.length} names`
    })
  },
}
