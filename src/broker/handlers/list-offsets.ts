/**
 * ListOffsets: the earliest (-2) and latest (-1) offset, the one of the largest timestamp (-3), or the first at or
 * after a timestamp. There is no tiered storage: the earliest local offset (-4) is the earliest, and the latest
 * tiered (-5) and earliest pending upload (-6) are unknown, as Kafka answers without it.
 */
import type { PartitionLog } from '../../log/partition-log.js'
import type { listOffsets } from '../../protocol/api/list-offsets.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { codeOf, responseErrorOf, withStorageCause } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'
import { leaderEpochError } from './leader-epoch.js'

type PartitionRequest = RequestOf<typeof listOffsets>['topics'][number]['partitions'][number]
type TopicResponse = ResponseOf<typeof listOffsets>['topics'][number]
type PartitionResponse = TopicResponse['partitions'][number]
type Found = Pick<PartitionResponse, 'offset' | 'timestamp' | 'leaderEpoch'>

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
/** The first version of each special timestamp; an older request must not use it. */
const SINCE = new Map([
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])
const READ_COMMITTED = 1
/** The first version that tells the epoch of what was found. */
const LEADER_EPOCH_SINCE = 4
const NOTHING: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 }

export const handleListOffsets: Handler<typeof listOffsets> = async (services, request, context) => {
  const topics: TopicResponse[] = []
  const isCommitted = request.isolationLevel === READ_COMMITTED
  for (const { name, partitions } of request.topics) {
    const answers: PartitionResponse[] = []
    const repeated = repeatedIn(partitions)
    for (const partitionIndex of repeated) {
      answers.push({ partitionIndex, errorCode: codeOf('INVALID_REQUEST'), ...NOTHING })
    }
    for (const wanted of partitions) {
      if (repeated.has(wanted.partitionIndex)) continue
      answers.push(await lookUp(services, name, wanted, isCommitted, context.apiVersion))
    }
    topics.push({ name, partitions: answers })
  }
  return { throttleTimeMs: 0, topics }
}

/** Partitions that are asked for more than once: which of the answers would be meant? */
const repeatedIn = (partitions: readonly PartitionRequest[]): ReadonlySet<number> => {
  const seen = new Set<number>()
  const repeated = new Set<number>()
  for (const { partitionIndex } of partitions) {
    if (seen.has(partitionIndex)) repeated.add(partitionIndex)
    seen.add(partitionIndex)
  }
  return repeated
}

const lookUp = async (
  services: BrokerServices,
  topic: string,
  wanted: PartitionRequest,
  isCommitted: boolean,
  apiVersion: number,
): Promise<PartitionResponse> => {
  const { partitionIndex, timestamp } = wanted
  try {
    const partition = services.metadata.topic(topic)?.partition(partitionIndex)
    if (partition === undefined) throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION')
    const epochError = leaderEpochError(partition.leaderEpoch, wanted.currentLeaderEpoch)
    if (epochError !== undefined) return { partitionIndex, errorCode: codeOf(epochError), ...NOTHING }
    if (timestamp < EARLIEST_PENDING_UPLOAD || apiVersion < (SINCE.get(timestamp) ?? 0)) {
      throw new OttlaError('UNSUPPORTED_VERSION')
    }
    const log = partition.log ?? (await partition.open())
    const found = await find(log, timestamp, isCommitted)
    const leaderEpoch = apiVersion < LEADER_EPOCH_SINCE ? -1 : found.leaderEpoch
    return { partitionIndex, errorCode: 0, ...found, leaderEpoch }
  } catch (error) {
    return withStorageCause(
      { partitionIndex, errorCode: responseErrorOf(error).errorCode, ...NOTHING },
      error,
    )
  }
}

const find = async (log: PartitionLog, timestamp: number, isCommitted: boolean): Promise<Found> => {
  const end = isCommitted ? log.lastStableOffset : log.highWatermark
  const { leaderEpoch } = log
  switch (timestamp) {
    case LATEST:
      return { offset: end, timestamp: -1, leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: log.startOffset, timestamp: -1, leaderEpoch }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOTHING
    default: {
      const found =
        timestamp === MAX_TIMESTAMP ? await log.maxTimestamp() : await log.offsetForTimestamp(timestamp)
      return found === undefined || found.offset >= end ? NOTHING : found
    }
  }
}
