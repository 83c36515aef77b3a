/** Whether a checkpoint says what the batches before its recovery point say. */
import type { Checkpoint } from '../checkpoint.js'
import type { EpochCache } from '../epoch-cache.js'
import type { ProducerState } from '../producer-state.js'

/**
 * What is wrong with `checkpoint`, in a sentence, given what the batches from `startOffset` up to its recovery point
 * rebuild; undefined when nothing is. What expired or was dropped, or compacted away, either side may lack.
 */
export const checkpointMismatch = (
  checkpoint: Checkpoint,
  epochs: EpochCache,
  producers: ProducerState,
  startOffset: number,
): string | undefined => {
  const from = Math.max(startOffset, checkpoint.gapsBelow)
  const noted = checkpoint.epochs.at(-1)?.epoch ?? -1
  if (epochs.latestEpoch > noted)
    return `the latest epoch is ${noted} there, but ${epochs.latestEpoch} in the batches`
  for (const { epoch, startOffset: starts } of epochs.entries) {
    if (starts <= from) continue
    const same = checkpoint.epochs.find((entry) => entry.epoch === epoch)
    if (same?.startOffset !== starts) return `epoch ${epoch} starts at ${starts}, not at ${same?.startOffset}`
  }
  const rebuilt = new Map(producers.entries().map((entry) => [entry.producerId, entry]))
  for (const { producerId, epoch, batches } of checkpoint.producers) {
    const inLog = rebuilt.get(producerId)
    if (inLog !== undefined && inLog.epoch > epoch) {
      return `producer ${producerId} has the epoch ${epoch} there, but ${inLog.epoch} in the batches`
    }
    const last = batches.at(-1)
    const found = inLog?.epoch === epoch ? inLog.batches.at(-1) : undefined
    const mayBeGone = last === undefined || last.baseOffset < from
    if (mayBeGone && (found === undefined || found.lastOffset < from)) continue
    if (found?.lastOffset !== last?.lastOffset || found?.lastSequence !== last?.lastSequence) {
      return `producer ${producerId} ended with sequence ${last?.lastSequence} at ${last?.lastOffset} there, but with ${found?.lastSequence} at ${found?.lastOffset} in the batches`
    }
  }
  return undefined
}
