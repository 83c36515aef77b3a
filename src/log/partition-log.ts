/** A partition's log: how a batch is appended and read, in a straight line. */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Clock } from '../runtime/clock.js'
import { Resource } from '../runtime/lifecycle.js'
import type { Durability, PartitionStorage } from '../storage/contract.js'
import type { LogConfig } from './log-config.js'

/** How to open a log. */
export interface PartitionLogOptions {
  /** What errors call it, e.g. `orders-0`. */
  readonly name: string
  readonly config: LogConfig
  readonly clock: Clock
  /** The epoch in which this node leads the partition; default the latest in the log, or 0. */
  readonly leaderEpoch?: number
}

/** How to append. */
export interface AppendOptions {
  /** Who wrote the batch; default `'client'`. What a coordinator writes is not validated and may be a control batch. */
  readonly origin?: 'client' | 'coordinator'
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
  readonly batches: readonly Uint8Array[]
  /** The bytes of `batches`. */
  readonly sizeBytes: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly startOffset: number
}

/** A record found by its timestamp. */
export interface TimestampedOffset {
  readonly offset: number
  /** In milliseconds. */
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** Where an epoch ends (KIP-101). */
export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

const missing = (): Promise<never> => Promise.reject(new OttlaError('INTERNAL_ERROR'))

/** One partition's log. */
export class PartitionLog extends Resource {
  static open(storage: PartitionStorage, options: PartitionLogOptions): Promise<PartitionLog> {
    return Promise.resolve(new PartitionLog(storage, options))
  }

  readonly startOffset = 0
  readonly endOffset = 0
  readonly highWatermark = 0
  readonly lastStableOffset = 0
  readonly leaderEpoch = 0
  readonly failure: OttlaError | undefined
  readonly sizeBytes: number

  private constructor(storage: PartitionStorage, options: PartitionLogOptions) {
    super(options.name)
    this.sizeBytes = storage.state.sizeBytes
  }

  append(_batch: Uint8Array, _options?: AppendOptions): Promise<AppendResult> {
    return missing()
  }
  read(_fromOffset: number, _maxBytes: number): Promise<LogRead> {
    return missing()
  }
  offsetForTimestamp(_timestamp: number): Promise<TimestampedOffset | undefined> {
    return missing()
  }
  maxTimestamp(): Promise<TimestampedOffset | undefined> {
    return missing()
  }
  endOffsetForEpoch(_epoch: number): EpochEnd {
    return { epoch: -1, endOffset: -1 }
  }
  truncateTo(_offset: number): Promise<void> {
    return missing()
  }
  /** -1 stands for the high watermark; resolves to the log start offset. */
  deleteRecordsBefore(_offset: number): Promise<number> {
    return missing()
  }
  applyRetention(_now: number, _signal?: AbortSignal): Promise<number> {
    return missing()
  }
  checkpoint(): Promise<void> {
    return missing()
  }
  updateConfig(_config: LogConfig): void {
    //
  }
  onAdvance(_listener: () => void): () => void {
    return () => undefined
  }
  /** Refuses everything with `failure` from now on, and will not write when it closes. */
  takeOffline(_failure: OttlaError): void {
    //
  }
  protected override onClose(): Promise<void> {
    return missing()
  }
}
