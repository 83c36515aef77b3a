/** What the suite writes, and how it looks at what it reads. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { writeHeader } from '../../record/header.js'
import type { BatchInfo, BatchWrite, PartitionStorage, StoredBatch } from '../contract.js'

/** Two topics, of which the first has several partitions. */
export const TOPIC_ID = 'MkU3OEVBNTcwNTJENDM2Qg'
export const OTHER_TOPIC_ID = 'x9JkR2wQTdKzVbUe1mN0Pg'

/** The partition that most tests write. */
export const PARTITION = { topicId: TOPIC_ID, partition: 0 }

let stamps = 0

/**
 * A valid batch of `count` offsets with at least its header's 61 bytes, though none of its records could be read. No
 * two batches have the same bytes, so one can never pass for another.
 */
export const sampleBatch = (
  baseOffset: number,
  count = 10,
  { maxTimestamp = baseOffset, sizeBytes = 100 }: { maxTimestamp?: number; sizeBytes?: number } = {},
): BatchWrite => {
  const bytes = new Uint8Array(sizeBytes)
  const lastOffset = baseOffset + count - 1
  writeHeader(bytes, sizeBytes, {
    baseOffset,
    leaderEpoch: 0,
    attributes: 0,
    lastOffsetDelta: lastOffset - baseOffset,
    baseTimestamp: maxTimestamp,
    maxTimestamp,
    producerId: stamps++,
    producerEpoch: 0,
    baseSequence: 0,
    recordCount: Math.max(1, count),
  })
  return { baseOffset, lastOffset, maxTimestamp, sizeBytes, bytes }
}

/** `howMany` batches of ten offsets each that abut, the first at `baseOffset`. */
export const sampleRun = (baseOffset: number, howMany: number): BatchWrite[] =>
  Array.from({ length: howMany }, (_, index) => sampleBatch(baseOffset + index * 10))

/** Only what the contract names, whatever else a storage keeps in its objects. */
export const infoOf = ({ baseOffset, lastOffset, maxTimestamp, sizeBytes }: BatchInfo): BatchInfo => ({
  baseOffset,
  lastOffset,
  maxTimestamp,
  sizeBytes,
})

/** As {@link infoOf}, with the bytes. */
export const batchOf = (batch: StoredBatch): StoredBatch => ({ ...infoOf(batch), bytes: batch.bytes })

/** Reads a partition from `fromOffset` to its end, in as many reads as `maxBytes` makes it take. */
export const readAll = async (
  partition: PartitionStorage,
  fromOffset = 0,
  maxBytes = 1024 * 1024,
): Promise<StoredBatch[]> => {
  const found: StoredBatch[] = []
  for (let at = fromOffset; ;) {
    const batches = await partition.read(at, maxBytes)
    const last = batches.at(-1)
    if (last === undefined) return found
    if (last.lastOffset < at) {
      throw new OttlaError(
        'INTERNAL_ERROR',
        `A read from ${at} answered batches that end at ${last.lastOffset}.`,
      )
    }
    for (const batch of batches) found.push(batchOf(batch))
    at = last.lastOffset + 1
  }
}
