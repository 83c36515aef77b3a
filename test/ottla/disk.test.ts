/** What retention removes is given back to the disk, on every storage that is on one. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { bytes, Ottla, type LogStorage } from '../../src/index.js'
import { fileStorage } from '../../src/storage/file/index.js'
import { levelStorage } from '../../src/storage/level/index.js'
import { tempFolder } from '../support/temp-folder.js'

const PARTITIONS = 4
const SEGMENT_BYTES = 1024 * 1024
const VALUE_BYTES = 10_000
const LIVE_BYTES = 1_000_000

const storages: [string, (folder: string) => LogStorage][] = [
  ['level', levelStorage],
  ['file', fileStorage],
]

/** What the folder's files take on the disk. */
const folderBytes = async (folder: string): Promise<number> => {
  let total = 0
  for (const name of await readdir(folder, { recursive: true })) {
    // LevelDB removes files while we look.
    total += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0
  }
  return total
}

describe.each(storages)('%s', (_name, storage) => {
  it(
    'holds little more than what is left, after retention removed nine tenths',
    { timeout: 60_000 },
    async () => {
      const folder = await tempFolder()
      await using ottla = await Ottla.open({
        storage: storage(folder),
        configs: { 'log.retention.check.interval.ms': 20 },
      })
      const topic = await ottla.createTopic('cut', {
        partitions: PARTITIONS,
        value: bytes,
        configs: { 'segment.bytes': SEGMENT_BYTES, 'retention.ms': -1 },
      })
      const producer = ottla.producer()
      const rounds = (10 * LIVE_BYTES) / VALUE_BYTES / 10
      for (let round = 0; round < rounds; round++) {
        const records = Array.from({ length: PARTITIONS * 10 }, (_, index) => ({
          value: new Uint8Array(VALUE_BYTES).fill(round),
          partition: index % PARTITIONS,
        }))
        await producer.send(topic, records)
      }
      expect(await folderBytes(folder)).toBeGreaterThan(PARTITIONS * 10 * LIVE_BYTES)

      await ottla.admin.alterConfigs({ type: 'topic', name: 'cut' }, { 'retention.bytes': LIVE_BYTES })
      // LevelDB compacts in the background, a while after the batches are gone.
      await vi.waitFor(
        async () =>
          expect(await folderBytes(folder)).toBeLessThanOrEqual(
            PARTITIONS * (LIVE_BYTES * 1.25 + SEGMENT_BYTES),
          ),
        { timeout: 30_000, interval: 50 },
      )
      const starts = await ottla.admin.listOffsets(topic.partitions(), 'earliest')
      const ends = await ottla.admin.listOffsets(topic.partitions(), 'latest')
      for (const [index, { offset }] of ends.entries()) {
        const left = (offset - (starts[index]?.offset ?? 0)) * VALUE_BYTES
        expect(left).toBeGreaterThanOrEqual(LIVE_BYTES)
        expect(left).toBeLessThanOrEqual(LIVE_BYTES + SEGMENT_BYTES)
      }
    },
  )
})
