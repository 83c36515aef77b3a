/** What is looked at when a log is opened: whether it is one, where its journal goes on, and what partitions there are. */
import { invalidArgument, OttlaError } from '../../runtime/errors/ottla-error.js'
import { readRange, VIEWS, type LevelDatabase } from './database.js'
import { recoverJournal } from './journal-recovery.js'
import {
  CHECKPOINT_KEY,
  decodeCheckpoint,
  decodeMeta,
  FORMAT_KEY,
  FORMAT_VERSION,
  kindRange,
  sequenceOf,
} from './keys.js'

/** How many partitions a storage keeps at most; the list of them is held in memory. */
export const MAX_PARTITIONS = 1_000_000

/** Makes up for an unclean end, and answers where the journal goes on. */
export const openJournal = async (database: LevelDatabase): Promise<number> => {
  const stored = await database.get(CHECKPOINT_KEY, VIEWS)
  const checkpoint = stored === undefined ? 0 : decodeCheckpoint(stored)
  const [last] = await readRange(database, { ...kindRange('r'), reverse: true, limit: 1 })
  const end = last === undefined ? 0 : sequenceOf(last[0]) + 1
  if (end <= checkpoint) return checkpoint
  await recoverJournal(database, checkpoint, end)
  return end
}

/** What all partitions' states come to: the first number that is free, and up to where any of them is indexed. */
export const readStates = async (
  database: LevelDatabase,
): Promise<{ readonly nextPartitionNumber: number; readonly indexedSequence: number }> => {
  let nextPartitionNumber = 0
  let indexedSequence = 0
  for (const [key, value] of await readRange(database, { ...kindRange('p'), limit: MAX_PARTITIONS })) {
    const meta = decodeMeta(key, value)
    nextPartitionNumber = Math.max(nextPartitionNumber, meta.partitionNumber + 1)
    indexedSequence = Math.max(indexedSequence, meta.indexedSequence)
  }
  return { nextPartitionNumber, indexedSequence }
}

/** @throws OttlaError UNSUPPORTED_VERSION for another layout, INVALID_ARGUMENT for what is no log. */
export const checkFormat = async (database: LevelDatabase): Promise<void> => {
  const stored = await database.get(FORMAT_KEY, VIEWS)
  if (stored === undefined) {
    const [foreign] = await readRange(database, { limit: 1 })
    if (foreign !== undefined) {
      throw invalidArgument(
        'The database',
        'one that holds something else',
        "an empty one, or one with Ottla's log",
      )
    }
    await database.batch([{ type: 'put', key: FORMAT_KEY, value: new Uint8Array([FORMAT_VERSION]) }], VIEWS)
  } else if (stored[0] !== FORMAT_VERSION) {
    throw new OttlaError(
      'UNSUPPORTED_VERSION',
      `The log on disk has layout version ${stored[0]}; this version of Ottla reads ${FORMAT_VERSION}.`,
    )
  }
}
