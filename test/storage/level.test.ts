/** What the level storage does beyond the contract: how it writes, what it makes of damage, and how it gives disk back. */
import { readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../../src/runtime/abort.js'
import type { BatchWrite, LogStorage, PartitionStorage } from '../../src/storage/contract.js'
import { VIEWS } from '../../src/storage/level/database.js'
import { levelStorage, levelStorageOver } from '../../src/storage/level/index.js'
import { batchKey, FORMAT_KEY, metaKey, pageKey } from '../../src/storage/level/keys.js'
import { FailingLevel } from '../support/failing-level.js'
import { tempFolder } from '../support/temp-folder.js'

const ID = { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 }
const OS = { durability: 'os' } as const

const batchAt = (baseOffset: number, sizeBytes = 100): BatchWrite => ({
  baseOffset,
  lastOffset: baseOffset + 9,
  maxTimestamp: baseOffset,
  sizeBytes,
  bytes: new Uint8Array(sizeBytes).fill(baseOffset % 251),
})

/** The key of the batch that is the `index`th of a run in the first partition. */
const batchKeyAt = (index: number): Uint8Array => batchKey(0, { ...batchAt(index * 10), sequence: index })

const run = (from: number, count: number, sizeBytes?: number): BatchWrite[] =>
  Array.from({ length: count }, (_, index) => batchAt(from + index * 10, sizeBytes))

/** Opens `database` as a storage that is closed when the test ends. */
const opened = async (database: FailingLevel): Promise<LogStorage> => {
  const storage = levelStorageOver(database, { persistent: true, durability: 'fsync' })
  await storage.open()
  onTestFinished(() => storage.close())
  return storage
}

const filled = async (count: number): Promise<{ database: FailingLevel; storage: LogStorage }> => {
  const database = new FailingLevel()
  const storage = await opened(database)
  await (await storage.partition(ID)).append(run(0, count), OS)
  return { database, storage }
}

const reopen = async (storage: LogStorage): Promise<PartitionStorage> => {
  await storage.close()
  await storage.open()
  return storage.partition(ID)
}

const kindsOf = ({ operations }: FailingLevel['batches'][number]): string =>
  operations
    .map(({ key }) => String.fromCharCode(key[0]!))
    .sort()
    .join('')

describe('writes', () => {
  it('puts batches and blobs into one write, under keys that ascend from write to write', async () => {
    const database = new FailingLevel()
    const partition = await (await opened(database)).partition(ID)
    database.batches.length = 0
    await partition.append(run(0, 2), { ...OS, blobs: { checkpoint: new Uint8Array(3) } })
    expect(database.batches).toHaveLength(1)
    // Once the database knows the partition, it is told nothing but what is in the journal.
    expect(kindsOf(database.batches[0]!)).toBe('prrr')
    await partition.append(run(20, 2), { ...OS, blobs: { checkpoint: new Uint8Array(3), gone: null } })
    expect(kindsOf(database.batches[1]!)).toBe('rrrr')
    const keys = database.batches.flatMap(({ operations }) => operations.map(({ key }) => key))
    const journal = keys.filter((key) => key[0] === 'r'.charCodeAt(0))
    expect(journal).toEqual([...journal].sort((a, b) => Buffer.compare(a, b)))
  })

  it('gathers the appends of all partitions while a write is under way, and flushes only when asked', async () => {
    const database = new FailingLevel()
    const storage = await opened(database)
    const partitions = await Promise.all(
      Array.from({ length: 8 }, (_, partition) => storage.partition({ ...ID, partition })),
    )
    database.batches.length = 0
    const { promise, resolve } = deferred<undefined>()
    database.gate = promise
    const first = partitions[0]!.append([batchAt(0)], OS)
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    const rest = partitions.flatMap((partition, index) => [
      partition.append([batchAt(10)], OS),
      partition.append([batchAt(20)], { durability: index === 3 ? 'fsync' : 'os' }),
    ])
    resolve(undefined)
    await Promise.all([first, ...rest])
    // The second write has 16 batches, and makes the seven other partitions known.
    expect(database.batches.map(({ operations, sync }) => [operations.length, sync])).toEqual([
      [2, false],
      [23, true],
    ])
  })

  it('keeps data in the order of writing, whatever the partition', async () => {
    const database = new FailingLevel()
    const storage = await opened(database)
    for (let index = 0; index < 6; index++) {
      const partition = await storage.partition({ ...ID, partition: index % 2 })
      await partition.append([batchAt(index * 10, 100 + index)], OS)
    }
    await storage.close()
    await storage.open()
    await (await storage.partition(ID)).append([batchAt(60, 106)], OS)
    for (let sequence = 0; sequence < 7; sequence++) {
      const batch = { ...batchAt(sequence * 10, 100 + sequence), sequence }
      const key = batchKey(sequence === 6 ? 0 : sequence % 2, batch)
      expect((await database.inner.get(key, VIEWS))?.length).toBe(100 + sequence)
    }
  })

  it('flushes though nothing is written', async () => {
    const database = new FailingLevel()
    const partition = await (await opened(database)).partition(ID)
    await partition.append([batchAt(0)], OS)
    database.batches.length = 0
    await partition.writeBlobs({}, 'os')
    expect(database.batches).toEqual([])
    await partition.writeBlobs({}, 'fsync')
    expect(database.batches.map(({ sync }) => sync)).toEqual([true])
  })
})

describe('reads', () => {
  it('reads little more than what was asked for', async () => {
    const { database, storage } = await filled(3000)
    const partition = await storage.partition(ID)
    database.reads.bytes = 0
    expect(await partition.read(10_000, 1000)).toHaveLength(10)
    expect(database.reads.bytes).toBeLessThan(3000)
    await reopen(storage)
    // What is indexed takes a page of 128 entries of 44 bytes besides.
    const again = await storage.partition(ID)
    database.reads.bytes = 0
    expect(await again.read(10_000, 1000)).toHaveLength(10)
    expect(database.reads.bytes).toBeLessThan(3000 + 128 * 44)
    expect(await again.read(10_100, 1000)).toHaveLength(10)
    expect(database.reads.bytes).toBeLessThan(6000 + 128 * 44)
    await again.append([batchAt(30_000, 1_000_000), batchAt(30_010, 1_000_000)], OS)
    database.reads.bytes = 0
    expect(await again.read(29_990, 50)).toHaveLength(1)
    expect(database.reads.bytes).toBeLessThan(3000 + 128 * 44)
  })

  it('finds a timestamp without walking through', async () => {
    const { database, storage } = await filled(5000)
    const partition = await reopen(storage)
    database.reads.calls = 0
    expect((await partition.findByTimestamp(31_337, 0))?.baseOffset).toBe(31_340)
    expect(database.reads.calls).toBeLessThan(50)
  })

  it('opens a long partition at the cost of a short one', async () => {
    const costs: number[] = []
    for (const count of [10, 5000]) {
      const { database, storage } = await filled(count)
      await storage.close()
      const before = database.reads.calls
      await storage.open()
      await storage.partition(ID)
      costs.push(database.reads.calls - before)
    }
    expect(costs[1]).toBe(costs[0])
  })
})

describe('a read while the partition changes its shape', () => {
  /** Runs `change` before the read's second step, once. */
  const inBetween = (database: FailingLevel, change: () => Promise<unknown>): void => {
    let step = 0
    database.beforeRead = async () => {
      if (++step !== 2) return
      database.beforeRead = () => Promise.resolve()
      await change()
    }
  }

  it('does not take what was dropped for missing', async () => {
    const database = new FailingLevel()
    const storage = await opened(database)
    const partition = await storage.partition(ID)
    await partition.append(run(0, 20), OS)
    await storage.close()
    await storage.open()
    const again = await storage.partition(ID)
    // The first step finds the batches, the second loads them.
    inBetween(database, () => again.truncatePrefix(100))
    const found = await again.read(0, 500)
    expect(found.map((batch) => batch.baseOffset)).toEqual([100, 110, 120, 130, 140])
  })

  it('does not mix the old with the new', async () => {
    const { database, storage } = await filled(5000)
    const partition = await reopen(storage)
    const longer = { ...batchAt(5000), lastOffset: 10_244 }
    // The first step finds the first pages of the old batches, the second what follows it by then.
    inBetween(database, async () => {
      await partition.truncateSuffix(5000)
      await partition.append([longer, batchAt(10_245)], OS)
    })
    const found = await partition.infos(0, 1e6)
    expect(found.slice(-3).map((batch) => batch.baseOffset)).toEqual([4990, 5000, 10_245])
  })
})

describe('what a crash leaves', () => {
  it.each([0, 1, 2, 3])(
    'a prefix that was being dropped is dropped at the next open (%i writes done)',
    async (good) => {
      const { database, storage } = await filled(1500)
      database.failAfter(good)
      const partition = await storage.partition(ID)
      await expect(partition.truncatePrefix(12_000)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
      const again = await reopen(storage)
      const dropped = good < 2 ? 0 : 1200
      expect(again.state).toEqual({
        startOffset: dropped * 10,
        endOffset: 15_000,
        sizeBytes: (1500 - dropped) * 100,
        batchCount: 1500 - dropped,
      })
      // Pages of 128 batches; the one that is cut stays by itself.
      const pages = dropped === 0 ? 12 : 3
      expect(await database.kinds()).toEqual({ f: 1, c: 1, p: 1, r: 1500 - dropped, i: pages })
    },
  )

  it.each([0, 1, 2, 3])(
    'a suffix that was being dropped is gone before its offsets return (%i)',
    async (good) => {
      const { database, storage } = await filled(1500)
      database.failAfter(good)
      const partition = await storage.partition(ID)
      await expect(partition.truncateSuffix(2000)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
      const again = await reopen(storage)
      const left = good < 2 ? 1500 : 200
      expect(again.state).toEqual({
        startOffset: 0,
        endOffset: left * 10,
        sizeBytes: left * 100,
        batchCount: left,
      })
      expect(await database.kinds()).toEqual({ f: 1, c: 1, p: 1, r: left, i: Math.ceil(left / 128) })
      await again.append([batchAt(left * 10, 50)], OS)
      expect((await again.read(left * 10, 1e6)).map((batch) => batch.sizeBytes)).toEqual([50])
    },
  )

  it.each([2, 3, 4])('a partition that was being deleted is gone, bytes and all (%i)', async (good) => {
    const { database, storage } = await filled(1500)
    await (await storage.partition(ID)).writeBlobs({ a: new Uint8Array(1), b: new Uint8Array(1) }, 'os')
    database.failAfter(good)
    await expect(storage.deletePartition(ID)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    await storage.close()
    await storage.open()
    expect(await storage.partitions()).toEqual([])
    expect(await database.kinds()).toEqual({ f: 1, c: 1 })
  })
})

describe('damage', () => {
  const expectCorrupt = (call: Promise<unknown>, ...words: string[]): Promise<void> =>
    expect(call).rejects.toSatisfy((error: Error & { code: string }) => {
      expect(error.code).toBe('STORAGE_CORRUPT')
      for (const word of words) expect(error.message).toContain(word)
      return true
    })

  it.each([
    { name: 'missing', damage: (database: FailingLevel) => database.inner.del(batchKeyAt(5), VIEWS) },
    {
      name: 'cut short',
      damage: (database: FailingLevel) => database.inner.put(batchKeyAt(5), new Uint8Array(99), VIEWS),
    },
  ])('batch bytes that are $name are never skipped', async ({ damage }) => {
    const { database, storage } = await filled(10)
    await damage(database)
    const partition = await reopen(storage)
    await expectCorrupt(partition.read(0, 1e6), ID.topicId, 'offset 50')
    await expectCorrupt(partition.read(55, 1), 'offset 50')
    expect(await partition.read(0, 500)).toHaveLength(5)
    expect(await partition.read(60, 1e6)).toHaveLength(4)
    expect(storage.failure).toBeUndefined()
  })

  it('an index page that is damaged is told', async () => {
    const { database, storage } = await filled(10)
    await reopen(storage)
    await database.inner.put(pageKey(0, 99), new Uint8Array(5), VIEWS)
    await expectCorrupt((await storage.partition(ID)).read(30, 1), 'offset 99')
  })

  it('a partition whose state is damaged does not open, but can be deleted', async () => {
    const { database, storage } = await filled(10)
    await storage.close()
    await database.inner.open()
    await database.inner.put(metaKey(ID), new Uint8Array(7), VIEWS)
    await expectCorrupt(storage.open(), ID.topicId)
  })

  it('another layout, or what is no log, is refused', async () => {
    const { database, storage } = await filled(1)
    await storage.close()
    await database.inner.open()
    await database.inner.put(FORMAT_KEY, new Uint8Array([77]), VIEWS)
    await expect(storage.open()).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining('77') as string,
    })
    const foreign = new FailingLevel()
    await foreign.inner.put(new Uint8Array([1]), new Uint8Array([2]), VIEWS)
    await expect(levelStorageOver(foreign).open()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(foreign.batches).toEqual([])
  })

  it('a folder that is a file, or lies below one, is refused by name', async () => {
    const file = join(await tempFolder(), 'file')
    await writeFile(file, 'text')
    for (const location of [file, join(file, 'below')]) {
      await expect(levelStorage(location).open()).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
        message: expect.stringContaining(location) as string,
      })
    }
  })

  it('a database that is damaged is refused, and its folder let go of', async () => {
    const folder = await tempFolder()
    const storage = levelStorage(folder)
    await storage.open()
    await (await storage.partition(ID)).append(run(0, 10), OS)
    await storage.close()
    const manifest = (await readdir(folder)).find((name) => name.startsWith('MANIFEST'))!
    await truncate(join(folder, manifest), 10)
    await expectCorrupt(storage.open(), folder)
    await rm(join(folder, manifest))
    await expectCorrupt(levelStorage(folder).open(), folder)
  })
})

describe('disk', () => {
  it('is given back when a prefix goes', async () => {
    const storage = levelStorage(await tempFolder())
    await storage.open()
    onTestFinished(() => storage.close())
    const partition = await storage.partition(ID)
    for (let index = 0; index < 160; index += 8) await partition.append(run(index * 10, 8, 128 * 1024), OS)
    const before = await storage.sizeBytes()
    expect(before).toBeGreaterThan(160 * 128 * 1024)
    await partition.truncatePrefix(1520)
    await storage.reclaimed()
    expect(await storage.sizeBytes()).toBeLessThan(before / 3)
    expect(await partition.read(0, 1e9)).toHaveLength(8)
  })

  it('is given back when a partition is deleted', async () => {
    const storage = levelStorage(await tempFolder())
    await storage.open()
    onTestFinished(() => storage.close())
    const partition = await storage.partition(ID)
    for (let index = 0; index < 160; index += 8) await partition.append(run(index * 10, 8, 128 * 1024), OS)
    const before = await storage.sizeBytes()
    await storage.deletePartition(ID)
    await storage.reclaimed()
    expect(await storage.sizeBytes()).toBeLessThan(before / 3)
  })
})
