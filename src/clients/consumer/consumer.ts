/** The consumer's public face: reads the messages of its partitions, whether assigned by a group or by the application. */
import { abortable } from '../../runtime/abort.js'
import type { EventSource } from '../../runtime/events.js'
import { invalidArgument, OttlaError } from '../../runtime/errors/ottla-error.js'
import { Resource } from '../../runtime/lifecycle.js'
import type { Metrics } from '../../runtime/metrics/metrics.js'
import type { ClientContext } from '../context.js'
import type { ConsumerGroupMetadata } from '../group/consumer-group-metadata.js'
import { fetchCommitted, type CommittedOffset, type OffsetToCommit } from '../group/group-offsets.js'
import { partitionName, type Message, type TopicPartition } from '../message.js'
import { withRetries } from '../retry.js'
import type { PartitionPosition } from '../topic.js'
import { Spans } from '../tracing/spans.js'
import { tracedRun } from '../tracing/traced-run.js'
import { AssignedParts } from './assigned-consumer.js'
import type { ConsumerMetrics } from './consumer-metrics.js'
import type { ConsumerParts } from './consumer-parts.js'
import type { ConsumerEvents } from './consumer-events.js'
import { checkPosition, notAssigned, type ConsumerOptions } from './consumer-options.js'
import { MessageIterator } from './message-iterator.js'
import { EARLIEST, LATEST, lookUpOffsets, type FoundOffset, type OffsetQuery } from '../offset-lookup.js'
import type { PartitionState } from './partition-state.js'
import { run, type RunOptions } from './run.js'

/** A partition and a time to look for in it. */
export interface TimeInPartition extends TopicPartition {
  /** Milliseconds since the epoch, or a Date. */
  readonly timestamp: number | Date
}

/** An offset of a partition. */
export interface PartitionOffset extends TopicPartition {
  /** The offset. */
  readonly offset: number
}

/** How long close waits for the last commit and for the coordinator, in milliseconds; Kafka's default. */
const CLOSE_TIMEOUT_MS = 30_000

/**
 * Reads messages, in the order of each partition, by `for await` or {@link Consumer.run}. A loop's turn is the unit of
 * processing: a message is processed when the loop asks for the next one, or when its handler is done. What is
 * processed is committed at an interval, on close and before a rebalance (unless `enableAutoCommit` is off or there is
 * no group). Leaving a `for await` loop, by `break` or by an error, does not count the message that it was left in:
 * the next loop begins with it, and so does whoever takes over when the consumer is closed.
 */
export class Consumer<M extends Message = Message> extends Resource implements AsyncIterable<M> {
  /** What happens to it. */
  readonly events: EventSource<ConsumerEvents>
  /** What it is called in metrics and log lines, e.g. `ottla-consumer-billing-2`. */
  readonly clientId: string
  readonly #context: ClientContext
  readonly #parts: ConsumerParts
  /** Those under way: closing waits for the turns that they are in. */
  readonly #runs = new Set<Promise<void>>()

  /**
   * @internal Applications get one from `ottla.consumer()` or from a group's `join()`.
   * @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT.
   */
  constructor(context: ClientContext, options: ConsumerOptions | ConsumerParts, parent?: Resource) {
    const parts = hasParts(options) ? options : new AssignedParts(context, options)
    super(parts.name, parent)
    this.#context = context
    this.#parts = parts
    this.clientId = parts.clientId
    this.events = parts.events
    if (parts instanceof AssignedParts) parts.start()
  }

  /** Messages as they come, until the consumer is closed; rejects with what keeps it from going on. */
  [Symbol.asyncIterator](): AsyncIterableIterator<M, undefined> {
    const messages: AsyncIterableIterator<Message, undefined> = new MessageIterator(this.#parts.consumption)
    return messages as AsyncIterableIterator<M, undefined>
  }

  /**
   * Calls a handler with each message or batch. Resolves when the signal aborts or the consumer is closed, after the
   * turns under way. Rejects with what a handler throws; what that did not finish comes again in the next run.
   * Closing waits for those turns too, so a handler that wants an end aborts the signal: were it to await `close()`,
   * each would wait for the other.
   */
  async run(options: RunOptions<M>): Promise<void> {
    this.assertOpen()
    const { consumption, groupId } = this.#parts
    const { tracing } = this.#context
    const spans = tracing && new Spans(tracing, this.clientId, groupId)
    const running = run(this.#context, consumption, spans === undefined ? options : tracedRun(options, spans))
    this.#runs.add(running)
    try {
      await running
    } finally {
      this.#runs.delete(running)
    }
  }

  /**
   * Goes on elsewhere in a partition: at an offset, an end, or the first record at or after a time. What was fetched
   * before is dropped at once. It also gets a partition going again that stands at a record that cannot be decoded.
   * @throws OttlaError INVALID_ARGUMENT when the partition is not assigned.
   */
  async seek(partition: TopicPartition, position: PartitionPosition): Promise<void> {
    const state = this.#state(partition)
    checkPosition(`The position in ${state.name}`, position)
    await this.#parts.consumption.positions.seek([state], position)
    this.#parts.committer.touched()
  }

  /** Hands nothing out of these partitions, by default of all, until {@link resume}. They stay assigned. */
  pause(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const state of this.#states(partitions)) this.#parts.consumption.pause(state)
  }

  /** Takes a pause back, by default of all partitions. */
  resume(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const state of this.#states(partitions)) this.#parts.consumption.resume(state)
  }

  /** The partitions that are paused. */
  paused(): TopicPartition[] {
    return [...this.#parts.consumption.states.values()].filter(({ isPaused }) => isPaused).map(named)
  }

  /** The partitions that are this consumer's now. */
  assignment(): TopicPartition[] {
    return [...this.#parts.consumption.states.values()].map(named)
  }

  /** The offset of the next message that a loop will get of the partition, as soon as it is known. */
  async position(partition: TopicPartition): Promise<number> {
    return this.#parts.consumption.positionOf(this.#state(partition))
  }

  /**
   * How many offsets there are between the position and the end that a consumer can see, as the last fetch told it;
   * undefined before the first.
   */
  lag(partition: TopicPartition): number | undefined {
    return this.#state(partition).lag
  }

  /**
   * Commits these offsets, each that of the next record to be processed: after message `m` that is `m.offset + 1`.
   * Without offsets, commits what is processed: not the message that a `for await` loop is in, as it has not asked for
   * the next one.
   * @throws OttlaError UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION when the group has rebalanced without this member,
   * REBALANCE_IN_PROGRESS while it does, INVALID_GROUP_ID without a group.
   */
  async commit(offsets?: readonly OffsetToCommit[]): Promise<void> {
    this.assertOpen()
    this.#groupId()
    const { committer } = this.#parts
    if (offsets === undefined) return committer.commitPositions()
    if (!isList(offsets)) throw invalidArgument('What to commit', offsets, 'a list of offsets')
    for (const { topic, partition, offset } of offsets) {
      if (
        typeof topic === 'string' &&
        Number.isSafeInteger(partition) &&
        Number.isSafeInteger(offset) &&
        offset >= 0
      )
        continue
      throw invalidArgument(
        'An offset to commit',
        { topic, partition, offset },
        'a topic, a partition and an offset of at least 0',
      )
    }
    await committer.commit(offsets)
  }

  /**
   * @internal Who it is, for a transaction that commits its offsets.
   * @throws OttlaError INVALID_ARGUMENT when it commits by itself, INVALID_GROUP_ID without a group, and as
   * {@link Consumer.commit} between two generations.
   */
  metadataForTransaction(): ConsumerGroupMetadata {
    this.assertOpen()
    const groupId = this.#groupId()
    if (this.#parts.committer.isAutomatic) {
      throw invalidArgument(
        `enableAutoCommit of ${this.name}`,
        true,
        'false: its offsets are committed in transactions, or by itself, not both',
      )
    }
    return this.#parts.groupMetadata(groupId)
  }

  /** What it has measured, as it is now; it may be asked for after the consumer was closed, too. */
  metrics(): Metrics<ConsumerMetrics> {
    const { consumption, sensors, isMember } = this.#parts
    const now = this.#context.clock.monotonic()
    return sensors.snapshot(this.clientId, consumption.states.values(), isMember, now)
  }

  /** What the group has committed; partitions for which it committed nothing are left out. */
  async committed(
    partitions: readonly TopicPartition[] = this.assignment(),
  ): Promise<readonly CommittedOffset[]> {
    this.assertOpen()
    return fetchCommitted(this.#context, this.#groupId(), partitions, { signal: this.closeSignal })
  }

  /** The offset of the first record of each partition. */
  beginningOffsets(
    partitions: readonly TopicPartition[] = this.assignment(),
  ): Promise<readonly PartitionOffset[]> {
    return this.#lookUp(partitions.map(({ topic, partition }) => ({ topic, partition, timestamp: EARLIEST })))
  }

  /** The offset behind the last record of each partition that a consumer can see. */
  endOffsets(partitions: readonly TopicPartition[] = this.assignment()): Promise<readonly PartitionOffset[]> {
    return this.#lookUp(partitions.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST })))
  }

  /** The first record at or after each time; partitions without one are left out. */
  async offsetsForTimes(times: readonly TimeInPartition[]): Promise<readonly FoundOffset[]> {
    for (const { timestamp } of times) {
      if (Number.isSafeInteger(Number(timestamp)) && Number(timestamp) >= 0) continue
      throw invalidArgument(
        'A timestamp of offsetsForTimes',
        timestamp,
        'a Date, or milliseconds since the epoch',
      )
    }
    const found = await this.#lookUp(
      times.map(({ topic, partition, timestamp }) => ({ topic, partition, timestamp: Number(timestamp) })),
    )
    return found.filter(({ offset }) => offset >= 0)
  }

  protected override async beforeClose(): Promise<void> {
    const { consumption, committer } = this.#parts
    consumption.halt()
    const expiry = new AbortController()
    const timer = this.#context.timers.schedule(CLOSE_TIMEOUT_MS, () => {
      const expired = new OttlaError(
        'REQUEST_TIMED_OUT',
        `${this.name} could not end its turns, commit and leave within ${CLOSE_TIMEOUT_MS} ms. A handler of run must not await close().`,
      )
      consumption.stop(expired)
      expiry.abort(expired)
    })
    try {
      committer.stop()
      await abortable(Promise.allSettled(this.#runs), expiry.signal)
      if (committer.isAutomatic)
        await committer.commitPositions({ withSuspended: true }).catch(unlessTopicIsGone)
      else await committer.settled()
    } finally {
      await this.#parts.leave('the consumer is closed', expiry.signal)
      timer.cancel()
    }
  }

  protected override onClose(): void {
    // Everything ended before: a consumer has no children.
  }

  async #lookUp(queries: readonly OffsetQuery[]): Promise<readonly FoundOffset[]> {
    this.assertOpen()
    const options = { isolationLevel: this.#parts.isolationLevel, signal: this.closeSignal }
    return withRetries(() => lookUpOffsets(this.#context, queries, options), {
      ...this.#context,
      signal: this.closeSignal,
    })
  }

  #groupId(): string {
    const { groupId } = this.#parts
    if (groupId !== undefined) return groupId
    throw new OttlaError('INVALID_GROUP_ID', `${this.name} has no group to commit for; give it a groupId.`)
  }

  #states(partitions: readonly TopicPartition[]): PartitionState[] {
    if (!isList(partitions))
      throw invalidArgument('What to pause or resume', partitions, 'a list of partitions')
    return partitions.map((partition) => this.#state(partition))
  }

  #state(partition: TopicPartition): PartitionState {
    this.assertOpen()
    const { states } = this.#parts.consumption
    const name = partitionName(partition)
    const state = states.get(name)
    if (state === undefined) throw notAssigned(name, [...states.keys()])
    return state
  }
}

const isList = (value: unknown): boolean => Array.isArray(value)

/** Options are checked later on, so they may still be anything. */
const hasParts = (options: ConsumerOptions | ConsumerParts | undefined): options is ConsumerParts =>
  typeof options === 'object' && 'consumption' in options

/** Of a topic that was deleted nothing can be committed any more, nor needs to be. */
const unlessTopicIsGone = (error: unknown): void => {
  if (!OttlaError.is(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw error
}

const named = ({ topic, partition }: PartitionState): TopicPartition => ({ topic, partition })
