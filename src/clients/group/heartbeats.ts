/**
 * Heartbeats: a member shows the coordinator that it lives, and learns that a rebalance has begun. One deadline,
 * set again after each answer.
 */
import type { ScheduledTimer } from '../../runtime/clock.js'
import { errorFromKafkaCode, OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { noteCoordinatorError } from './group-offsets.js'
import { sendHeartbeat, type MemberOfGeneration } from './group-requests.js'

/** What an answer may say. */
export interface HeartbeatListener {
  /** All is well. */
  alive(): void
  /** A heartbeat that was sent at `sentAt`, on the monotonic clock, is answered. */
  answered(sentAt: number): void
  /** A heartbeat was refused, or could not be sent. */
  refused(error: unknown): void
}

/**
 * The first wait after a generation has begun, in milliseconds; it doubles up to the interval. Members of a group
 * tend to come together, and each has to hear of the next one before that can go on.
 */
const FIRST_WAIT_MS = 25

/** Sends the heartbeats of one member. */
export class Heartbeats {
  readonly #context: ClientContext
  readonly #intervalMs: number
  readonly #listener: HeartbeatListener
  #timer: ScheduledTimer | undefined
  #stopping = new AbortController()

  constructor(context: ClientContext, intervalMs: number, listener: HeartbeatListener) {
    this.#context = context
    this.#intervalMs = intervalMs
    this.#listener = listener
  }

  /** Sends heartbeats for this generation from now on. */
  start(member: MemberOfGeneration): void {
    this.stop()
    this.#stopping = new AbortController()
    this.#schedule(member, Math.min(FIRST_WAIT_MS, this.#intervalMs), this.#stopping.signal)
  }

  /** Sends no more. */
  stop(): void {
    this.#stopping.abort()
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(member: MemberOfGeneration, waitMs: number, signal: AbortSignal): void {
    this.#timer = this.#context.timers.schedule(
      waitMs,
      () => {
        const nextWaitMs = Math.min(waitMs * 2, this.#intervalMs)
        this.#beat(member, signal).then(
          () => {
            if (signal.aborted) return
            this.#listener.alive()
            this.#schedule(member, nextWaitMs, signal)
          },
          (error: unknown) => {
            if (signal.aborted) return
            noteCoordinatorError(this.#context, member.groupId, error)
            this.#listener.refused(error)
            // While partitions are being given up, and while the coordinator is looked for, the session has to go on.
            const goesOn = OttlaError.is(error) && (error.retriable || error.code === 'REBALANCE_IN_PROGRESS')
            if (goesOn && !isAborted(signal)) this.#schedule(member, nextWaitMs, signal)
          },
        )
      },
      { keepAlive: false },
    )
  }

  async #beat(member: MemberOfGeneration, signal: AbortSignal): Promise<void> {
    const channel = await this.#context.cluster.coordinator(member.groupId, { signal })
    const sentAt = this.#context.clock.monotonic()
    const errorCode = await sendHeartbeat(channel, member, signal)
    this.#listener.answered(sentAt)
    if (errorCode !== 0) throw errorFromKafkaCode(errorCode)
  }
}

/** Asked anew: the listener may have stopped the heartbeats. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted
