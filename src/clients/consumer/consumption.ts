/**
 * What a consumer does whatever assigns its partitions: looks positions up, fetches ahead, and hands chunks of
 * messages to the loops that ask, one loop at a time for each partition. The turns of the loops are counted here, so
 * that a rebalance can wait for those under way.
 */
import { deferred, onAbort, type Deferred } from '../../runtime/abort.js'
import type { Clock } from '../../runtime/clock.js'
import type { OttlaError } from '../../runtime/errors/ottla-error.js'
import { TurnGuard } from '../../runtime/turn-guard.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import type { Backoff } from '../retry.js'
import type { AnyTopic } from '../topic.js'
import type { Chunk } from './chunk.js'
import type { ConsumerSensors } from './consumer-metrics.js'
import { Fetcher, type FetchHost, type FetchOptions } from './fetcher.js'
import { PartitionState } from './partition-state.js'
import { Positions, type PositionOptions } from './positions.js'

/** How to consume. */
export interface ConsumptionOptions extends FetchOptions, PositionOptions {
  readonly maxPollRecords: number
}

/** Who is told, and who decides. */
export interface ConsumptionHooks {
  /** A request failed; it will be tried again. */
  stumbled(error: unknown): void
  /** A loop asks for messages. */
  asked?(): void
  /** Before a chunk is handed out. */
  beforeHandOut?(chunk: Chunk): Promise<void> | undefined
  /** Whether the loops have reached their end; asked when there is nothing to hand out. */
  isOver?(): boolean
  /** Whether a missing topic is an error. */
  readonly needsTopics: boolean
}

/** The partitions of a consumer, and the loops that consume them. */
export class Consumption implements FetchHost {
  readonly states = new Map<string, PartitionState>()
  readonly needsTopics: boolean
  readonly positions: Positions
  /** How often a loop has asked for a message: what tells that the application is alive. */
  turns = 0
  readonly #options: ConsumptionOptions
  readonly #sensors: ConsumerSensors
  readonly #clock: Clock
  readonly #hooks: ConsumptionHooks
  readonly #fetcher: Fetcher
  readonly #guard: TurnGuard
  readonly #stopping = new AbortController()
  readonly #waiters = new Set<() => void>()
  #idle: Deferred<'released' | 'over'> | undefined
  #failure: { readonly error: unknown } | undefined
  #isHalted = false
  /** Round robin over the partitions: the names in order, and whose turn it is. */
  #order: PartitionState[] = []
  #turn = 0

  constructor(
    context: ClientContext,
    options: ConsumptionOptions,
    sensors: ConsumerSensors,
    hooks: ConsumptionHooks,
  ) {
    this.#options = options
    this.#sensors = sensors
    this.#clock = context.clock
    this.#hooks = hooks
    this.needsTopics = hooks.needsTopics
    this.#guard = new TurnGuard(context.clock)
    this.positions = new Positions(context, options, this)
    this.#fetcher = new Fetcher(context, options, this.backoff, sensors, this)
  }

  /** How long to wait before trying again. */
  get backoff(): Backoff {
    return this.#options
  }

  /** Whether a loop waits for messages. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0
  }

  /** Ends with {@link stop}: everything that waits in here hangs on it. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** The next messages for a loop; undefined when it has to end. Rejects with what keeps the consumer from going on. */
  async next(signal?: AbortSignal): Promise<Chunk | undefined> {
    this.turns++
    for (;;) {
      const turn = this.#guard.next()
      if (turn !== undefined) await turn
      if (this.#isHalted || signal?.aborted === true) return undefined
      if (this.#failure !== undefined) throw this.#failure.error
      this.#hooks.asked?.()
      const chunk = this.#take()
      if (chunk === undefined) {
        if (this.#hooks.isOver?.() === true) return undefined
        await this.#wait(signal)
        continue
      }
      const before = this.#hooks.beforeHandOut?.(chunk)
      if (before !== undefined) await this.#finishBefore(chunk, before)
      // The partition may have been revoked, paused or moved while something was done before.
      if (chunk.handedOut < chunk.end) return chunk
      this.release(chunk)
    }
  }

  /** Gives a chunk back: what it still holds is handed out later, or elsewhere. */
  release(chunk: Chunk): void {
    chunk.state.isTaken = false
    this.#endIdleWait('released')
    // What is left in it is for whoever asks next.
    if (!chunk.isExhausted) this.arrived()
  }

  /** Makes `partitions` the ones to consume. Those that are there already go on where they are if `keepsExisting`. */
  assign(
    handles: readonly { readonly handle: AnyTopic; readonly partition: number }[],
    keepsExisting: boolean,
  ): PartitionState[] {
    const before = new Map(this.states)
    const { isolationLevel } = this.#options
    const added: PartitionState[] = []
    this.states.clear()
    for (const { handle, partition } of handles) {
      const name = partitionName({ topic: handle.name, partition })
      const existing = keepsExisting ? before.get(name) : undefined
      const state = existing ?? new PartitionState(handle, partition, isolationLevel, () => this.arrived())
      if (existing === undefined) added.push(state)
      else before.delete(name)
      this.states.set(name, state)
      state.isSuspended = false
    }
    for (const state of before.values()) drop(state)
    this.#order = [...this.states.values()]
    this.#endIdleWait('over')
    return added
  }

  /** Hands nothing more of `partitions`, by default all, out and fetches nothing more, until {@link assign}. */
  suspend(partitions?: readonly TopicPartition[]): void {
    for (const state of this.#statesOf(partitions)) {
      state.isSuspended = true
      state.tracker.chunk?.cut()
    }
  }

  /** Resolves when no loop is in the middle of a turn with `partitions`, by default all, or there are others. */
  async idle(partitions?: readonly TopicPartition[]): Promise<void> {
    const states = this.#statesOf(partitions)
    while (states.some(({ isTaken }) => isTaken)) {
      this.#idle ??= deferred()
      if ((await this.#idle.promise) === 'over') return
    }
  }

  /** Ends every loop, after the turn that it is in; positions stay as they are. */
  halt(): void {
    this.#isHalted = true
    this.suspend()
    this.arrived()
  }

  /** Ends everything. */
  stop(reason: unknown): void {
    this.halt()
    this.#stopping.abort(reason)
    this.#fetcher.stop(reason)
    this.#endIdleWait('over')
  }

  /** The consumer cannot go on: every loop ends with `error`. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.arrived()
  }

  pause(state: PartitionState): void {
    state.isPaused = true
    state.tracker.chunk?.cut()
  }

  resume(state: PartitionState): void {
    state.isPaused = false
    // The loop that holds it goes on with it.
    if (state.isTaken && !state.isSuspended) state.tracker.chunk?.reopen()
    this.#fetcher.pump()
    this.arrived()
  }

  /** The offset of the next message to be handed out, as soon as it is known. */
  async positionOf(state: PartitionState): Promise<number> {
    for (;;) {
      this.signal.throwIfAborted()
      const failure = this.#failure ?? state.failure
      if (state.tracker.isKnown) return state.tracker.position
      if (failure !== undefined) throw failure.error
      await this.#wait(undefined)
    }
  }

  /** Fetches what has a position and room. */
  placed(): void {
    this.#fetcher.pump()
    this.arrived()
  }

  stumble(state: PartitionState, error: unknown): void {
    this.#fetcher.stumble(state, error)
  }

  /** There may be something to hand out, or a reason to end: whoever waits looks. */
  arrived(): void {
    if (this.#waiters.size === 0) return
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const wake of waiters) wake()
  }

  stumbled(error: unknown): void {
    this.#hooks.stumbled(error)
  }

  outOfRange(state: PartitionState, error: OttlaError, offset?: number): void {
    const { autoOffsetReset } = this.#options
    if (autoOffsetReset === 'none') {
      state.fail(error)
      this.arrived()
      return
    }
    this.#hooks.stumbled(error)
    const { positions } = this
    const moving =
      offset === undefined ? positions.reset([state], autoOffsetReset) : positions.seek([state], offset)
    moving.catch((failure: unknown) => this.fail(failure))
  }

  #take(): Chunk | undefined {
    const order = this.#order
    for (let left = order.length; left > 0; left--) {
      if (this.#turn >= order.length) this.#turn = 0
      const state = order[this.#turn++]
      if (state?.mayDeliver !== true) continue
      const chunk = this.#takeOf(state)
      if (chunk === undefined) continue
      state.isTaken = true
      this.#fetcher.relieved(state)
      return chunk
    }
    return undefined
  }

  /** The next chunk of `state`, counted when it is a new one. */
  #takeOf(state: PartitionState): Chunk | undefined {
    const last = state.tracker.chunk
    const bytesBefore = state.buffer.sizeBytes
    const chunk = state.take(this.#options.maxPollRecords)
    if (chunk !== undefined && chunk !== last) {
      const sizeBytes = bytesBefore - state.buffer.sizeBytes
      this.#sensors.consumed(state, chunk.messages.length, sizeBytes, this.#clock.monotonic())
    }
    return chunk
  }

  async #finishBefore(chunk: Chunk, before: Promise<void>): Promise<void> {
    try {
      await before
    } catch (error) {
      this.release(chunk)
      throw error
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) resolve()
      else if (signal === undefined) this.#waiters.add(resolve)
      else {
        const wake = (): void => {
          off()
          this.#waiters.delete(wake)
          resolve()
        }
        this.#waiters.add(wake)
        const off = onAbort(signal, wake)
      }
      this.#fetcher.starved()
    })
  }

  #endIdleWait(why: 'released' | 'over'): void {
    this.#idle?.resolve(why)
    this.#idle = undefined
  }

  #statesOf(partitions: readonly TopicPartition[] | undefined): PartitionState[] {
    if (partitions === undefined) return [...this.states.values()]
    return partitions.flatMap((partition) => this.states.get(partitionName(partition)) ?? [])
  }
}

/** A loop may still hold its chunk; it gets nothing more out of it. */
const drop = (state: PartitionState): void => {
  state.isSuspended = true
  state.forgetPosition()
}
