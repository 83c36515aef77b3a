/** A storage in the way of another one: it tells of every write, and fails them when told to. */
import { OttlaError } from '../../src/runtime/errors/ottla-error.js'
import type { Durability, LogStorage, PartitionStorage } from '../../src/storage/contract.js'

/** What was written, and what becomes of the next write. */
export interface WatchedStorage extends LogStorage {
  /** The durability of every append so far. */
  readonly appended: Durability[]
  /** From now on, and until it is opened again, every write fails. */
  fail(): OttlaError
}

/** `inner`, watched; it gives `'fsync'` by its word. */
export const watchedStorage = (inner: LogStorage): WatchedStorage => {
  let failure: OttlaError | undefined
  const appended: Durability[] = []
  const unlessFailed = <T>(write: () => Promise<T>): Promise<T> =>
    failure === undefined ? write() : Promise.reject(failure)
  const watched = (partition: PartitionStorage): PartitionStorage => ({
    id: partition.id,
    get state() {
      return partition.state
    },
    append: (batches, options) =>
      unlessFailed(() => {
        appended.push(options.durability)
        return partition.append(batches, { ...options, durability: 'os' })
      }),
    read: (fromOffset, maxBytes) => partition.read(fromOffset, maxBytes),
    infos: (fromOffset, maxCount) => partition.infos(fromOffset, maxCount),
    findByTimestamp: (timestamp, fromOffset) => partition.findByTimestamp(timestamp, fromOffset),
    truncateSuffix: (endOffset, blobs) => unlessFailed(() => partition.truncateSuffix(endOffset, blobs)),
    truncatePrefix: (startOffset, blobs) => unlessFailed(() => partition.truncatePrefix(startOffset, blobs)),
    replace: (...range) => unlessFailed(() => partition.replace(...range)),
    readBlob: (name) => partition.readBlob(name),
    writeBlobs: (blobs) => unlessFailed(() => partition.writeBlobs(blobs, 'os')),
  })
  return {
    name: 'watched',
    capabilities: { persistent: true, durability: 'fsync' },
    appended,
    get failure() {
      return failure
    },
    fail() {
      return (failure = new OttlaError('STORAGE_FAILED', 'The watched storage fails, as it was told to.'))
    },
    async open() {
      await inner.open()
      failure = undefined
    },
    close: () => inner.close(),
    partition: async (id) => watched(await inner.partition(id)),
    partitions: () => inner.partitions(),
    deletePartition: (id) => unlessFailed(() => inner.deletePartition(id)),
    sizeBytes: () => inner.sizeBytes(),
  }
}
