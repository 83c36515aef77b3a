/** What goes into an append and a read of a log, and what comes out. */
import type { Durability } from '../storage/contract.js'

/** How to append. */
export interface AppendOptions {
  /** Who wrote the batch; default `'client'`. What the broker writes is trusted, and may be a control batch. */
  readonly origin?: 'client' | 'coordinator' | 'metadata'
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

/** What was read. */
export interface LogRead {
  /** Whole batches; the first holds the offset that was asked for. Views that must not be changed. */
  readonly batches: readonly Uint8Array[]
  /** The bytes of `batches`. */
  readonly sizeBytes: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly startOffset: number
}
