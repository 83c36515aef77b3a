/** The open files of a storage: those used longest ago are closed when there are too many, and opened again on use. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Files, OpenFile } from '../../runtime/files.js'

/** How many files are open at once, unless more are in use at this moment. */
export const MAX_OPEN_FILES = 256

/** How many files are being read, written or synced at once; what goes beyond waits its turn. */
export const MAX_FILE_OPERATIONS = 64

/** The error of a storage that is not open. */
export const closed = (): OttlaError =>
  new OttlaError('RESOURCE_CLOSED', 'The file storage is closed; open it to go on.')

interface Entry {
  readonly opening: Promise<OpenFile>
  users: number
  isForgotten: boolean
}

/** Opens files and closes them again. */
export class OpenFiles {
  readonly #files: Files
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>()
  readonly #waiting: (() => void)[] = []
  #running = 0
  readonly #closing = new Set<Promise<void>>()
  #isClosed = false
  /** Called when nothing runs any more, once all are to be closed. */
  #drained: (() => void) | undefined

  constructor(files: Files) {
    this.#files = files
  }

  /** How many files are open. */
  get size(): number {
    return this.#entries.size
  }

  /** Runs `work` with the open file. @throws OttlaError RESOURCE_CLOSED once all were closed. */
  async use<T>(
    path: string,
    work: (file: OpenFile) => Promise<T>,
    mode: 'create' | 'existing' = 'existing',
  ): Promise<T> {
    await this.#enter()
    try {
      // A read that was under way would open a file again that nobody closes then.
      if (this.#isClosed) throw closed()
      if (mode === 'create') this.forget(path)
      const entry = this.#take(path, mode)
      try {
        return await work(await entry.opening)
      } finally {
        entry.users--
        if (entry.isForgotten) this.#close(entry)
        else this.#trim()
      }
    } finally {
      this.#leave()
    }
  }

  /** The file goes, or another takes its name: who uses it now may finish. */
  forget(path: string): void {
    const entry = this.#entries.get(path)
    if (entry === undefined) return
    this.#entries.delete(path)
    entry.isForgotten = true
    this.#close(entry)
  }

  /** As {@link forget}, for all files in a folder. */
  forgetWithin(directory: string): void {
    for (const path of [...this.#entries.keys()]) if (path.startsWith(`${directory}/`)) this.forget(path)
  }

  /** Closes all for good, and waits until they are; who uses one now may finish. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const path of [...this.#entries.keys()]) this.forget(path)
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
    await Promise.all(this.#closing)
  }

  #take(path: string, mode: 'create' | 'existing'): Entry {
    const known = this.#entries.get(path)
    const entry = known ?? { opening: this.#files.open(path, mode), users: 0, isForgotten: false }
    if (known === undefined) {
      entry.opening.catch(() => {
        if (this.#entries.get(path) === entry) this.#entries.delete(path)
      })
    }
    entry.users++
    this.#entries.delete(path)
    this.#entries.set(path, entry)
    return entry
  }

  #trim(): void {
    if (this.#entries.size <= MAX_OPEN_FILES) return
    for (const [path, entry] of this.#entries) {
      if (entry.users > 0) continue
      this.forget(path)
      if (this.#entries.size <= MAX_OPEN_FILES) return
    }
  }

  #close(entry: Entry): void {
    if (entry.users > 0) return
    const closing = entry.opening
      .then((file) => file.close())
      .catch(() => undefined)
      .finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }

  async #enter(): Promise<void> {
    if (this.#running < MAX_FILE_OPERATIONS) {
      this.#running++
      return
    }
    // Whoever leaves hands its place over.
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next()
    else if (--this.#running === 0) this.#drained?.()
  }
}
