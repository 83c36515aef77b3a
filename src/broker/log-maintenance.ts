/** Verifying and repairing a whole log: the partitions of its storage, by the names of their topics. */
import { KeptBatches } from '../log/maintenance/kept-batches.js'
import { ProgressCount, type LogWorkOptions } from '../log/maintenance/progress.js'
import { repairPartition, type PartitionRepair } from '../log/maintenance/repair-partition.js'
import { verifyPartition } from '../log/maintenance/verify-partition.js'
import type { LogReport, PartitionReport } from '../log/maintenance/verify-report.js'
import type { Clock } from '../runtime/clock.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Files } from '../runtime/files.js'
import type { LogStorage, PartitionId } from '../storage/contract.js'
import { partitionKey } from '../storage/partition-key.js'
import { METADATA_TOPIC } from './metadata/topic-name.js'
import { StoredTopics } from './stored-topics.js'

/** Which partitions to repair; all topics but the metadata log when nothing is said. */
export interface RepairTarget {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
}

/** Reads every partition of an open storage through. @throws the signal's reason when that aborts. */
export const verifyLog = async (
  storage: LogStorage,
  clock: Clock,
  options: LogWorkOptions = {},
): Promise<LogReport> => {
  const { signal } = options
  // Partitions before topics: what is stored by then, its topic is known of.
  const ids = await storage.partitions()
  const topics = await StoredTopics.read(storage, clock, signal)
  const progress = await ProgressCount.over(storage, ids, options)
  const partitions: PartitionReport[] = []
  for (const id of ids) {
    const topic = topics.nameOf(id.topicId)
    const onBytes = (bytes: number): void => progress.addBytes(bytes)
    let report: PartitionReport
    try {
      report = await verifyPartition(await storage.partition(id), { topic, clock, signal, onBytes })
    } catch (error) {
      signal?.throwIfAborted()
      report = unopened(topic, id.partition, error)
    }
    const isOrphan = topics.isOrphan(id)
    // What is wrong with a partition that was deleted meanwhile is that it was.
    if ((report.problemCount === 0 && !isOrphan) || (await isStored(storage, id))) {
      partitions.push(isOrphan ? orphaned(report) : report)
    }
    progress.addPartition()
  }
  const sum = (of: 'batches' | 'records' | 'bytes' | 'problemCount'): number =>
    partitions.reduce((total, report) => total + report[of], 0)
  const counts = { batches: sum('batches'), records: sum('records'), bytes: sum('bytes') }
  return { sound: sum('problemCount') === 0, partitions, ...counts }
}

/**
 * Cuts damaged partitions of an open storage off at their first damage, and keeps what it cuts off in `directory`.
 * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION when there is nothing of the name, NOT_DAMAGED when all is sound.
 */
export const repairLog = async (
  storage: LogStorage,
  clock: Clock,
  files: Files,
  directory: string,
  { topic, partition, signal }: RepairTarget & LogWorkOptions,
): Promise<readonly PartitionRepair[]> => {
  const topics = await StoredTopics.read(storage, clock, signal)
  const wanted = (await storage.partitions()).filter((id) => {
    const name = topics.nameOf(id.topicId)
    // Topics that a cut metadata log no longer knows are deleted with their records: only who names it asks for that.
    if (topic === undefined && name === METADATA_TOPIC) return false
    return (topic ?? name) === name && (partition ?? id.partition) === id.partition
  })
  const named = `${topic ?? 'the log'}${partition === undefined ? '' : `-${partition}`}`
  if (wanted.length === 0) {
    throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is nothing stored of ${named}.`)
  }
  const repairs: PartitionRepair[] = []
  for (const id of wanted) {
    const name = topics.nameOf(id.topicId)
    const kept = new KeptBatches(files, `${directory}/${name}-${id.partition}`)
    const repair = await repairPartition(await storage.partition(id), {
      topic: name,
      clock,
      signal,
      keep: (batches) => kept.keep(batches),
      kept: (done) => kept.finish(done),
    })
    if (repair !== undefined) repairs.push(repair)
  }
  if (repairs.length > 0) return repairs
  throw new OttlaError('NOT_DAMAGED', `No batch of ${named} is damaged or missing: nothing was changed.`)
}

const isStored = async (storage: LogStorage, id: PartitionId): Promise<boolean> => {
  const key = partitionKey(id)
  return (await storage.partitions()).some((each) => partitionKey(each) === key)
}

const NOTHING = { startOffset: -1, endOffset: -1, batches: 0, records: 0, bytes: 0 }

const unopened = (topic: string, partition: number, error: unknown): PartitionReport => {
  const details = OttlaError.is(error) ? error.details : {}
  const message = error instanceof Error ? error.message : String(error)
  const problems = [{ code: 'UNREADABLE', offset: -1, message, details } as const]
  return { topic, partition, ...NOTHING, problems, problemCount: 1 }
}

const orphaned = (report: PartitionReport): PartitionReport => {
  const message = 'no topic has this partition; opening the log removes it'
  const problem = { code: 'ORPHAN_PARTITION', offset: -1, message, details: {} } as const
  return { ...report, problems: [...report.problems, problem], problemCount: report.problemCount + 1 }
}
