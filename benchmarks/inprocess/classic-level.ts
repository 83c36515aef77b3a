/** The peer classic-level: LevelDB with a key a record, as one would write a log on it by hand. */
import { ClassicLevel } from 'classic-level'
import type { ReadySubject } from '../harness/benchmark.js'
import { withTempFolder } from '../harness/temp-folder.js'
import { batchCountOf, makeValues, perSecond, Reader, type InprocessSettings } from './workload.js'

type Level = ClassicLevel<Uint8Array, Uint8Array>

/** Partition and offset, big-endian, so that LevelDB's order is the log's. */
const keyOf = (partition: number, offset: number): Uint8Array => {
  const key = Buffer.allocUnsafe(10)
  key.writeUInt16BE(partition, 0)
  key.writeUInt32BE(Math.floor(offset / 2 ** 32), 2)
  key.writeUInt32BE(offset >>> 0, 6)
  return key
}

const offsetOf = (key: Uint8Array): number =>
  ((key[2]! << 24) | (key[3]! << 16) | (key[4]! << 8) | key[5]!) * 2 ** 32 +
  (((key[6]! << 24) | (key[7]! << 16) | (key[8]! << 8) | key[9]!) >>> 0)

export const prepareClassicLevel = async (settings: InprocessSettings): Promise<ReadySubject> => {
  const values = makeValues(settings)
  return {
    sample: () =>
      withTempFolder(async (folder) => {
        const level: Level = new ClassicLevel(folder, { keyEncoding: 'view', valueEncoding: 'view' })
        await level.open()
        try {
          const produced = await perSecond(settings, () => produce(level, settings, values))
          const reader = new Reader(settings)
          const consumed = await perSecond(settings, () => consume(level, settings, reader))
          reader.check()
          return { produce: produced, consume: consumed, 'consume-iterator': consumed }
        } finally {
          await level.close()
        }
      }),
  }
}

const produce = async (
  level: Level,
  settings: InprocessSettings,
  values: readonly Uint8Array[],
): Promise<void> => {
  const inFlight = new Set<Promise<void>>()
  for (let batch = 0; batch < batchCountOf(settings); batch++) {
    const partition = batch % settings.partitions
    const base = Math.floor(batch / settings.partitions) * settings.recordsPerBatch
    const write = level.batch(
      values.map((value, index) => ({ type: 'put' as const, key: keyOf(partition, base + index), value })),
    )
    inFlight.add(write)
    void write.then(() => inFlight.delete(write))
    if (inFlight.size >= settings.batchesInFlight) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
}

const consume = async (level: Level, settings: InprocessSettings, reader: Reader): Promise<void> => {
  for (let partition = 0; partition < settings.partitions; partition++) {
    const iterator = level.iterator({ gte: keyOf(partition, 0), lt: keyOf(partition + 1, 0) })
    try {
      for (;;) {
        const entries = await iterator.nextv(settings.recordsPerBatch)
        if (entries.length === 0) break
        for (const [key, value] of entries) reader.see(offsetOf(key), value)
      }
    } finally {
      await iterator.close()
    }
  }
}
