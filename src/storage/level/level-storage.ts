/**
 * A storage over LevelDB, or any other abstract-level database: opens and closes it, keeps the list of partitions, and
 * removes deleted ones.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Files, ProcessIdentity } from '../../runtime/files.js'
import { systemRandom } from '../../runtime/random.js'
import type {
  LogStorage,
  PartitionId,
  PartitionStorage,
  StorageCapabilities,
  StorageVolume,
} from '../contract.js'
import { DirectoryLock } from '../directory-lock.js'
import { refuseOtherOwner } from '../other-owner.js'
import { partitionKey } from '../partition-key.js'
import { readRange, type LevelDatabase, type LevelOperation } from './database.js'
import {
  blobKey,
  decodeMeta,
  decodePage,
  deletedKey,
  kindRange,
  metaKey,
  pageKey,
  partitionNumberOf,
  partitionOfMetaKey,
} from './keys.js'
import { removeBatches } from './index-pages.js'
import { LevelEngine } from './level-engine.js'
import { levelError } from './level-error.js'
import { LevelPartition } from './level-partition.js'
import { checkFormat, MAX_PARTITIONS, openJournal, readStates } from './opening.js'
import { emptyMeta } from './partition-state.js'

/** How many index pages of a deleted partition, or blobs, are removed at a time. */
const DELETE_SLICE_PAGES = 4
const DELETE_SLICE_BLOBS = 512

/** A folder with everything that guarding it takes. */
export interface LevelFolder {
  readonly location: string
  readonly files: Files
  readonly process: () => Promise<ProcessIdentity>
}

/** Keeps logs in an abstract-level database. */
export class LevelStorage implements LogStorage {
  readonly name = 'level'
  readonly capabilities: StorageCapabilities
  readonly #create: (location: string | undefined) => Promise<LevelDatabase>
  readonly #folder: LevelFolder | undefined
  #engine: LevelEngine | undefined
  #lock: DirectoryLock | undefined
  #failure: OttlaError | undefined
  readonly #opened = new Map<string, Promise<LevelPartition>>()
  /** Deletions under way: whoever wants such a partition again waits until it is gone. */
  readonly #deletions = new Map<string, Promise<void>>()
  /** The last open or close: the next waits for it. */
  /** The folder; none over a database of the application's own. */
  readonly location?: string
  /** The disk that the folder is on. */
  readonly volume?: () => Promise<StorageVolume>
  #transition: Promise<void> = Promise.resolve()
  #nextPartitionNumber = 0

  /** `create` makes the database each time the storage opens; `folder` is locked while it is open. */
  constructor(
    create: (location: string | undefined) => Promise<LevelDatabase>,
    options: { readonly folder?: LevelFolder; readonly capabilities: StorageCapabilities },
  ) {
    this.#create = create
    this.#folder = options.folder
    this.capabilities = options.capabilities
    if (options.folder === undefined) return
    const { files, location } = options.folder
    this.location = location
    this.volume = () => files.volume(location)
  }

  get failure(): OttlaError | undefined {
    return this.#engine?.commits.failure ?? this.#failure
  }

  open(): Promise<void> {
    return this.#next(() => this.#open())
  }

  close(): Promise<void> {
    this.#engine?.beginClose()
    return this.#next(() => this.#close())
  }

  async partition(id: PartitionId): Promise<PartitionStorage> {
    const key = partitionKey(id)
    for (;;) {
      const deletion = this.#deletions.get(key)
      if (deletion === undefined) break
      await deletion.catch(() => undefined)
    }
    const engine = this.#openEngine()
    let opening = this.#opened.get(key)
    if (opening === undefined) {
      opening = this.#openPartition(engine, id)
      this.#opened.set(key, opening)
      opening.catch(() => this.#opened.delete(key))
    }
    return opening
  }

  async partitions(): Promise<readonly PartitionId[]> {
    const engine = this.#openEngine()
    await engine.commits.idle()
    const entries = await readRange(engine.database, { ...kindRange('p'), limit: MAX_PARTITIONS })
    return entries.map(([key]) => partitionOfMetaKey(key))
  }

  deletePartition(id: PartitionId): Promise<void> {
    const key = partitionKey(id)
    const before = this.#deletions.get(key) ?? Promise.resolve()
    const deletion = before
      .catch(() => undefined)
      .then(() => this.#delete(this.#openEngine(), id, key))
      .finally(() => {
        if (this.#deletions.get(key) === deletion) this.#deletions.delete(key)
      })
    this.#deletions.set(key, deletion)
    return deletion
  }

  async sizeBytes(): Promise<number> {
    const engine = this.#openEngine()
    if (this.#folder !== undefined) return this.#folder.files.directorySizeBytes(this.#folder.location)
    const sizes = new Map<string, number>()
    const states = await readRange(engine.database, { ...kindRange('p'), limit: MAX_PARTITIONS })
    for (const [key, value] of states) {
      sizes.set(partitionKey(partitionOfMetaKey(key)), decodeMeta(key, value).sizeBytes)
    }
    // What is in the journal alone is told by the partitions themselves.
    for (const [key, opening] of this.#opened) sizes.set(key, (await opening).state.sizeBytes)
    let total = 0
    for (const size of sizes.values()) total += size
    return total
  }

  /** Resolves when the space of what was dropped so far has been given back. */
  async reclaimed(): Promise<void> {
    await this.#openEngine().reclaimer.idle()
  }

  async #open(): Promise<void> {
    if (this.#engine !== undefined)
      throw new OttlaError('STORAGE_LOCKED', 'This level storage is open already; close it first.')
    const location = await this.#guardFolder()
    let database: LevelDatabase | undefined
    try {
      if (this.#folder !== undefined && location !== undefined)
        await refuseOtherOwner(this.#folder.files, location, 'level')
      database = await this.#create(location)
      await database.open()
      await checkFormat(database)
      const sequence = await openJournal(database)
      const { nextPartitionNumber, indexedSequence } = await readStates(database)
      this.#nextPartitionNumber = nextPartitionNumber
      // What was written last may be gone again; its place is not taken twice, as it counts as indexed.
      const engine = new LevelEngine(
        database,
        Math.max(sequence, indexedSequence),
        this.capabilities,
        location === undefined ? undefined : () => this.#syncLogs(location),
      )
      await this.#resumeDeletions(engine)
      this.#failure = undefined
      this.#engine = engine
    } catch (error) {
      await database?.close().catch(() => undefined)
      await this.#unlock()
      throw levelError(error, location ?? 'The database', 'could not be opened')
    }
  }

  async #close(): Promise<void> {
    const engine = this.#engine
    if (engine === undefined) return
    engine.beginClose()
    try {
      await Promise.allSettled(this.#deletions.values())
      const partitions = await Promise.allSettled(this.#opened.values())
      for (const partition of partitions) if (partition.status === 'fulfilled') await partition.value.idle()
      await engine.close()
      this.#failure = engine.commits.failure
      this.#engine = undefined
      await engine.database.close()
    } finally {
      this.#engine = undefined
      this.#opened.clear()
      await this.#unlock()
    }
  }

  /** Opening and closing take their turns, in the order of the calls. */
  #next(transition: () => Promise<void>): Promise<void> {
    const result = this.#transition.then(transition)
    this.#transition = result.catch(() => undefined)
    return result
  }

  async #delete(engine: LevelEngine, id: PartitionId, key: string): Promise<void> {
    // Asked first: what a failed storage cannot delete stays readable.
    if (engine.commits.failure !== undefined) throw engine.commits.failure
    // One that could not be opened, because it is damaged, can be deleted all the same.
    const partition = await this.#opened.get(key)?.catch(() => undefined)
    await partition?.retire()
    this.#opened.delete(key)
    const stored = await engine.get(metaKey(id))
    if (stored === undefined) return
    const { partitionNumber } = decodeMeta(metaKey(id), stored)
    // With this the partition is gone; what it held is removed afterwards, and after a crash at the next open.
    await this.#change(engine, [
      { type: 'del', key: metaKey(id) },
      { type: 'put', key: deletedKey(partitionNumber), value: new Uint8Array(0) },
    ])
    await this.#removeDeleted(engine, partitionNumber)
  }

  async #openPartition(engine: LevelEngine, id: PartitionId): Promise<LevelPartition> {
    const stored = await engine.get(metaKey(id))
    if (stored === undefined)
      return new LevelPartition(engine, id, emptyMeta(this.#nextPartitionNumber++), false)
    const partition = new LevelPartition(engine, id, decodeMeta(metaKey(id), stored), true)
    await partition.recover()
    return partition
  }

  async #resumeDeletions(engine: LevelEngine): Promise<void> {
    for (const [key] of await readRange(engine.database, { ...kindRange('d'), limit: MAX_PARTITIONS })) {
      const partitionNumber = partitionNumberOf(key)
      this.#nextPartitionNumber = Math.max(this.#nextPartitionNumber, partitionNumber + 1)
      await this.#removeDeleted(engine, partitionNumber)
    }
  }

  async #removeDeleted(engine: LevelEngine, partitionNumber: number): Promise<void> {
    const end = pageKey(partitionNumber + 1, 0)
    let gte = pageKey(partitionNumber, 0)
    for (;;) {
      if (engine.isClosing) return
      const pages = await readRange(engine.database, { gte, lt: end, limit: DELETE_SLICE_PAGES })
      const operations: LevelOperation[] = []
      for (const [key, value] of pages) {
        const entries = decodePage(key, value)
        removeBatches(operations, partitionNumber, entries)
        operations.push({ type: 'del', key })
        for (const { sequence, sizeBytes } of entries) engine.reclaimer.dropped(sequence, sizeBytes)
        // Not from the front again: the store would walk past all that is removed already.
        gte = new Uint8Array([...key, 0])
      }
      if (operations.length === 0) break
      await this.#change(engine, operations)
    }
    const blobs = { gte: blobKey(partitionNumber), lt: blobKey(partitionNumber + 1) }
    for (;;) {
      const left = await readRange(engine.database, { ...blobs, limit: DELETE_SLICE_BLOBS })
      if (left.length === 0) break
      await this.#change(
        engine,
        left.map(([key]) => ({ type: 'del', key })),
      )
    }
    await this.#change(engine, [{ type: 'del', key: deletedKey(partitionNumber) }])
  }

  /** Flushes LevelDB's write-ahead logs: all of them, as what it no longer writes to may not have been flushed. */
  async #syncLogs(location: string): Promise<void> {
    const files = this.#folder?.files
    if (files === undefined) return
    for (const name of await files.list(location)) {
      if (!name.endsWith('.log')) continue
      try {
        const log = await files.open(`${location}/${name}`, 'existing')
        try {
          await log.datasync()
        } finally {
          await log.close()
        }
      } catch (error) {
        // One that is gone now has become a table, which LevelDB flushes before it removes the log.
        if ((await files.list(location)).includes(name)) throw error
      }
    }
  }

  /** A change that belongs to no partition; it fails the storage as any other write does. */
  async #change(engine: LevelEngine, operations: LevelOperation[]): Promise<void> {
    const refusal = engine.commits.failure
    if (refusal !== undefined) throw refusal
    try {
      await engine.write(operations, false)
    } catch (error) {
      throw engine.commits.fail(error)
    }
  }

  async #guardFolder(): Promise<string | undefined> {
    if (this.#folder === undefined) return undefined
    const { location, files, process } = this.#folder
    try {
      await files.makeDirectory(location)
    } catch (error) {
      throw invalidFolder(location, error)
    }
    const directory = await files.realPath(location)
    try {
      this.#lock = await DirectoryLock.acquire(directory, {
        files,
        process: await process(),
        random: systemRandom,
      })
    } catch (error) {
      throw OttlaError.is(error) ? error : invalidFolder(location, error)
    }
    return directory
  }

  async #unlock(): Promise<void> {
    const lock = this.#lock
    this.#lock = undefined
    await lock?.release()
  }

  #openEngine(): LevelEngine {
    if (this.#engine?.isClosing === false) return this.#engine
    throw new OttlaError('RESOURCE_CLOSED', 'The level storage is closed; open it to go on.')
  }
}

const invalidFolder = (location: string, cause: unknown): OttlaError =>
  new OttlaError(
    'STORAGE_FAILED',
    `The folder ${location} cannot be used (${cause instanceof Error ? cause.message : String(cause)}); expected a folder that can be read and written.`,
    { cause, details: { location } },
  )
