/** The judge: what a storage holds after it was opened again, held against the scripts of its writers. */
import { isDeepStrictEqual } from 'node:util'
import type { LogStorage, PartitionStorage, StoredBatch } from '../../../src/storage/contract.js'
import type { NaivePartition } from '../../../src/storage/test-suite/naive-partition.js'
import { infoOf, readAll } from '../../../src/storage/test-suite/samples.js'
import { copyOf, modelOf, PARTITION_IDS, Script, type StepKind } from './script.js'

/** How far a writer got with one partition. */
export interface Progress {
  /** So many steps were acknowledged, and must be there. */
  readonly promised: number
  /** So many were begun at most; more cannot be there. */
  readonly begun: number
  /** What kinds of step were asked of the script, when it did not choose itself. */
  readonly kinds?: readonly StepKind[]
}

/** What was found, in all partitions. */
export interface Found {
  readonly batchCount: number
  readonly models: readonly NaivePartition[]
}

/**
 * Finds for each partition the step after which the model holds just what the storage does.
 * @throws Error when there is none between what was promised and what was begun.
 */
export const judge = async (
  storage: LogStorage,
  before: readonly NaivePartition[],
  progress: readonly Progress[],
  { seed, round }: { readonly seed: number; readonly round: number },
): Promise<Found> => {
  const models: NaivePartition[] = []
  for (const [index, id] of PARTITION_IDS.entries()) {
    const script = new Script(seed, round, index, copyOf(before[index]!))
    models.push(await judgePartition(await storage.partition(id), script, progress[index]!, index))
  }
  const listed = await storage.partitions()
  for (const { topicId, partition } of listed) {
    if (!PARTITION_IDS.some((id) => id.topicId === topicId && id.partition === partition))
      throw new Error(`a partition ${topicId}-${partition} is there that nobody wrote`)
  }
  return { batchCount: models.reduce((sum, { batches }) => sum + batches.length, 0), models }
}

const judgePartition = async (
  partition: PartitionStorage,
  script: Script,
  { promised, begun, kinds }: Progress,
  index: number,
): Promise<NaivePartition> => {
  const found = await modelOf(partition)
  const batches = await readAll(partition)
  const { sizeBytes, batchCount } = partition.state
  let difference: string | undefined
  for (let step = 0; ; step++) {
    if (step >= promised) {
      const here = differenceOf(script.model, found, batches)
      if (here === undefined) {
        const { state } = script.model
        if (state.sizeBytes === sizeBytes && state.batchCount === batchCount) return copyOf(script.model)
        throw new Error(
          `partition ${index} says that it has ${batchCount} batches of ${sizeBytes} bytes; ` +
            `it has ${state.batchCount} of ${state.sizeBytes}`,
        )
      }
      difference ??= here
    }
    if (step >= begun) break
    script.next(kinds?.[step])
  }
  throw new Error(
    `partition ${index} holds what it held after no step from ${promised} (acknowledged) to ${begun} (begun); ` +
      `by step ${promised}: ${difference}`,
  )
}

/** The first thing in which a partition is not as the model. */
const differenceOf = (
  model: NaivePartition,
  found: NaivePartition,
  batches: readonly StoredBatch[],
): string | undefined => {
  if (model.startOffset !== found.startOffset || model.endOffset !== found.endOffset) {
    return (
      `it reaches from ${found.startOffset} to ${found.endOffset}, ` +
      `and should from ${model.startOffset} to ${model.endOffset}`
    )
  }
  for (let at = 0; at < Math.max(model.batches.length, batches.length); at++) {
    const expected = model.batches[at]
    const listed = found.batches[at]
    const batch = batches[at]
    const where = expected?.baseOffset ?? batch?.baseOffset ?? listed?.baseOffset
    if (expected === undefined) return `a batch at ${where} should not be there`
    if (batch === undefined || listed === undefined) return `the batch at ${where} is missing`
    if (!isDeepStrictEqual(infoOf(batch), infoOf(expected))) return `the batch at ${where} is another one`
    if (!isDeepStrictEqual(infoOf(listed), infoOf(expected))) return `the info at ${where} is another one`
    if (Buffer.compare(batch.bytes, expected.bytes) !== 0) return `the batch at ${where} has other bytes`
  }
  for (const name of Object.keys({ ...model.blobs, ...found.blobs })) {
    const [expected, blob] = [model.blobs[name], found.blobs[name]]
    if (expected === undefined) return `the blob ${name} should not be there`
    if (blob === undefined) return `the blob ${name} is missing`
    if (Buffer.compare(expected, blob) !== 0) return `the blob ${name} is another one`
  }
  return undefined
}
