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
  stat,
  unlink,
} from 'node:fs/promises'
import { join } from 'node:path'
import type { Files } from '../files.js'

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
