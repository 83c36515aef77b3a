/**
 * How much of a log compaction has not gone through: from where it has come to, up to the active segment, the last
 * stable offset or what is too young. Whether that is worth a pass is Kafka's rule.
 */
import { yieldToEventLoop, type Clock } from '../../runtime/clock.js'
import type { PartitionStorage } from '../../storage/contract.js'
import type { LogConfig } from '../log-config.js'

/** How many batches are looked at before the event loop has its turn. */
const PAGE_BATCHES = 1000

/** What may be compacted and was not. */
export interface DirtySection {
  readonly fromOffset: number
  readonly toOffset: number
  /** The bytes of its batches. */
  readonly sizeBytes: number
  /** Its share of itself and what lies before it, which was compacted. */
  readonly ratio: number
  /** Whether it is worth a pass: by its share, or because one of its batches waits longer than it may. */
  readonly isDue: boolean
}

/** What is to be measured. */
export interface MeasuredLog {
  readonly storage: PartitionStorage
  readonly clock: Clock
  readonly config: LogConfig
  /** From where on it was not compacted. */
  readonly dirtyFrom: number
  /** Nothing from here on may be: the active segment, or what is not settled. */
  readonly limit: number
  /** The bytes of the active segment. */
  readonly activeBytes: number
}

/** Measures one log, again and again; what was looked at once is not looked at again. */
export class DirtyMeasure {
  #config: LogConfig | undefined
  #from = -1
  #to = -1
  #sizeBytes = 0
  #oldestTimestamp = Infinity

  /** The part of the log that may be compacted at `nowMs`; undefined when there is none. */
  async measure(log: MeasuredLog, nowMs: number, signal?: AbortSignal): Promise<DirtySection | undefined> {
    const { storage, clock, config, dirtyFrom, limit, activeBytes } = log
    if (dirtyFrom >= limit) return undefined
    if (this.#from !== dirtyFrom || this.#config !== config || this.#to > limit)
      this.#begin(dirtyFrom, config)
    const youngest = config.minCompactionLagMs > 0 ? nowMs - config.minCompactionLagMs : Infinity
    let laterBytes = 0
    let isTooYoung = false
    for (let at = this.#to; at < limit;) {
      const infos = await storage.infos(at, PAGE_BATCHES)
      if (infos.length === 0) break
      for (const { baseOffset, lastOffset, maxTimestamp, sizeBytes } of infos) {
        at = lastOffset + 1
        if (baseOffset >= limit || lastOffset >= limit) break
        isTooYoung ||= maxTimestamp > youngest
        if (isTooYoung) {
          laterBytes += sizeBytes
          continue
        }
        this.#to = at
        this.#sizeBytes += sizeBytes
        if (maxTimestamp >= 0) this.#oldestTimestamp = Math.min(this.#oldestTimestamp, maxTimestamp)
      }
      if (at >= limit) break
      signal?.throwIfAborted()
      await yieldToEventLoop(clock)
    }
    const sizeBytes = this.#sizeBytes
    if (sizeBytes === 0) return undefined
    const cleanBytes = Math.max(0, storage.state.sizeBytes - sizeBytes - laterBytes - activeBytes)
    const ratio = sizeBytes / (sizeBytes + cleanBytes)
    const { maxCompactionLagMs, minCleanableDirtyRatio } = config
    const isOverdue = maxCompactionLagMs >= 0 && this.#oldestTimestamp < nowMs - maxCompactionLagMs
    const isDue = isOverdue || ratio > minCleanableDirtyRatio
    return { fromOffset: dirtyFrom, toOffset: this.#to, sizeBytes, ratio, isDue }
  }

  #begin(dirtyFrom: number, config: LogConfig): void {
    this.#config = config
    this.#from = dirtyFrom
    this.#to = dirtyFrom
    this.#sizeBytes = 0
    this.#oldestTimestamp = Infinity
  }
}
