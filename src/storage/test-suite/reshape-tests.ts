/** What the contract says of truncation at both ends, and of replace. */
import { check, checkEqual, checkRejects } from './assertions.js'
import { infoOf, PARTITION, readAll, sampleBatch, sampleRun } from './samples.js'
import type { StorageTest } from './suite-context.js'

const OS = { durability: 'os' } as const
const BLOB = new Uint8Array([1, 2, 3])

/** Declares the tests. */
export const reshapeTests = (test: StorageTest): void => {
  test('truncateSuffix drops what reaches the offset, and its offsets are free again', async ({
    storage,
  }) => {
    const partition = await storage.partition(PARTITION)
    const batches = sampleRun(0, 10)
    await partition.append(batches, OS)
    await partition.truncateSuffix(200)
    checkEqual(partition.state.endOffset, 100, 'endOffset after a truncation beyond the end')
    await partition.truncateSuffix(70, { checkpoint: BLOB })
    checkEqual(partition.state, { startOffset: 0, endOffset: 70, sizeBytes: 700, batchCount: 7 }, 'state')
    await partition.truncateSuffix(55)
    checkEqual(partition.state.endOffset, 50, 'endOffset after a cut through a batch')
    const again = sampleBatch(50, 3)
    await partition.append([again], OS)
    checkEqual(await readAll(partition), [...batches.slice(0, 5), again], 'batches')
    checkEqual(await partition.readBlob('checkpoint'), BLOB, 'blob')
    await partition.truncateSuffix(0)
    checkEqual(partition.state, { startOffset: 0, endOffset: 0, sizeBytes: 0, batchCount: 0 }, 'empty state')
  })

  test('truncateSuffix forgets the timestamps of what it drops', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    await partition.append([sampleBatch(0), sampleBatch(10, 10, { maxTimestamp: 1000 })], OS)
    await partition.truncateSuffix(10)
    await partition.append([sampleBatch(10), sampleBatch(20, 10, { maxTimestamp: 900 })], OS)
    checkEqual((await partition.findByTimestamp(500, 0))?.baseOffset, 20, 'the batch of timestamp 500')
  })

  test('truncatePrefix keeps the batch that holds the new start, and never goes back', async ({
    storage,
  }) => {
    const partition = await storage.partition(PARTITION)
    const batches = sampleRun(0, 10)
    await partition.append(batches, OS)
    await partition.truncatePrefix(35, { checkpoint: BLOB })
    checkEqual(partition.state, { startOffset: 35, endOffset: 100, sizeBytes: 700, batchCount: 7 }, 'state')
    checkEqual(await readAll(partition), batches.slice(3), 'batches')
    checkEqual(await partition.readBlob('checkpoint'), BLOB, 'blob')
    await partition.truncatePrefix(10)
    checkEqual(partition.state.startOffset, 35, 'startOffset after a lower one')
    await checkRejects(partition.truncatePrefix(101), ['INVALID_ARGUMENT'], 'a start beyond the end')
    await partition.truncatePrefix(100)
    checkEqual(partition.state, { startOffset: 100, endOffset: 100, sizeBytes: 0, batchCount: 0 }, 'empty')
    checkEqual(await partition.read(0, 1000), [], 'read of what is empty')
    await checkRejects(
      partition.append([sampleBatch(90)], OS),
      ['INVALID_ARGUMENT'],
      'offsets below the start',
    )
    await partition.append([sampleBatch(100)], OS)
    checkEqual((await partition.infos(0, 10)).length, 1, 'what was appended after')
  })

  test('a suffix that holds the start takes the end back to the start, not below', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    await partition.append(sampleRun(0, 3), OS)
    await partition.truncatePrefix(15)
    await partition.truncateSuffix(12)
    checkEqual(partition.state, { startOffset: 15, endOffset: 15, sizeBytes: 0, batchCount: 0 }, 'state')
    await partition.append([sampleBatch(15)], OS)
    checkEqual((await readAll(partition)).length, 1, 'batches')
  })

  test('long prefixes and suffixes go as a whole', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const batches = sampleRun(0, 3000)
    await partition.append(batches, OS)
    await partition.truncatePrefix(14_000)
    await partition.truncateSuffix(16_000)
    const left = batches.slice(1400, 1600)
    checkEqual(await readAll(partition), left, 'batches')
    const state = { startOffset: 14_000, endOffset: 16_000, sizeBytes: 20_000, batchCount: 200 }
    checkEqual(partition.state, state, 'state')
    checkEqual((await partition.findByTimestamp(0, 0))?.baseOffset, 14_000, 'the first by timestamp')
  })

  test('appends and truncations that overlap take effect in the order of the calls', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const kept = [sampleBatch(0), sampleBatch(10), sampleBatch(20), sampleBatch(30)] as const
    await Promise.all([
      partition.append([kept[0], sampleBatch(10), sampleBatch(20)], OS),
      partition.truncateSuffix(10, { step: new Uint8Array([1]) }),
      partition.append([kept[1], sampleBatch(20)], OS),
      partition.truncateSuffix(20, { step: new Uint8Array([2]) }),
      partition.append([kept[2]], { ...OS, blobs: { step: new Uint8Array([3]) } }),
      partition.truncatePrefix(10),
      partition.append([kept[3]], OS),
      partition.writeBlobs({ last: BLOB }, 'os'),
    ])
    checkEqual(await readAll(partition), kept.slice(1), 'batches')
    checkEqual(await partition.readBlob('step'), new Uint8Array([3]), 'blob')
    checkEqual(partition.state, { startOffset: 10, endOffset: 40, sizeBytes: 300, batchCount: 3 }, 'state')
  })

  test('an append that follows a truncation in a later turn does not overtake', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    await partition.append(sampleRun(0, 5), OS)
    for (let turns = 0; turns < 40; turns++) {
      const truncated = partition.truncateSuffix(20)
      const first = partition.append([sampleBatch(20)], OS)
      const second = (async () => {
        await truncated
        for (let turn = 0; turn < turns; turn++) await Promise.resolve()
        await partition.append([sampleBatch(30), sampleBatch(40)], OS)
      })()
      await Promise.all([first, second])
      checkEqual(partition.state.endOffset, 50, 'endOffset')
    }
  })

  test('a read that overlaps a truncation answers the old batches or the new ones', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    await partition.append(sampleRun(0, 400), OS)
    for (let start = 0; start < 2000; start += 100) {
      const [found] = await Promise.all([
        partition.read(start, 20_000),
        partition.truncatePrefix(start + 100),
        partition.infos(start, 200),
      ])
      const first = found[0]?.baseOffset ?? -1
      check(first === start || first === start + 100, `a read from ${start} began at ${first}`)
      checkEqual(found.length, 200, 'batches')
    }
    const [found] = await Promise.all([
      partition.read(2000, 1e6),
      partition.truncateSuffix(3000),
      partition.append(sampleRun(3000, 5), OS),
    ])
    checkEqual(
      found.map((batch) => batch.baseOffset),
      Array.from({ length: found.length }, (_, index) => 2000 + index * 10),
      'batches without a hole',
    )
  })

  test('replace puts batches in the place of others; the ends stay', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const batches = sampleRun(0, 10)
    await partition.append(batches, OS)
    const merged = sampleBatch(22, 15, { maxTimestamp: 500, sizeBytes: 333 })
    await partition.replace(20, 50, [merged], { cleaned: BLOB })
    const left = [...batches.slice(0, 2), merged, ...batches.slice(5)]
    checkEqual(await readAll(partition), left, 'batches')
    checkEqual(partition.state, { startOffset: 0, endOffset: 100, sizeBytes: 1033, batchCount: 8 }, 'state')
    checkEqual(await partition.readBlob('cleaned'), BLOB, 'blob')
    checkEqual((await partition.read(38, 1))[0]?.baseOffset, 50, 'a read from the gap')
    checkEqual((await partition.findByTimestamp(400, 0))?.baseOffset, 22, 'by timestamp')
    checkEqual(await partition.findByTimestamp(400, 50), undefined, 'by timestamp behind it')
    await partition.replace(90, 100, [])
    checkEqual(partition.state.endOffset, 100, 'endOffset after the last batch went')
    await partition.append([sampleBatch(100)], OS)
    const infos = (await partition.infos(0, 100)).map(infoOf)
    checkEqual(
      infos.map((info) => info.baseOffset),
      [0, 10, 22, 50, 60, 70, 80, 100],
      'base offsets',
    )
  })

  test('a tail that replace emptied is cut off by truncateSuffix', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    await partition.append(sampleRun(0, 5), OS)
    await partition.replace(30, 50, [])
    await partition.truncateSuffix(50)
    checkEqual(partition.state.endOffset, 50, 'endOffset after a truncation at the end')
    await partition.truncateSuffix(45)
    checkEqual(partition.state, { startOffset: 0, endOffset: 30, sizeBytes: 300, batchCount: 3 }, 'state')
  })

  test('replace refuses what does not lie within its range, or cuts through a batch', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const batches = sampleRun(0, 5)
    await partition.append(batches, OS)
    const refused = [
      { name: 'a batch below', from: 10, to: 20, by: [sampleBatch(9, 2)] },
      { name: 'a batch beyond', from: 10, to: 20, by: [sampleBatch(15, 10)] },
      { name: 'batches that do not ascend', from: 10, to: 30, by: [sampleBatch(10), sampleBatch(15, 2)] },
      { name: 'a range that begins within a batch', from: 15, to: 30, by: [] },
      { name: 'a range that ends within a batch', from: 10, to: 25, by: [] },
      { name: 'a range beyond the end', from: 40, to: 60, by: [sampleBatch(50)] },
    ]
    for (const { name, from, to, by } of refused) {
      await checkRejects(partition.replace(from, to, by), ['INVALID_ARGUMENT'], name)
      checkEqual(await readAll(partition), batches, `batches after ${name}`)
    }
    check(storage.failure === undefined, 'a refused argument is no failure of the storage')
  })
}
