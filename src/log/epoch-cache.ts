/** Which leader epoch wrote from which offset on: what lets replicas and consumers find where histories part (KIP-101). */

/** From `startOffset` on, batches belong to `epoch`, until the next entry begins. */
export interface EpochEntry {
  /** The leader epoch. */
  readonly epoch: number
  /** The first offset that was written in it. */
  readonly startOffset: number
}

/** Where an epoch ends (KIP-101). */
export interface EpochEnd {
  /** The largest epoch in the log that is at most the one asked for; -1 when unknown. */
  readonly epoch: number
  /** One past its last offset; -1 when unknown. */
  readonly endOffset: number
}

/** The most entries that are kept; beyond it the oldest go, and are answered for as epochs whose data was deleted. */
const MAX_EPOCHS = 10_000

const UNKNOWN: EpochEnd = { epoch: -1, endOffset: -1 }

/** The epochs of one log: strictly increasing in epoch and in offset (L6). */
export class EpochCache {
  readonly #entries: EpochEntry[]

  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = [...entries]
  }

  /** Oldest first. */
  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  /** The epoch of the newest batch; -1 in a log that never held one. */
  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /** Notes that a batch of `epoch` starts at `startOffset`. Epochs never decrease: the caller has seen to that. */
  assign(epoch: number, startOffset: number): void {
    if (epoch <= this.latestEpoch) return
    // An epoch that wrote nothing, or whose data was truncated, leaves no trace.
    this.truncateFromEnd(startOffset)
    this.#entries.push({ epoch, startOffset })
    if (this.#entries.length > MAX_EPOCHS) this.#entries.shift()
  }

  /** Where `epoch` ends in a log that ends at `logEndOffset`. */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd {
    if (epoch < 0 || epoch > this.latestEpoch) return UNKNOWN
    let floor: EpochEntry | undefined
    for (const entry of this.#entries) {
      // With nothing at or below `epoch` its data was deleted: the oldest that is left bounds it.
      if (entry.epoch > epoch) return { epoch: floor?.epoch ?? epoch, endOffset: entry.startOffset }
      floor = entry
    }
    return { epoch, endOffset: logEndOffset }
  }

  /** Forgets what starts at or beyond `endOffset`. */
  truncateFromEnd(endOffset: number): void {
    for (
      let last = this.#entries.at(-1);
      last && last.startOffset >= endOffset;
      last = this.#entries.at(-1)
    ) {
      this.#entries.pop()
    }
  }

  /** Forgets what ends at or below `startOffset`; the epoch that holds that offset begins there now. */
  truncateFromStart(startOffset: number): void {
    let holder: EpochEntry | undefined
    for (let first = this.#entries[0]; first && first.startOffset <= startOffset; first = this.#entries[0]) {
      holder = first
      this.#entries.shift()
    }
    if (holder !== undefined) this.#entries.unshift({ epoch: holder.epoch, startOffset })
  }
}
