/** A topic and its partitions, as the broker keeps them in memory: what is looked up on every produce and fetch. */
import type { LogConfig } from '../log/log-config.js'
import type { PartitionLog } from '../log/partition-log.js'
import type { PartitionLogs } from '../log/partition-logs.js'
import type { Clock } from '../runtime/clock.js'
import type { Uuid } from '../runtime/uuid.js'
import type { PartitionId } from '../storage/contract.js'
import type { FetchWaiter } from './fetch-waiters.js'
import { isInternalTopic } from './metadata/topic-name.js'
import { Traffic } from './metrics/traffic.js'

/** What partitions need to open their logs. */
export interface PartitionServices {
  readonly logs: PartitionLogs
  readonly clock: Clock
}

/** A topic that exists. */
export class Topic {
  readonly name: string
  readonly id: Uuid
  /** Whether the broker owns it. */
  readonly isInternal: boolean
  /** The configs that were set, by name. */
  readonly configs = new Map<string, string>()
  readonly partitions: Partition[] = []
  logConfig: LogConfig
  #traffic: Traffic | undefined

  constructor(name: string, id: Uuid, logConfig: LogConfig) {
    this.name = name
    this.id = id
    this.isInternal = isInternalTopic(name)
    this.logConfig = logConfig
  }

  /** What goes into and out of it; made when there is something to count. */
  get traffic(): Traffic {
    return (this.#traffic ??= new Traffic())
  }

  /** As {@link traffic}; undefined while nothing was counted. */
  get used(): Traffic | undefined {
    return this.#traffic
  }

  /** The partition at `index`; undefined when there is none. */
  partition(index: number): Partition | undefined {
    return this.partitions[index]
  }
}

/** A partition that exists, whose log is opened when it is first needed. */
export class Partition {
  readonly topic: Topic
  readonly index: number
  readonly id: PartitionId
  /** The epoch in which this node leads it. */
  leaderEpoch: number
  /** Fetches that wait for it. */
  readonly waiters = new Set<FetchWaiter>()
  readonly #services: PartitionServices
  #log: PartitionLog | undefined
  #opening: Promise<PartitionLog> | undefined

  constructor(topic: Topic, index: number, leaderEpoch: number, services: PartitionServices) {
    this.topic = topic
    this.index = index
    this.id = { topicId: topic.id, partition: index }
    this.leaderEpoch = leaderEpoch
    this.#services = services
  }

  /** Its log, when that is open; otherwise call {@link open}. */
  get log(): PartitionLog | undefined {
    return this.#log
  }

  /** Opens the log, once. Rejects as the storage does, and may then be tried again. */
  open(): Promise<PartitionLog> {
    return (this.#opening ??= this.#open())
  }

  /** Wakes those who wait for it: there is something new, or it is gone. */
  wake(): void {
    for (const waiter of this.waiters) waiter.onAdvance()
  }

  async #open(): Promise<PartitionLog> {
    try {
      const { logs, clock } = this.#services
      const { name, logConfig } = this.topic
      const log = await logs.get(this.id, `${name}-${this.index}`, logConfig, this.leaderEpoch)
      log.onAdvance(() => {
        if (this.waiters.size > 0) this.wake()
      })
      // Those who asked meanwhile go on in the next microtasks. Whoever comes later must not overtake them, and
      // finds the log here only after this turn.
      clock.defer(() => (this.#log = log))
      return log
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }
}
