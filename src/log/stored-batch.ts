/**
 * Whether what the storage hands out is what was stored: batches that abut (L1) and whose headers agree with the
 * storage's own books. What does not is damage, and takes the log off line (L5).
 */
import { baseOffsetOf, HEADER_BYTES, lastOffsetOf } from '../record/header.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { BatchInfo, StoredBatch } from '../storage/contract.js'

/** The error of a log that is damaged at `offset`. */
export const damaged = (name: string, offset: number, what: string, cause?: unknown): OttlaError =>
  new OttlaError('STORAGE_CORRUPT', `${name} is damaged at offset ${offset}: ${what}. It is off line.`, {
    ...(cause === undefined ? {} : { cause }),
    details: { partition: name, offset },
  })

/**
 * Checks that `batch` is the one to expect at `offset`: it holds that offset when it is the `first` of a read,
 * otherwise it starts there. Below `gapsBelow` compaction may have removed what is missing.
 * @throws OttlaError STORAGE_CORRUPT.
 */
export const checkFollows = (
  name: string,
  batch: BatchInfo,
  offset: number,
  first: boolean,
  gapsBelow: number,
): void => {
  const { baseOffset, lastOffset } = batch
  const fits = first ? baseOffset <= offset && offset <= lastOffset : baseOffset === offset
  if (fits || (baseOffset > offset && baseOffset <= gapsBelow)) return
  throw damaged(
    name,
    offset,
    `the batch of offsets ${baseOffset} to ${lastOffset} stands where that one should`,
  )
}

/** Whether the header in the batch's bytes agrees with what the storage noted of it. */
export const headerAgrees = (batch: StoredBatch): boolean => {
  const { bytes } = batch
  return (
    bytes.length >= HEADER_BYTES &&
    bytes.length === batch.sizeBytes &&
    baseOffsetOf(bytes) === batch.baseOffset &&
    lastOffsetOf(bytes) === batch.lastOffset
  )
}
