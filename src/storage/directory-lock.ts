/**
 * A lock on a storage folder that belongs to one open storage, not only to one process. LevelDB's own lock is not
 * enough: a second open in the same process is refused, but on its way out drops the operating system's lock of the
 * first, after which another process can open the live database. So this lock is taken before LevelDB's is tried.
 *
 * Whoever wants the lock puts a file of its own into the folder, and has it when no other file there is that of a
 * running owner. Two cannot have it: each creates its file before it looks, so the one that looks last sees the other.
 * Nobody ever removes the file of an owner that runs, so what a crash left behind can be cleared away without a race.
 */
import { toUtf8, readUtf8 } from '../runtime/bytes.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Files, ProcessIdentity } from '../runtime/files.js'
import type { Random } from '../runtime/random.js'
import { randomUuid } from '../runtime/uuid.js'

/** What the names of the lock's files begin with. */
export const LOCK_PREFIX = 'ottla.lock.'

/** Behind the name of a second file of the owner that has the lock: nobody need wait for it to step back. */
const HELD_SUFFIX = '.held'

/** The names of both; a file under another name is one that is being made. */
const LOCK_NAME = /^ottla\.lock\.[\w-]{22}(\.held)?$/

/** How often one that comes first looks again whether those that came with it have stepped back. */
const MAX_LOOKS = 2000

/** What the lock is taken with. */
export interface LockSeams {
  readonly files: Files
  readonly process: ProcessIdentity
  readonly random: Random
}

interface Owner {
  readonly pid: number
  readonly startedAt: string
}

/** A lock that is held. */
export class DirectoryLock {
  readonly #paths: readonly string[]
  readonly #files: Files

  private constructor(paths: readonly string[], files: Files) {
    this.#paths = paths
    this.#files = files
  }

  /**
   * Takes the lock of `directory`, which exists.
   * @throws OttlaError STORAGE_LOCKED when a running owner has it, one in this process included.
   */
  static async acquire(directory: string, { files, process, random }: LockSeams): Promise<DirectoryLock> {
    const { pid, startedAt } = process
    const name = `${LOCK_PREFIX}${randomUuid(random)}`
    const content = toUtf8(JSON.stringify({ pid, startedAt }))
    const path = `${directory}/${name}`
    await files.createExclusive(path, content)
    try {
      for (let look = 0; look < MAX_LOOKS; look++) {
        const rivals = await rivalsOf(name, directory, files, process)
        if (rivals.length === 0) {
          const held = `${path}${HELD_SUFFIX}`
          await files.createExclusive(held, content)
          return new DirectoryLock([held, path], files)
        }
        // Of several that come at once the one with the first name stays; the others make room for it.
        const stronger = rivals.find((rival) => rival.isHeld || rival.name < name)
        if (stronger !== undefined) throw locked(directory, stronger.owner, pid)
      }
      throw locked(directory, undefined, pid)
    } catch (error) {
      await files.remove(path)
      throw error
    }
  }

  /** Gives the lock back. */
  async release(): Promise<void> {
    for (const path of this.#paths) await this.#files.remove(path)
  }
}

interface Rival {
  readonly name: string
  readonly isHeld: boolean
  readonly owner: Owner
}

/** The others that want or have the lock and run; what is left of those that do not is removed. */
const rivalsOf = async (
  own: string,
  directory: string,
  files: Files,
  process: ProcessIdentity,
): Promise<Rival[]> => {
  const rivals: Rival[] = []
  for (const name of await files.list(directory)) {
    if (!LOCK_NAME.test(name) || name.startsWith(own)) continue
    const path = `${directory}/${name}`
    const owner = await readOwner(files, path)
    if (owner === 'gone') continue
    if (owner !== undefined && (await process.isRunning(owner.pid, owner.startedAt))) {
      rivals.push({ name, isHeld: name.endsWith(HELD_SUFFIX), owner })
    } else await files.remove(path)
  }
  return rivals
}

/** undefined for a file that names nobody: one is there whole or not at all, so that one was not made by an owner. */
const readOwner = async (files: Files, path: string): Promise<Owner | 'gone' | undefined> => {
  const bytes = await files.read(path)
  if (bytes === undefined) return 'gone'
  try {
    const { pid, startedAt } = JSON.parse(readUtf8(bytes, 0, bytes.length)) as Partial<Owner>
    return pid === undefined || startedAt === undefined ? undefined : { pid, startedAt }
  } catch {
    return undefined
  }
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
      ? ` If process ${pid} is another program, remove the files ${LOCK_PREFIX}* from the folder.`
      : ''
  return new OttlaError(
    'STORAGE_LOCKED',
    `The folder ${directory} is locked: ${who}. A folder has one owner at a time; close that one first, or open another folder.${unsure}`,
    { details: { directory, pid } },
  )
}
