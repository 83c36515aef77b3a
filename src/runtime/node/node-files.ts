/** The Files seam over Node's file system. */
import { randomUUID } from 'node:crypto'
import {
  constants,
  copyFile,
  link,
  mkdir,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises'
import { join } from 'node:path'
import type { Files, OpenFile } from '../files.js'

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')

/** A file system without links gets a copy, which is exclusive too, but is for a moment not whole. */
const linkOrCopy = async (from: string, to: string): Promise<void> => {
  try {
    await link(from, to)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw error
    await copyFile(from, to, constants.COPYFILE_EXCL)
  }
}

class NodeOpenFile implements OpenFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let done = 0
    while (done < target.length) {
      const { bytesRead } = await this.#handle.read(target, done, target.length - done, position + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return done
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    let rest = pieces
    let at = position
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, at)
      at += bytesWritten
      // A full disk may take a part; the next try says why it takes no more.
      rest = behind(rest, bytesWritten)
    }
  }

  datasync(): Promise<void> {
    return this.#handle.datasync()
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size)
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** What remains of `pieces` behind their first `count` bytes. */
const behind = (pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] => {
  let left = count
  for (const [index, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(index + 1)]
    left -= piece.length
  }
  return []
}

/** Files on the machine's own disks. */
export const nodeFiles: Files = {
  makeDirectory: async (directory) => {
    await mkdir(directory, { recursive: true })
  },
  realPath: (path) => realpath(path),
  createExclusive: async (path, bytes) => {
    // Written under a name of its own and then linked: whoever finds the file finds all of it.
    const draft = `${path}.${randomUUID()}`
    try {
      const file = await open(draft, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await linkOrCopy(draft, path)
      return true
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw error
    } finally {
      await unlink(draft).catch(() => undefined)
    }
  },
  read: async (path) => {
    try {
      return await readFile(path)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    }
  },
  rename: async (from, to) => {
    try {
      await rename(from, to)
      return true
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  },
  remove: async (path) => {
    try {
      await unlink(path)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
  },
  open: async (path, mode) => new NodeOpenFile(await open(path, mode === 'create' ? 'w+' : 'r+')),
  list: async (directory) => {
    try {
      return await readdir(directory)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return []
      throw error
    }
  },
  removeDirectory: async (directory) => {
    await rm(directory, { recursive: true, force: true })
  },
  syncDirectory: async (directory) => {
    // Windows has no such thing: it cannot open a folder, and keeps its names in order by itself.
    const handle = await open(directory, 'r').catch((error: unknown) => {
      if (hasCode(error, 'EISDIR', 'EPERM', 'EACCES')) return undefined
      throw error
    })
    if (handle === undefined) return
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  directorySizeBytes: async (directory) => {
    let names: string[]
    try {
      names = await readdir(directory)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return 0
      throw error
    }
    let total = 0
    for (const name of names) {
      try {
        total += (await stat(join(directory, name))).size
      } catch (error) {
        // LevelDB removes files while we look; one that is gone takes no space.
        if (!hasCode(error, 'ENOENT')) throw error
      }
    }
    return total
  },
}
