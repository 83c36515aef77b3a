/** Storage in files keeps the contract, on disk. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import type { LogStorage } from '../../src/storage/contract.js'
import { fileStorage } from '../../src/storage/file/index.js'
import { storageContractSuite } from '../../src/storage/test-suite/contract-suite.js'

const folders = new WeakMap<LogStorage, string>()
const inFolder = (folder: string): LogStorage => {
  const storage = fileStorage(folder)
  folders.set(storage, folder)
  return storage
}

storageContractSuite({
  name: 'file',
  runner: { describe, it },
  create: async () => inFolder(await mkdtemp(join(tmpdir(), 'ottla-file-'))),
  reopen: (closed) => inFolder(folders.get(closed)!),
  dispose: (closed) => rm(folders.get(closed)!, { recursive: true }),
})
