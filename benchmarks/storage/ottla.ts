/** The subjects of `storage` that are Ottla's: a partition of a storage, by the storage contract. */
import { assignOffset } from '../../src/record/header.js'
import type { LogStorage } from '../../src/storage/contract.js'
import type { ReadySubject } from '../harness/benchmark.js'
import { sampleStore, TIMESTAMP, type BatchStore, type StorageSettings } from './workload.js'

const ID = { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 }

/** Measures what `create` makes for a folder. */
export const prepareStorage = (
  settings: StorageSettings,
  create: (folder: string) => LogStorage,
): ReadySubject => ({
  sample: () => sampleStore(settings, (folder) => openStore(create(folder), settings)),
})

const openStore = async (storage: LogStorage, { readBytes }: StorageSettings): Promise<BatchStore> => {
  await storage.open()
  const partition = await storage.partition(ID)
  return {
    append: (index, bytes) => {
      // As the log does it: the bytes say where they are. No batch is on its way twice at a time.
      assignOffset(bytes, index, 0)
      const batch = {
        baseOffset: index,
        lastOffset: index,
        maxTimestamp: TIMESTAMP,
        sizeBytes: bytes.length,
        bytes,
      }
      return partition.append([batch], { durability: 'os' })
    },
    read: async (onBytes) => {
      let at = 0
      while (at < partition.state.endOffset) {
        for (const { bytes, lastOffset } of await partition.read(at, readBytes)) {
          onBytes(bytes)
          at = lastOffset + 1
        }
      }
    },
    close: () => storage.close(),
  }
}
