/**
 * Clients of other languages against a listener: every client writes, with every codec, and every client reads all of
 * it in a group. What one of them writes wrongly, or is told wrongly, another one finds.
 */
import assert from 'node:assert/strict'
import { Ottla, string } from '../../src/index.js'
import { COMPRESSION_TYPES, type CompressionType } from '../../src/record/header.js'
import { SeededRandom } from '../support/seeded-random.js'
import { Skipped, type Suite } from '../support/suite-command.js'
import { goCommand, pythonCommand } from './foreign-programs.js'
import { javaCommand } from './java-client.js'
import { has, run, type Command } from './process.js'

const PARTITIONS = 3

/** A client: it sends lines (key=value) to a topic, and prints those that it reads in a group, once it committed. */
interface Client {
  readonly name: string
  /** @throws Skipped where it cannot run. */
  readonly prepare: () => Command
  readonly produce?: (bootstrap: string, topic: string, codec: CompressionType) => readonly string[]
  readonly consume?: (bootstrap: string, topic: string, group: string, count: number) => readonly string[]
}

const kcat = (): Command => {
  if (!has('kcat', '-V')) throw new Skipped('kcat is not on this machine')
  return { file: 'kcat', args: ['-q'] }
}

const CLIENTS: readonly Client[] = [
  { name: 'Java', prepare: () => javaCommand('Exchange.java') },
  {
    name: 'kcat',
    prepare: kcat,
    produce: (bootstrap, topic, codec) => ['-P', '-b', bootstrap, '-t', topic, '-K', '=', '-z', codec],
    consume: (bootstrap, topic, group, count) => [
      ...['-b', bootstrap, '-f', '%k=%s\n', '-c', String(count), '-X', 'auto.offset.reset=earliest'],
      ...['-G', group, topic],
    ],
  },
  { name: 'confluent-kafka (librdkafka)', prepare: pythonCommand('confluent.py') },
  { name: 'kafka-python', prepare: pythonCommand('kafka_python.py') },
  { name: 'aiokafka', prepare: pythonCommand('aio_kafka.py') },
  { name: 'franz-go', prepare: goCommand },
]

const produceParameters = (client: Client, bootstrap: string, topic: string, codec: CompressionType) =>
  client.produce?.(bootstrap, topic, codec) ?? ['produce', bootstrap, topic, codec]

const consumeParameters = (client: Client, bootstrap: string, topic: string, group: string, count: number) =>
  client.consume?.(bootstrap, topic, group, count) ?? ['consume', bootstrap, topic, group, String(count)]

const VALUES = [
  'text',
  'größe',
  '🌍',
  'a longer text that is told again and again, again and again, and again',
]

const linesOf = (client: string, codec: CompressionType, count: number, random: SeededRandom): string[] =>
  Array.from(
    { length: count },
    (_, index) => `${client} ${codec} ${index}=${random.oneOf(VALUES)} ${random.below(1e6)}`,
  )

/** All clients that are here, with one another. */
export const exchange: Suite = {
  name: 'exchange',
  summary: 'clients of other languages write and read through a listener, each with all the others',
  defaultRounds: 100,
  async run({ rounds, seed, check }) {
    const random = new SeededRandom(seed)
    await using ottla = await Ottla.open()
    const topic = await ottla.createTopic('exchange', { partitions: PARTITIONS, key: string, value: string })
    const { host, port } = await ottla.listen()
    const bootstrap = `${host}:${port}`
    const written: string[] = []
    const ready: { readonly client: Client; readonly command: Command }[] = []

    for (const client of CLIENTS) {
      const isReady = await check(`${client.name} is ready`, () => {
        ready.push({ client, command: client.prepare() })
      })
      if (!isReady) continue
      const { command } = ready.at(-1)!
      for (const codec of COMPRESSION_TYPES) {
        const lines = linesOf(client.name, codec, rounds, random)
        const isWritten = await check(`${client.name} writes: ${codec}`, () =>
          run(command, produceParameters(client, bootstrap, topic.name, codec), `${lines.join('\n')}\n`).then(
            () => undefined,
          ),
        )
        if (isWritten) written.push(...lines)
      }
    }
    if (ready.length === 0) return

    await check('Ottla reads what all have written', async () => {
      const read: string[] = []
      for (const partition of topic.partitions()) {
        for await (const { key, value } of topic.partition(partition.partition).read({ to: 'latest' })) {
          read.push(`${key}=${value}`)
        }
      }
      assert.deepEqual(read.sort(), [...written].sort())
      return `${read.length} records`
    })
    for (const { client, command } of ready) {
      await check(`${client.name} reads what all have written, in a group`, async () => {
        const group = `readers in ${client.name}`
        const read = await run(
          command,
          consumeParameters(client, bootstrap, topic.name, group, written.length),
        )
        assert.deepEqual([...read].sort(), [...written].sort())
        const offsets = await ottla.admin.listConsumerGroupOffsets(group)
        const committed = offsets.reduce((total, { offset }) => total + offset, 0)
        assert.equal(committed, written.length)
        return `${read.length} records`
      })
    }
  },
}
