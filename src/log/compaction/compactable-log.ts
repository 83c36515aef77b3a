/**
 * An open log as compaction has to do with it. A pass reads like any other reader; only what it replaces waits its turn
 * among those that cut, checkpoint or close the log, so none of them waits for a pass.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Random } from '../../runtime/random.js'
import type { LogRead } from '../append-and-read.js'
import { LogBase } from '../log-base.js'
import type { LogState } from '../recovery.js'
import {
  compactLog,
  type PassBounds,
  type PassLog,
  type PassResult,
  type ReplacedRange,
} from './compaction-pass.js'
import type { LastCompaction } from './compaction-state.js'
import { DirtyMeasure, type DirtySection } from './dirty-section.js'
import { HASH_KEY_BYTES } from './key-hash.js'
import type { Pace } from './pace.js'

/** How to compact. */
export interface CompactionOptions extends PassBounds {
  readonly random: Random
  readonly pace: Pace
}

/** What a compaction did. */
export interface CompactionResult extends Omit<PassResult, 'emptiedMarkers'> {
  /** How long it took, in milliseconds. */
  readonly durationMs: number
}

/** A log that can be compacted. */
export abstract class CompactableLog extends LogBase {
  /** How many cuts were begun: what was read meanwhile is read again. */
  protected cuts = 0
  readonly #dirty = new DirtyMeasure()

  abstract read(fromOffset: number, maxBytes: number): Promise<LogRead>

  /** What the last compaction came to; undefined when there was none. */
  get lastCompaction(): LastCompaction | undefined {
    return this.state.compaction.last
  }

  /** What it is now, in figures that cost nothing to tell. */
  inspect() {
    const { segmentCount } = this.storage
    const { sizeBytes, batchCount } = this.storage.state
    return {
      error: this.failure,
      startOffset: this.startOffset,
      endOffset: this.endOffset,
      highWatermark: this.highWatermark,
      lastStableOffset: this.lastStableOffset,
      sizeBytes,
      batchCount,
      segmentCount,
      activeSegmentOffset: this.activeSegmentOffset,
      leaderEpoch: this.leaderEpoch,
      producers: this.state.producers.size,
      openTransactions: this.state.transactions.openCount,
      leaderEpochs: [...this.state.epochs.entries],
      durability: this.config.durability,
      recovery: this.recovery,
      lastDropped: this.lastDropped,
      lastCompaction: this.lastCompaction,
    }
  }

  /**
   * What may be compacted at `nowMs` and was not; undefined when there is nothing, or `cleanup.policy` has no compact.
   * Costs what was appended since it was asked last.
   */
  async dirtySection(nowMs: number, signal?: AbortSignal): Promise<DirtySection | undefined> {
    this.assertWell()
    if (!this.config.compacts) return undefined
    const { storage, clock, config } = this
    const { segment, compaction } = this.state
    const dirtyFrom = Math.max(compaction.last?.cleanedTo ?? 0, this.logStart)
    const limit = Math.min(segment.baseOffset, this.lastStableOffset)
    const log = { storage, clock, config, dirtyFrom, limit, activeBytes: segment.sizeBytes }
    return this.#dirty.measure(log, nowMs, signal)
  }

  /**
   * Compacts `section`, or as much of it as there is room for its keys, as of `nowMs`. Reading and appending go on.
   * @throws OttlaError NOT_LEADER_OR_FOLLOWER when the log was truncated meanwhile; the failure that took it off line;
   * RESOURCE_CLOSED; the reason of the pace's signal. What was replaced by then stays replaced.
   */
  async compact(section: DirtySection, nowMs: number, options: CompactionOptions): Promise<CompactionResult> {
    this.assertWell()
    const { clock, config, state } = this
    const began = clock.monotonic()
    const { emptiedMarkers, ...result } = await compactLog(this.#passLog(state), {
      section,
      nowMs,
      deleteRetentionMs: config.deleteRetentionMs,
      bounds: options,
      hashKey: options.random.bytes(HASH_KEY_BYTES),
      producers: state.producers.entries(),
      abortedSince: (offset) => state.transactions.abortedBetween(offset, state.endOffset),
      pace: options.pace,
    })
    await this.#exclusivelyIn(state, async () => {
      const { cleanedTo, bytesBefore, bytesAfter } = result
      this.#forgetAborted(state, emptiedMarkers)
      state.compaction = {
        ...state.compaction,
        last: { timestamp: nowMs, cleanedTo, bytesBefore, bytesAfter },
      }
      await this.storage.writeBlobs(this.checkpointBlob(), 'os')
    })
    return { ...result, durationMs: clock.monotonic() - began }
  }

  #passLog(state: LogState): PassLog {
    const startOffset = (): number => this.logStart
    return {
      get startOffset() {
        return startOffset()
      },
      read: (fromOffset, maxBytes) => this.read(fromOffset, maxBytes),
      replace: (range) => this.#exclusivelyIn(state, () => this.#replace(state, range)),
    }
  }

  async #replace(
    state: LogState,
    { fromOffset, toOffset, batches, emptiedMarkers }: ReplacedRange,
  ): Promise<void> {
    if (toOffset <= this.logStart) return
    const left = batches.filter(({ lastOffset }) => lastOffset >= this.logStart)
    const { compaction } = state
    state.compaction = { ...compaction, gapsBelow: Math.max(compaction.gapsBelow, toOffset) }
    this.#forgetAborted(state, emptiedMarkers)
    await this.storage.replace(fromOffset, toOffset, left, this.checkpointBlob())
    this.diskAccount?.settle()
  }

  /**
   * What compaction left nothing of must not be told to readers any more: without its marker they would not know
   * where it ends. Who has read already reads again, and gets batches and transactions that belong together.
   */
  #forgetAborted(state: LogState, markers: readonly number[]): void {
    if (state.transactions.forget(markers)) this.cuts++
  }

  /** Runs `change` alone, on the log that it was made for. */
  #exclusivelyIn(state: LogState, change: () => Promise<void>): Promise<void> {
    return this.exclusively(async () => {
      this.assertWell()
      if (this.state !== state) {
        throw new OttlaError('NOT_LEADER_OR_FOLLOWER', `${this.name} was truncated while it was compacted.`)
      }
      await change().catch((error: unknown) => {
        throw this.fail(error)
      })
    })
  }
}
