/** What goes into an append and a read of a log, and what comes out. */
import type { Durability } from '../storage/contract.js'
import type { OpenTransaction } from './transaction-index.js'

/** How to append. */
export interface AppendOptions {
  /** Who wrote the batch; default `'client'`. What the broker writes is trusted, and may be a control batch. */
  readonly origin?: 'client' | 'coordinator' | 'metadata'
  /**
   * Whether its producer has a new epoch, which starts at sequence 0, for each transaction (KIP-890): then a producer
   * that the log knows nothing of must start there too. Default false.
   */
  readonly isEpochBumped?: boolean
  /** When it counts as stored; default as configured. */
  readonly durability?: Durability
}

/** Where a batch was stored. */
export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /** The time of the append in milliseconds when the log keeps that; -1 when the producer's timestamps count. */
  readonly logAppendTime: number
  /** The log start offset. */
  readonly startOffset: number
  /** Whether the batch had been stored before, at these offsets. */
  readonly duplicate: boolean
}

/** How to read. */
export interface ReadOptions {
  /** `'read_committed'` ends at the last stable offset, and tells what was aborted; default `'read_uncommitted'`. */
  readonly isolation?: 'read_uncommitted' | 'read_committed'
}

/** What was read. */
export interface LogRead {
  /** Whole batches; the first holds the offset that was asked for. Views that must not be changed. */
  readonly batches: readonly Uint8Array[]
  /** The bytes of `batches`. */
  readonly sizeBytes: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly startOffset: number
  /** The aborted transactions with records among `batches`; null unless only what is committed was asked for. */
  readonly abortedTransactions: readonly OpenTransaction[] | null
}
