/** What every storage asks of what it is handed: that offsets ascend, and lie where they may. */
import { invalidArgument } from '../runtime/errors/ottla-error.js'
import type { BatchInfo, BatchWrite, PartitionState } from './contract.js'

/** @throws OttlaError INVALID_ARGUMENT unless each batch starts at or after the end of what stands before it. */
export const assertAscending = (batches: readonly BatchWrite[], endOffset: number): void => {
  let end = endOffset
  for (const batch of batches) {
    const { baseOffset, lastOffset, sizeBytes, bytes } = batch
    if (!(baseOffset >= end && lastOffset >= baseOffset && Number.isSafeInteger(lastOffset))) {
      throw invalidArgument(
        'The offsets of a batch',
        `${baseOffset} to ${lastOffset}`,
        `a range that starts at ${end} or later`,
      )
    }
    if (bytes.length !== sizeBytes) {
      throw invalidArgument('The sizeBytes of a batch', sizeBytes, `the length of its bytes, ${bytes.length}`)
    }
    end = lastOffset + 1
  }
}

/** @throws OttlaError INVALID_ARGUMENT unless the batches of a replacement ascend within the range and the partition. */
export const assertWithin = (
  batches: readonly BatchWrite[],
  fromOffset: number,
  toOffset: number,
  { startOffset, endOffset }: Pick<PartitionState, 'startOffset' | 'endOffset'>,
): void => {
  assertAscending(batches, fromOffset)
  const [first] = batches
  const last = batches.at(-1)
  if (first === undefined || last === undefined) return
  const limit = Math.min(toOffset, endOffset)
  if (last.lastOffset >= limit) {
    throw invalidArgument('The last offset of a replacement', last.lastOffset, `an offset below ${limit}`)
  }
  if (first.lastOffset < startOffset) {
    throw invalidArgument(
      'A batch of a replacement',
      `${first.baseOffset} to ${first.lastOffset}`,
      `one that reaches the log start offset, ${startOffset}`,
    )
  }
}

/** @throws OttlaError INVALID_ARGUMENT when the range of a replacement cuts through one of the batches in it. */
export const assertWhole = (replaced: readonly BatchInfo[], fromOffset: number, toOffset: number): void => {
  for (const cut of [replaced[0], replaced.at(-1)]) {
    if (cut === undefined || (cut.baseOffset >= fromOffset && cut.lastOffset < toOffset)) continue
    throw invalidArgument(
      'The range of a replacement',
      `${fromOffset} to ${toOffset}`,
      `one that holds the batch from ${cut.baseOffset} to ${cut.lastOffset} as a whole or not at all`,
    )
  }
}

/** @throws OttlaError INVALID_ARGUMENT for a log start offset beyond the end. */
export const assertStart = (name: string, startOffset: number, endOffset: number): void => {
  if (startOffset <= endOffset) return
  throw invalidArgument(`The new log start offset of ${name}`, startOffset, `at most its end, ${endOffset}`)
}
