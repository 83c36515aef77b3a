/** `ottla/storage/test-suite`: proves that a storage keeps the contract, under any test runner. */
export { storageContractSuite } from './contract-suite.js'
export type { ContractRunner, StorageContractOptions } from './suite-context.js'
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
