/**
 * Files in memory that crash: a kill of the process keeps every operation that was done, a power failure only what
 * was synced, and of the rest what chance leaves. Operations may be made to fail from the n-th on.
 */
import { LOCK_PREFIX } from '../../src/storage/directory-lock.js'
import type { Files, OpenFile } from '../../src/runtime/files.js'

interface Write {
  readonly position: number
  readonly bytes: Uint8Array
}

interface Content {
  bytes: Uint8Array
  /** What is on the disk for certain. */
  synced: Uint8Array
  /** What was written since, in order; a truncation has no bytes. */
  unsynced: Write[]
}

interface NameChange {
  readonly removed: readonly string[]
  readonly added: readonly (readonly [string, Content])[]
}

const TRUNCATION = new Uint8Array(0)

const applyNames = (names: Map<string, Content>, { removed, added }: NameChange): void => {
  for (const name of removed) names.delete(name)
  for (const [name, content] of added) names.set(name, content)
}

/** Draws a whole number below its argument. */
type Draw = (limit: number) => number

const applied = (bytes: Uint8Array, { position, bytes: piece }: Write): Uint8Array => {
  if (piece === TRUNCATION) {
    const cut = new Uint8Array(position)
    cut.set(bytes.subarray(0, position))
    return cut
  }
  const after = new Uint8Array(Math.max(bytes.length, position + piece.length))
  after.set(bytes)
  after.set(piece, position)
  return after
}

/** A disk in memory. */
export class CrashingFiles {
  #names = new Map<string, Content>()
  #syncedNames = new Map<string, Content>()
  /** What happened to names since they were synced; each happens as a whole or not at all. */
  #nameChanges: NameChange[] = []
  readonly #draw: Draw
  /** How many operations that change something were done. */
  operations = 0
  /** How many files are open now, and were at most. */
  openFiles = 0
  maxOpenFiles = 0
  #failFrom = Infinity
  /** Counts the crashes: whoever is left over from before one changes nothing any more. */
  #life = 0

  constructor(draw: Draw) {
    this.#draw = draw
  }

  /** The files as a process sees them: after the next crash, what is left of it can do nothing any more. */
  mount(): Files {
    const life = this.#life
    const alive = async <R>(operation: () => Promise<R>): Promise<R> => {
      this.#assertAlive(life)
      return operation()
    }
    return {
      makeDirectory: () => alive(() => this.makeDirectory()),
      realPath: (path) => Promise.resolve(path),
      createExclusive: (path, bytes) => alive(() => this.createExclusive(path, bytes)),
      read: (path) => alive(() => this.read(path)),
      rename: (from, to) => alive(() => this.rename(from, to)),
      remove: (path) => alive(() => this.remove(path)),
      open: (path, mode) => alive(() => this.open(path, mode)),
      list: (directory) => alive(() => this.list(directory)),
      removeDirectory: (directory) => alive(() => this.removeDirectory(directory)),
      syncDirectory: (directory) => alive(() => this.syncDirectory(directory)),
      volume: () => Promise.resolve({ totalBytes: 0, usableBytes: 0 }),
      directorySizeBytes: (directory) => alive(() => this.directorySizeBytes(directory)),
    }
  }

  /** Lets every operation fail from the n-th from now on; the failing write is torn. */
  failAfter(operations: number): void {
    this.#failFrom = this.operations + operations
  }

  /** Ends the process: all operations that were done stay. */
  kill(): void {
    this.#life++
    this.#failFrom = Infinity
  }

  /** Ends the power: names and bytes that were not synced stay or go by chance, writes torn at any byte. */
  powerFail(): void {
    this.kill()
    const contents = new Set([...this.#names.values(), ...this.#syncedNames.values()])
    const names = new Map(this.#syncedNames)
    for (const change of this.#nameChanges) if (this.#draw(2) === 0) applyNames(names, change)
    this.#nameChanges = []
    for (const content of contents) {
      let bytes = content.synced
      for (const write of content.unsynced) {
        const chance = this.#draw(3)
        if (chance === 0 || write.bytes === TRUNCATION) bytes = applied(bytes, write)
        if (chance === 1) {
          const torn = write.bytes.subarray(0, this.#draw(write.bytes.length + 1))
          bytes = applied(bytes, { position: write.position, bytes: torn })
        }
      }
      content.bytes = bytes
      content.synced = bytes
      content.unsynced = []
    }
    this.#names = names
    this.#syncedNames = new Map(names)
  }

  /** The files whose names end so, for damage; changing the bytes changes the disk. */
  contents(suffix: string): [string, Uint8Array][] {
    return [...this.#names]
      .filter(([name]) => name.endsWith(suffix))
      .map(([name, { bytes }]) => [name, bytes])
  }

  /** Puts other bytes in the place of a file. */
  overwrite(path: string, bytes: Uint8Array): void {
    const content = { bytes, synced: bytes, unsynced: [] }
    this.#names.set(path, content)
    this.#syncedNames.set(path, content)
  }

  async makeDirectory(): Promise<void> {
    await this.#step(() => undefined)
  }

  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    await Promise.resolve()
    if (this.#names.has(path)) return false
    this.overwrite(path, bytes.slice())
    return true
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    await Promise.resolve()
    return this.#names.get(path)?.bytes.slice()
  }

  async rename(from: string, to: string): Promise<boolean> {
    // The lock's files are not what is tested here: they are there at once, and never fail.
    const move = (): boolean => {
      const moved = [...this.#names].filter(([name]) => name === from || name.startsWith(`${from}/`))
      this.#change({
        removed: moved.map(([name]) => name),
        added: moved.map(([name, content]) => [to + name.slice(from.length), content]),
      })
      return moved.length > 0
    }
    return from.includes(LOCK_PREFIX) ? move() : this.#step(move)
  }

  async remove(path: string): Promise<void> {
    if (path.includes(LOCK_PREFIX)) {
      this.#names.delete(path)
      this.#syncedNames.delete(path)
      return
    }
    await this.#step(() => this.#change({ removed: [path], added: [] }))
  }

  async open(path: string, mode: 'create' | 'existing'): Promise<OpenFile> {
    return this.#step(() => {
      let content = this.#names.get(path)
      if (mode === 'create') {
        content = { bytes: new Uint8Array(0), synced: new Uint8Array(0), unsynced: [] }
        this.#change({ removed: [], added: [[path, content]] })
      }
      if (content === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
      this.maxOpenFiles = Math.max(this.maxOpenFiles, ++this.openFiles)
      return this.#file(content)
    }, mode === 'create')
  }

  async list(directory: string): Promise<readonly string[]> {
    await Promise.resolve()
    const below = [...this.#names.keys()].filter((name) => name.startsWith(`${directory}/`))
    return [...new Set(below.map((name) => name.slice(directory.length + 1).split('/')[0]!))]
  }

  async removeDirectory(directory: string): Promise<void> {
    for (const name of [...this.#names.keys()]) {
      if (!name.startsWith(`${directory}/`)) continue
      await this.#step(() => this.#change({ removed: [name], added: [] }))
    }
  }

  async syncDirectory(directory: string): Promise<void> {
    const isWithin = (name: string): boolean => name.startsWith(`${directory}/`)
    await this.#step(() => {
      this.#nameChanges = this.#nameChanges.filter((change) => {
        if (!change.removed.some(isWithin) && !change.added.some(([name]) => isWithin(name))) return true
        applyNames(this.#syncedNames, change)
        return false
      })
    })
  }

  async directorySizeBytes(directory: string): Promise<number> {
    await Promise.resolve()
    return [...this.#names]
      .filter(([name]) => name.slice(0, name.lastIndexOf('/')) === directory)
      .reduce((total, [, { bytes }]) => total + bytes.length, 0)
  }

  #file(content: Content): OpenFile {
    const life = this.#life
    const write = async (pieces: readonly Uint8Array[], position: number): Promise<void> => {
      this.#assertAlive(life)
      const whole = new Uint8Array(Buffer.concat(pieces))
      try {
        await this.#step(() => this.#write(content, { position, bytes: whole }))
      } catch (error) {
        if (life === this.#life)
          this.#write(content, { position, bytes: whole.slice(0, this.#draw(whole.length + 1)) })
        throw error
      }
    }
    return {
      read: async (target, position) => {
        await Promise.resolve()
        const found = content.bytes.subarray(position, position + target.length)
        target.set(found)
        return found.length
      },
      write,
      datasync: async () => {
        this.#assertAlive(life)
        await this.#step(() => {
          content.synced = content.bytes
          content.unsynced = []
        })
      },
      truncate: async (size) => {
        this.#assertAlive(life)
        await this.#step(() => this.#write(content, { position: size, bytes: TRUNCATION }))
      },
      size: () => Promise.resolve(content.bytes.length),
      close: () => {
        this.openFiles--
        return Promise.resolve()
      },
    }
  }

  #assertAlive(life: number): void {
    if (life !== this.#life) throw new Error('The process is gone.')
  }

  #change(change: NameChange): void {
    applyNames(this.#names, change)
    this.#nameChanges.push(change)
  }

  #write(content: Content, write: Write): void {
    content.bytes = applied(content.bytes, write)
    content.unsynced.push(write)
  }

  /**
   * Takes a turn, as a disk does; then counts, or fails. What it does is done within it: whoever waits for it may go on
   * only after the next crash.
   */
  async #step<R>(effect: () => R, isChange = true): Promise<R> {
    const life = this.#life
    for (let turns = this.#draw(3); turns >= 0; turns--) await Promise.resolve()
    this.#assertAlive(life)
    if (isChange && this.operations >= this.#failFrom) throw new Error('ENOSPC: no space left on device')
    if (isChange) this.operations++
    return effect()
  }
}
