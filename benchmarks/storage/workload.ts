/** The workload that every subject of `storage` gets: the same batches of bytes, appended and then read in order. */
import { writeHeader } from '../../src/record/header.js'
import type { Measurements } from '../harness/benchmark.js'
import { withTempFolder } from '../harness/temp-folder.js'

/** What was chosen. */
export interface StorageSettings extends Record<string, number> {
  /** Bytes that are appended and read with batches of 128 KiB: several of LevelDB's tables, compactions included. */
  readonly volumeBytes: number
  /** Appends that may be unacknowledged at a time. */
  readonly appendsInFlight: number
  /** The most bytes that one read asks for. */
  readonly readBytes: number
}

/** A place for batches, new and empty. */
export interface BatchStore {
  /** Stores `batch` as the `index`th; the calls come in order, several at a time. */
  append(index: number, batch: Uint8Array): Promise<void>
  /** Reads all from the first on; hands over the bytes, in pieces of any length. */
  read(onBytes: (bytes: Uint8Array) => void): Promise<void>
  close(): Promise<void>
}

/** The sizes of batches, and the part of the volume that each is measured with: small ones take their time. */
export const SIZES = [
  { suffix: '', batchBytes: 128 * 1024, share: 1 },
  { suffix: '-1KiB', batchBytes: 1024, share: 1 / 16 },
  { suffix: '-16KiB', batchBytes: 16 * 1024, share: 1 / 4 },
  { suffix: '-1MiB', batchBytes: 1024 * 1024, share: 1 },
] as const

/** The largest timestamp in every batch. */
export const TIMESTAMP = 1_767_225_600_000

const HEADER = {
  baseOffset: 0,
  leaderEpoch: 0,
  attributes: 0,
  lastOffsetDelta: 0,
  baseTimestamp: TIMESTAMP,
  maxTimestamp: TIMESTAMP,
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
  recordCount: 1,
}

/** How many different batches there are; written in turn, so that making them costs nobody anything. */
const DISTINCT_BATCHES = 16

/** One sample: append and read in MB (10^6 bytes) a second, by size. */
export const sampleStore = async (
  settings: StorageSettings,
  open: (folder: string) => Promise<BatchStore>,
): Promise<Measurements> => {
  const measurements: Record<string, number> = {}
  for (const { suffix, batchBytes, share } of SIZES) {
    const batches = makeBatches(batchBytes)
    const count = Math.ceil((settings.volumeBytes * share) / batchBytes)
    await withTempFolder(async (folder) => {
      const store = await open(folder)
      try {
        measurements[`append${suffix}`] = await megabytesPerSecond(count * batchBytes, () =>
          appendAll(store, batches, count, settings.appendsInFlight),
        )
        measurements[`read${suffix}`] = await megabytesPerSecond(count * batchBytes, () =>
          readAll(store, count * batchBytes),
        )
      } finally {
        await store.close()
      }
    })
  }
  return measurements
}

const megabytesPerSecond = async (bytes: number, work: () => Promise<void>): Promise<number> => {
  const start = performance.now()
  await work()
  return bytes / 1e6 / ((performance.now() - start) / 1000)
}

const appendAll = async (
  store: BatchStore,
  batches: readonly Uint8Array[],
  count: number,
  appendsInFlight: number,
): Promise<void> => {
  let next = 0
  const appendInTurn = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      await store.append(index, batches[index % batches.length]!)
    }
  }
  await Promise.all(Array.from({ length: appendsInFlight }, appendInTurn))
}

const readAll = async (store: BatchStore, expectedBytes: number): Promise<void> => {
  let total = 0
  await store.read((bytes) => (total += bytes.length))
  if (total !== expectedBytes) throw new Error(`read ${total} bytes of ${expectedBytes}`)
}

/** Batches of one record each, of bytes that do not compress, as those of compressed batches do not. */
const makeBatches = (batchBytes: number): Uint8Array[] => {
  let state = 0x9e3779b9
  return Array.from({ length: DISTINCT_BATCHES }, () => {
    const batch = new Uint8Array(batchBytes)
    const words = new Uint32Array(batch.buffer)
    for (let at = 0; at < words.length; at++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      words[at] = state
    }
    writeHeader(batch, batchBytes, HEADER)
    return batch
  })
}
