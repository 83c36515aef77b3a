/** `ottla/storage/memory`: the storage that `Ottla.open()` uses when it is given no folder. */
export { MemoryStorage } from './memory-storage.js'
export type {
  BatchInfo,
  BatchWrite,
  BlobChanges,
  Durability,
  LogStorage,
  PartitionId,
  PartitionState,
  PartitionStorage,
  StorageCapabilities,
  StoredBatch,
} from '../contract.js'
