/**
 * A lock on a storage folder that belongs to one open storage, not only to one process. LevelDB's own lock is not
 * enough: a second open in the same process is refused, but on its way out drops the operating system's lock of the
 * first, after which another process can open the live database. So this lock is taken before LevelDB's is tried.
 *
 * The lock is a file that names its owner. One whose owner is no longer running was left behind by a crash, and is
 * taken over.
 */
import { toUtf8, readUtf8 } from '../runtime/bytes.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Files, ProcessIdentity } from '../runtime/files.js'
import type { Random } from '../runtime/random.js'
import { randomUuid } from '../runtime/uuid.js'

/** The lock's file in the folder. */
export const LOCK_FILE = 'ottla.lock'

/** How often a lock that keeps changing hands is tried again before it counts as held. */
const MAX_ATTEMPTS = 10

/** How often a lock without an owner's name is looked at again: its owner may be about to write it. */
const UNREADABLE_ATTEMPTS = 5

/** What the lock is taken with. */
export interface LockSeams {
  readonly files: Files
  readonly process: ProcessIdentity
  readonly random: Random
}

interface Owner {
  readonly pid: number
  readonly startedAt: string
  readonly token: string
}

/** A lock that is held. */
export class DirectoryLock {
  readonly #path: string
  readonly #content: string
  readonly #files: Files

  private constructor(path: string, content: string, files: Files) {
    this.#path = path
    this.#content = content
    this.#files = files
  }

  /**
   * Takes the lock of `directory`, which exists.
   * @throws OttlaError STORAGE_LOCKED when a running process holds it, this one included.
   */
  static async acquire(directory: string, { files, process, random }: LockSeams): Promise<DirectoryLock> {
    const path = `${directory}/${LOCK_FILE}`
    const owner: Owner = { pid: process.pid, startedAt: process.startedAt, token: randomUuid(random) }
    const content = JSON.stringify(owner)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await files.createExclusive(path, toUtf8(content))) {
        // Looked at again: who found it before its content was there may have taken it for an abandoned one.
        if ((await readText(files, path)) === content) return new DirectoryLock(path, content, files)
        continue
      }
      const found = await readText(files, path)
      if (found === undefined) continue
      const holder = parseOwner(found)
      if (holder === undefined && attempt < UNREADABLE_ATTEMPTS) continue
      if (holder !== undefined && (await process.isRunning(holder.pid, holder.startedAt)))
        throw locked(directory, holder, process.pid)
      await takeAway(files, path, found, `${path}.${owner.token}`)
    }
    throw locked(directory, undefined, process.pid)
  }

  /** Gives the lock back; what another owner has made of it meanwhile stays. */
  async release(): Promise<void> {
    if ((await readText(this.#files, this.#path)) === this.#content) await this.#files.remove(this.#path)
  }
}

const readText = async (files: Files, path: string): Promise<string | undefined> => {
  const bytes = await files.read(path)
  return bytes === undefined ? undefined : readUtf8(bytes, 0, bytes.length)
}

/** undefined for a file that was cut short as its writer died. */
const parseOwner = (text: string): Owner | undefined => {
  try {
    const { pid, startedAt, token } = JSON.parse(text) as Partial<Owner>
    return pid === undefined || startedAt === undefined || token === undefined
      ? undefined
      : { pid, startedAt, token }
  } catch {
    return undefined
  }
}

/**
 * Moves the abandoned lock aside; if another process took it over in between, that one's lock is put back. A third
 * process could get in while it is away; between processes the engine's own lock stands behind this one.
 */
const takeAway = async (files: Files, path: string, abandoned: string, aside: string): Promise<void> => {
  if (!(await files.rename(path, aside))) return
  const moved = await files.read(aside)
  if (moved !== undefined && readUtf8(moved, 0, moved.length) !== abandoned)
    await files.createExclusive(path, moved)
  await files.remove(aside)
}

const locked = (directory: string, holder: Owner | undefined, ownPid: number): OttlaError => {
  const pid = holder?.pid
  const who =
    pid === undefined
      ? 'other processes compete for it'
      : pid === ownPid
        ? 'this process has it open already'
        : `process ${pid} has it open`
  // Where start times are not known, another program may have got the pid of an owner that crashed.
  const unsure =
    holder?.startedAt === '' && pid !== ownPid
      ? ` If process ${pid} is another program, remove ${LOCK_FILE} from the folder.`
      : ''
  return new OttlaError(
    'STORAGE_LOCKED',
    `The folder ${directory} is locked: ${who}. A folder has one owner at a time; close that one first, or open another folder.${unsure}`,
    { details: { directory, pid } },
  )
}
