/** A storage in files: holds the folder's lock, opens and deletes partitions. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Files, ProcessIdentity } from '../../runtime/files.js'
import { systemRandom } from '../../runtime/random.js'
import { randomUuid } from '../../runtime/uuid.js'
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
import { FileEngine } from './file-engine.js'
import { deletedFolder, isDeletedFolder, partitionFolder, partitionOfFolder } from './file-names.js'
import { FilePartition } from './file-partition.js'
import { closed } from './open-files.js'
import { openFolder } from './recovery.js'

/** How many folders are measured at once: each is many small questions to the disk. */
const FOLDERS_AT_ONCE = 32

/** What the storage stands on. */
export interface FileStorageOptions {
  /** The folder that it keeps everything in. */
  readonly location: string
  readonly files: Files
  readonly process: () => Promise<ProcessIdentity>
}

interface Opened {
  readonly engine: FileEngine
  readonly lock: DirectoryLock
  readonly root: string
}

/** Keeps logs in a folder, one file of v2 batches per segment. */
export class FileStorage implements LogStorage {
  readonly name = 'file'
  readonly capabilities: StorageCapabilities = { persistent: true, durability: 'fsync' }
  readonly #options: FileStorageOptions
  #opened: Opened | undefined
  #failure: OttlaError | undefined
  readonly #partitions = new Map<string, Promise<FilePartition>>()
  readonly #deletions = new Map<string, Promise<void>>()
  /** The last opening or closing: they take their turns. */
  #transition: Promise<void> = Promise.resolve()

  constructor(options: FileStorageOptions) {
    this.#options = options
  }

  get location(): string {
    return this.#options.location
  }

  get failure(): OttlaError | undefined {
    return this.#opened?.engine.failure ?? this.#failure
  }

  open(): Promise<void> {
    return this.#next(() => this.#open())
  }

  close(): Promise<void> {
    if (this.#opened !== undefined) this.#opened.engine.isClosing = true
    return this.#next(() => this.#close())
  }

  async partition(id: PartitionId): Promise<PartitionStorage> {
    const key = partitionKey(id)
    for (;;) {
      const deletion = this.#deletions.get(key)
      if (deletion === undefined) break
      await deletion.catch(() => undefined)
    }
    const { engine, root } = this.#assertOpen()
    let opening = this.#partitions.get(key)
    if (opening === undefined) {
      opening = openFolder(engine, root, `${root}/${partitionFolder(id)}`).then(
        (folder) => new FilePartition(engine, id, folder),
      )
      this.#partitions.set(key, opening)
      opening.catch(() => this.#partitions.delete(key))
    }
    return opening
  }

  async partitions(): Promise<readonly PartitionId[]> {
    const { engine, root } = this.#assertOpen()
    const names = await engine.files.list(root)
    return names.map(partitionOfFolder).filter((id) => id !== undefined)
  }

  deletePartition(id: PartitionId): Promise<void> {
    const key = partitionKey(id)
    const before = this.#deletions.get(key) ?? Promise.resolve()
    const deletion = before
      .catch(() => undefined)
      .then(() => this.#delete(this.#assertOpen(), id, key))
      .finally(() => {
        if (this.#deletions.get(key) === deletion) this.#deletions.delete(key)
      })
    this.#deletions.set(key, deletion)
    return deletion
  }

  async sizeBytes(): Promise<number> {
    const { engine, root } = this.#assertOpen()
    let total = await engine.files.directorySizeBytes(root)
    const folders = (await engine.files.list(root)).filter(
      (name) => partitionOfFolder(name) !== undefined || isDeletedFolder(name),
    )
    for (let from = 0; from < folders.length; from += FOLDERS_AT_ONCE) {
      const measured = folders
        .slice(from, from + FOLDERS_AT_ONCE)
        .map((name) => engine.files.directorySizeBytes(`${root}/${name}`))
      for (const sizeBytes of await Promise.all(measured)) total += sizeBytes
    }
    return total
  }

  volume(): Promise<StorageVolume> {
    const { engine, root } = this.#assertOpen()
    return engine.files.volume(root)
  }

  async #open(): Promise<void> {
    if (this.#opened !== undefined)
      throw new OttlaError('STORAGE_LOCKED', 'This file storage is open already; close it first.')
    const { location, files, process } = this.#options
    let lock: DirectoryLock | undefined
    try {
      await files.makeDirectory(location)
      const root = await files.realPath(location)
      lock = await DirectoryLock.acquire(root, { files, process: await process(), random: systemRandom })
      await refuseOtherOwner(files, root, 'file')
      for (const name of await files.list(root))
        if (isDeletedFolder(name)) await files.removeDirectory(`${root}/${name}`)
      this.#failure = undefined
      this.#opened = { engine: new FileEngine(files), lock, root }
    } catch (error) {
      await lock?.release().catch(() => undefined)
      throw OttlaError.is(error)
        ? error
        : new OttlaError(
            'STORAGE_FAILED',
            `The folder ${location} cannot be used (${error instanceof Error ? error.message : String(error)}); expected a folder that can be read and written.`,
            { cause: error, details: { location } },
          )
    }
  }

  async #close(): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) return
    const { engine, lock } = opened
    engine.isClosing = true
    try {
      await Promise.allSettled(this.#deletions.values())
      // All that was begun is over before anything is let go.
      const partitions = await Promise.allSettled(this.#partitions.values())
      for (const partition of partitions) {
        if (partition.status === 'fulfilled') await engine.writing(() => partition.value.close())
      }
    } catch (error) {
      if (engine.failure === undefined) throw error
      // A failed storage is left as it is; its failure was reported to whoever wrote.
    } finally {
      await engine.open.close()
      this.#failure = engine.failure
      this.#opened = undefined
      this.#partitions.clear()
      await lock.release()
    }
  }

  async #delete({ engine, root }: Opened, id: PartitionId, key: string): Promise<void> {
    // Asked first: what a failed storage cannot delete stays readable.
    if (engine.failure !== undefined) throw engine.failure
    // One that could not be opened, because it is damaged, can be deleted all the same.
    const partition = await this.#partitions.get(key)?.catch(() => undefined)
    await partition?.retire()
    this.#partitions.delete(key)
    const from = `${root}/${partitionFolder(id)}`
    const to = `${root}/${deletedFolder(id, randomUuid(systemRandom))}`
    await engine.writing(async () => {
      engine.open.forgetWithin(from)
      engine.forgetWithin(from)
      if (!(await engine.files.rename(from, to))) return
      await engine.files.syncDirectory(root)
      // With this the partition is gone; after a crash the rest follows at the next open.
      await engine.files.removeDirectory(to)
    })
  }

  /** Opening and closing take their turns, in the order of the calls. */
  #next(transition: () => Promise<void>): Promise<void> {
    const result = this.#transition.then(transition)
    this.#transition = result.catch(() => undefined)
    return result
  }

  #assertOpen(): Opened {
    if (this.#opened?.engine.isClosing === false) return this.#opened
    throw closed()
  }
}
