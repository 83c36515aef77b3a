/**
 * Which of the fetched batches hold records that a consumer sees: no control batches, and with `read_committed` none
 * of transactions that were aborted (KIP-98).
 */
import { controlTypeOf } from '../../record/control.js'
import { RecordCursor } from '../../record/decode.js'
import { HEADER_BYTES, isControlBatch, readHeader } from '../../record/header.js'

/** A transaction that was aborted, as a fetch tells of it. */
export interface AbortedTransaction {
  readonly producerId: number
  /** The offset of its first record. */
  readonly firstOffset: number
}

/** Those of `batches` whose records are seen, in order. */
export const visibleBatches = (
  batches: readonly Uint8Array[],
  aborted: readonly AbortedTransaction[] | null,
): readonly Uint8Array[] => {
  if (aborted !== null && aborted.length > 0) return committedBatches(batches, aborted)
  return batches.some(isControlBatch) ? batches.filter((batch) => !isControlBatch(batch)) : batches
}

const committedBatches = (
  batches: readonly Uint8Array[],
  aborted: readonly AbortedTransaction[],
): Uint8Array[] => {
  const pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const abortedProducers = new Set<number>()
  return batches.filter((batch) => {
    const header = readHeader(batch)
    const { producerId, lastOffset } = header
    for (let next = pending[0]; next !== undefined && next.firstOffset <= lastOffset; next = pending[0]) {
      abortedProducers.add(next.producerId)
      pending.shift()
    }
    if (header.isControl) {
      const cursor = new RecordCursor(header, batch, HEADER_BYTES, header.sizeBytes)
      // The marker ends the transaction; what the producer writes after it belongs to the next one.
      if (cursor.next() && controlTypeOf(cursor.key) === 'abort') abortedProducers.delete(producerId)
      return false
    }
    return !(header.isTransactional && abortedProducers.has(producerId))
  })
}
