/** A few batches by which the storage's search by timestamp is held against the reading through. */
import type { BatchInfo, PartitionStorage } from '../../storage/contract.js'

/** The most samples that are kept; beyond it every second one goes. */
const MAX_SAMPLES = 16

/** Batches whose timestamp is larger than all before: searching for it from the start must find exactly them. */
export class TimeSamples {
  #samples: Pick<BatchInfo, 'baseOffset' | 'maxTimestamp'>[] = []
  #largest = -1

  /** The next batch of the walk. */
  add({ baseOffset, maxTimestamp }: BatchInfo): void {
    if (maxTimestamp <= this.#largest) return
    this.#largest = maxTimestamp
    this.#samples.push({ baseOffset, maxTimestamp })
    if (this.#samples.length > MAX_SAMPLES) this.#samples = this.#samples.filter((_, i) => i % 2 === 0)
  }

  /** The first sample that the search from `startOffset` on does not find. */
  async firstWrong(
    storage: PartitionStorage,
    startOffset: number,
  ): Promise<{ readonly offset: number; readonly message: string } | undefined> {
    for (const { baseOffset, maxTimestamp } of this.#samples) {
      // Of a batch that the start cuts, the part with the largest timestamp may be gone.
      if (baseOffset < startOffset) continue
      const found = await storage.findByTimestamp(maxTimestamp, startOffset)
      // A log that moved on meanwhile may have dropped it.
      if (found?.baseOffset === baseOffset || storage.state.startOffset !== startOffset) continue
      const where = found === undefined ? 'nothing' : `the batch at ${found.baseOffset}`
      const message = `a search for the timestamp ${maxTimestamp} finds ${where}, not the batch at ${baseOffset}`
      return { offset: baseOffset, message }
    }
    return undefined
  }
}
