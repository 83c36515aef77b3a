/** What the partitions of one storage in files share: the open files, the indexes in memory, and the failure. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Files } from '../../runtime/files.js'
import { walkBatches } from './batch-walk.js'
import { OpenFiles } from './open-files.js'
import type { Segment } from './partition-meta.js'
import { SparseIndex } from './sparse-index.js'

/** How much the indexes that are not being appended to take in memory, over all partitions. */
const MAX_CACHED_INDEX_BYTES = 16 * 1024 * 1024

/** Shared by the partitions of a storage. */
export class FileEngine {
  readonly files: Files
  readonly open: OpenFiles
  isClosing = false
  /** What was written to all partitions since their last checkpoints, in bytes. */
  unsyncedBytes = 0
  #failure: OttlaError | undefined
  /** By the segment's path, in the order of their last use. */
  readonly #indexes = new Map<string, SparseIndex>()
  #indexBytes = 0

  constructor(files: Files) {
    this.files = files
    this.open = new OpenFiles(files)
  }

  /** The failure after which nothing is written any more. */
  get failure(): OttlaError | undefined {
    return this.#failure
  }

  /** Refuses every write from now on: what a disk has after a failed write or sync is not known any more. */
  fail(cause: unknown): OttlaError {
    this.#failure ??= new OttlaError(
      'STORAGE_FAILED',
      `A write failed (${cause instanceof Error ? cause.message : String(cause)}); nothing is written any more. Close and open again to recover.`,
      { cause },
    )
    return this.#failure
  }

  /** Runs what writes; when it fails, everything after it is refused. */
  async writing<T>(write: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return await write()
    } catch (error) {
      if (OttlaError.is(error) && error.code === 'STORAGE_CORRUPT') throw error
      throw this.fail(error)
    }
  }

  /** The index of a segment: from memory, from its file, or made of the batches as far as that one lacks them. */
  async index(path: string, indexPath: string, segment: Segment): Promise<SparseIndex> {
    const index = this.#indexes.get(path) ?? (await this.#read(indexPath, segment))
    if (index.position < segment.sizeBytes) await this.#extend(index, path, segment)
    this.keep(path, index)
    return index
  }

  /** Keeps an index in memory, in the place of others that were used longer ago. */
  keep(path: string, index: SparseIndex): void {
    this.forget(path)
    this.#indexes.set(path, index)
    this.#indexBytes += index.sizeBytes
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexBytes <= MAX_CACHED_INDEX_BYTES || oldest === path) return
      this.forget(oldest)
    }
  }

  /** Lets go of the index. */
  forget(path: string): void {
    this.#indexBytes -= this.#indexes.get(path)?.sizeBytes ?? 0
    this.#indexes.delete(path)
  }

  /** As {@link forget}, for all segments in a folder. */
  forgetWithin(directory: string): void {
    for (const path of [...this.#indexes.keys()]) if (path.startsWith(`${directory}/`)) this.forget(path)
  }

  /** Writes an index beside its segment. It is not synced: one that is damaged or missing is made anew. */
  async save(indexPath: string, index: SparseIndex): Promise<void> {
    const bytes = index.encode()
    await this.open.use(indexPath, (file) => file.write([bytes], 0), 'create')
    this.open.forget(indexPath)
  }

  async #read(indexPath: string, segment: Segment): Promise<SparseIndex> {
    const bytes = await this.files.read(indexPath)
    const index = bytes === undefined ? undefined : SparseIndex.decode(bytes)
    return index === undefined || index.position > segment.sizeBytes ? new SparseIndex() : index
  }

  #extend(index: SparseIndex, path: string, segment: Segment): Promise<void> {
    return this.open.use(path, async (file) => {
      const walk = { path, from: index.position, to: segment.sizeBytes }
      for await (const { info, position } of walkBatches(file, walk)) {
        // Two who look for the same index at once extend it together.
        if (position === index.position) index.add(info)
      }
    })
  }
}
