/** The storages that are tortured; one more is one more line here. */
import { fileStorage } from 'ottla/storage/file'
import { levelStorage } from 'ottla/storage/level'
import type { Durability, LogStorage } from '../../src/storage/contract.js'

/** A storage on disk, and what surgery must know of its files. */
export interface TorturedStorage {
  readonly name: string
  readonly create: (location: string) => LogStorage
  /** The files that hold what was written, as far as LevelDB does not end the process when one is damaged. */
  readonly isSurgical: (file: string) => boolean
  /**
   * Whether a clean stop tells it how long everything is, so that what is cut off afterwards is missed. LevelDB reads
   * its write-ahead log up to where it ends, whoever ended it.
   */
  readonly knowsItsEnd: boolean
}

/** All of them. */
export const STORAGES: readonly TorturedStorage[] = [
  {
    name: 'level',
    create: levelStorage,
    isSurgical: (file) => file.endsWith('.log'),
    knowsItsEnd: false,
  },
  {
    name: 'file',
    create: fileStorage,
    isSurgical: (file) => /(journal|[.]log|[.]sparse)$/.test(file),
    knowsItsEnd: true,
  },
]

/** Both durabilities; every storage here gives both. */
export const DURABILITIES: readonly Durability[] = ['os', 'fsync']

/** The storage called `name`. @throws Error when there is none. */
export const storageNamed = (name: string): TorturedStorage => {
  const found = STORAGES.find((storage) => storage.name === name)
  if (found === undefined) {
    throw new Error(
      `there is no storage ${name} to torture, only ${STORAGES.map((each) => each.name).join(', ')}`,
    )
  }
  return found
}

/** A storage at a durability. */
export interface Subject {
  readonly storage: TorturedStorage
  readonly durability: Durability
}

/** Every storage at every durability, as far as the options of the command leave them. */
export const subjects = (options: Readonly<Record<string, string | undefined>>): Subject[] =>
  STORAGES.filter(({ name }) => (options.storage ?? name) === name).flatMap((storage) =>
    DURABILITIES.filter((durability) => (options.durability ?? durability) === durability).map(
      (durability) => ({ storage, durability }),
    ),
  )
