/**
 * What the partitions of one level storage share while it is open: the database, the write path, the journal's
 * sequence, and when what is in the journal alone goes into the index.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { GroupCommit } from '../group-commit.js'
import type { Durability, StorageCapabilities } from '../contract.js'
import { durabilityRefusal } from '../durability.js'
import { VIEWS, type LevelDatabase, type LevelOperation } from './database.js'
import { CHECKPOINT_KEY, encodeCheckpoint } from './keys.js'
import { PageCache } from './page-cache.js'
import { Reclaimer } from './reclaimer.js'

/**
 * After how many bytes in the journal the index is brought up to it: about what an opening after a crash reads at most.
 * The tables that LevelDB writes meanwhile overlap with others; with half of this, reading beside their compaction was
 * a quarter slower.
 */
const INDEX_AFTER_BYTES = 128 * 1024 * 1024
/** After how many changes in the journal it is, which bounds what is held of them in memory. */
const INDEX_AFTER_CHANGES = 16 * 1024
/** How many changes, and how many partitions, one write brings into the index: they ride along with appends. */
const INDEX_SLICE_CHANGES = 2048
const INDEX_SLICE_PARTITIONS = 128

/** A key behind all that there are. */
const NO_KEY = new Uint8Array([0xff])

/** A partition's part in a group of writes. */
export interface LevelWrite {
  /** Adds its changes; called when it is its turn, so that sequences ascend with the writes. */
  readonly build: (operations: LevelOperation[]) => void
  /** Called when they are stored, before anyone hears of it. */
  readonly applied: () => void
}

/** A partition as far as it is in the journal and not yet in the index. */
export interface JournaledPartition {
  /** How many of its changes are in the journal alone. */
  readonly journaledCount: number
  /** Adds the changes that bring them into the index; everything below `sequence` is stored. */
  readonly putIndex: (operations: LevelOperation[], sequence: number) => void
  /** Called when those are stored. */
  readonly indexed: () => void
}

/** An open database and the way into it. */
export class LevelEngine {
  readonly database: LevelDatabase
  readonly commits: GroupCommit<LevelWrite>
  readonly reclaimer: Reclaimer
  readonly pages = new PageCache()
  readonly #capabilities: StorageCapabilities
  #nextSequence: number
  #checkpoint: number
  /** Who has something in the journal alone, and how much that is. */
  #journaled = new Set<JournaledPartition>()
  #journaledBytes = 0
  #journaledCount = 0
  /** Who is still to be indexed before the checkpoint can move, and where it moves to then. */
  #indexing: { readonly left: JournaledPartition[]; readonly checkpoint: number } | undefined
  /** How many writes there were without a flush, and how many of them a later flush has covered. */
  #unsyncedWrites = 1
  #coveredWrites = 0
  readonly #syncLogs: (() => Promise<void>) | undefined
  #isWritten = false
  #isClosed = false

  /**
   * The journal goes on at `sequence`; all that is below is in the index. `syncLogs` flushes the database's own logs,
   * where it has any.
   */
  constructor(
    database: LevelDatabase,
    sequence: number,
    capabilities: StorageCapabilities,
    syncLogs?: () => Promise<void>,
  ) {
    this.database = database
    this.#syncLogs = syncLogs
    this.#capabilities = capabilities
    this.#checkpoint = sequence
    this.#nextSequence = sequence
    this.commits = new GroupCommit((writes, durability) => this.#commit(writes, durability))
    this.reclaimer = new Reclaimer(database)
  }

  /** The place of the next change in the journal, which is taken with this. */
  takeSequence(): number {
    return this.#nextSequence++
  }

  /** The place that the next change will take. */
  get sequence(): number {
    return this.#nextSequence
  }

  /** Counts what `partition` has stored in the journal. */
  journaled(partition: JournaledPartition, count: number, sizeBytes: number): void {
    this.#journaled.add(partition)
    this.#journaledCount += count
    this.#journaledBytes += sizeBytes
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

  /** Finishes what was begun, and brings all into the index, so that the next opening reads nothing of the journal. */
  async close(): Promise<void> {
    this.beginClose()
    await this.commits.idle()
    await this.reclaimer.close()
    try {
      while (this.commits.failure === undefined && this.#checkpoint < this.#nextSequence) {
        this.#indexing ??= this.#beginIndexing()
        await this.#commit([], 'os')
      }
      // This has LevelDB write its buffer to a table: opening does that otherwise, from the write-ahead log.
      if (this.commits.failure === undefined && this.#isWritten)
        await this.database.compactRange?.(NO_KEY, NO_KEY, { keyEncoding: 'view' })
    } catch {
      // All of it is in the journal; the next opening does what could not be done now.
    }
  }

  async #commit(writes: readonly LevelWrite[], durability: Durability): Promise<void> {
    if (this.#journaledBytes >= INDEX_AFTER_BYTES || this.#journaledCount >= INDEX_AFTER_CHANGES) {
      this.#indexing ??= this.#beginIndexing()
    }
    const operations: LevelOperation[] = []
    const settleIndex = this.#putIndex(operations)
    for (const write of writes) write.build(operations)
    const sync = durability === 'fsync'
    // A database takes no write of nothing for a reason to flush.
    if (operations.length === 0 && sync) operations.push(putCheckpoint(this.#checkpoint))
    if (operations.length > 0) await this.write(operations, sync)
    settleIndex?.()
    for (const write of writes) write.applied()
  }

  /**
   * LevelDB flushes the write-ahead log that it is writing to. When that was changed since, what was written without a
   * flush before lies in an older one, and is lost with the power though a later write is there: so the logs come first.
   */
  async write(operations: LevelOperation[], sync: boolean): Promise<void> {
    if (!sync) this.#unsyncedWrites++
    this.#isWritten = true
    const covered = this.#unsyncedWrites
    if (sync && covered > this.#coveredWrites) await this.#syncLogs?.()
    await this.database.batch(operations, { ...VIEWS, sync })
    if (sync) this.#coveredWrites = covered
  }

  #beginIndexing(): { left: JournaledPartition[]; checkpoint: number } {
    const left = [...this.#journaled]
    this.#journaled = new Set()
    this.#journaledBytes = 0
    this.#journaledCount = 0
    return { left, checkpoint: this.#nextSequence }
  }

  /** Adds the next slice of indexing, and behind the last the checkpoint; answers what is to be done when it is stored. */
  #putIndex(operations: LevelOperation[]): (() => void) | undefined {
    const indexing = this.#indexing
    if (indexing === undefined) return undefined
    const slice: JournaledPartition[] = []
    for (let changes = 0; changes < INDEX_SLICE_CHANGES && slice.length < INDEX_SLICE_PARTITIONS;) {
      const partition = indexing.left.pop()
      if (partition === undefined) break
      if (partition.journaledCount === 0) continue
      changes += partition.journaledCount
      slice.push(partition)
      partition.putIndex(operations, this.#nextSequence)
    }
    const isLast = indexing.left.length === 0
    if (isLast) operations.push(putCheckpoint(indexing.checkpoint))
    return () => {
      for (const partition of slice) partition.indexed()
      if (!isLast) return
      this.#checkpoint = indexing.checkpoint
      this.#indexing = undefined
    }
  }
}

const putCheckpoint = (sequence: number): LevelOperation => ({
  type: 'put',
  key: CHECKPOINT_KEY,
  value: encodeCheckpoint(sequence),
})

const closed = (): OttlaError =>
  new OttlaError('RESOURCE_CLOSED', 'The level storage is closed; open it to go on.')
