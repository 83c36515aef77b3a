/** A consumer that is a member of a group: what becomes of its partitions when the group rebalances. */
import { abortable, anySignal } from '../../runtime/abort.js'
import type { Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { Events } from '../../runtime/events.js'
import type { Resource } from '../../runtime/lifecycle.js'
import type { ClientContext } from '../context.js'
import type { ConsumerGroupMetadata } from '../group/consumer-group-metadata.js'
import { Membership } from '../group/membership.js'
import { isMembershipOver } from '../group/membership-over.js'
import type { MembershipListener } from '../group/membership-listener.js'
import { partitionName, type Message, type TopicPartition } from '../message.js'
import type { AnyTopic } from '../topic.js'
import type { Chunk } from './chunk.js'
import { Committer } from './committer.js'
import { Consumer } from './consumer.js'
import type { ConsumerParts } from './consumer-parts.js'
import type { ConsumerEvents } from './consumer-events.js'
import { logEvents } from './consumer-log.js'
import { ConsumerSensors } from './consumer-metrics.js'
import { checkGroupOptions, type CheckedGroupOptions, type GroupConsumerOptions } from './consumer-options.js'
import { Consumption } from './consumption.js'
import type { OffsetStore } from './offset-store.js'
import { PollWatch } from './poll-watch.js'
import { RebalanceCallbacks, type Revocation } from './rebalance-callbacks.js'

/** Which group is joined, and how. */
export interface GroupJoin {
  readonly groupId: string
  readonly topics: readonly AnyTopic[]
  readonly options?: GroupConsumerOptions
  /** Gives up joining. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Joins the group, and resolves when partitions are assigned and it is known where to begin in them.
 * @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT; what the coordinator refuses the member with.
 */
export const createGroupConsumer = async <M extends Message>(
  context: ClientContext,
  join: GroupJoin,
  parent: Resource,
): Promise<Consumer<M>> => {
  const member = new GroupMember(context, join, checkGroupOptions(join.options))
  try {
    await member.membership.join(anySignal(join.signal, parent.closeSignal))
    return new Consumer<M>(context, member, parent)
  } catch (error) {
    await member.leave('the consumer could not join')
    throw error
  }
}

/** What a member of a group is made of, and the listener to its membership. */
class GroupMember implements ConsumerParts, MembershipListener {
  readonly name: string
  readonly clientId: string
  readonly groupId: string
  readonly events = new Events<ConsumerEvents>()
  readonly sensors = new ConsumerSensors()
  readonly isMember = true
  readonly consumption: Consumption
  readonly committer: Committer
  readonly membership: Membership
  readonly isolationLevel: CheckedGroupOptions['isolationLevel']
  readonly #clock: Clock
  readonly #topics: ReadonlyMap<string, AnyTopic>
  readonly #watch: PollWatch
  readonly #maxPollIntervalMs: number
  #isAway = false
  /** Counts what becomes of the partitions, so that what is overtaken is noticed. */
  #changes = 0
  readonly #isAtMostOnce: boolean
  readonly #offsetStore: OffsetStore | undefined
  readonly #callbacks: RebalanceCallbacks
  /** The partitions that the application was told of; undefined when it was told of none at all. */
  #announced: Set<string> | undefined

  constructor(context: ClientContext, { groupId, topics }: GroupJoin, options: CheckedGroupOptions) {
    this.name = `consumer of group ${groupId}`
    this.groupId = groupId
    this.clientId = context.clientIds.next(`consumer-${groupId}`)
    logEvents(this.events, context.logger, this.clientId)
    this.#clock = context.clock
    this.#rebalancing()
    this.isolationLevel = options.isolationLevel
    this.#topics = new Map(topics.map((topic) => [topic.name, topic]))
    this.#isAtMostOnce = options.delivery === 'at-most-once'
    this.#offsetStore = options.offsetStore
    this.#maxPollIntervalMs = options.maxPollIntervalMs
    this.consumption = new Consumption(context, options, this.sensors, {
      // A topic that is deleted is taken away by the rebalance that follows.
      needsTopics: false,
      stumbled: (error) => this.events.emit('error', error),
      asked: () => this.#asked(),
      ...(options.delivery === 'at-most-once' ? { beforeHandOut: (chunk) => this.#commitAhead(chunk) } : {}),
    })
    this.committer = new Committer(context, options, this.sensors, {
      states: this.consumption.states,
      commit: (offsets) => this.membership.commit(offsets, this.consumption.signal),
      committed: (offsets) => this.events.emit('committed', offsets),
      failed: (error) => {
        // Between two generations nothing can be committed; the next interval brings it.
        if (this.membership.isCooperative && isMembershipOver(error)) return
        this.events.emit('error', error)
      },
    })
    this.membership = new Membership(
      context,
      {
        ...options,
        groupId,
        topics: [...this.#topics.keys()],
        rebalanceTimeoutMs: options.maxPollIntervalMs,
        backoff: options,
      },
      this,
    )
    this.#callbacks = new RebalanceCallbacks(options.rebalanceListener, {
      timers: context.timers,
      timeoutMs: options.maxPollIntervalMs,
      revocation: () => this.#revocation(),
      failed: (error) => this.events.emit('error', error),
    })
    this.#watch = new PollWatch(context, options.maxPollIntervalMs, this.consumption, () =>
      this.#pollTimedOut(),
    )
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const { consumption, committer } = this
    this.#rebalancing()
    const change = ++this.#changes
    consumption.suspend(partitions)
    await consumption.idle(partitions)
    if (committer.isAutomatic) {
      await committer
        .commitPositions({ withSuspended: true })
        .catch((error: unknown) => this.events.emit('error', error))
    }
    // A turn that took too long was not waited for, and the group may have given them to others since.
    if (change === this.#changes) await this.#callbacks.revoked(partitions)
    this.#tellGone('revoked', partitions)
  }

  rejoining(): void {
    this.#rebalancing()
    // At most once means to commit before anything is handed out, which has to wait for the new generation.
    if (this.#isAtMostOnce) this.consumption.suspend()
  }

  lost(partitions: readonly TopicPartition[]): void {
    // How long the application stays away is not the group's doing.
    if (!this.#isAway) this.#rebalancing()
    this.#changes++
    this.consumption.assign([], false)
    void this.#callbacks.lost(partitions)
    this.#tellGone('lost', partitions)
  }

  async assigned(partitions: readonly TopicPartition[], isContinuous: boolean): Promise<void> {
    this.sensors.rebalanced(this.#clock.monotonic())
    const known = partitions.flatMap(({ topic, partition }) => {
      const handle = this.#topics.get(topic)
      return handle === undefined ? [] : [{ handle, partition }]
    })
    const added = this.consumption.assign(known, isContinuous)
    const change = ++this.#changes
    const versions = added.map(({ version }) => version)
    // Nothing is handed out as long as it is not known where to begin.
    await this.#callbacks.assigned(partitions)
    if (change !== this.#changes) return
    // Unless the application has gone elsewhere.
    const untouched = added.filter(({ version }, index) => version === versions[index])
    await this.consumption.positions.begin(untouched, {
      groupId: this.groupId,
      offsetStore: this.#offsetStore,
    })
    // A rebalance does not wait until it is known where to begin.
    if (change !== this.#changes) return
    this.consumption.placed()
    this.committer.touched()
    this.#watch.start()
    this.#announced = new Set(partitions.map(partitionName))
    this.events.emit('assigned', partitions)
  }

  heartbeat(sentAt: number): void {
    this.sensors.heartbeat(sentAt, this.#clock.monotonic())
  }

  failed(error: unknown): void {
    this.consumption.fail(error)
    this.events.emit('error', error)
  }

  groupMetadata(groupId: string): ConsumerGroupMetadata {
    const { memberId, generation, groupInstanceId } = this.membership.assertMember()
    return { groupId, memberId, generationId: generation, groupInstanceId }
  }

  async leave(reason: string, signal?: AbortSignal): Promise<void> {
    this.#watch.stop()
    this.committer.stop()
    // While it is a member still, so that it can commit; what throws is the caller's wish to wait no longer.
    await abortable(this.#callbacks.revoked(this.#callbacks.told), signal).catch(() => undefined)
    await this.membership.leave(reason, signal)
    // What came while it left.
    await abortable(this.#callbacks.lost(this.#callbacks.told), signal).catch(() => undefined)
    this.consumption.stop(
      new OttlaError('RESOURCE_CLOSED', `${this.name} is closed; open a new one to go on.`),
    )
  }

  #rebalancing(): void {
    this.sensors.rebalancing(this.#clock.monotonic())
  }

  /** Commits in the present generation and in no other: a callback that takes too long must not commit as what it was. */
  #revocation(): Revocation {
    const { generation } = this.membership
    return {
      commit: async (offsets = this.committer.due({ withSuspended: true })) => {
        if (offsets.length === 0) return
        await this.membership.commit(offsets, this.consumption.signal, generation)
        for (const { topic, partition, offset } of offsets) {
          this.consumption.states.get(partitionName({ topic, partition }))?.tracker.committed(offset)
        }
        this.events.emit('committed', offsets)
      },
    }
  }

  /** The application hears of the end of what it was told of. */
  #tellGone(event: 'revoked' | 'lost', partitions: readonly TopicPartition[]): void {
    const announced = this.#announced
    if (announced === undefined) return
    const told = partitions.filter((partition) => announced.delete(partitionName(partition)))
    if (announced.size === 0) this.#announced = undefined
    this.events.emit(event, told)
  }

  /** At most once: what cannot be committed is not handed out. */
  #commitAhead(chunk: Chunk): Promise<void> | undefined {
    return this.committer.commitAhead(chunk)?.catch((error: unknown) => {
      if (!isMembershipOver(error)) throw error
      // The rebalance that is under way decides who gets it.
      chunk.cut()
    })
  }

  #asked(): void {
    this.committer.touched()
    if (!this.#isAway) return
    this.#isAway = false
    this.#rebalancing()
    this.membership.comeBack()
  }

  #pollTimedOut(): void {
    this.#isAway = true
    this.membership.stayAway()
    this.events.emit(
      'error',
      new OttlaError(
        'POLL_TIMED_OUT',
        `The application did not ask for messages within maxPollIntervalMs (${this.#maxPollIntervalMs}), so the consumer has left group ${this.groupId}. It comes back when asked again; do less in a turn, or raise maxPollIntervalMs.`,
        { details: { groupId: this.groupId, maxPollIntervalMs: this.#maxPollIntervalMs } },
      ),
    )
  }
}
