/** `ottla/storage/level`: logs in LevelDB, or in any other abstract-level database. */
import type { AbstractLevel } from 'abstract-level'
import { ClassicLevel } from 'classic-level'
import { nodeFiles } from '../../runtime/node/node-files.js'
import { nodeProcess } from '../../runtime/node/node-process.js'
import type { LogStorage } from '../contract.js'
import type { LevelDatabase } from './database.js'
import { LevelStorage } from './level-storage.js'

export type {
  LevelDatabase,
  LevelDelete,
  LevelIterator,
  LevelKeyIterator,
  LevelOperation,
  LevelPut,
  LevelRange,
  LevelViews,
} from './database.js'
export type { LevelStorage } from './level-storage.js'
export type {
  BatchInfo,
  BatchWrite,
  BlobChanges,
  Durability,
  LogStorage,
  PartitionId,
  PartitionState,
  PartitionStorage,
  StorageCapabilities,
  StoredBatch,
} from '../contract.js'

/**
 * What LevelDB gathers in memory before it writes a table. Twice its default: batches are large, and fewer, larger
 * tables make appending faster. With twice as much again it was a tenth faster and the process 25 MB larger; and more
 * holds back the disk that dropped batches took, for what is in this buffer lies in LevelDB's write-ahead log until the
 * buffer is full.
 */
const WRITE_BUFFER_BYTES = 8 * 1024 * 1024

/**
 * How many tables LevelDB keeps open, the least that it allows. It maps those into memory, and what was read of them
 * counts as the process's until they are closed: with its default of 1,000 reading a log through would make the process
 * as large as the log.
 */
const MAX_OPEN_FILES = 64

/**
 * Keeps logs in a folder, by LevelDB (classic-level). This is what `Ottla.open('./data')` uses.
 *
 * Opening throws OttlaError STORAGE_LOCKED when the folder is open already, in this process or another, and
 * STORAGE_CORRUPT when it is damaged.
 */
export const levelStorage = (location: string): LevelStorage =>
  new LevelStorage(
    (directory) =>
      Promise.resolve(
        new ClassicLevel<Uint8Array, Uint8Array>(directory ?? location, {
          keyEncoding: 'view',
          valueEncoding: 'view',
          // Batches are compressed by their producers, if at all; trying again costs time and gains nothing.
          compression: false,
          writeBufferSize: WRITE_BUFFER_BYTES,
          maxOpenFiles: MAX_OPEN_FILES,
        }),
      ),
    {
      folder: { location, files: nodeFiles, process: nodeProcess },
      capabilities: { persistent: true, durability: 'fsync' },
    },
  )

/**
 * Keeps logs in a database of your own, e.g. memory-level or browser-level; `open` of the storage opens it, `close`
 * closes it. What it promises is for you to say; the default promises nothing.
 */
export const levelStorageOver = (
  database: LevelDatabase | AbstractLevel<string | Buffer | Uint8Array>,
  capabilities: LogStorage['capabilities'] = { persistent: false, durability: 'none' },
): LevelStorage => new LevelStorage(() => Promise.resolve(database), { capabilities })
