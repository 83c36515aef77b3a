/** `ottla/storage/file`: logs in segment files, as Kafka keeps them; for heavy use. */
import { nodeFiles } from '../../runtime/node/node-files.js'
import { nodeProcess } from '../../runtime/node/node-process.js'
import { FileStorage } from './file-storage.js'

export type { FileStorage } from './file-storage.js'
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

/**
 * Keeps logs in a folder, in files: `Ottla.open({ storage: fileStorage('./data') })`. A segment holds nothing but
 * record batches of version 2, one after another, so Kafka's own tools can read it.
 *
 * Opening throws OttlaError STORAGE_LOCKED when the folder is open already, in this process or another; opening a
 * partition throws STORAGE_CORRUPT when it is damaged.
 */
export const fileStorage = (location: string): FileStorage =>
  new FileStorage({ location, files: nodeFiles, process: nodeProcess })
