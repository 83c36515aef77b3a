/** Memory that outlives its closing: what a restart finds on a disk, without one. */
import type { LogStorage } from '../../src/storage/contract.js'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'

/** A storage whose data is there again after close and open. */
export const keptStorage = (): LogStorage => {
  const memory = new MemoryStorage()
  let isOpen = false
  return {
    name: 'kept memory',
    capabilities: { ...memory.capabilities, persistent: true },
    failure: undefined,
    async open() {
      if (!isOpen) await memory.open()
      isOpen = true
    },
    close: () => Promise.resolve(),
    partition: (id) => memory.partition(id),
    partitions: () => memory.partitions(),
    deletePartition: (id) => memory.deletePartition(id),
    sizeBytes: () => memory.sizeBytes(),
  }
}
