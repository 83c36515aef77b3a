/** The journal of the level storage: what is in it alone is found again after a crash as it was before. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BatchInfo, BatchWrite, LogStorage, PartitionStorage } from '../../src/storage/contract.js'
import { VIEWS } from '../../src/storage/level/database.js'
import { levelStorageOver } from '../../src/storage/level/index.js'
import { CHECKPOINT_KEY, decodeCheckpoint } from '../../src/storage/level/keys.js'
import { FailingLevel } from '../support/failing-level.js'

const ID = { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 }
const OS = { durability: 'os' } as const
const PARTITIONS = [0, 1]
const BLOBS = ['a', 'b']

const over = (database: FailingLevel): LogStorage =>
  levelStorageOver(database, { persistent: true, durability: 'fsync' })

/** The database as it is after its first `count` writes: what a crash behind them leaves. */
const crashed = async (database: FailingLevel, count: number): Promise<FailingLevel> => {
  const left = new FailingLevel()
  await left.open()
  for (const { operations } of database.batches.slice(0, count))
    await left.inner.batch([...operations], VIEWS)
  return left
}

/** What a crash now leaves of a database that did not begin empty. */
const crashedCopy = async (database: FailingLevel): Promise<FailingLevel> => {
  const copy = new FailingLevel()
  await copy.open()
  for await (const [key, value] of database.inner.iterator(VIEWS)) await copy.inner.put(key, value, VIEWS)
  return copy
}

const batchAt = (
  baseOffset: number,
  records: number,
  maxTimestamp: number,
  sizeBytes: number,
): BatchWrite => ({
  baseOffset,
  lastOffset: baseOffset + records - 1,
  maxTimestamp,
  sizeBytes,
  bytes: new Uint8Array(sizeBytes).fill(baseOffset % 251),
})

const plain = (bytes: Uint8Array | undefined): readonly number[] | undefined => bytes && [...bytes]

/** All that can be seen of a partition. */
const seenOf = async (partition: PartitionStorage) => {
  const { startOffset, endOffset } = partition.state
  const found: (BatchInfo | undefined)[] = []
  for (const timestamp of [0, 20, 40, 60, 80])
    found.push(await partition.findByTimestamp(timestamp, startOffset))
  return {
    state: partition.state,
    batches: (await partition.read(startOffset, 1e9)).map(({ bytes, ...info }) => ({
      ...info,
      bytes: plain(bytes),
    })),
    infos: await partition.infos(startOffset, 1e6),
    fromMiddle: await partition.infos(Math.floor((startOffset + endOffset) / 2), 2),
    found,
    blobs: await Promise.all(BLOBS.map(async (name) => plain(await partition.readBlob(name)))),
  }
}

const seen = async (storage: LogStorage) => ({
  partitions: (await storage.partitions()).map(({ partition }) => partition).sort(),
  contents: await Promise.all(
    PARTITIONS.map(async (partition) => seenOf(await storage.partition({ ...ID, partition }))),
  ),
})

const share = fc.double({ min: 0, max: 1, noNaN: true })
const blobs = fc.dictionary(fc.constantFrom(...BLOBS), fc.option(fc.uint8Array({ maxLength: 5 })), {
  maxKeys: 2,
})
const step = fc.record({
  partition: fc.constantFrom(...PARTITIONS),
  blobs,
  share,
  batches: fc.array(
    fc.record({ records: fc.integer({ min: 1, max: 9 }), timestamp: fc.integer({ min: 0, max: 99 }) }),
    {
      minLength: 1,
      maxLength: 300,
    },
  ),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('append' as const) },
    fc.constantFrom(
      'blobs' as const,
      'prefix' as const,
      'suffix' as const,
      'replace' as const,
      'delete' as const,
    ),
  ),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const take = async (
  storage: LogStorage,
  { partition: number, kind, blobs, share, batches }: Step,
): Promise<void> => {
  const id = { ...ID, partition: number }
  const partition = await storage.partition(id)
  const { startOffset, endOffset } = partition.state
  const at = startOffset + Math.floor((endOffset - startOffset) * share)
  if (kind === 'append') {
    let end = endOffset
    const writes = batches.map(({ records, timestamp }) => {
      const write = batchAt(end, records, timestamp, 1 + (timestamp % 7))
      end += records
      return write
    })
    await partition.append(writes, { ...OS, blobs })
  } else if (kind === 'blobs') await partition.writeBlobs(blobs, 'os')
  else if (kind === 'prefix') await partition.truncatePrefix(at, blobs)
  else if (kind === 'suffix') await partition.truncateSuffix(at, blobs)
  else if (kind === 'delete') await storage.deletePartition(id)
  else {
    const [from, to] = await partition.infos(at, 2)
    if (from === undefined || from.lastOffset < startOffset) return
    const end = (to ?? from).lastOffset + 1
    const timestamp = batches[0]!.timestamp
    await partition.replace(from.baseOffset, end, [batchAt(end - 1, 1, timestamp, 3)], blobs)
  }
}

describe('recovery', () => {
  test.prop([fc.array(step, { minLength: 1, maxLength: 12 })], { numRuns: 40 })(
    'finds what was there, after whichever write the process died',
    async (steps) => {
      const database = new FailingLevel()
      const storage = over(database)
      await storage.open()
      const moments: { writes: number; expected: unknown }[] = []
      for (const each of steps) {
        await take(storage, each)
        moments.push({ writes: database.batches.length, expected: await seen(storage) })
      }
      for (const { writes, expected } of moments) {
        const left = over(await crashed(database, writes))
        await left.open()
        expect(await seen(left)).toEqual(expected)
        await left.close()
        await left.open()
        expect(await seen(left)).toEqual(expected)
        await left.close()
      }
      // In the middle of a step it is one or the other, and whole: it opens, and can be read through.
      for (let writes = 1; writes < database.batches.length; writes++) {
        const left = over(await crashed(database, writes))
        await left.open()
        await seen(left)
        await left.close()
      }
      // The index alone says the same as index and journal.
      const expected = await seen(storage)
      await storage.close()
      await storage.open()
      expect(await seen(storage)).toEqual(expected)
      await storage.close()
    },
  )

  it('goes on behind what was removed last, so that nothing new is taken for indexed', async () => {
    const database = new FailingLevel()
    const storage = over(database)
    await storage.open()
    const partition = await storage.partition(ID)
    await partition.append([batchAt(0, 10, 0, 5), batchAt(10, 10, 0, 5)], {
      ...OS,
      blobs: { a: new Uint8Array(1) },
    })
    await partition.truncateSuffix(10)
    const left = await crashed(database, database.batches.length)
    const second = over(left)
    await second.open()
    await (await second.partition(ID)).append([batchAt(10, 5, 0, 6)], OS)
    const expected = await seenOf(await second.partition(ID))
    const third = over(await crashedCopy(left))
    await third.open()
    expect(await seenOf(await third.partition(ID))).toEqual(expected)
  })
})

describe('indexing', () => {
  it('keeps up with what is written, so that an opening after a crash reads a bounded part', async () => {
    const database = new FailingLevel()
    const storage = over(database)
    await storage.open()
    onTestFinished(() => storage.close())
    const partitions = await Promise.all(
      PARTITIONS.map((partition) => storage.partition({ ...ID, partition })),
    )
    const batchCount = 50_000
    for (let at = 0; at < batchCount / PARTITIONS.length; at += 100) {
      const batches = Array.from({ length: 100 }, (_, index) => batchAt(at + index, 1, at + index, 1))
      await Promise.all(partitions.map((partition) => partition.append(batches, OS)))
    }
    const left = await crashed(database, database.batches.length)
    const checkpoint = decodeCheckpoint((await left.get(CHECKPOINT_KEY, VIEWS))!)
    // No more than two rounds of indexing lie between: the one that is under way, and the one that is due.
    expect(batchCount - checkpoint).toBeLessThan(2 * 16 * 1024)
    const again = over(left)
    await again.open()
    onTestFinished(() => again.close())
    // As text: comparing so many objects one by one takes far longer than all of the rest.
    expect(JSON.stringify(await seen(again)) === JSON.stringify(await seen(storage))).toBe(true)
  })

  it('leaves nothing to be done after a close, and writes nothing when nothing was written', async () => {
    const database = new FailingLevel()
    const storage = over(database)
    await storage.open()
    await (
      await storage.partition(ID)
    ).append([batchAt(0, 10, 0, 5)], { ...OS, blobs: { a: new Uint8Array(1) } })
    await storage.close()
    expect(await database.kinds()).toEqual({ b: 1, c: 1, f: 1, i: 1, p: 1, r: 1 })
    const writes = database.batches.length
    await storage.open()
    await storage.partition(ID)
    await storage.close()
    expect(database.batches).toHaveLength(writes)
  })

  it('is left to the next opening when a close cannot do it', async () => {
    const database = new FailingLevel()
    const storage = over(database)
    await storage.open()
    const partition = await storage.partition(ID)
    await partition.append([batchAt(0, 10, 0, 5)], OS)
    const expected = await seenOf(partition)
    database.failAfter(0)
    await storage.close()
    await storage.open()
    expect(await seenOf(await storage.partition(ID))).toEqual(expected)
    await storage.close()
  })
})
