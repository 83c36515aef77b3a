/**
 * Repairing a partition: it is cut off at its first damage, never mended. What is cut off is handed out first, as far
 * as it can be read, and the checkpoint is dropped: opening the log builds it anew from what stays.
 */
import { yieldToEventLoop, type Clock } from '../../runtime/clock.js'
import type { PartitionStorage } from '../../storage/contract.js'
import { CHECKPOINT_BLOB, decodeCheckpoint } from '../checkpoint.js'
import { compactionBlob, loadCompaction, truncatedCompaction } from '../compaction/compaction-state.js'
import { verifyPartition, type VerifyPartitionOptions } from './verify-partition.js'
import type { LogProblem, PartitionReport, ProblemCode } from './verify-report.js'

/** What a cut mends. The others concern no batch: opening the log, or its next checkpoint, mends those. */
const MENDED_BY_CUT: ReadonlySet<ProblemCode> = new Set([
  'BATCH_DAMAGED',
  'BATCH_MISSING',
  'UNREADABLE',
  'EPOCH_DECREASES',
])

/** How much is read before the event loop has its turn. */
const SLICE_BYTES = 1024 * 1024

/** What a repair cut off. */
export interface PartitionRepair {
  /** The topic's name. */
  readonly topic: string
  /** The partition's number in it. */
  readonly partition: number
  /** The first offset that is lost; the log ends there now, or before where the cut met a gap. */
  readonly lostFrom: number
  /** The last offset that is lost. */
  readonly lostTo: number
  /** The bytes of the batches that were kept aside. */
  readonly keptBytes: number
  /** What was wrong. */
  readonly problems: readonly LogProblem[]
}

/** Where the partition must be cut off; undefined when no batch of it is damaged. */
const firstDamage = ({ problems }: PartitionReport): number | undefined => {
  const offsets = problems.filter(({ code }) => MENDED_BY_CUT.has(code)).map(({ offset }) => offset)
  return offsets.length === 0 ? undefined : Math.min(...offsets)
}

/**
 * Cuts the partition off at its first damage. `keep` is called first, with one batch after another of what goes, and
 * must have them safe when it resolves. Resolves to undefined when no batch is damaged: nothing was changed then.
 * @throws the signal's reason when that aborts, which leaves the partition as it was.
 */
export const repairPartition = async (
  storage: PartitionStorage,
  options: VerifyPartitionOptions & {
    readonly keep: (batches: readonly Uint8Array[]) => Promise<void>
    readonly kept: (repair: PartitionRepair) => Promise<void>
  },
): Promise<PartitionRepair | undefined> => {
  const { topic, clock, signal } = options
  const report = await verifyPartition(storage, options)
  const damage = firstDamage(report)
  if (damage === undefined) return undefined
  const blob = await storage.readBlob(CHECKPOINT_BLOB)
  const checkpoint = blob && decodeCheckpoint(blob)
  const { endOffset, startOffset } = storage.state
  // A batch goes as a whole: one that holds the offset of the damage begins before it.
  const [info] = await storage.infos(damage, 1).catch(() => [])
  const cut = Math.max(startOffset, Math.min(damage, info?.baseOffset ?? damage))

  const keptBytes = await keepFrom(storage, cut, endOffset, options.keep, { clock, signal })
  const { partition } = storage.id
  const lostTo = Math.max(endOffset, checkpoint?.recoveryPoint ?? 0) - 1
  const repair = { topic, partition, lostFrom: cut, lostTo, keptBytes, problems: report.problems }
  await options.kept(repair)
  // Without a checkpoint, opening reads what stays through, proves it again, and knows what it says.
  // Where compaction left gaps it has to be told: the checkpoint goes, which said so too.
  const compaction = compactionBlob(truncatedCompaction(await loadCompaction(storage), cut))
  await storage.truncateSuffix(cut, { ...compaction, [CHECKPOINT_BLOB]: null })
  return repair
}

const keepFrom = async (
  storage: PartitionStorage,
  fromOffset: number,
  endOffset: number,
  keep: (batches: readonly Uint8Array[]) => Promise<void>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal | undefined },
): Promise<number> => {
  let keptBytes = 0
  for (let offset = fromOffset; offset < endOffset;) {
    signal?.throwIfAborted()
    const batches = await storage.read(offset, SLICE_BYTES).catch(async () => {
      // What cannot be read by slices may be by single batches; what cannot at all is passed over.
      return storage.read(offset, 1).catch(() => undefined)
    })
    if (batches === undefined) {
      const [info] = await storage.infos(offset, 1).catch(() => [])
      if (info === undefined) break
      offset = info.lastOffset + 1
      continue
    }
    const last = batches.at(-1)
    if (last === undefined) break
    await keep(batches.map(({ bytes }) => bytes))
    for (const { sizeBytes } of batches) keptBytes += sizeBytes
    offset = Math.max(offset, last.lastOffset) + 1
    await yieldToEventLoop(clock)
  }
  return keptBytes
}
