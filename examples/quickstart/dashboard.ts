/** The consumer group of the quickstart: members that share the partitions and count what they receive. */
import type { Consumer, MessageOf } from 'ottla'
import type { Log } from './log.js'
import type { Statistics } from './statistics.js'
import { table } from './terminal.js'

type Member = Consumer<MessageOf<Log['quakes'] | Log['flown'] | Log['routed']>>

/** A group whose members come and go. */
export class Dashboard {
  readonly #log: Log
  readonly #statistics: Statistics
  readonly #members = new Map<string, { readonly member: Member; readonly running: Promise<void> }>()
  readonly #waiting = new Set<{ readonly count: number; readonly resolve: () => void }>()
  /** How many records its members have counted. */
  consumedCount = 0

  constructor(log: Log, statistics: Statistics) {
    this.#log = log
    this.#statistics = statistics
  }

  /** Lets members join, all at once, and shows who got which partitions. They begin to count. */
  async join(...names: readonly string[]): Promise<void> {
    const { ottla, quakes, flown, routed } = this.#log
    const group = ottla.consumerGroup('dashboard', {
      topics: [quakes, flown, routed],
      heartbeatIntervalMs: 50,
    })
    const members = await Promise.all(names.map(async (name) => [name, await group.join()] as const))
    this.#showSplit(members)
    for (const [name, member] of members) this.#members.set(name, { member, running: this.#count(member) })
  }

  /** One member goes; the others take its partitions over. */
  async leave(name: string): Promise<void> {
    const leaving = this.#members.get(name)
    if (leaving === undefined) return
    this.#members.delete(name)
    const takenOver = [...this.#members.values()].map(
      ({ member }) => new Promise<void>((resolve) => member.events.once('assigned', () => resolve())),
    )
    await leaving.member.close()
    await leaving.running
    await Promise.all(takenOver)
    this.#showSplit([...this.#members].map(([remaining, { member }]) => [remaining, member] as const))
  }

  /** Resolves when `count` records have been counted. */
  async until(count: number): Promise<void> {
    if (this.consumedCount >= count) return
    await new Promise<void>((resolve) => this.#waiting.add({ count, resolve }))
  }

  /** All members go; what they have counted is committed. */
  async close(): Promise<void> {
    for (const { member, running } of this.#members.values()) {
      await member.close()
      await running
    }
    this.#members.clear()
  }

  async #count(member: Member): Promise<void> {
    await member.run({
      eachBatch: ({ messages }) => {
        for (const message of messages) {
          // The topic's name tells TypeScript which type the value has.
          if (message.topic === 'earthquakes') this.#statistics.earthquake(message.value, message.timestamp)
          else if (message.topic === 'flights') this.#statistics.flight(message.key ?? '', message.value)
          else this.#statistics.route(message.key ?? '', message.value)
        }
        this.consumedCount += messages.length
        for (const waiting of this.#waiting) if (this.consumedCount >= waiting.count) waiting.resolve()
      },
    })
  }

  #showSplit(members: readonly (readonly [string, Member])[]): void {
    table(
      members.map(([name, member]) => [
        name,
        member
          .assignment()
          .map(({ topic, partition }) => `${topic}-${partition}`)
          .sort()
          .join('  '),
      ]),
    )
  }
}
