/** Batches and logs for the tests of src/log. */
import { encodeBatch, type BatchOptions, type RecordInput } from '../../src/record/encode.js'
import { toUtf8 } from '../../src/runtime/bytes.js'
import { systemClock, type Clock } from '../../src/runtime/clock.js'
import type { LogConfig } from '../../src/log/log-config.js'
import { PartitionLog } from '../../src/log/partition-log.js'
import type { PartitionStorage } from '../../src/storage/contract.js'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'

/** The one partition that these tests write. */
export const ID = { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 }

/** Nothing expires, nothing is refused for its size or time. */
export const KEEP_ALL: LogConfig = {
  deletesOld: true,
  compacts: false,
  retentionMs: -1,
  retentionBytes: -1,
  segmentBytes: 0x7fffffff,
  segmentMs: -1,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: -1,
  deleteRetentionMs: 86_400_000,
  maxMessageBytes: 1_048_588,
  compressionType: 'producer',
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: -1,
  timestampAfterMaxMs: -1,
  durability: 'os',
  flushMessages: -1,
  flushMs: -1,
  diskPriority: 0,
}

/** A clock that stands where it is put, and yields as the machine's own does. */
export const clockAt = (start: number): Clock & { time: number } => ({
  ...systemClock,
  time: start,
  now() {
    return this.time
  },
})

/** `count` records at `timestamp`, or one for each of several timestamps. */
export const batchOf = (
  count: number,
  timestamp: number | readonly number[] = 1,
  options: BatchOptions = {},
): Uint8Array =>
  encodeBatch(
    Array.from({ length: count }, (_, i): RecordInput => ({
      timestamp: typeof timestamp === 'number' ? timestamp : timestamp[i]!,
      key: null,
      value: toUtf8(`value ${i}`),
      headers: [],
    })),
    options,
  )

/** A batch of an idempotent producer. */
export const produced = (
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
  count = 1,
): Uint8Array => batchOf(count, 1, { producerId, producerEpoch, baseSequence })

/** An empty partition in memory. */
export const memoryPartition = async (): Promise<PartitionStorage> => {
  const storage = new MemoryStorage()
  await storage.open()
  return storage.partition(ID)
}

/** A log over `storage`. */
export const openLog = (
  storage: PartitionStorage,
  config: Partial<LogConfig> = {},
  options: { clock?: Clock; leaderEpoch?: number; isOnDisk?: boolean } = {},
): Promise<PartitionLog> =>
  PartitionLog.open(storage, {
    isOnDisk: options.isOnDisk ?? false,
    name: 'orders-0',
    config: { ...KEEP_ALL, ...config },
    clock: options.clock ?? systemClock,
    ...(options.leaderEpoch === undefined ? {} : { leaderEpoch: options.leaderEpoch }),
  })
