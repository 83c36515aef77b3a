/** What the partitions of one level storage share while it is open: the database, the write path, the sequence. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { GroupCommit } from '../group-commit.js'
import type { Durability, StorageCapabilities } from '../contract.js'
import { durabilityRefusal } from '../durability.js'
import { VIEWS, type LevelDatabase, type LevelOperation } from './database.js'
import { Reclaimer } from './reclaimer.js'

/** A partition's part in a group of writes. */
export interface LevelWrite {
  readonly partitionNumber: number
  readonly operations: readonly LevelOperation[]
  /** The partition's state after this write; of several in a group only the last is stored. */
  readonly metaKey: Uint8Array
  readonly metaValue: Uint8Array
}

/** An open database and the way into it. */
export class LevelEngine {
  readonly database: LevelDatabase
  readonly commits: GroupCommit<LevelWrite>
  readonly reclaimer: Reclaimer
  readonly #capabilities: StorageCapabilities
  #nextSequence: number
  #isClosed = false

  constructor(database: LevelDatabase, nextSequence: number, capabilities: StorageCapabilities) {
    this.database = database
    this.#capabilities = capabilities
    this.#nextSequence = nextSequence
    this.commits = new GroupCommit((writes, durability) => this.#commit(writes, durability))
    this.reclaimer = new Reclaimer(database)
  }

  /** The place of the next batch among all that were ever written here. */
  nextSequence(): number {
    return this.#nextSequence++
  }

  /** Why a write is refused now; undefined when it is not. */
  refusal(durability: Durability = 'os'): OttlaError | undefined {
    if (this.#isClosed) return closed()
    return this.commits.failure ?? durabilityRefusal('level', this.#capabilities, durability)
  }

  /** @throws OttlaError RESOURCE_CLOSED. */
  assertOpen(): void {
    if (this.#isClosed) throw closed()
  }

  /** True from the beginning of its end on: what can be resumed at the next opening stops. */
  get isClosing(): boolean {
    return this.#isClosed
  }

  /** Refuses what comes now. */
  beginClose(): void {
    this.#isClosed = true
  }

  /** The value of `key`. */
  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.database.get(key, VIEWS)
  }

  /** Finishes what was begun. */
  async close(): Promise<void> {
    this.beginClose()
    await this.commits.idle()
    await this.reclaimer.close()
  }

  async #commit(writes: readonly LevelWrite[], durability: Durability): Promise<void> {
    const operations: LevelOperation[] = []
    const metas = new Map<number, LevelOperation>()
    for (const { operations: own, partitionNumber, metaKey, metaValue } of writes) {
      for (const operation of own) operations.push(operation)
      metas.set(partitionNumber, { type: 'put', key: metaKey, value: metaValue })
    }
    operations.push(...metas.values())
    await this.database.batch(operations, { ...VIEWS, sync: durability === 'fsync' })
  }
}

const closed = (): OttlaError =>
  new OttlaError('RESOURCE_CLOSED', 'The level storage is closed; open it to go on.')
