/** Where consumers begin, and where they go when they are sent elsewhere: finding the offset that a position stands for. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { fetchCommitted } from '../group/group-offsets.js'
import { partitionName } from '../message.js'
import type { Backoff } from '../retry.js'
import type { PartitionPosition } from '../topic.js'
import { durationMsOf, type AutoOffsetReset } from './auto-offset-reset.js'
import { lookUpPositions, type IsolationLevel } from '../offset-lookup.js'
import { loadOffsets, type OffsetStore } from './offset-store.js'
import type { PartitionState } from './partition-state.js'

/** How positions are found. */
export interface PositionOptions extends Backoff {
  readonly autoOffsetReset: AutoOffsetReset
  readonly isolationLevel: IsolationLevel
}

/** Where partitions begin. */
export interface Beginning {
  readonly groupId?: string | undefined
  readonly from?: PartitionPosition | undefined
  readonly offsetStore?: OffsetStore | undefined
}

/** Whose positions they are. */
export interface PositionHost {
  readonly signal: AbortSignal
  /** A position was not found: `state` fails, or says when to try again. */
  stumble(state: PartitionState, error: unknown): void
  /** Partitions have positions now, or are known to have none. */
  placed(): void
}

/** Finds positions. */
export class Positions {
  readonly #context: ClientContext
  readonly #options: PositionOptions
  readonly #host: PositionHost

  constructor(context: ClientContext, options: PositionOptions, host: PositionHost) {
    this.#context = context
    this.#options = options
    this.#host = host
  }

  /**
   * Begins at `from` if that is given, otherwise where the application's own store says, or without one where the group
   * has come to if there is one, otherwise as autoOffsetReset says.
   */
  async begin(states: readonly PartitionState[], beginning: Beginning): Promise<void> {
    if (states.length === 0) return
    const { groupId, from, offsetStore } = beginning
    const { autoOffsetReset } = this.#options
    const versions = new Map(states.map((state) => [state, state.version]))
    if (from === undefined) {
      if (offsetStore !== undefined) await this.#beginWhereStored(states, offsetStore)
      else if (groupId !== undefined) await this.#beginWhereCommitted(states, groupId)
    }
    // The application may have gone elsewhere while this was asked for.
    const left = states.filter((state) => state.version === versions.get(state))
    if (from !== undefined) await this.seek(left, from)
    else if (autoOffsetReset !== 'none') await this.reset(left, autoOffsetReset)
    else for (const state of left) state.fail(nothingToBeginWith(state, beginning))
    this.#host.placed()
  }

  /** Goes where `reset` says; a duration counts back from now. */
  reset(states: readonly PartitionState[], reset: Exclude<AutoOffsetReset, 'none'>): Promise<void> {
    if (reset === 'earliest' || reset === 'latest') return this.seek(states, reset)
    // Nothing is older than the epoch, and a Date has bounds.
    return this.seek(states, new Date(Math.max(0, this.#context.clock.now() - (durationMsOf(reset) ?? 0))))
  }

  /** Goes to `position`; what was fetched before is dropped at once. */
  async seek(states: readonly PartitionState[], position: PartitionPosition): Promise<void> {
    if (typeof position === 'number') {
      for (const state of states) state.moveTo(position)
      this.#host.placed()
      return
    }
    for (const state of states) state.forgetPosition()
    if (await this.#tryTogether(states, position)) return
    await Promise.all(states.map((state) => this.#insist(state, position)))
  }

  async #beginWhereStored(states: readonly PartitionState[], store: OffsetStore): Promise<void> {
    const byName = new Map(states.map((state) => [state.name, { state, version: state.version }]))
    for (const stored of await loadOffsets(store, states)) {
      const entry = byName.get(partitionName(stored))
      if (entry !== undefined && entry.state.version === entry.version) entry.state.moveTo(stored.offset)
    }
  }

  async #beginWhereCommitted(states: readonly PartitionState[], groupId: string): Promise<void> {
    // As it is before asking: the application may go elsewhere meanwhile.
    const byName = new Map(states.map((state) => [state.name, { state, version: state.version }]))
    // Without an answer there is no going on; a coordinator that is away comes back, or the consumer is closed.
    const attempts = Number.MAX_SAFE_INTEGER
    const options = { signal: this.#host.signal, backoff: this.#options, attempts }
    const found = await fetchCommitted(this.#context, groupId, states, options)
    for (const committed of found) {
      const entry = byName.get(partitionName(committed))
      if (entry === undefined || entry.state.version !== entry.version) continue
      entry.state.moveTo(committed.offset, committed.leaderEpoch)
      entry.state.tracker.committed(committed.offset)
    }
  }

  /** One request a leader; false when one of them failed, which then must not hold up the others. */
  async #tryTogether(states: readonly PartitionState[], position: PartitionPosition): Promise<boolean> {
    if (states.length < 2) return states.length === 0
    const versions = states.map(({ version }) => version)
    try {
      const offsets = await this.#lookUp(states, position)
      states.forEach((state, index) => {
        const offset = offsets[index]
        if (offset !== undefined && state.version === versions[index]) state.moveTo(offset)
      })
      this.#host.placed()
      return true
    } catch {
      return this.#host.signal.aborted
    }
  }

  /** Tries until the position is found, is given up for another one, or trying again would not help. */
  async #insist(state: PartitionState, position: PartitionPosition): Promise<void> {
    const { signal } = this.#host
    const { clock, timers } = this.#context
    const { version } = state
    const isCurrent = (): boolean => state.version === version && !signal.aborted
    while (isCurrent()) {
      try {
        const [offset] = await this.#lookUp([state], position)
        if (!isCurrent() || offset === undefined) return
        state.moveTo(offset)
        this.#host.placed()
      } catch (error) {
        if (!isCurrent()) return
        this.#host.stumble(state, error)
        if (state.failure !== undefined) return
        await timers.sleep(Math.max(0, state.retryAt - clock.monotonic()), signal).catch(() => undefined)
      }
    }
  }

  #lookUp(states: readonly PartitionState[], position: PartitionPosition): Promise<readonly number[]> {
    const { isolationLevel } = this.#options
    return lookUpPositions(this.#context, states, position, { isolationLevel, signal: this.#host.signal })
  }
}

const nothingToBeginWith = (
  { name, topic, partition }: PartitionState,
  { groupId, offsetStore }: Beginning,
): OttlaError => {
  let reason = `There is no position for ${name}: from is not given`
  if (offsetStore !== undefined) reason = `The offsetStore has nothing for ${name}`
  else if (groupId !== undefined) reason = `Group ${groupId} has committed nothing for ${name}`
  return new OttlaError('NO_OFFSET_FOR_PARTITION', `${reason}, and autoOffsetReset is none.`, {
    details: { groupId, topic, partition },
  })
}
