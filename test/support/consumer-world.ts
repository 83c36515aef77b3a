/**
 * A broker with one topic, the consumers of a group, and a tally of what they processed: what every history of
 * consumers is checked against.
 */
import { expect } from 'vitest'
import { Broker } from '../../src/broker/broker.js'
import { ClientIds } from '../../src/clients/client-ids.js'
import { Cluster } from '../../src/clients/cluster.js'
import type { Consumer } from '../../src/clients/consumer/consumer.js'
import type { GroupConsumerOptions } from '../../src/clients/consumer/consumer-options.js'
import { createGroupConsumer } from '../../src/clients/consumer/group-consumer.js'
import { readPartition } from '../../src/clients/consumer/read-partition.js'
import type { ClientContext } from '../../src/clients/context.js'
import { fetchCommitted } from '../../src/clients/group/group-offsets.js'
import type { Message } from '../../src/clients/message.js'
import { string } from '../../src/clients/serdes/string.js'
import { Topic } from '../../src/clients/topic.js'
import { DirectNetwork } from '../../src/network/direct.js'
import { createTopics } from '../../src/protocol/api/create-topics.js'
import { produce } from '../../src/protocol/api/produce.js'
import { BatchBuilder } from '../../src/record/encode.js'
import { toUtf8 } from '../../src/runtime/bytes.js'
import { systemClock } from '../../src/runtime/clock.js'
import { SILENT } from '../../src/runtime/logger.js'
import { Resource } from '../../src/runtime/lifecycle.js'
import { systemRandom } from '../../src/runtime/random.js'
import { Timers } from '../../src/runtime/timers.js'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'
import type { SeededRandom } from './seeded-random.js'

/** A message of the topic: its value says which partition and offset it was produced for. */
export type Text = Message<string, string, 'orders'>

class Root extends Resource {
  constructor() {
    super('test')
  }

  protected onClose(): void {
    // Only a parent for consumers.
  }
}

/** The clients of one process: killed, they are cut off in the middle of whatever they do. */
export class Process {
  readonly root = new Root()
  readonly context: ClientContext
  readonly #network: DirectNetwork

  constructor(broker: Broker) {
    const clock = systemClock
    const random = systemRandom
    const timers = new Timers(clock)
    this.#network = new DirectNetwork(broker, { clock, clientId: 'test' })
    const cluster = new Cluster({ network: this.#network, clock, timers, random })
    this.context = {
      network: this.#network,
      cluster,
      clock,
      timers,
      random,
      clientIds: new ClientIds('test'),
      logger: SILENT,
    }
  }

  /** Nothing that it asks the broker is answered any more, and none of its deadlines comes. */
  async kill(): Promise<void> {
    await this.#network.close()
    this.context.timers.clear()
  }

  async close(): Promise<void> {
    await this.root.close()
    await this.kill()
  }
}

const GROUP = 'billing'

/** The broker, its topic `orders`, and what became of the records. */
export class ConsumerWorld {
  readonly topic: Topic<string, string, 'orders'>
  /** How often each record was processed, by partition and offset. */
  readonly processed: number[][]
  /** How many records each partition has. */
  readonly produced: number[]
  readonly #processes: Process[] = []

  private constructor(
    readonly broker: Broker,
    /** The process that is never killed. */
    readonly main: Process,
    readonly options: GroupConsumerOptions,
    definition: { readonly id: string; readonly partitionCount: number },
  ) {
    this.topic = new Topic(
      { name: 'orders', key: string, value: string, ...definition },
      readPartition(main.context),
    )
    this.processed = Array.from({ length: definition.partitionCount }, () => [])
    this.produced = new Array<number>(definition.partitionCount).fill(0)
  }

  static async open(partitionCount: number, options: GroupConsumerOptions = {}): Promise<ConsumerWorld> {
    const configs = { 'group.initial.rebalance.delay.ms': 0, 'group.min.session.timeout.ms': 1 }
    const broker = await Broker.open({ storage: new MemoryStorage(), clock: systemClock, configs })
    const main = new Process(broker)
    const channel = await main.context.network.bootstrap()
    const orders = {
      name: 'orders',
      numPartitions: partitionCount,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }
    const request = { topics: [orders], timeoutMs: 1000, validateOnly: false }
    const { topics } = await channel.send(createTopics, request)
    return new ConsumerWorld(broker, main, options, { id: topics[0]!.topicId, partitionCount })
  }

  /** A process of its own, to be killed. */
  process(): Process {
    const process = new Process(this.broker)
    this.#processes.push(process)
    return process
  }

  /** Appends one to thirty records to some partition, compressed or not. */
  async produce(random: SeededRandom, partition = random.below(this.produced.length)): Promise<void> {
    const builder = new BatchBuilder()
    const count = 1 + random.below(random.oneOf([1, 5, 30]))
    const first = this.produced[partition]!
    for (let index = 0; index < count; index++) {
      builder.append(systemClock.now(), null, toUtf8(`${partition}/${first + index}`), [])
    }
    const batch = random.below(3) === 0 ? await builder.buildCompressed('gzip', {}) : builder.build({})
    const channel = await this.main.context.network.bootstrap()
    const partitionData = [{ index: partition, records: [batch] }]
    const { responses } = await channel.send(produce, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: '', topicId: this.topic.id, partitionData }],
    })
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
    this.produced[partition] = first + count
  }

  /** A new member of the group. */
  join(process = this.main): Promise<Consumer<Text>> {
    const { topic, options } = this
    return createGroupConsumer<Text>(
      process.context,
      { groupId: GROUP, topics: [topic], options },
      process.root,
    )
  }

  /** Notes that `message` is processed, and that it is the one that was produced there. */
  count({ partition, offset, value }: Text): void {
    expect(value).toBe(`${partition}/${offset}`)
    const counts = this.processed[partition]!
    counts[offset] = (counts[offset] ?? 0) + 1
  }

  /** Whether everything was processed. */
  get isDone(): boolean {
    return this.tally().every((counts) => !counts.includes(0))
  }

  /** How often each record was processed, by partition and offset; 0 for those that never were. */
  tally(): number[][] {
    return this.produced.map((end, partition) =>
      Array.from({ length: end }, (_, offset) => this.processed[partition]![offset] ?? 0),
    )
  }

  /** The group's committed offsets by partition; 0 where it committed none. */
  async committed(): Promise<number[]> {
    const found = await fetchCommitted(this.main.context, GROUP, this.topic.partitions())
    return this.produced.map((_, index) => found.find(({ partition }) => partition === index)?.offset ?? 0)
  }

  async close(): Promise<void> {
    await this.main.close()
    // What was killed has nothing to say any more, least of all that it could not commit.
    await Promise.allSettled(this.#processes.map((process) => process.close()))
    await this.broker.close()
  }
}
