/**
 * Clients of other languages in transactions: each reads what there is and writes it anew, with its offsets in the same
 * transactions, of which it aborts every other one. What they leave is there once.
 */
import assert from 'node:assert/strict'
import { Ottla, string } from '../../src/index.js'
import type { Suite } from '../support/suite-command.js'
import { goCommand, pythonCommand } from './foreign-programs.js'
import { javaCommand, toolCommand } from './java-client.js'
import { run, type Command } from './process.js'

const PARTITIONS = 2

const CLIENTS: readonly { readonly name: string; readonly prepare: () => Command }[] = [
  { name: 'Java', prepare: () => javaCommand('Transform.java') },
  { name: 'confluent-kafka (librdkafka)', prepare: pythonCommand('confluent.py') },
  { name: 'franz-go', prepare: goCommand },
]

/** Exactly once, by each client that is here. */
export const transactions: Suite = {
  name: 'transactions',
  summary: 'clients of other languages consume, transform and produce exactly once through a listener',
  defaultRounds: 100,
  async run({ rounds, check }) {
    await using ottla = await Ottla.open()
    const source = await ottla.createTopic('source', { partitions: PARTITIONS, value: string })
    const values = Array.from({ length: rounds }, (_, index) => `record ${index}`)
    await ottla.producer().send(
      source,
      values.map((value) => ({ value })),
    )
    const { host, port } = await ottla.listen()
    const bootstrap = `${host}:${port}`
    for (const { name, prepare } of CLIENTS) {
      await check(`${name} writes what it reads exactly once`, async () => {
        const command = prepare()
        const group = `transform in ${name}`
        const topic = `by-${name.replaceAll(/[^a-z-]/gi, '')}`
        const target = await ottla.createTopic(topic, { partitions: PARTITIONS, value: string })
        await run(command, ['transform', bootstrap, source.name, topic, group, String(values.length)])
        const consumer = ottla.consumer({
          assign: [target],
          isolationLevel: 'read_committed',
          from: 'earliest',
        })
        const found: string[] = []
        for await (const { value } of consumer) {
          found.push(value)
          if (found.length === values.length) break
        }
        assert.deepEqual(found.sort(), [...values].sort())
        let written = 0
        for (const { partition } of target.partitions()) {
          for await (const _message of target.partition(partition).read({ to: 'latest' })) written++
        }
        // What was aborted is in the log, and was seen by nobody who asked for what is committed.
        assert.ok(written > values.length)
        const offsets = await ottla.admin.listConsumerGroupOffsets(group)
        assert.equal(
          offsets.reduce((sum, { offset }) => sum + offset, 0),
          values.length,
        )
        return `${values.length} records, ${written} written`
      })
    }
    await check('kafka-transactions lists and describes', async () => {
      const tool = (...parameters: string[]): Promise<readonly string[]> =>
        run(toolCommand('TransactionsCommand'), ['--bootstrap-server', bootstrap, ...parameters])
      const producer = ottla.producer({ transactionalId: 'open' })
      await producer.begin()
      await producer.send(source, { value: 'open', partition: 1 })
      const listed = await tool('list')
      assert.ok(
        listed.some((line) => /^open\s+1\s+\d+\s+Ongoing/.test(line)),
        listed.join('\n'),
      )
      const described = await tool('describe', '--transactional-id', 'open')
      assert.ok(
        described.some((line) => line.includes('Ongoing') && line.includes('source-1')),
        described.join('\n'),
      )
      const hanging = await tool('describe-producers', '--topic', 'source', '--partition', '1')
      assert.ok(hanging.length > 1, hanging.join('\n'))
      await producer.abort()
      return `${listed.length - 1} transactional ids`
    })
  },
}
