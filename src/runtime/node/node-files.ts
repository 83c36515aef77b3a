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
  statfs,
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

/**
 * How much goes into one write. Linux takes larger ones into larger units of its page cache, and getting hold of those
 * was measured to take four times as long as the copying, now and then; at this size never.
 */
const WRITE_BYTES = 128 * 1024

/** How many of those are under way at once: more than Node has threads for files, so that none of them waits for us. */
const WRITE_LANES = 8

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
    const chunks = chunksOf(pieces)
    let next = 0
    let at = position
    const lane = async (): Promise<void> => {
      for (let chunk = chunks[next++]; chunk !== undefined; chunk = chunks[next++]) {
        const from = at
        at += lengthOf(chunk)
        try {
          await this.#writeChunk(chunk, from)
        } catch (error) {
          next = chunks.length
          throw error
        }
      }
    }
    // All are over, well or not, before the first failure is reported.
    for (const outcome of await Promise.allSettled(Array.from({ length: WRITE_LANES }, lane)))
      if (outcome.status === 'rejected') throw outcome.reason
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

  async #writeChunk(chunk: readonly Uint8Array[], position: number): Promise<void> {
    let rest = chunk
    let at = position
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, at)
      at += bytesWritten
      // A full disk may take a part; the next try says why it takes no more.
      rest = behind(rest, bytesWritten)
    }
  }
}

const lengthOf = (pieces: readonly Uint8Array[]): number =>
  pieces.reduce((total, piece) => total + piece.length, 0)

/** `pieces` in runs of {@link WRITE_BYTES}, each of them one vectored write. */
const chunksOf = (pieces: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] => {
  const chunks: Uint8Array[][] = []
  let room = 0
  for (const piece of pieces) {
    for (let from = 0; from < piece.length;) {
      if (room === 0) {
        chunks.push([])
        room = WRITE_BYTES
      }
      const part = piece.subarray(from, from + room)
      chunks.at(-1)?.push(part)
      from += part.length
      room -= part.length
    }
  }
  return chunks
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
  volume: async (directory) => {
    const { bsize, blocks, bavail } = await statfs(directory)
    return { totalBytes: bsize * blocks, usableBytes: bsize * bavail }
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
