/** What the contract says of read, infos and findByTimestamp. */
import type { BatchInfo } from '../contract.js'
import { check, checkEqual } from './assertions.js'
import { batchOf, infoOf, PARTITION, sampleBatch, sampleRun } from './samples.js'
import { Seeded } from './seeded.js'
import type { StorageTest } from './suite-context.js'

const OS = { durability: 'os' } as const

/** Declares the tests. */
export const readTests = (test: StorageTest): void => {
  test('a read starts at the batch that holds the offset, or at the first after it', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    await partition.append([sampleBatch(0), sampleBatch(10), sampleBatch(30)], OS)
    const expectedStarts = [
      { from: 0, base: 0 },
      { from: 9, base: 0 },
      { from: 10, base: 10 },
      { from: 15, base: 10 },
      { from: 20, base: 30 },
      { from: 29, base: 30 },
      { from: 39, base: 30 },
      { from: 40, base: undefined },
      { from: 1000, base: undefined },
    ]
    for (const { from, base } of expectedStarts) {
      checkEqual((await partition.read(from, 1))[0]?.baseOffset, base, `read from ${from}`)
      checkEqual((await partition.infos(from, 1))[0]?.baseOffset, base, `infos from ${from}`)
    }
  })

  test('a read stays within its bytes, but answers one batch whatever its size', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const batches = [100, 200, 300, 5000, 72].map((sizeBytes, index) =>
      sampleBatch(index * 10, 10, { sizeBytes }),
    )
    await partition.append(batches, OS)
    const expected = [
      { from: 0, maxBytes: 0, count: 1 },
      { from: 0, maxBytes: 299, count: 1 },
      { from: 0, maxBytes: 300, count: 2 },
      { from: 0, maxBytes: 600, count: 3 },
      { from: 0, maxBytes: 5000, count: 3 },
      { from: 0, maxBytes: 10_000, count: 5 },
      { from: 25, maxBytes: 300, count: 1 },
      { from: 30, maxBytes: 1, count: 1 },
      { from: 35, maxBytes: 5072, count: 2 },
    ]
    for (const { from, maxBytes, count } of expected) {
      const first = Math.floor(from / 10)
      const found = (await partition.read(from, maxBytes)).map(batchOf)
      checkEqual(found, batches.slice(first, first + count), `read from ${from} with ${maxBytes} bytes`)
    }
  })

  test('reads go through many batches, whatever the pages they are kept in', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const other = await storage.partition({ ...PARTITION, partition: 1 })
    const batches = sampleRun(0, 2500)
    for (let at = 0; at < batches.length; at += 100) {
      // Another partition between them, so that they are not one run for a storage with one order for all.
      await Promise.all([
        partition.append(batches.slice(at, at + 100), OS),
        other.append([sampleBatch(at)], OS),
      ])
    }
    checkEqual((await partition.read(0, 1e9)).map(batchOf), batches, 'one read')
    checkEqual((await partition.infos(0, 1e6)).map(infoOf), batches.map(infoOf), 'all infos')
    checkEqual((await partition.infos(5, 1700)).map(infoOf), batches.slice(0, 1700).map(infoOf), '1700 infos')
    checkEqual((await partition.read(12_345, 150_000)).length, 2500 - 1234, 'a read to the end')
    checkEqual((await partition.read(12_345, 100_000)).length, 1000, 'a read of 1000 batches')
  })

  test('infos tells what was written, at most as many as asked for', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const batches = [
      sampleBatch(3, 4, { maxTimestamp: -1, sizeBytes: 70 }),
      sampleBatch(7, 1, { maxTimestamp: 1_700_000_000_123, sizeBytes: 71 }),
      sampleBatch(2 ** 33, 2, { maxTimestamp: 2 ** 45, sizeBytes: 72 }),
    ]
    await partition.append(batches, OS)
    checkEqual((await partition.infos(0, 10)).map(infoOf), batches.map(infoOf), 'infos')
    checkEqual((await partition.infos(0, 2)).length, 2, 'two infos')
    checkEqual((await partition.infos(0, 0)).length, 0, 'no infos')
  })

  test('reads that overlap writes see what was acknowledged, and whole groups', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const writes: Promise<void>[] = []
    for (let group = 0; group < 30; group++) {
      writes.push(partition.append(sampleRun(group * 30, 3), OS))
      const { endOffset } = partition.state
      const found = await partition.read(0, 1e9)
      checkEqual(found.length % 3, 0, 'whole groups')
      check((found.at(-1)?.lastOffset ?? -1) + 1 >= endOffset, 'what was acknowledged is seen')
      await Promise.all(writes)
    }
  })

  test('findByTimestamp answers as a scan does', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const random = new Seeded(7)
    const batches: BatchInfo[] = []
    for (let index = 0; index < 120; index++) {
      // Timestamps that mostly grow, with stragglers and a few far ahead.
      const maxTimestamp =
        random.below(10) === 0 ? -1 : index * 5 + random.below(60) + (random.below(30) === 0 ? 300 : 0)
      const batch = sampleBatch(index * 10 + random.below(5), 1 + random.below(5), { maxTimestamp })
      batches.push(infoOf(batch))
      await partition.append([batch], OS)
    }
    for (let timestamp = -2; timestamp < 1100; timestamp += 13) {
      for (const fromOffset of [0, 7, 333, 900, 1195, 5000]) {
        const expected = batches.find(
          (batch) => batch.lastOffset >= fromOffset && batch.maxTimestamp >= timestamp,
        )
        const found = await partition.findByTimestamp(timestamp, fromOffset)
        const what = `the first batch from ${fromOffset} with a timestamp of ${timestamp}`
        checkEqual(found === undefined ? undefined : infoOf(found), expected, what)
      }
    }
  })
}
