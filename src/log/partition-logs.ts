/** The logs of a storage: each is opened when it is first asked for, once, and closed with the others. */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Clock } from '../runtime/clock.js'
import { Resource } from '../runtime/lifecycle.js'
import type { LogStorage, PartitionId } from '../storage/contract.js'
import type { LogConfig } from './log-config.js'
import type { PartitionLog } from './partition-log.js'

/** What is known of a partition that nobody opened yet. */
export interface PartitionDescription {
  /** What errors call it, e.g. `orders-0`. */
  readonly name: string
  readonly config: LogConfig
  /** See {@link PartitionLogOptions.leaderEpoch}. */
  readonly leaderEpoch?: number
}

/** What the logs work with. */
export interface PartitionLogsOptions {
  readonly clock: Clock
  /** Tells the retention sweep of stored partitions that nobody opened; without it, or when it knows nothing, they are left alone. */
  readonly describe?: (id: PartitionId) => PartitionDescription | undefined
}

/** The partition logs over one open storage, which stays the caller's to close. */
export class PartitionLogs extends Resource {
  constructor(_storage: LogStorage, _options: PartitionLogsOptions) {
    super('partition logs')
  }

  get(_id: PartitionId, _name: string, _config: LogConfig, _leaderEpoch?: number): Promise<PartitionLog> {
    return Promise.reject(new OttlaError('INTERNAL_ERROR'))
  }
  delete(_id: PartitionId): Promise<void> {
    return Promise.reject(new OttlaError('INTERNAL_ERROR'))
  }
  opened(): Iterable<PartitionLog> {
    return []
  }
  /** Resolves to the bytes dropped. */
  applyRetention(_signal?: AbortSignal): Promise<number> {
    return Promise.reject(new OttlaError('INTERNAL_ERROR'))
  }
  protected override onClose(): Promise<void> {
    return Promise.resolve()
  }
}
