/**
 * Commits: processed positions at an interval, and what the application asks for. Commits go out one after another,
 * so that an older one never overwrites a newer one.
 */
import type { ScheduledTimer } from '../../runtime/clock.js'
import type { ClientContext } from '../context.js'
import type { OffsetToCommit } from '../group/group-offsets.js'
import { partitionName } from '../message.js'
import type { Chunk } from './chunk.js'
import type { ConsumerSensors } from './consumer-metrics.js'
import type { PartitionState } from './partition-state.js'

/** How to commit. */
export interface CommitOptions {
  readonly enableAutoCommit: boolean
  readonly autoCommitIntervalMs: number
  readonly delivery: 'at-least-once' | 'at-most-once'
}

/** What committing needs. */
export interface CommitHost {
  readonly states: ReadonlyMap<string, PartitionState>
  /** Stores the offsets. */
  commit(offsets: readonly OffsetToCommit[]): Promise<void>
  /** They are stored. */
  committed(offsets: readonly OffsetToCommit[]): void
  /** A commit at the interval failed; the next one tries again. */
  failed(error: unknown): void
}

/** Keeps the committed positions behind the processed ones. */
export class Committer {
  readonly #context: ClientContext
  readonly #options: CommitOptions
  readonly #sensors: ConsumerSensors
  readonly #host: CommitHost
  #queue: Promise<unknown> = Promise.resolve()
  #timer: ScheduledTimer | undefined
  #isStopped = false

  constructor(context: ClientContext, options: CommitOptions, sensors: ConsumerSensors, host: CommitHost) {
    this.#context = context
    this.#options = options
    this.#sensors = sensors
    this.#host = host
  }

  /** Whether processed positions are committed by themselves. */
  get isAutomatic(): boolean {
    return this.#options.enableAutoCommit
  }

  /** There will be something to commit: sees to it that it happens. There is no timer while there is not. */
  touched(): void {
    const { enableAutoCommit, autoCommitIntervalMs, delivery } = this.#options
    if (!enableAutoCommit || delivery === 'at-most-once' || this.#timer !== undefined || this.#isStopped)
      return
    this.#timer = this.#context.timers.schedule(autoCommitIntervalMs, () => this.#due(), { keepAlive: false })
  }

  /** Commits what is processed, or with at-most-once what was handed out, of all partitions that are not suspended. */
  commitPositions(options: { readonly withSuspended?: boolean } = {}): Promise<void> {
    return this.#enqueue(() => {
      // What is due is decided when the commit goes out, not when it was asked for.
      return this.#commit(this.due(options))
    })
  }

  /** What {@link commitPositions} would commit now. */
  due(options: { readonly withSuspended?: boolean }): OffsetToCommit[] {
    return [...this.#host.states.values()].flatMap((state): OffsetToCommit[] => {
      if (state.isSuspended && options.withSuspended !== true) return []
      const due = this.#isAtMostOnce ? state.tracker.handedOutToCommit() : state.tracker.toCommit()
      return due === undefined ? [] : [{ topic: state.topic, partition: state.partition, ...due }]
    })
  }

  /** Commits what `chunk` holds before it is handed out; undefined when that is done already. */
  commitAhead({ state, messages }: Chunk): Promise<void> | undefined {
    const { tracker } = state
    const { decoded } = tracker
    if (tracker.isCommitted(decoded)) return undefined
    const leaderEpoch = messages.at(-1)?.leaderEpoch ?? -1
    return this.commit([{ topic: state.topic, partition: state.partition, offset: decoded, leaderEpoch }])
  }

  /** Resolves when the commits that were asked for are answered. */
  async settled(): Promise<void> {
    await this.#queue
  }

  /** Commits these offsets. */
  commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    return this.#enqueue(() => this.#commit(offsets))
  }

  /** Commits at the interval no more. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  get #isAtMostOnce(): boolean {
    return this.#options.delivery === 'at-most-once'
  }

  #enqueue(action: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(action)
    this.#queue = done.catch(() => undefined)
    return done
  }

  async #commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    if (offsets.length === 0) return
    const { clock } = this.#context
    const sentAt = clock.monotonic()
    await this.#host.commit(offsets)
    this.#sensors.committed(sentAt, clock.monotonic())
    for (const offset of offsets) {
      this.#host.states.get(partitionName(offset))?.tracker.committed(offset.offset)
    }
    this.#host.committed(offsets)
  }

  #due(): void {
    this.#timer = undefined
    this.commitPositions()
      .catch((error: unknown) => this.#host.failed(error))
      .finally(() => {
        // A turn under way, or a commit that failed: there is more to come.
        if (this.#hasMore()) this.touched()
      })
  }

  #hasMore(): boolean {
    for (const state of this.#host.states.values()) {
      if (state.isTaken || state.tracker.toCommit() !== undefined) return true
    }
    return false
  }
}
