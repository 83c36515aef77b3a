/** Kafka Streams through a listener: its own word count, with the topics that it makes for itself. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { int64, Ottla, string } from '../../src/index.js'
import { SeededRandom } from '../support/seeded-random.js'
import type { Suite } from '../support/suite-command.js'
import { streamsCommand } from './java-client.js'

const WORDS = ['all', 'streams', 'lead', 'to', 'kafka', 'summit']

/** What the demo of Kafka Streams counts. */
export const streams: Suite = {
  name: 'streams',
  summary: "Kafka Streams' word count through a listener",
  defaultRounds: 100,
  async run({ rounds, seed, check }) {
    const random = new SeededRandom(seed)
    const isReady = await check('Kafka Streams is there', () => {
      streamsCommand()
    })
    if (!isReady) return
    const folder = await mkdtemp(join(tmpdir(), 'ottla-streams-'))
    await using ottla = await Ottla.open()
    const { host, port } = await ottla.listen()
    const lines = await ottla.createTopic('streams-plaintext-input', { partitions: 2, value: string })
    const counts = await ottla.createTopic('streams-wordcount-output', {
      key: string,
      value: int64,
      configs: { 'cleanup.policy': 'compact' },
    })
    const expected = new Map<string, number>()
    const written = Array.from({ length: rounds }, () => {
      const words = [random.oneOf(WORDS), random.oneOf(WORDS)]
      for (const word of words) expected.set(word, (expected.get(word) ?? 0) + 1)
      return { value: words.join(' ') }
    })
    await ottla.producer().send(lines, written)
    const properties = join(folder, 'streams.properties')
    await writeFile(properties, `bootstrap.servers=${host}:${port}\nstate.dir=${folder}/state\n`)
    const { file, args } = streamsCommand()
    const child = spawn(file, [...args, properties], { stdio: 'ignore' })
    const exit = once(child, 'exit')
    try {
      await check('it counts every word', async () => {
        const told = new Map<string, number>()
        const isDone = (): boolean => [...expected].every(([word, count]) => told.get(word) === count)
        for await (const { key, value } of counts.partition(0).read()) {
          told.set(String(key), Number(value))
          if (isDone()) break
        }
        assert.deepEqual(new Map([...told].sort()), new Map([...expected].sort()))
        return `${expected.size} words`
      })
      await check('it has made the topics that it needs', async () => {
        const names = await ottla.admin.listTopics()
        assert.equal(
          names.filter((name) => /^streams-wordcount-.*-(changelog|repartition)$/.test(name)).length,
          2,
        )
      })
    } finally {
      child.kill()
      await exit
      await rm(folder, { recursive: true, force: true })
    }
  },
}
