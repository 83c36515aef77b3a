/** One partition of a consumer: where it stands, what is fetched of it, and whether it may be fetched and handed out. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { leaderEpochOf, lastOffsetOf } from '../../record/header.js'
import { partitionName, type TopicPartition } from '../message.js'
import type { AnyTopic } from '../topic.js'
import { Chunk } from './chunk.js'
import { PartitionDistances, type MeasuredPartition } from './consumer-metrics.js'
import { decodeMessages } from './decode.js'
import type { IsolationLevel } from '../offset-lookup.js'
import { OffsetTracker } from './offset-tracker.js'
import { RecordBuffer } from './record-buffer.js'

/** The ends of a partition as the last fetch told them; -1 while none has. */
export interface PartitionEnds {
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

const UNKNOWN_ENDS: PartitionEnds = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 }

/** The state of one partition. */
export class PartitionState implements TopicPartition, MeasuredPartition {
  readonly handle: AnyTopic
  readonly topic: string
  readonly partition: number
  /** As messages and maps name it, `orders-0`. */
  readonly name: string
  readonly tracker = new OffsetTracker()
  readonly buffer: RecordBuffer
  readonly distances = new PartitionDistances()
  ends = UNKNOWN_ENDS
  /** Where the next fetch begins; -1 while no position is known. */
  fetchOffset = -1
  /** The epoch of the last batch that was fetched, which lets the leader notice that the log was truncated. */
  fetchedEpoch = -1
  /** Changes when the position does, so that what is on its way for another one is not taken for this one. */
  version = 0
  /** The application paused it. */
  isPaused = false
  /** A rebalance is under way: nothing is fetched and nothing handed out. */
  isSuspended = false
  /** Its next message has failed, and is tried again when the wait for that is over. */
  isResting = false
  /** A loop holds its chunk. */
  isTaken = false
  /** Its leader is being looked for. */
  isFindingLeader = false
  /** Why it cannot go on; the loop gets it, until the application seeks. */
  failure: { readonly error: unknown } | undefined
  /** How many requests for it have failed in a row. */
  failedAttempts = 0
  /** Before this time on the monotonic clock it is left alone. */
  retryAt = 0
  readonly #isolation: IsolationLevel

  constructor(handle: AnyTopic, partition: number, isolation: IsolationLevel, onOpened: () => void) {
    this.#isolation = isolation
    this.handle = handle
    this.topic = handle.name
    this.partition = partition
    this.name = partitionName(this)
    this.buffer = new RecordBuffer(onOpened)
  }

  /** Whether messages may be handed out, if there are any. */
  get mayDeliver(): boolean {
    return !this.isTaken && !this.isPaused && !this.isSuspended && !this.isResting
  }

  /** How far the position is behind the end that it can see, as the last fetch told that; undefined before the first. */
  get lag(): number | undefined {
    const { lastStableOffset, highWatermark } = this.ends
    const end = this.#isolation === 'read_committed' ? lastStableOffset : highWatermark
    return end < 0 || !this.tracker.isKnown ? undefined : Math.max(0, end - this.tracker.position)
  }

  /** How far the position is ahead of the start of the log, as the last fetch told that; undefined before the first. */
  get lead(): number | undefined {
    const { logStartOffset } = this.ends
    if (logStartOffset < 0 || !this.tracker.isKnown) return undefined
    return Math.max(0, this.tracker.position - logStartOffset)
  }

  /** Goes to `offset`; what was fetched before is dropped. */
  moveTo(offset: number, leaderEpoch = -1): void {
    this.#startOver()
    this.tracker.moveTo(offset, leaderEpoch)
    this.fetchOffset = offset
    this.fetchedEpoch = leaderEpoch
  }

  /** Gives its position up; another one is being looked for. */
  forgetPosition(): void {
    this.#startOver()
    this.tracker.forget()
    this.fetchOffset = -1
    this.fetchedEpoch = -1
  }

  /** Drops what was fetched and not decoded yet, to make room; it will be fetched again. */
  dropBuffer(): void {
    if (this.buffer.isEmpty) return
    this.version++
    this.buffer.clear()
    this.fetchOffset = this.tracker.decoded
    this.fetchedEpoch = -1
  }

  /** Cannot go on. */
  fail(error: unknown): void {
    this.failure ??= { error }
  }

  /**
   * Takes whole batches that follow what was fetched before. `batches` are those with records to be seen, `last` is
   * the last one that was fetched.
   */
  receive(batches: readonly Uint8Array[], last: Uint8Array): void {
    for (const batch of batches) if (lastOffsetOf(batch) >= this.fetchOffset) this.buffer.push(batch)
    this.fetchOffset = Math.max(this.fetchOffset, lastOffsetOf(last) + 1)
    this.fetchedEpoch = leaderEpochOf(last)
    if (this.buffer.isEmpty) this.tracker.advanceTo(this.fetchOffset)
  }

  /**
   * The messages to be handed out next, at most `maxRecords` when they have yet to be decoded; undefined when none are
   * ready.
   * @throws what keeps it from going on.
   */
  take(maxRecords: number): Chunk | undefined {
    const { chunk } = this.tracker
    if (chunk?.isExhausted === false) {
      chunk.reopen()
      return chunk
    }
    if (this.failure !== undefined) throw this.failure.error
    if (this.buffer.isEmpty) return undefined
    return this.#decode(maxRecords)
  }

  #decode(maxRecords: number): Chunk | undefined {
    const { tracker, buffer } = this
    const { messages, decoded, error } = decodeMessages(
      this.handle,
      this.partition,
      buffer,
      tracker.decoded,
      maxRecords,
    )
    if (error !== undefined) this.fail(this.#withName(error))
    // Behind the last batch there may be some that nobody sees: the position is behind those too.
    const position = buffer.isEmpty ? this.fetchOffset : decoded
    if (messages.length === 0) {
      tracker.advanceTo(position)
      if (this.failure !== undefined) throw this.failure.error
      return undefined
    }
    const chunk = new Chunk(this, messages)
    tracker.begin(chunk, position)
    return chunk
  }

  #startOver(): void {
    this.version++
    this.buffer.clear()
    this.failure = undefined
    this.failedAttempts = 0
    this.retryAt = 0
  }

  #withName(error: unknown): unknown {
    if (!OttlaError.is(error) || error.code === 'DESERIALIZATION_FAILED') return error
    const { topic, partition } = this
    return new OttlaError(
      error.code,
      `Partition ${this.name} at offset ${this.tracker.decoded}: ${error.message}`,
      {
        cause: error,
        details: { ...error.details, topic, partition },
      },
    )
  }
}
