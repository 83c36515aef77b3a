/**
 * OffsetForLeaderEpoch: for an epoch that is past or present the largest one up to it that the log knows, and where
 * it ends; for one still to come -1 and -1. Followers are answered like consumers, up to the high watermark.
 */
import type { EpochEnd } from '../../log/epoch-cache.js'
import type { PartitionLog } from '../../log/partition-log.js'
import type { offsetForLeaderEpoch } from '../../protocol/api/offset-for-leader-epoch.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { Partition } from '../topic.js'
import type { Handler } from './handler.js'
import { leaderEpochError } from './leader-epoch.js'

type PartitionRequest = RequestOf<typeof offsetForLeaderEpoch>['topics'][number]['partitions'][number]
type PartitionResponse = ResponseOf<typeof offsetForLeaderEpoch>['topics'][number]['partitions'][number]

export const handleOffsetForLeaderEpoch: Handler<typeof offsetForLeaderEpoch> = async (services, request) => {
  const topics: { topic: string; partitions: PartitionResponse[] }[] = []
  for (const { topic: name, partitions } of request.topics) {
    const topic = services.metadata.topic(name)
    const answers: PartitionResponse[] = []
    for (const wanted of partitions) answers.push(await find(topic?.partition(wanted.partition), wanted))
    topics.push({ topic: name, partitions: answers })
  }
  return { throttleTimeMs: 0, topics }
}

const find = async (
  partition: Partition | undefined,
  { partition: index, currentLeaderEpoch, leaderEpoch }: PartitionRequest,
): Promise<PartitionResponse> => {
  const failed = (errorCode: number): PartitionResponse => ({
    errorCode,
    partition: index,
    leaderEpoch: -1,
    endOffset: -1,
  })
  if (partition === undefined) return failed(codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
  const epochError = leaderEpochError(partition.leaderEpoch, currentLeaderEpoch)
  if (epochError !== undefined) return failed(codeOf(epochError))
  try {
    const log = partition.log ?? (await partition.open())
    if (log.failure !== undefined) throw log.failure
    const { epoch, endOffset } = endOf(log, leaderEpoch)
    return { errorCode: 0, partition: index, leaderEpoch: epoch, endOffset }
  } catch (error) {
    return failed(responseErrorOf(error).errorCode)
  }
}

const endOf = (log: PartitionLog, epoch: number): EpochEnd => {
  const end = log.endOffsetForEpoch(epoch)
  // The present epoch leaves no trace in the log before its first batch; it ends where the log does.
  return end.epoch < 0 && epoch === log.leaderEpoch ? { epoch, endOffset: log.highWatermark } : end
}
