/** The peer raw-file: the same bytes one after another in one file, written and read by a file handle. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadySubject } from '../harness/benchmark.js'
import { sampleStore, type BatchStore, type StorageSettings } from './workload.js'

export const prepareRawFile = async (settings: StorageSettings): Promise<ReadySubject> => ({
  sample: () => sampleStore(settings, (folder) => openStore(folder, settings)),
})

const openStore = async (folder: string, { readBytes }: StorageSettings): Promise<BatchStore> => {
  const file = await open(join(folder, 'log'), 'w+')
  return {
    append: async (index, batch) => {
      const { bytesWritten } = await file.write(batch, 0, batch.length, index * batch.length)
      if (bytesWritten !== batch.length) throw new Error(`wrote ${bytesWritten} bytes of ${batch.length}`)
    },
    read: async (onBytes) => {
      for (let at = 0; ;) {
        const buffer = Buffer.allocUnsafe(readBytes)
        const { bytesRead } = await file.read(buffer, 0, readBytes, at)
        if (bytesRead === 0) break
        onBytes(buffer.subarray(0, bytesRead))
        at += bytesRead
      }
    },
    close: () => file.close(),
  }
}
