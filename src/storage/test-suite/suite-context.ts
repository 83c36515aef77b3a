/** How the suite's tests get at the storage under test, and let go of it again. */
import type { Durability, LogStorage } from '../contract.js'
import { check } from './assertions.js'

/** The two functions of a test runner: those of vitest, node:test, mocha and jest fit as they are. */
export interface ContractRunner {
  /** Groups tests. */
  readonly describe: (name: string, body: () => void) => unknown
  /** Declares a test, which fails when the promise rejects. */
  readonly it: (name: string, body: () => Promise<void>) => unknown
}

/** What the suite needs to know of a storage. */
export interface StorageContractOptions {
  /** The runner's functions. */
  readonly runner: ContractRunner
  /** What the tests are grouped under; default `LogStorage contract`. */
  readonly name?: string
  /** A new storage that holds nothing and is not open yet; called at least once per test. */
  readonly create: () => LogStorage | Promise<LogStorage>
  /**
   * After `close()`: a storage, not open yet, over the same data. Default: the same object. A storage that declares
   * itself persistent should give a new object here, as after a restart.
   */
  readonly reopen?: (closed: LogStorage) => LogStorage | Promise<LogStorage>
  /** Removes what a test leaves behind, e.g. a folder; the storage is closed by then. */
  readonly dispose?: (closed: LogStorage) => void | Promise<void>
  /** Lets the next write of an open storage fail, as a full disk does. Without it the tests of failure are left out. */
  readonly failNextWrite?: (storage: LogStorage) => void
  /** Seeds of the randomised comparison with a model; default 1, 2 and 3. A failure names its seed. */
  readonly seeds?: readonly number[]
  /** Steps per seed; default 300. */
  readonly steps?: number
}

/** Declares one test that is handed an open storage. */
export type StorageTest = (name: string, body: (subject: Subject) => Promise<void>) => void

/** The storage under test, as it is now: {@link restart} puts another object in its place. */
export class Subject {
  readonly #options: StorageContractOptions
  #storage: LogStorage

  private constructor(options: StorageContractOptions, storage: LogStorage) {
    this.#options = options
    this.#storage = storage
  }

  /** Runs `body` with a new storage, and cleans up whatever happens. */
  static async run(
    options: StorageContractOptions,
    body: (subject: Subject) => Promise<void>,
  ): Promise<void> {
    const storage = await options.create()
    const subject = new Subject(options, storage)
    try {
      await storage.open()
      await body(subject)
    } finally {
      await subject.#storage.close()
      await options.dispose?.(subject.#storage)
    }
  }

  /** The storage. */
  get storage(): LogStorage {
    return this.#storage
  }

  /** The strongest durability that may be asked of it. */
  get durability(): Durability {
    return this.#storage.capabilities.durability === 'fsync' ? 'fsync' : 'os'
  }

  /** Closes and opens again, as a restart of the process does. */
  async restart(): Promise<void> {
    await this.#storage.close()
    this.#storage = (await this.#options.reopen?.(this.#storage)) ?? this.#storage
    await this.#storage.open()
  }

  /** Lets the next write fail. */
  failNextWrite(): void {
    const { failNextWrite } = this.#options
    check(failNextWrite !== undefined, 'failNextWrite is not given')
    failNextWrite(this.#storage)
  }
}
