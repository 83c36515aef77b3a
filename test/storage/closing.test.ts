/** What was called before a storage closes takes effect whole, also behind a truncation of many batches. */
import { MemoryLevel } from 'memory-level'
import { describe, expect, it } from 'vitest'
import type { BatchWrite } from '../../src/storage/contract.js'
import { levelStorageOver } from '../../src/storage/level/index.js'

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
})
