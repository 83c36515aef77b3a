/**
 * The application's part in a rebalance: what it does when partitions come and go. One callback at a time, each with
 * a bound, and each partition is told as assigned once before it is told as revoked or lost.
 */
import { abortable } from '../../runtime/abort.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Timers } from '../../runtime/timers.js'
import type { OffsetToCommit } from '../group/group-offsets.js'
import { partitionName, type TopicPartition } from '../message.js'

/** What a callback can do about the partitions that are given up. */
export interface Revocation {
  /**
   * Commits `offsets`, by default what was processed, as the member that owns the partitions still.
   * @throws OttlaError REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION when it does so no more.
   */
  commit(offsets?: readonly OffsetToCommit[]): Promise<void>
}

/**
 * Called when partitions come and go, and awaited for `maxPollIntervalMs` at most. What one throws is an `error` event
 * of the consumer; the rebalance goes on. Sources: Kafka's ConsumerRebalanceListener, KIP-429.
 */
export interface RebalanceListener {
  /** These have come; none of them is handed out before this has ended. */
  readonly onPartitionsAssigned?: (partitions: readonly TopicPartition[]) => unknown
  /** These are to be given up; whoever is next waits until this has ended. No turn with them is under way. */
  readonly onPartitionsRevoked?: (partitions: readonly TopicPartition[], revocation: Revocation) => unknown
  /**
   * These are gone already, and others may have them, so that nothing can be committed. Default: onPartitionsRevoked,
   * where a commit is refused.
   */
  readonly onPartitionsLost?: (partitions: readonly TopicPartition[]) => unknown
}

/** What the callbacks need. */
export interface RebalanceHost {
  readonly timers: Timers
  /** How long each may take, in milliseconds. */
  readonly timeoutMs: number
  /** A way to commit that ends with the present generation. */
  revocation(): Revocation
  failed(error: unknown): void
}

/** Calls the application back. */
export class RebalanceCallbacks {
  readonly #listener: RebalanceListener
  readonly #host: RebalanceHost
  readonly #told = new Map<string, TopicPartition>()
  #queue: Promise<void> = Promise.resolve()

  constructor(listener: RebalanceListener, host: RebalanceHost) {
    this.#listener = listener
    this.#host = host
  }

  /** What the application believes to have. */
  get told(): readonly TopicPartition[] {
    return [...this.#told.values()]
  }

  /** Tells of those among `partitions`, which are all that it has now, that it did not have before. */
  assigned(partitions: readonly TopicPartition[]): Promise<void> {
    const kept = new Set(partitions.map(partitionName))
    // Those that the rebalance did not wait for.
    void this.lost(this.told.filter((partition) => !kept.has(partitionName(partition))))
    const added = partitions.filter((partition) => !this.#told.has(partitionName(partition)))
    for (const partition of added) this.#told.set(partitionName(partition), partition)
    const { onPartitionsAssigned } = this.#listener
    return this.#call('onPartitionsAssigned', added, onPartitionsAssigned)
  }

  /** Tells that those among `partitions` that it has are given up. */
  revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const { onPartitionsRevoked } = this.#listener
    // Made now: later on, this generation may be over.
    const revocation = this.#host.revocation()
    return this.#call(
      'onPartitionsRevoked',
      this.#forget(partitions),
      onPartitionsRevoked && ((gone, signal) => onPartitionsRevoked(gone, until(signal, revocation))),
    )
  }

  /** Tells that those among `partitions` that it has are gone. */
  lost(partitions: readonly TopicPartition[]): Promise<void> {
    const { onPartitionsLost, onPartitionsRevoked } = this.#listener
    const orRevoked =
      onPartitionsRevoked &&
      ((gone: readonly TopicPartition[]) => onPartitionsRevoked(gone, { commit: refuseCommit }))
    return this.#call('onPartitionsLost', this.#forget(partitions), onPartitionsLost ?? orRevoked)
  }

  #forget(partitions: readonly TopicPartition[]): TopicPartition[] {
    return partitions.filter((partition) => this.#told.delete(partitionName(partition)))
  }

  #call(
    name: keyof RebalanceListener,
    partitions: readonly TopicPartition[],
    callback: ((partitions: readonly TopicPartition[], signal: AbortSignal) => unknown) | undefined,
  ): Promise<void> {
    if (callback === undefined || partitions.length === 0) return this.#queue
    this.#queue = this.#queue.then(() => this.#run(name, async (signal) => callback(partitions, signal)))
    return this.#queue
  }

  /** The signal aborts when the callback has ended, or when nobody waits for it any more. */
  async #run(name: string, callback: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const { timers, timeoutMs } = this.#host
    const bound = new AbortController()
    const timer = timers.schedule(timeoutMs, () => {
      bound.abort(
        new OttlaError(
          'REQUEST_TIMED_OUT',
          `${name} has not ended within maxPollIntervalMs (${timeoutMs}); the rebalance goes on without it.`,
        ),
      )
    })
    try {
      await abortable(callback(bound.signal), bound.signal)
    } catch (error) {
      this.#host.failed(error)
    } finally {
      timer.cancel()
      bound.abort()
    }
  }
}

/** Commits as long as the callback goes on: afterwards the partitions may be somebody else's. */
const until = (signal: AbortSignal, revocation: Revocation): Revocation => ({
  commit: (offsets) => (signal.aborted ? refuseCommit() : revocation.commit(offsets)),
})

const refuseCommit = async (): Promise<void> => {
  throw new OttlaError(
    'REBALANCE_IN_PROGRESS',
    'The partitions are given up or lost, so that nothing can be committed for them.',
  )
}
