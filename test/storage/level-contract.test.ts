/** Storage in LevelDB keeps the contract: on disk, and over another abstract-level database. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { levelStorage, levelStorageOver } from '../../src/storage/level/index.js'
import type { LogStorage } from '../../src/storage/contract.js'
import { storageContractSuite } from '../../src/storage/test-suite/contract-suite.js'
import { FailingLevel } from '../support/failing-level.js'

const folders = new WeakMap<LogStorage, string>()
const inFolder = (folder: string): LogStorage => {
  const storage = levelStorage(folder)
  folders.set(storage, folder)
  return storage
}

storageContractSuite({
  name: 'level over classic-level',
  runner: { describe, it },
  create: async () => inFolder(await mkdtemp(join(tmpdir(), 'ottla-level-'))),
  reopen: (closed) => inFolder(folders.get(closed)!),
  dispose: (closed) => rm(folders.get(closed)!, { recursive: true }),
})

const databases = new WeakMap<LogStorage, FailingLevel>()
const over = (database: FailingLevel): LogStorage => {
  const storage = levelStorageOver(database, { persistent: true, durability: 'none' })
  databases.set(storage, database)
  return storage
}

storageContractSuite({
  name: 'level over memory-level',
  runner: { describe, it },
  create: () => over(new FailingLevel()),
  reopen: (closed) => over(databases.get(closed)!),
  failNextWrite: (storage) => databases.get(storage)!.failAfter(0),
  seeds: [11, 12],
})
