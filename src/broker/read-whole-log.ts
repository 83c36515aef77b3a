/** Reads a log of the broker's own from its start to its end, a slice at a time. */
import type { PartitionLog } from '../log/partition-log.js'
import { openBatch, type RecordCursor } from '../record/decode.js'
import { lastOffsetOf } from '../record/header.js'
import { yieldToEventLoop, type Clock } from '../runtime/clock.js'

/** How much is decoded before the event loop gets its turn. */
const SLICE_BYTES = 256 * 1024

/** Calls `visit` for every record; control batches are left out. The cursor is only good during the call. */
export const readWholeLog = async (
  log: PartitionLog,
  clock: Clock,
  visit: (record: RecordCursor) => void,
): Promise<void> => {
  let offset = log.startOffset
  while (offset < log.highWatermark) {
    const { batches } = await log.read(offset, SLICE_BYTES)
    for (const batch of batches) {
      const cursor = await openBatch(batch)
      if (!cursor.header.isControl) while (cursor.next()) visit(cursor)
      offset = lastOffsetOf(batch) + 1
    }
    if (batches.length === 0) return
    if (offset < log.highWatermark) await yieldToEventLoop(clock)
  }
}
