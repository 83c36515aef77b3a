/**
 * Members of a consumer group that come, go, die, give up what they are told to sooner or later, and a broker that is
 * opened anew in between, against what must hold whatever they do: no partition has two owners at any moment (G1),
 * and when they settle, each has one, in shares that differ by one at most.
 */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { createPartitions } from '../../../src/protocol/api/create-partitions.js'
import { keptStorage } from '../../support/kept-storage.js'
import { ManualClock } from '../../support/manual-clock.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'
import { consumerMembersOf, type HeartbeatAnswer } from '../../support/test-consumer-members.js'

/** A member as its client sees it. */
class Client {
  readonly memberId: string
  epoch = 0
  owned = new Set<string>()
  /** What it was told to have last; it owns no more than this once it has given up the rest. */
  wanted = new Set<string>()
  /** Since when it has something to give up. */
  toldAt: number | undefined

  constructor(memberId: string) {
    this.memberId = memberId
  }

  /** What it has been told: partitions that are new are its own at once, those that are not are given up later. */
  hear({ errorCode, memberEpoch, assignment }: HeartbeatAnswer, now: number): void {
    if (errorCode !== 0) {
      // Fenced, or not known any more: it abandons everything and joins again.
      Object.assign(this, { epoch: 0, owned: new Set(), wanted: new Set(), toldAt: undefined })
      return
    }
    this.epoch = memberEpoch
    if (assignment === null) return
    this.wanted = new Set(
      assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
        partitions.map((each) => `${topicId}/${each}`),
      ),
    )
    for (const partition of this.wanted) this.owned.add(partition)
    if ([...this.owned].some((partition) => !this.wanted.has(partition))) this.toldAt ??= now
  }

  giveUp(): void {
    for (const partition of this.owned) if (!this.wanted.has(partition)) this.owned.delete(partition)
    this.toldAt = undefined
  }

  topicPartitions() {
    const topics = new Map<string, number[]>()
    for (const partition of this.owned) {
      const [topicId = '', index] = partition.split('/')
      topics.set(topicId, [...(topics.get(topicId) ?? []), Number(index)])
    }
    return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
  }
}

/** A client that has something to give up does so within this time; its rebalance timeout is longer. */
const PATIENCE_MS = 20_000
const TOPICS = ['orders', 'payments', 'refunds']

class World {
  readonly storage = keptStorage()
  readonly clock = new ManualClock()
  readonly clients = new Map<number, Client>()
  readonly sizes = new Map<string, number>()
  #born = 0
  #broker: TestBroker | undefined

  async open(): Promise<void> {
    this.#broker = await openTestBroker({ 'offsets.topic.num.partitions': 1 }, this.storage, this.clock)
  }

  get broker(): TestBroker {
    return this.#broker!
  }

  async reopen(): Promise<void> {
    await this.broker.broker.close()
    await this.open()
  }

  async heartbeat(client: Client, isPrompt: boolean): Promise<void> {
    const { heartbeat, join } = consumerMembersOf(this.broker)
    const now = this.clock.now()
    if (isPrompt || now - (client.toldAt ?? now) >= PATIENCE_MS) client.giveUp()
    const answer =
      client.epoch === 0
        ? await join(client.memberId, TOPICS)
        : await heartbeat({
            memberId: client.memberId,
            memberEpoch: client.epoch,
            topicPartitions: client.topicPartitions(),
          })
    client.hear(answer, now)
    this.checkOwners()
  }

  /** No partition has two owners. */
  checkOwners(): void {
    const owners = new Map<string, string>()
    for (const { memberId, owned } of this.clients.values()) {
      for (const partition of owned) {
        expect(owners.get(partition), `${partition} of ${memberId} has another owner`).toBeUndefined()
        owners.set(partition, memberId)
      }
    }
  }

  async run(step: Step): Promise<void> {
    const client = this.clients.get(step.who)
    switch (step.what) {
      case 'join': {
        if (client !== undefined) return
        const born = new Client(`member-${step.who}-${this.#born++}`)
        this.clients.set(step.who, born)
        return this.heartbeat(born, true)
      }
      case 'heartbeat':
        if (client !== undefined) await this.heartbeat(client, step.isPrompt)
        return
      case 'leave':
        if (client === undefined) return
        this.clients.delete(step.who)
        if (client.epoch > 0) await consumerMembersOf(this.broker).leave(client.memberId)
        return
      case 'crash':
        this.clients.delete(step.who)
        return
      case 'reopen':
        return this.reopen()
      case 'grow': {
        const name = TOPICS[step.who % TOPICS.length]!
        const size = (this.sizes.get(name) ?? 0) + 1 + (step.who % 3)
        if (this.sizes.has(name)) {
          const topics = [{ name, count: size, assignments: null }]
          await this.broker.send(createPartitions, { topics, timeoutMs: 1000, validateOnly: false })
        } else await this.broker.createTopic(name, size)
        this.sizes.set(name, size)
        return
      }
      case 'wait':
        // Whoever lives sends heartbeats all the time.
        for (let second = 0; second < step.who * 5; second += 5) {
          await this.clock.advanceAsync(5_000)
          for (const each of this.clients.values()) await this.heartbeat(each, step.isPrompt)
        }
    }
  }

  /** Everybody does what is wanted, until those that died are out and nothing is left to do. */
  async settle(): Promise<void> {
    for (let round = 0; round < 14; round++) {
      await this.clock.advanceAsync(5_000)
      for (const client of this.clients.values()) await this.heartbeat(client, true)
    }
  }
}

interface Step {
  readonly what: 'join' | 'heartbeat' | 'leave' | 'crash' | 'reopen' | 'grow' | 'wait'
  readonly who: number
  readonly isPrompt: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    'join',
    'join',
    'join',
    'heartbeat',
    'heartbeat',
    'heartbeat',
    'leave',
    'crash',
    'reopen',
    'grow',
    'wait',
  ),
  who: fc.nat({ max: 5 }),
  isPrompt: fc.boolean(),
})

describe('a consumer group', () => {
  test.prop([fc.array(step, { minLength: 5, maxLength: 40 })], { numRuns: 60 })(
    'never gives a partition to two members, and in the end each to one',
    async (steps) => {
      const world = new World()
      await world.open()
      await world.run({ what: 'grow', who: 0, isPrompt: true })
      for (const each of steps) await world.run(each)
      await world.settle()
      const { describe: look } = consumerMembersOf(world.broker)
      const clients = [...world.clients.values()]
      if (clients.length > 0) {
        const { groupState, members } = await look()
        expect(groupState).toBe('Stable')
        expect(members.map(({ memberId }) => memberId).sort()).toEqual(
          clients.map(({ memberId }) => memberId).sort(),
        )
        const total = [...world.sizes.values()].reduce((sum, size) => sum + size, 0)
        const shares = clients.map(({ owned }) => owned.size)
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total)
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
      }
      await world.broker.broker.close()
    },
  )
})
