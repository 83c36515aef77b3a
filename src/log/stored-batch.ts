/**
 * Whether what the storage hands out is what was stored: batches that abut (L1) and whose headers agree with the
 * storage's own books. What does not is damage, and takes the log off line (L5).
 */
import { baseOffsetOf, HEADER_BYTES, lastOffsetOf, readHeader, type BatchHeader } from '../record/header.js'
import { validateBatch } from '../record/validate.js'
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
const headerAgrees = ({ bytes, sizeBytes, baseOffset, lastOffset }: StoredBatch): boolean => {
  if (bytes.length < HEADER_BYTES || bytes.length !== sizeBytes) return false
  try {
    return baseOffsetOf(bytes) === baseOffset && lastOffsetOf(bytes) === lastOffset
  } catch {
    return false // a number that no offset can be
  }
}

/** The header of a stored batch that need not be proved again. @throws OttlaError STORAGE_CORRUPT. */
export const headerOfStored = (name: string, batch: StoredBatch): BatchHeader =>
  headerAgrees(batch) ? readHeader(batch.bytes) : validateStored(name, batch)

/** The header of a stored batch, proved by its CRC. @throws OttlaError STORAGE_CORRUPT. */
export const validateStored = (name: string, batch: StoredBatch): BatchHeader => {
  let header: BatchHeader
  try {
    header = validateBatch(batch.bytes)
  } catch (error) {
    throw damaged(name, batch.baseOffset, 'the batch there is not what was written', error)
  }
  if (header.baseOffset === batch.baseOffset && header.lastOffset === batch.lastOffset) return header
  throw damaged(
    name,
    batch.baseOffset,
    `the batch there says that it holds the offsets ${header.baseOffset} to ${header.lastOffset}`,
  )
}

/**
 * The bytes of those of `stored` that lie below `highWatermark`, of a read from `fromOffset`, which does too. What was
 * on a disk `isProved` by its CRC before anyone gets it: a disk may hand out what nobody wrote, and not say so.
 * @throws OttlaError STORAGE_CORRUPT when one is missing, or is not what the storage says it is.
 */
export const readableBatches = (
  name: string,
  stored: readonly StoredBatch[],
  fromOffset: number,
  highWatermark: number,
  gapsBelow: number,
  isProved: boolean,
): Uint8Array[] => {
  const batches: Uint8Array[] = []
  let offset = fromOffset
  for (const batch of stored) {
    if (batch.lastOffset >= highWatermark) break
    checkFollows(name, batch, offset, batches.length === 0, gapsBelow)
    if (isProved || !headerAgrees(batch)) validateStored(name, batch)
    batches.push(batch.bytes)
    offset = batch.lastOffset + 1
  }
  if (batches.length === 0 && fromOffset >= gapsBelow) {
    throw damaged(name, fromOffset, `nothing is stored there, below the high watermark ${highWatermark}`)
  }
  return batches
}
