/** What the log holds, told partition by partition: what Kafka's messages have no fields for. */
import type { LastCompaction } from '../log/compaction/compaction-state.js'
import type { EpochEntry } from '../log/epoch-cache.js'
import type { LastDropped } from '../log/log-base.js'
import type { LogRecovery } from '../log/log-events.js'
import type { Durability } from '../storage/contract.js'
import { yieldToEventLoop } from '../runtime/clock.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { BrokerServices } from './services.js'
import type { Partition } from './topic.js'

/** A partition as it is now. */
export interface PartitionInspection {
  /** The topic's name. */
  readonly topic: string
  /** The partition's number in it. */
  readonly partition: number
  /** Why it is off line; undefined while it is well. Then the figures are those of the last moment before. */
  readonly error: OttlaError | undefined
  /** The log start offset: nothing below it can be read. */
  readonly startOffset: number
  /** One past the last record that is stored. */
  readonly endOffset: number
  /** One past the last record that consumers are shown. */
  readonly highWatermark: number
  /** One past the last record that consumers of committed transactions are shown. */
  readonly lastStableOffset: number
  /** The bytes of all batches, as they are stored. */
  readonly sizeBytes: number
  /** How many batches are stored; each has one record or many. */
  readonly batchCount: number
  /** How many segment files they are in; undefined where the storage has none. */
  readonly segmentCount: number | undefined
  /** Where the segment begins that is appended to: neither compaction nor retention by segment touches it. */
  readonly activeSegmentOffset: number
  /** The epoch in which this broker leads it. */
  readonly leaderEpoch: number
  /** Which epochs wrote what is stored, oldest first, each with the offset that it began at. */
  readonly leaderEpochs: readonly EpochEntry[]
  /** `durability`: when an append counts as stored there; undefined when it could not be opened. */
  readonly durability: Durability | undefined
  /** How it was opened; undefined when it could not be. */
  readonly recovery: LogRecovery | undefined
  /** How many idempotent producers it remembers, to know their retries. */
  readonly producers: number
  /** How many transactions are open in it. */
  readonly openTransactions: number
  /** What was dropped last at its start, since it was opened; undefined when nothing was. */
  readonly lastDropped: LastDropped | undefined
  /** What the last compaction came to; undefined when there was none. */
  readonly lastCompaction: LastCompaction | undefined
}

/** A log as it is now. */
export interface LogInspection {
  /** The kind of storage: `memory`, `level`, `file`, or what another one calls itself. */
  readonly storage: string
  /** Its folder; undefined where it is in none. */
  readonly location: string | undefined
  /** What it takes on disk, or in memory when it is there, in bytes: indexes and what is not yet given back included. */
  readonly storageSizeBytes: number
  /** The bytes of the batches of all partitions that are told of. */
  readonly sizeBytes: number
  /** `ottla.disk.max.bytes`, the disk budget; undefined without one. */
  readonly maxDiskBytes: number | undefined
  /** What of it is used by batches that are stored or on their way; undefined without a budget. */
  readonly usedDiskBytes: number | undefined
  /** The partitions, by topic and number. */
  readonly partitions: readonly PartitionInspection[]
}

/** How many partitions are looked at before the event loop has its turn. */
const PARTITIONS_A_SLICE = 256

/** @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION for a topic that is not there. */
export const inspectLog = async (services: BrokerServices, name?: string): Promise<LogInspection> => {
  const { storage, metadata, configs } = services
  const topic = name === undefined ? undefined : metadata.topic(name)
  if (name !== undefined && topic === undefined) {
    throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${name} to inspect.`)
  }
  const topics = topic === undefined ? [...metadata.topics()] : [topic]
  topics.sort((a, b) => (a.name < b.name ? -1 : 1))
  const partitions: PartitionInspection[] = []
  for (const partition of topics.flatMap((each) => each.partitions)) {
    partitions.push(await inspect(partition))
    if (partitions.length % PARTITIONS_A_SLICE === 0) await yieldToEventLoop(services.clock)
  }
  const maxDiskBytes = configs['ottla.disk.max.bytes']
  return {
    storage: storage.name,
    location: storage.location,
    storageSizeBytes: await storage.sizeBytes(),
    sizeBytes: partitions.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    maxDiskBytes: maxDiskBytes < 0 ? undefined : maxDiskBytes,
    usedDiskBytes: services.diskBudget?.usedBytes,
    partitions,
  }
}

const inspect = async (partition: Partition): Promise<PartitionInspection> => {
  const place = { topic: partition.topic.name, partition: partition.index }
  try {
    const log = partition.log ?? (await partition.open())
    // The many fields first: an object that many are added to is slow to make, and there may be ten thousand.
    return { ...log.inspect(), ...place }
  } catch (error) {
    if (!OttlaError.is(error)) throw error
    return { ...UNKNOWN, ...place, error }
  }
}

/** Of a partition that could not be opened at all. */
const UNKNOWN = {
  startOffset: -1,
  endOffset: -1,
  highWatermark: -1,
  lastStableOffset: -1,
  sizeBytes: 0,
  batchCount: 0,
  segmentCount: undefined,
  activeSegmentOffset: -1,
  leaderEpoch: -1,
  producers: 0,
  openTransactions: 0,
  leaderEpochs: [],
  durability: undefined,
  recovery: undefined,
  lastDropped: undefined,
  lastCompaction: undefined,
}
