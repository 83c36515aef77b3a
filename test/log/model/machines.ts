/** What a log lies on while it is compared: storages that are closed, and end without being closed, again and again. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogStorage } from '../../../src/storage/contract.js'
import { LOCK_PREFIX } from '../../../src/storage/directory-lock.js'
import { FileStorage } from '../../../src/storage/file/file-storage.js'
import { fileStorage } from '../../../src/storage/file/index.js'
import { levelStorage, levelStorageOver } from '../../../src/storage/level/index.js'
import { CrashingFiles } from '../../support/crashing-files.js'
import { FailingLevel } from '../../support/failing-level.js'
import { keptStorage } from '../../support/kept-storage.js'

/** How a process can end, as far as a machine can play it. */
export type Crash = 'kill' | 'powerFail' | 'fail'

/** A storage over the times that it is opened. */
export interface Machine {
  readonly crashes: readonly Crash[]
  /** Whether it can end while writes are on their way. */
  readonly crashesAnytime: boolean
  /** Whether it has a disk to wait for. */
  readonly flushes: boolean
  /** Opens the storage anew. */
  open(): Promise<LogStorage>
  /** Lets the writes fail from the n-th on. */
  failAfter(operations: number): void
  /** Ends the process, or after a failed write closes the storage. */
  crash(how: Crash, storage: LogStorage): Promise<void>
  /** Leaves nothing behind. */
  remove(): Promise<void>
}

const nothing = (): Promise<void> => Promise.resolve()

/** Memory that stays: a log that is opened anew over what another one wrote. */
const memory = (): Machine => {
  const storage = keptStorage()
  return {
    crashes: ['kill'],
    crashesAnytime: false,
    flushes: false,
    open: async () => {
      await storage.open()
      return storage
    },
    failAfter: () => undefined,
    crash: nothing,
    remove: nothing,
  }
}

/** A database in memory whose writes fail. */
const failingLevel = (): Machine => {
  const database = new FailingLevel()
  return {
    crashes: ['fail'],
    crashesAnytime: true,
    flushes: true,
    open: async () => {
      const storage = levelStorageOver(database, { persistent: true, durability: 'fsync' })
      await storage.open()
      return storage
    },
    failAfter: (operations) => database.failAfter(operations),
    crash: async (_how, storage) => {
      await storage.close().catch(() => undefined)
      database.failAfter(-1)
    },
    remove: nothing,
  }
}

/** Files in memory that end at any operation, and lose what was not synced. */
const crashingFiles = (draw: (limit: number) => number): Machine => {
  const files = new CrashingFiles(draw)
  let life = 0
  return {
    crashes: ['kill', 'powerFail', 'fail'],
    crashesAnytime: true,
    flushes: true,
    open: async () => {
      const startedAt = String(life++)
      const storage = new FileStorage({
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
      return storage
    },
    failAfter: (operations) => files.failAfter(operations),
    crash: async (how, storage) => {
      if (how === 'fail') {
        await storage.close().catch(() => undefined)
        files.failAfter(Infinity)
      } else files[how]()
    },
    remove: nothing,
  }
}

/** A folder; what a killed process leaves is what lies there while nothing is written, in a copy. */
const folder = (create: (location: string) => LogStorage) => async (): Promise<Machine> => {
  const root = await mkdtemp(join(tmpdir(), 'ottla-model-'))
  let life = 0
  const current = (): string => join(root, String(life))
  return {
    crashes: ['kill'],
    crashesAnytime: false,
    flushes: true,
    open: async () => {
      const storage = create(current())
      await storage.open()
      return storage
    },
    failAfter: () => undefined,
    crash: async (_how, storage) => {
      const from = current()
      life++
      await cp(from, current(), { recursive: true })
      for (const name of await readdir(current())) {
        if (name.startsWith(LOCK_PREFIX)) await rm(join(current(), name))
      }
      await storage.close()
      await rm(from, { recursive: true })
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** The machines by the names of what they have beneath, and the share of the runs that each gets. */
export const MACHINES: readonly {
  readonly name: string
  readonly create: (draw: (limit: number) => number) => Machine | Promise<Machine>
  readonly share: number
}[] = [
  { name: 'memory', create: memory, share: 1 },
  { name: 'level over memory', create: failingLevel, share: 0.8 },
  { name: 'level over files', create: folder(levelStorage), share: 0.1 },
  { name: 'files that crash', create: crashingFiles, share: 0.8 },
  { name: 'files', create: folder(fileStorage), share: 0.1 },
]
