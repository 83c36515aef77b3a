/** How far a log's oldest batches may go, by age and by size: always a prefix of it (R1), never at the high watermark (R2). */
import { yieldToEventLoop, type Clock } from '../runtime/clock.js'
import type { PartitionStorage } from '../storage/contract.js'
import type { LogConfig } from './log-config.js'
import type { DropReason } from './log-events.js'

/** How many batches are looked at before the event loop has its turn. */
const PAGE_BATCHES = 1000

/** What retention would drop. */
export interface RetentionCut {
  /** The log start offset that retention asks for. */
  readonly startOffset: number
  /** The bytes of the batches below it. */
  readonly sizeBytes: number
  /** Why the newest of them goes. */
  readonly reason: DropReason
}

/**
 * How much of the log is due at `nowMs`. A batch is due when its largest timestamp is older than `retention.ms`,
 * or when without it the log still has `retention.bytes`. As in Kafka a batch from the future keeps what follows
 * it; one without a timestamp is as old as the next that has one. Costs what is due, not what is kept.
 */
export const retentionCut = async (
  storage: PartitionStorage,
  limits: Pick<LogConfig, 'retentionMs' | 'retentionBytes'>,
  highWatermark: number,
  nowMs: number,
  clock: Clock,
  signal?: AbortSignal,
): Promise<RetentionCut> => {
  const { startOffset, sizeBytes: totalBytes } = storage.state
  const { retentionMs, retentionBytes } = limits
  const expiredBelow = retentionMs < 0 ? -Infinity : nowMs - retentionMs
  const surplusBytes = retentionBytes < 0 ? -1 : totalBytes - retentionBytes
  let cut: RetentionCut = { startOffset, sizeBytes: 0, reason: 'retention.ms' }
  let seenBytes = 0
  let from = startOffset
  if (retentionMs < 0 && surplusBytes <= 0) return cut
  for (;;) {
    const infos = await storage.infos(from, PAGE_BATCHES)
    if (infos.length === 0) return cut
    for (const { lastOffset, maxTimestamp, sizeBytes } of infos) {
      if (lastOffset >= highWatermark) return cut
      seenBytes += sizeBytes
      from = lastOffset + 1
      const timeless = retentionMs >= 0 && maxTimestamp < 0
      const isExpired = !timeless && maxTimestamp < expiredBelow
      if (isExpired || seenBytes <= surplusBytes) {
        const reason = isExpired ? 'retention.ms' : 'retention.bytes'
        cut = { startOffset: from, sizeBytes: seenBytes, reason }
      } else if (!timeless) return cut
    }
    signal?.throwIfAborted()
    await yieldToEventLoop(clock)
  }
}
