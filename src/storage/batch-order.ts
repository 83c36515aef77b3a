/** What every storage asks of the batches it is handed: that their offsets ascend, and lie where they may. */
import { invalidArgument } from '../runtime/errors/ottla-error.js'
import type { BatchInfo } from './contract.js'

/** @throws OttlaError INVALID_ARGUMENT unless each batch starts at or after the end of what stands before it. */
export const assertAscending = (batches: readonly BatchInfo[], endOffset: number): void => {
  let end = endOffset
  for (const batch of batches) {
    if (batch.baseOffset < end || batch.lastOffset < batch.baseOffset) {
      throw invalidArgument(
        'The offsets of a batch',
        `${batch.baseOffset} to ${batch.lastOffset}`,
        `a range that starts at ${end} or later`,
      )
    }
    end = batch.lastOffset + 1
  }
}

/** @throws OttlaError INVALID_ARGUMENT unless the batches ascend within [fromOffset, toOffset). */
export const assertWithin = (batches: readonly BatchInfo[], fromOffset: number, toOffset: number): void => {
  assertAscending(batches, fromOffset)
  const last = batches.at(-1)
  if (last !== undefined && last.lastOffset >= toOffset) {
    throw invalidArgument('The last offset of a replacement', last.lastOffset, `an offset below ${toOffset}`)
  }
}
