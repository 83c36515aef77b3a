/**
 * Brings the index up to the journal after an unclean end: reads the journal from the checkpoint on, which is as much
 * as may be written before the index follows, and indexes what of it is not.
 */
import { readRange, VIEWS, type LevelDatabase, type LevelOperation } from './database.js'
import { JournalTail } from './journal-tail.js'
import {
  CHECKPOINT_KEY,
  decodeJournalKey,
  decodeMeta,
  encodeCheckpoint,
  encodeMeta,
  journalKey,
  kindRange,
  type JournalEntry,
} from './keys.js'
import { withBatch } from './partition-state.js'

/** How many keys of the journal one step reads. */
const READ_KEYS = 1024
/** How many partitions' states are looked at at a time. */
const PARTITIONS_A_SLICE = 256

interface Change {
  readonly key: Uint8Array
  readonly entry: JournalEntry
  /** The value of a blob. */
  readonly value: Uint8Array | undefined
}

/** Indexes the journal from `checkpoint` to `nextSequence`. Done again after a crash within, it ends up the same. */
export const recoverJournal = async (
  database: LevelDatabase,
  checkpoint: number,
  nextSequence: number,
): Promise<void> => {
  const changes = await readChanges(database, checkpoint)
  const { gte, lt } = kindRange('p')
  for (let from = gte; ;) {
    const states = await readRange(database, { gte: from, lt, limit: PARTITIONS_A_SLICE })
    const operations: LevelOperation[] = []
    for (const [key, value] of states) {
      const meta = decodeMeta(key, value)
      const own = changes
        .get(meta.partitionNumber)
        ?.filter(({ entry }) => entry.sequence >= meta.indexedSequence)
      if (own === undefined || own.length === 0) continue
      const tail = new JournalTail()
      let recovered = meta
      for (const change of own) {
        const { batch, sequence, blobName } = change.entry
        if (batch !== undefined) {
          recovered = withBatch(recovered, batch)
          tail.addBatch({ ...batch, sequence, runningMaxTimestamp: recovered.runningMaxTimestamp })
        } else if (blobName !== undefined) tail.addBlob(blobName, change.value ?? null, change.key)
      }
      tail.putInto(operations, meta.partitionNumber)
      const encoded = encodeMeta({ ...recovered, indexedSequence: nextSequence })
      operations.push({ type: 'put', key, value: encoded })
    }
    if (operations.length > 0) await database.batch(operations, VIEWS)
    const last = states.at(-1)
    if (last === undefined) break
    // The first key after the last one.
    from = new Uint8Array([...last[0], 0])
  }
  const value = encodeCheckpoint(nextSequence)
  await database.batch([{ type: 'put', key: CHECKPOINT_KEY, value }], VIEWS)
}

/** What the journal says from `checkpoint` on, by partition. */
const readChanges = async (database: LevelDatabase, checkpoint: number): Promise<Map<number, Change[]>> => {
  const changes = new Map<number, Change[]>()
  const { lt } = kindRange('r')
  const iterator = database.keys({ ...VIEWS, gte: journalKey(checkpoint), lt })
  try {
    for (;;) {
      const found = await iterator.nextv(READ_KEYS)
      if (found.length === 0) return changes
      for (const key of found) {
        const entry = decodeJournalKey(key)
        const isBlob = entry.blobName !== undefined && entry.isRemoved === false
        const change = { key, entry, value: isBlob ? await database.get(key, VIEWS) : undefined }
        const own = changes.get(entry.partitionNumber)
        if (own === undefined) changes.set(entry.partitionNumber, [change])
        else own.push(change)
      }
    }
  } finally {
    await iterator.close()
  }
}
