/**
 * Opening a log: the checkpoint is taken as it is, and only what was appended after it is read and validated, so
 * opening costs the same for a short and a long log. Truncation rebuilds its state by the same walk.
 */
import type { BatchHeader } from '../record/header.js'
import { yieldToEventLoop, type Clock } from '../runtime/clock.js'
import type { PartitionStorage, StoredBatch } from '../storage/contract.js'
import { emptySegment, extended, type ActiveSegment } from './active-segment.js'
import { CHECKPOINT_BLOB, decodeCheckpoint } from './checkpoint.js'
import { loadCompaction, truncatedCompaction, type CompactionState } from './compaction/compaction-state.js'
import { EpochCache } from './epoch-cache.js'
import { ProducerState } from './producer-state.js'
import type { LogRecovery } from './log-events.js'
import { loadTransactionIndex, markerOf, TransactionIndex } from './transaction-index.js'
import { checkFollows, damaged, headerOfStored, validateStored } from './stored-batch.js'

/** How much is read and validated before the event loop has its turn. */
const SLICE_BYTES = 1024 * 1024

/** What a log knows of itself beyond its batches, as of `endOffset`. */
export interface LogState {
  endOffset: number
  compaction: CompactionState
  segment: ActiveSegment
  readonly epochs: EpochCache
  readonly producers: ProducerState
  readonly transactions: TransactionIndex
}

/** What opening found. */
export interface RecoveredLog extends LogRecovery {
  readonly state: LogState
}

/** The state of the newest checkpoint, or an empty one at the log's start. */
export const loadCheckpoint = async (
  storage: PartitionStorage,
  name: string,
): Promise<{ readonly state: LogState; readonly checkpoint: RecoveredLog['checkpoint'] }> => {
  const blob = await storage.readBlob(CHECKPOINT_BLOB)
  const decoded = blob && decodeCheckpoint(blob)
  const transactions =
    decoded && (await loadTransactionIndex(storage, decoded.openTransactions, decoded.abortedPages))
  const found = transactions && decoded
  const startOffset = storage.state.startOffset
  const state: LogState = {
    endOffset: Math.max(found?.recoveryPoint ?? 0, startOffset),
    compaction: truncatedCompaction(await loadCompaction(storage), storage.state.endOffset),
    segment: found?.segment ?? emptySegment(startOffset),
    epochs: new EpochCache(found?.epochs),
    producers: new ProducerState(name, found?.producers),
    transactions: transactions ?? new TransactionIndex(),
  }
  return { state, checkpoint: blob === undefined ? 'missing' : found === undefined ? 'damaged' : 'sound' }
}

/**
 * Loads the checkpoint, then validates and takes in everything after it.
 * @throws OttlaError STORAGE_CORRUPT for damage or a hole below the stored end.
 */
export const recover = async (
  storage: PartitionStorage,
  name: string,
  clock: Clock,
): Promise<RecoveredLog> => {
  const began = clock.monotonic()
  const { state, checkpoint } = await loadCheckpoint(storage, name)
  const { endOffset } = storage.state
  if (state.endOffset > endOffset) {
    throw damaged(name, endOffset, `the log ends here, but offsets up to ${state.endOffset - 1} were stored`)
  }
  const validatedBytes = await replay(storage, name, clock, state, endOffset, validateStored)
  return { state, checkpoint, validatedBytes, durationMs: clock.monotonic() - began }
}

/**
 * Takes the batches from `state.endOffset` up to (not including) the one that reaches `toOffset` into `state`.
 * Resolves to the bytes read.
 * @throws OttlaError STORAGE_CORRUPT for a hole, epochs that decrease, and whatever `headerOf` finds.
 */
export const replay = async (
  storage: PartitionStorage,
  name: string,
  clock: Clock,
  state: LogState,
  toOffset: number,
  headerOf: (name: string, batch: StoredBatch) => BatchHeader,
): Promise<number> => {
  let first = true
  let readBytes = 0
  while (state.endOffset < toOffset) {
    const batches = await storage.read(state.endOffset, SLICE_BYTES)
    if (batches.length === 0) {
      throw damaged(name, state.endOffset, `nothing is stored up to ${toOffset - 1}, where the log ends`)
    }
    for (const batch of batches) {
      if (batch.lastOffset >= toOffset) return readBytes
      checkFollows(name, batch, state.endOffset, first, state.compaction.gapsBelow)
      first = false
      takeIn(name, state, headerOf(name, batch), batch.bytes, clock.now())
      readBytes += batch.sizeBytes
    }
    await yieldToEventLoop(clock)
  }
  return readBytes
}

/**
 * What the log knew, or would have known, when it ended where truncation to `offset` lets it end. Starts from the
 * checkpoint when that is old enough, otherwise from the log's start; what the batches that are left do not tell of
 * producers, `current` remembers.
 */
export const stateAt = async (
  storage: PartitionStorage,
  name: string,
  clock: Clock,
  current: LogState,
  offset: number,
): Promise<LogState> => {
  const loaded = await loadCheckpoint(storage, name)
  const state: LogState =
    loaded.checkpoint === 'sound' && loaded.state.endOffset <= offset
      ? loaded.state
      : {
          endOffset: storage.state.startOffset,
          compaction: current.compaction,
          segment: emptySegment(storage.state.startOffset),
          epochs: new EpochCache(),
          producers: new ProducerState(name),
          transactions: new TransactionIndex(),
        }
  await replay(storage, name, clock, state, offset, headerOfStored)
  state.producers.adoptEarlier(current.producers, state.endOffset)
  const epochs = new EpochCache(current.epochs.entries)
  epochs.truncateFromEnd(state.endOffset)
  const compaction = truncatedCompaction(current.compaction, state.endOffset)
  // What remains of the segment that was cut is a segment of its own.
  const segment = emptySegment(state.endOffset)
  // A batch that holds the log start may be cut as well: what began with it is gone, though it began below the new end.
  const [firstCut] = await storage.infos(state.endOffset, 1)
  const cutFrom = Math.min(state.endOffset, firstCut?.baseOffset ?? Infinity)
  const transactions = current.transactions.truncated(cutFrom, state.transactions)
  return { endOffset: state.endOffset, compaction, segment, epochs, producers: state.producers, transactions }
}

const takeIn = (
  name: string,
  state: LogState,
  header: BatchHeader,
  bytes: Uint8Array,
  nowMs: number,
): void => {
  const { baseOffset, lastOffset, partitionLeaderEpoch: epoch } = header
  if (epoch < state.epochs.latestEpoch) {
    throw damaged(name, baseOffset, `its epoch ${epoch} follows epoch ${state.epochs.latestEpoch}`)
  }
  state.epochs.assign(epoch, baseOffset)
  if (header.producerId >= 0) {
    const marker = markerOf(header, bytes)
    const coordinatorEpoch = marker?.coordinatorEpoch
    state.producers.apply(header, baseOffset, lastOffset, header.maxTimestamp, nowMs, coordinatorEpoch)
    state.transactions.apply(header, baseOffset, marker)
    state.producers.forgetIdlest(state.transactions)
  }
  state.segment = extended(state.segment, header, nowMs)
  state.endOffset = lastOffset + 1
}
