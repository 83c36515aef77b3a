/**
 * Migration: a whole log from one storage into another, batch for batch with its offsets. Topics and configs are the
 * metadata log's, so they come along. Until all of it is there the target bears a mark, and is not opened as a log.
 */
import { encodeBatch } from '../../record/encode.js'
import { assignOffset } from '../../record/header.js'
import { systemClock, yieldToEventLoop, type Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import type {
  BatchWrite,
  LogStorage,
  PartitionId,
  PartitionStorage,
  StoredBatch,
} from '../../storage/contract.js'
import { partitionKey } from '../../storage/partition-key.js'
import { CHECKPOINT_BLOB, decodeCheckpoint } from '../checkpoint.js'
import { COMPACTION_BLOB } from '../compaction/compaction-state.js'
import { blobNamesOf } from '../transaction-index.js'
import { validateStored } from '../stored-batch.js'
import { ProgressCount, type LogWorkOptions } from './progress.js'

/** How much is read, proved and written before the event loop has its turn. */
const SLICE_BYTES = 1024 * 1024

/** Kafka's default of segment.bytes: where the source does not say where its segments begin, they are this large. */
const SEGMENT_BYTES = 1024 * 1024 * 1024

/** The mark of an unfinished copy: a partition with a reserved id, which no topic has. */
const MARK_ID: PartitionId = { topicId: ZERO_UUID, partition: 0 }

/** @throws OttlaError COPY_INCOMPLETE when `storage` is the target of a copy that was not finished. */
export const refuseUnfinishedCopy = async (storage: LogStorage): Promise<void> => {
  if (!(await isMarked(storage))) return
  throw new OttlaError(
    'COPY_INCOMPLETE',
    `The ${storage.name} storage is the target of a copy that was not finished; remove it and copy again.`,
    { details: { storage: storage.name } },
  )
}

const isMarked = async (storage: LogStorage): Promise<boolean> =>
  (await storage.partitions()).some(({ topicId }) => topicId === MARK_ID.topicId)

/**
 * Copies every partition of `from` into `to`: batches byte for byte, offsets, start offsets, producer state and
 * epochs; topics and configs with them. Both storages are open, in nobody else's use, and stay the caller's to close.
 * A copy that stops halfway leaves a target that is refused when it is opened: remove it, and begin anew.
 * @throws OttlaError STORAGE_NOT_EMPTY when `to` holds anything; STORAGE_CORRUPT when `from` is damaged, which is
 * never copied; COPY_INCOMPLETE when `from` is itself an unfinished copy; the signal's reason when that aborts.
 */
export const copyLog = async (
  from: LogStorage,
  to: LogStorage,
  options: LogWorkOptions = {},
): Promise<void> => {
  options.signal?.throwIfAborted()
  await refuseUnfinishedCopy(from)
  if ((await to.partitions()).length > 0) {
    throw new OttlaError(
      'STORAGE_NOT_EMPTY',
      `The ${to.name} storage holds something already; a log is copied into an empty one only.`,
      { details: { storage: to.name } },
    )
  }
  const ids = await from.partitions()
  const progress = await ProgressCount.over(from, ids, options)
  const durability = to.capabilities.durability === 'fsync' ? 'fsync' : 'os'
  const mark = await to.partition(MARK_ID)
  await mark.append([placeholderAt(0)], { durability })
  for (const id of ids) {
    const [source, target] = [await from.partition(id), await to.partition(id)]
    await copyPartition(source, target, options.signal, (bytes) => progress.addBytes(bytes))
    await target.writeBlobs(await blobsOf(source), durability)
    assertEqual(source, target)
    progress.addPartition()
  }
  options.signal?.throwIfAborted()
  await to.deletePartition(MARK_ID)
}

const copyPartition = async (
  source: PartitionStorage,
  target: PartitionStorage,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
  clock: Clock = systemClock,
): Promise<void> => {
  const { startOffset, endOffset } = source.state
  const name = partitionKey(source.id)
  const checkpoint = await source.readBlob(CHECKPOINT_BLOB)
  const active = checkpoint && decodeCheckpoint(checkpoint)?.segment.baseOffset
  let segmentBytes = 0
  for (let offset = startOffset; offset < endOffset;) {
    signal?.throwIfAborted()
    const batches = await source.read(offset, SLICE_BYTES)
    if (batches.length === 0) break
    let sliceBytes = 0
    for (const batch of batches) {
      validateStored(name, batch)
      const newSegment = batch.baseOffset === active || segmentBytes + batch.sizeBytes > SEGMENT_BYTES
      segmentBytes = (newSegment ? 0 : segmentBytes) + batch.sizeBytes
      sliceBytes += batch.sizeBytes
      await target.append([owned(batch)], { durability: 'os', newSegment })
      offset = batch.lastOffset + 1
    }
    onBytes(sliceBytes)
    await yieldToEventLoop(clock)
  }
  if (target.state.endOffset < endOffset) await liftEnd(target, endOffset)
  if (startOffset > 0) await target.truncatePrefix(startOffset)
}

/** What a log keeps besides its batches: how far it is compacted, the checkpoint, and the pages of aborted transactions that this names. */
const blobsOf = async (source: PartitionStorage): Promise<Record<string, Uint8Array>> => {
  const blobs: Record<string, Uint8Array> = {}
  const compaction = await source.readBlob(COMPACTION_BLOB)
  if (compaction !== undefined) blobs[COMPACTION_BLOB] = compaction
  const checkpoint = await source.readBlob(CHECKPOINT_BLOB)
  if (checkpoint === undefined) return blobs
  const pages = decodeCheckpoint(checkpoint)?.abortedPages
  for (const name of pages === undefined ? [] : blobNamesOf(pages)) {
    const page = await source.readBlob(name)
    if (page !== undefined) blobs[name] = page
  }
  return { ...blobs, [CHECKPOINT_BLOB]: checkpoint }
}

/** The batch in bytes that are the target's: what was read is the source's, and may be a view of more. */
const owned = (batch: StoredBatch): BatchWrite => ({ ...batch, bytes: batch.bytes.slice() })

/** An end behind the last batch, as retention and compaction leave it: a batch reaches it, and is dropped again. */
const liftEnd = async (target: PartitionStorage, endOffset: number): Promise<void> => {
  await target.append([placeholderAt(endOffset - 1)], { durability: 'os' })
  await target.replace(endOffset - 1, endOffset, [])
}

/** The smallest batch, at `baseOffset`. */
const placeholderAt = (baseOffset: number): BatchWrite => {
  const bytes = encodeBatch([{ timestamp: 0, key: null, value: null, headers: [] }])
  assignOffset(bytes, baseOffset, 0)
  return { baseOffset, lastOffset: baseOffset, maxTimestamp: 0, sizeBytes: bytes.length, bytes }
}

const assertEqual = (source: PartitionStorage, target: PartitionStorage): void => {
  const [is, must] = [target.state, source.state]
  if (
    is.startOffset === must.startOffset &&
    is.endOffset === must.endOffset &&
    is.sizeBytes === must.sizeBytes &&
    is.batchCount === must.batchCount
  ) {
    return
  }
  throw new OttlaError(
    'STORAGE_CORRUPT',
    `The copy of partition ${partitionKey(source.id)} holds ${is.batchCount} batches at the offsets ${is.startOffset} to ${is.endOffset}; expected ${must.batchCount} at ${must.startOffset} to ${must.endOffset}.`,
    { details: { copied: { ...is }, expected: { ...must } } },
  )
}
