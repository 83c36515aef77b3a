/** What was called before a storage closes takes effect whole, also behind a truncation of many batches. */
import { MemoryLevel } from 'memory-level'
import { describe, expect, it } from 'vitest'
import type { OttlaError } from '../../src/runtime/errors/ottla-error.js'
import type { BatchWrite } from '../../src/storage/contract.js'
import { FileStorage } from '../../src/storage/file/file-storage.js'
import { levelStorageOver } from '../../src/storage/level/index.js'
import { PARTITION, sampleBatch } from '../../src/storage/test-suite/samples.js'
import { CrashingFiles } from '../support/crashing-files.js'

const run = (howMany: number, offsets: number): BatchWrite[] =>
  Array.from({ length: howMany }, (_, index) => ({
    baseOffset: index * offsets,
    lastOffset: (index + 1) * offsets - 1,
    maxTimestamp: 0,
    sizeBytes: 10,
    bytes: new Uint8Array(10),
  }))

describe('closing', () => {
  it('leaves nothing of a truncated end beneath the append behind it', async () => {
    const database = new MemoryLevel<Uint8Array, Uint8Array>()
    const storage = levelStorageOver(database, { persistent: true, durability: 'none' })
    await storage.open()
    const id = { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 }
    const partition = await storage.partition(id)
    await partition.append(run(3000, 1), { durability: 'os' })
    const called = [partition.truncateSuffix(0), partition.append(run(100, 10), { durability: 'os' })]
    await storage.close()
    await Promise.all(called)
    await storage.open()
    const again = await storage.partition(id)
    expect(again.state).toEqual({ startOffset: 0, endOffset: 1000, sizeBytes: 1000, batchCount: 100 })
    expect((await again.infos(0, 10_000)).map(({ baseOffset }) => baseOffset)).toEqual(
      run(100, 10).map(({ baseOffset }) => baseOffset),
    )
    await storage.close()
  })

  it.each([1, 10, 30, 100])(
    'of files leaves none open behind a read that is under way, after %i turns',
    async (turns) => {
      const files = new CrashingFiles((limit) => limit - 1)
      const process = () =>
        Promise.resolve({ pid: 1, startedAt: '0', isRunning: () => Promise.resolve(true) })
      const storage = new FileStorage({ location: '/log', files: files.mount(), process })
      await storage.open()
      const before = await storage.partition(PARTITION)
      for (let offset = 0; offset < 60; offset += 3) {
        await before.append([sampleBatch(offset, 3)], { durability: 'os', newSegment: true })
      }
      await storage.close()
      await storage.open()
      // Goes from segment to segment, and opens each.
      const read = (await storage.partition(PARTITION)).read(0, 1e6)
      const outcome = read.then(
        () => 'read',
        (error: unknown) => (error as OttlaError).code,
      )
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      await storage.close()
      expect(files.openFiles).toBe(0)
      expect(await outcome).toBe('RESOURCE_CLOSED')
      expect(files.openFiles).toBe(0)
    },
  )
})
