/** A process with one consumer: it joins, consumes until it is told to stop, and comes back after an error; or it dies. */
import { ClientIds } from '../../../src/clients/client-ids.js'
import { Cluster } from '../../../src/clients/cluster.js'
import type { ClientContext } from '../../../src/clients/context.js'
import type { Consumer } from '../../../src/clients/consumer/consumer.js'
import type { GroupConsumerOptions } from '../../../src/clients/consumer/consumer-options.js'
import { createGroupConsumer } from '../../../src/clients/consumer/group-consumer.js'
import type { MessageBatch } from '../../../src/clients/consumer/message-batch.js'
import type { Message } from '../../../src/clients/message.js'
import { Producer } from '../../../src/clients/producer/producer.js'
import type { Broker } from '../../../src/broker/broker.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { Resource } from '../../../src/runtime/lifecycle.js'
import { SILENT } from '../../../src/runtime/logger.js'
import { Timers } from '../../../src/runtime/timers.js'
import type { SeededRandom } from '../../support/seeded-random.js'
import type { VirtualClock } from '../virtual-clock.js'
import type { Owners } from './owners.js'
import type { TextTopic } from './topics.js'

type Text = Message<string, string>

/** What all members of the simulation share. */
export interface World {
  readonly broker: Broker
  readonly clock: VirtualClock
  readonly random: SeededRandom
  /** Ends the simulation: a rule was broken. */
  fail(error: unknown): void
}

/** What a member belongs to. */
export interface MemberRole {
  readonly groupId: string
  readonly topics: readonly TextTopic[]
  readonly options: GroupConsumerOptions
  readonly owners: Owners
  /** How many partitions it consumes at the same time. */
  readonly concurrency: number
  /** How long a turn may take before the group goes on without it, in milliseconds. */
  readonly patienceMs: number
  /** Where it writes what it reads, in transactions with its offsets; left out, reading is all that it does. */
  readonly target?: TextTopic | undefined
  /** A record was processed. */
  processed(value: string): void
}

class Root extends Resource {
  constructor() {
    super('process')
  }

  protected onClose(): void {
    // Only a parent for clients.
  }
}

/** The clients' context of a process of its own. */
export const processContext = (
  { broker, clock, random }: World,
  clientId: string,
): ClientContext & { readonly network: DirectNetwork } => {
  const timers = new Timers(clock)
  const network = new DirectNetwork(broker, { clock, clientId })
  const cluster = new Cluster({ network, clock, timers, random })
  return { network, cluster, clock, timers, random, clientIds: new ClientIds(clientId), logger: SILENT }
}

/** How long one whose consumer failed waits before it joins again, in milliseconds. */
const COMES_BACK_MS = 500

/** A member of a group. */
export class Member {
  /** Resolves when it has left, or is dead. */
  readonly ended: Promise<void>
  isDead = false
  readonly #context: ReturnType<typeof processContext>
  readonly #root = new Root()
  readonly #stopping = new AbortController()
  #stallMs = 0

  constructor(
    readonly name: string,
    readonly instanceId: string | undefined,
    private readonly world: World,
    private readonly role: MemberRole,
  ) {
    this.#context = processContext(world, name)
    this.ended = this.#live().catch((error: unknown) => world.fail(error))
  }

  /** Its process is killed: nothing that it says arrives, and nothing wakes it up. */
  kill(): void {
    this.isDead = true
    this.role.owners.died(this.name)
    void this.#context.network.close()
    this.#context.timers.clear()
  }

  /** Ends in order. */
  stop(): Promise<void> {
    this.#stopping.abort()
    return this.ended
  }

  /** The next turn takes this long, in milliseconds. */
  stall(ms: number): void {
    this.#stallMs = ms
  }

  async #live(): Promise<void> {
    for (;;) {
      const error = await this.#consume().catch((thrown: unknown) => thrown)
      if (this.isDead) return
      if (this.#stopping.signal.aborted) break
      // Overtaken by a rebalance: a program closes its consumer and begins anew.
      if (!OttlaError.is(error, 'REBALANCE_IN_PROGRESS')) throw error
      await this.world.clock.sleep(COMES_BACK_MS)
    }
    await this.#root.close()
  }

  async #consume(): Promise<void> {
    const { groupId, topics, options, target } = this.role
    const signal = this.#stopping.signal
    const consumer = await createGroupConsumer<Text>(
      this.#context,
      { groupId, topics, options: { ...options, ...this.#listener() }, signal },
      this.#root,
    )
    const producer =
      target &&
      new Producer(this.#context, {
        transactionalId: `${groupId}/${this.name}`,
        transactionTimeoutMs: 40_000,
      })
    try {
      await consumer.run({
        signal,
        partitionsConsumedConcurrently: this.role.concurrency,
        eachBatch: async (batch) => {
          if (this.#stallMs > 0) await this.#pause()
          if (producer !== undefined && target !== undefined)
            await this.#transform(consumer, producer, target, batch)
          else for (const { value } of batch) this.#processed(value)
        },
      })
    } finally {
      if (!this.isDead) {
        await consumer.close()
        await producer?.close()
      }
    }
  }

  async #pause(): Promise<void> {
    const { clock } = this.world
    const ms = this.#stallMs
    this.#stallMs = 0
    const isOver = clock.sleep(ms)
    const { patienceMs, owners } = this.role
    if (ms > patienceMs) {
      await clock.sleep(patienceMs)
      if (!this.isDead) owners.overdue(this.name)
    }
    await isOver
  }

  async #transform(
    consumer: Consumer<Text>,
    producer: Producer,
    target: TextTopic,
    batch: MessageBatch<Text>,
  ): Promise<void> {
    const messages = [...batch]
    await producer.transaction(async (tx) => {
      for (const { value, partition } of messages) void tx.send(target, { value, partition })
      await tx.commitOffsets(consumer, messages)
    })
  }

  #processed(value: string): void {
    // The dead do nothing, although their code runs on here.
    if (!this.isDead) this.#guarded(() => this.role.processed(value))
  }

  #listener(): Pick<GroupConsumerOptions, 'rebalanceListener' | 'groupInstanceId'> {
    const { owners } = this.role
    const alive = (body: () => void): void => {
      if (!this.isDead) this.#guarded(body)
    }
    return {
      ...(this.instanceId === undefined ? {} : { groupInstanceId: this.instanceId }),
      rebalanceListener: {
        onPartitionsAssigned: (partitions) => alive(() => owners.assigned(this.name, partitions)),
        onPartitionsRevoked: (partitions) => alive(() => owners.gone(this.name, partitions)),
        onPartitionsLost: (partitions) => alive(() => owners.gone(this.name, partitions)),
      },
    }
  }

  #guarded(body: () => void): void {
    try {
      body()
    } catch (error) {
      this.world.fail(error)
    }
  }
}
