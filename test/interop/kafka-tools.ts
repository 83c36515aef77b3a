/** Apache Kafka's own command line tools against a listener: what is done with one of them, another one sees. */
import assert from 'node:assert/strict'
import { Ottla } from '../../src/index.js'
import type { Suite } from '../support/suite-command.js'
import { toolCommand } from './java-client.js'
import { run } from './process.js'

/** The cells of the lines that a tool prints, without the blanks between. */
const cells = (lines: readonly string[]): string[][] => lines.map((line) => line.trim().split(/\s+/))

/** The JSON objects among the lines. */
const events = (lines: readonly string[]): Record<string, unknown>[] =>
  lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>)

/** What kafka-log-dirs prints. */
interface LogDirs {
  readonly brokers: readonly {
    readonly logDirs: readonly {
      readonly error: string | null
      readonly partitions: readonly { readonly partition: string; readonly size: number }[]
    }[]
  }[]
}

/** The tools by the names of their classes, one after another on one broker. */
export const kafkaTools: Suite = {
  name: 'tools',
  summary: "Apache Kafka's own command line tools through a listener",
  defaultRounds: 100,
  async run({ rounds, check }) {
    await using ottla = await Ottla.open()
    const { host, port } = await ottla.listen()
    const tool = (name: string, parameters: readonly string[], input?: string): Promise<readonly string[]> =>
      run(toolCommand(name), ['--bootstrap-server', `${host}:${port}`, ...parameters], input)
    const isReady = await check('the tools are there', () => {
      toolCommand('TopicCommand')
    })
    if (!isReady) return

    await check('kafka-topics creates, alters, lists and describes', async () => {
      const create = ['--create', '--topic', 'orders', '--partitions', '3', '--config', 'retention.ms=60000']
      assert.match((await tool('TopicCommand', create)).join(), /Created topic orders/)
      await tool('TopicCommand', ['--alter', '--topic', 'orders', '--partitions', '4'])
      assert.deepEqual(await tool('TopicCommand', ['--list', '--exclude-internal']), ['orders'])
      const [topic, ...partitions] = await tool('TopicCommand', ['--describe', '--topic', 'orders'])
      assert.match(topic ?? '', /PartitionCount: 4\s+ReplicationFactor: 1\s+Configs: .*retention\.ms=60000/)
      assert.equal(partitions.length, 4)
      for (const line of partitions) assert.match(line, /Leader: 1\s+Replicas: 1\s+Isr: 1/)
    })
    const lines = Array.from({ length: rounds }, (_, index) => `key ${index}=value ${index}`)
    await check('kafka-console-producer writes', () =>
      tool(
        'ConsoleProducer',
        [
          ...['--topic', 'orders', '--reader-property', 'parse.key=true'],
          ...['--reader-property', 'key.separator=='],
        ],
        `${lines.join('\n')}\n`,
      ).then(() => undefined),
    )
    await check('kafka-console-consumer reads it in a group', async () => {
      const read = await tool('consumer.ConsoleConsumer', [
        ...['--topic', 'orders', '--group', 'billing', '--from-beginning', '--max-messages', String(rounds)],
        ...['--formatter-property', 'print.key=true', '--formatter-property', 'key.separator=='],
      ])
      assert.deepEqual([...read].sort(), [...lines].sort())
    })
    const lag = async (): Promise<number[]> => {
      const rows = cells(
        await tool('consumer.group.ConsumerGroupCommand', ['--describe', '--group', 'billing']),
      ).filter(([group]) => group === 'billing')
      assert.equal(rows.length, 4)
      return rows.map((row) => Number(row[5]))
    }
    await check('kafka-consumer-groups lists, describes, resets and deletes', async () => {
      const groups = (...parameters: string[]) => tool('consumer.group.ConsumerGroupCommand', parameters)
      assert.deepEqual(await groups('--list'), ['billing'])
      assert.deepEqual(await lag(), [0, 0, 0, 0])
      await groups('--reset-offsets', '--to-earliest', '--group', 'billing', '--topic', 'orders', '--execute')
      assert.equal(
        (await lag()).reduce((sum, each) => sum + each, 0),
        rounds,
      )
      assert.match((await groups('--delete', '--group', 'billing')).join(), /was successful/)
      assert.deepEqual(await groups('--list'), [])
    })
    await check('kafka-console-consumer reads it in a group of the consumer protocol', async () => {
      const groups = (...parameters: string[]) => tool('consumer.group.ConsumerGroupCommand', parameters)
      const read = await tool('consumer.ConsoleConsumer', [
        ...['--topic', 'orders', '--group', 'shipping', '--from-beginning', '--max-messages', String(rounds)],
        ...['--formatter-property', 'print.key=true', '--formatter-property', 'key.separator=='],
        ...['--command-property', 'group.protocol=consumer'],
      ])
      assert.deepEqual([...read].sort(), [...lines].sort())
      const listed = cells(await groups('--list', '--type', 'consumer', '--state'))
      assert.deepEqual(listed.at(-1), ['shipping', 'Consumer', 'Empty'])
      const described = cells(await groups('--describe', '--group', 'shipping', '--state', '--verbose'))
      // Two epochs: one for its coming, one for its going, which nobody is left to be given anything in.
      assert.deepEqual(described.at(-1)?.slice(-5), ['uniform', 'Empty', '3', '2', '0'])
      await groups('--delete', '--group', 'shipping')
    })
    await check('kafka-verifiable-producer is acknowledged everything', async () => {
      const told = events(
        await tool('VerifiableProducer', [
          '--topic',
          'orders',
          '--max-messages',
          String(rounds),
          '--acks',
          '-1',
        ]),
      )
      assert.equal(told.filter(({ name }) => name === 'producer_send_success').length, rounds)
      assert.equal(told.filter(({ name }) => name === 'producer_send_error').length, 0)
    })
    await check('kafka-verifiable-consumer gets everything', async () => {
      const told = events(
        await tool('VerifiableConsumer', [
          ...['--topic', 'orders', '--group-id', 'verifying', '--reset-policy', 'earliest'],
          ...['--max-messages', String(2 * rounds)],
        ]),
      )
      const consumed = told.filter(({ name }) => name === 'records_consumed')
      assert.equal(
        consumed.reduce((sum, { count }) => sum + Number(count), 0),
        2 * rounds,
      )
    })
    await check('kafka-get-offsets and kafka-groups agree with that', async () => {
      const offsets = (await tool('GetOffsetShell', ['--topic', 'orders'])).map((line) => line.split(':'))
      assert.deepEqual(
        offsets.map(([topic, partition]) => `${topic}:${partition}`),
        ['orders:0', 'orders:1', 'orders:2', 'orders:3'],
      )
      assert.equal(
        offsets.reduce((sum, [, , offset]) => sum + Number(offset), 0),
        2 * rounds,
      )
      const rows = cells(await tool('GroupsCommand', ['--list']))
      assert.deepEqual(rows.at(-1), ['verifying', 'Classic', 'consumer'])
    })
    await check('kafka-log-dirs describes where it all is', async () => {
      const [description] = events(await tool('LogDirsCommand', ['--describe', '--topic-list', 'orders']))
      const [broker] = (description as unknown as LogDirs).brokers
      const [directory] = broker?.logDirs ?? []
      assert.equal(directory?.error, null)
      assert.deepEqual(directory.partitions.map(({ partition }) => partition).sort(), [
        'orders-0',
        'orders-1',
        'orders-2',
        'orders-3',
      ])
      assert.ok(directory.partitions.some(({ size }) => size > 0))
    })
    await check('kafka-broker-api-versions understands what is supported', async () => {
      const supported = (await tool('BrokerApiVersionsCommand', [])).join('\n')
      assert.match(supported, /Produce\(0\): 0 to 13 \[usable: 13\]/)
      assert.match(supported, /Fetch\(1\): 4 to 18 \[usable: 18\]/)
    })
    await check(
      'kafka-configs sets, describes and removes quotas, and a producer keeps to them',
      async () => {
        const configs = (...parameters: string[]) =>
          tool('kafka.admin.ConfigCommand', parameters).then((printed) => printed.join('\n'))
        const shop = ['--entity-type', 'clients', '--entity-name', 'shop']
        const anyone = ['--entity-type', 'users', '--entity-default']
        await configs('--alter', ...shop, '--add-config', 'producer_byte_rate=10000')
        await configs(
          '--alter',
          ...anyone,
          '--add-config',
          'consumer_byte_rate=2000000,request_percentage=200',
        )
        assert.match(await configs('--describe', ...shop), /client-id 'shop' are producer_byte_rate=10000\.0/)
        assert.match(
          await configs('--describe', ...anyone),
          /default user-principal are .*request_percentage=200\.0/,
        )
        const load = ['--num-records', '200', '--record-size', '1000', '--throughput', '-1']
        const options = ['--command-property', 'client.id=shop', '--print-metrics']
        const printed = await tool('ProducerPerformance', ['--topic', 'orders', ...load, ...options])
        const throttled = printed.find((line) => line.includes('produce-throttle-time-max'))
        assert.ok(Number(throttled?.split(':').at(-1)) > 0, throttled)
        await configs('--alter', ...shop, '--delete-config', 'producer_byte_rate')
        await configs('--alter', ...anyone, '--delete-config', 'consumer_byte_rate,request_percentage')
        assert.doesNotMatch(await configs('--describe', '--entity-type', 'clients'), /byte_rate/)
        await assert.rejects(configs('--alter', ...shop, '--add-config', 'controller_mutation_rate=1'))
      },
    )
    await check('kafka-topics deletes', async () => {
      await tool('TopicCommand', ['--delete', '--topic', 'orders'])
      assert.deepEqual(await tool('TopicCommand', ['--list', '--exclude-internal']), [])
    })
  },
}
