/** The peer raw-classic-level: the same bytes under ascending keys, gathered into `batch()` calls and read by an iterator. */
import { ClassicLevel } from 'classic-level'
import type { ReadySubject } from '../harness/benchmark.js'
import { sampleStore, type BatchStore, type StorageSettings } from './workload.js'

interface Put {
  readonly type: 'put'
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export const prepareRawClassicLevel = async (settings: StorageSettings): Promise<ReadySubject> => ({
  sample: () => sampleStore(settings, (folder) => openStore(folder, settings)),
})

const openStore = async (folder: string, { readBytes }: StorageSettings): Promise<BatchStore> => {
  // With the options that Ottla opens it with.
  const level = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
    writeBufferSize: 8 * 1024 * 1024,
  })
  await level.open()
  const gathering = new Gathering((puts) => level.batch(puts))
  return {
    append: (index, value) => gathering.add({ type: 'put', key: keyOf(index), value }),
    read: async (onBytes) => {
      const iterator = level.iterator({ highWaterMarkBytes: readBytes })
      try {
        for (;;) {
          const entries = await iterator.nextv(1024)
          if (entries.length === 0) break
          for (const [, value] of entries) onBytes(value)
        }
      } finally {
        await iterator.close()
      }
    },
    close: () => level.close(),
  }
}

const keyOf = (index: number): Uint8Array => {
  const key = Buffer.allocUnsafe(8)
  key.writeBigUInt64BE(BigInt(index))
  return key
}

/** What comes while a write is under way goes together as the next one. */
class Gathering {
  readonly #write: (puts: Put[]) => Promise<void>
  #pending: { put: Put; resolve: () => void; reject: (error: unknown) => void }[] = []
  #isRunning = false

  constructor(write: (puts: Put[]) => Promise<void>) {
    this.#write = write
  }

  add(put: Put): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ put, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    await Promise.resolve()
    while (this.#pending.length > 0) {
      const group = this.#pending
      this.#pending = []
      try {
        await this.#write(group.map(({ put }) => put))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#isRunning = false
  }
}
