/** C8: compaction that ends at any step, by a crash or by a storage that fails, leaves a log that says what it said. */
import { describe, expect, it } from 'vitest'
import { FileStorage } from '../../../src/storage/file/file-storage.js'
import { levelStorageOver } from '../../../src/storage/level/index.js'
import { Seeded } from '../../../src/storage/test-suite/seeded.js'
import { CrashingFiles } from '../../support/crashing-files.js'
import { FailingLevel } from '../../support/failing-level.js'
import { ID } from '../../support/log-batches.js'
import { CompactedWorld, type Written } from './compacted-world.js'

const record = (key: string, value: string | null): Written => ({ key, value, age: 0, hasHeaders: false })

/** A log with something of everything: superseded records, deletions, and transactions that ended either way. */
const fill = async (world: CompactedWorld): Promise<void> => {
  for (let round = 0; round < 2; round++) {
    await world.write([record('a', `${round}`), record('b', `${round}`)], round % 2 === 0 ? 'gzip' : 'none')
    await world.produce(1, [record('c', `${round}`), record(`only ${round}`, 'x')], true)
    await world.write([record(`stays ${world.log.endOffset}`, 'x'), record('a', 'y')])
    await world.produce(2, [record('a', 'taken back')], true)
    await world.write([record(`only ${round - 1}`, null)])
    await world.end(1, 'commit')
    await world.end(2, 'abort')
    await world.produce(3, [record('d', `${round}`)], false)
  }
}

const BUFFER_BYTES = 150

/** Compacts, and tells whether that went through. */
const compacts = async (world: CompactedWorld): Promise<boolean> => {
  try {
    await world.log.compact((await world.log.dirtySection(world.clock.now()))!, world.clock.now(), {
      ...world.passOptions(1000, BUFFER_BYTES),
    })
    return true
  } catch {
    return false
  }
}

interface Machine {
  /** Opens the storage anew, after whatever happened to it. */
  readonly open: () => Promise<void>
  readonly world: CompactedWorld
  readonly failAfter: (operations: number) => void
  readonly crash: () => Promise<void>
}

const crashAtEveryStep = async (machine: (seed: number) => Promise<Machine>): Promise<number> => {
  for (let step = 0; ; step++) {
    const { open, world, failAfter, crash } = await machine(step)
    await open()
    await fill(world)
    // A second pass finds horizons and empty batches that the first has left.
    if (step % 2 === 1) {
      await world.compact()
      world.clock.time += 200
      await fill(world)
    }
    const table = world.naive.table(world.log.lastStableOffset)
    const before = await world.committed()
    failAfter(step >> 1)
    const isDone = await compacts(world)
    await crash()
    await open()
    expect(world.log.failure, `after step ${step}`).toBeUndefined()
    const after = await world.committed()
    expect(world.tableOf(after), `C7, C8 after step ${step}`).toEqual(table)
    const known = new Set(before.map((one) => JSON.stringify(one)))
    expect(after.every((one) => known.has(JSON.stringify(one)))).toBe(true)
    await world.expectSound()
    // What was cut short goes on, to where it would have come.
    while ((await world.log.dirtySection(world.clock.now())) !== undefined) {
      expect(await compacts(world)).toBe(true)
    }
    expect(world.tableOf(await world.committed())).toEqual(table)
    await world.expectRetriesKnown()
    await world.expectSound()
    await crash()
    if (isDone && step % 2 === 1) return step >> 1
  }
}

describe('a crash during compaction', () => {
  it.each(['kill', 'powerFail'] as const)(
    'of files by %s leaves the old or the new, at any operation',
    async (how) => {
      const steps = await crashAtEveryStep((seed) => {
        const random = new Seeded(seed)
        const files = new CrashingFiles((limit) => random.below(limit))
        let life = 0
        let storage: FileStorage
        const world = new CompactedWorld(() => storage.partition(ID), { durability: 'fsync' })
        const open = async () => {
          const startedAt = String(life++)
          storage = new FileStorage({
            location: '/log',
            files: files.mount(),
            process: () =>
              Promise.resolve({
                pid: 1,
                startedAt,
                isRunning: (_pid: number, other: string) => Promise.resolve(startedAt === other),
              }),
          })
          await storage.open()
          await world.open()
        }
        const crash = async () => {
          files[how]()
          await Promise.resolve()
        }
        return Promise.resolve({ open, world, crash, failAfter: (operations) => files.failAfter(operations) })
      })
      expect(steps).toBeGreaterThan(20)
    },
  )

  it('of level leaves the old or the new, at any write', async () => {
    const steps = await crashAtEveryStep(() => {
      const database = new FailingLevel()
      let storage: ReturnType<typeof levelStorageOver> | undefined
      const world = new CompactedWorld(() => storage!.partition(ID))
      const open = async () => {
        storage = levelStorageOver(database)
        await storage.open()
        await world.open()
      }
      const crash = async () => {
        await storage?.close().catch(() => undefined)
        database.failAfter(-1)
      }
      return Promise.resolve({ open, world, crash, failAfter: (count) => database.failAfter(count) })
    })
    expect(steps).toBeGreaterThan(5)
  })
})
