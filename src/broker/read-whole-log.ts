/** Reads a log of the broker's own from its start to its end, a slice at a time. */
import type { PartitionLog } from '../log/partition-log.js'
import { parseTransactionMarker, type TransactionMarker } from '../record/control.js'
import { openBatch, type RecordCursor } from '../record/decode.js'
import { lastOffsetOf } from '../record/header.js'
import { yieldToEventLoop, type Clock } from '../runtime/clock.js'

/** How much is decoded before the event loop gets its turn. */
const SLICE_BYTES = 256 * 1024

/**
 * Calls `visit` for every record, and `onMarker` for every transaction marker, in the order of the log. The cursor is
 * only good during the call.
 */
export const readWholeLog = async (
  log: PartitionLog,
  clock: Clock,
  visit: (record: RecordCursor) => void,
  onMarker?: (producerId: number, marker: TransactionMarker) => void,
): Promise<void> => {
  let offset = log.startOffset
  while (offset < log.highWatermark) {
    const { batches } = await log.read(offset, SLICE_BYTES)
    for (const batch of batches) {
      const cursor = await openBatch(batch)
      const { isControl, producerId } = cursor.header
      while (cursor.next()) {
        const marker = isControl ? parseTransactionMarker(cursor.key, cursor.value) : undefined
        if (!isControl) visit(cursor)
        else if (marker !== undefined) onMarker?.(producerId, marker)
      }
      offset = lastOffsetOf(batch) + 1
    }
    if (batches.length === 0) return
    if (offset < log.highWatermark) await yieldToEventLoop(clock)
  }
}
