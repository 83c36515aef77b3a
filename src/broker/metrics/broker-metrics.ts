/** The metrics of a broker: what was measured, and what its parts tell when they are asked. */
import type { PartitionLog } from '../../log/partition-log.js'
import { MAX_TOLD, Metrics, metricsOf, type Metric } from '../../runtime/metrics/metrics.js'
import type { GroupCount } from '../groups/offsets-partitions.js'
import type { Topic } from '../topic.js'
import { RequestSensors, type RequestMetrics } from './request-sensors.js'
import { Traffic, type TrafficMetrics } from './traffic.js'

/** The partitions of a broker, under Kafka's names. */
export interface PartitionCountMetrics {
  /** How many topics there are; group `KafkaController`. */
  readonly GlobalTopicCount: number
  /** How many partitions they have; group `KafkaController`. */
  readonly GlobalPartitionCount: number
  /** How many of these are off line; group `KafkaController`. */
  readonly OfflinePartitionsCount: number
}

/** Groups, under Kafka's names: group `GroupMetadataManager`. Those count that were used since the broker was opened. */
export interface GroupCountMetrics {
  /** All of them. */
  readonly NumGroups: number
  /** Those that wait for their members to join. */
  readonly NumGroupsPreparingRebalance: number
  /** Those that wait for their leader's assignment. */
  readonly NumGroupsCompletingRebalance: number
  /** Those whose members know what is theirs. */
  readonly NumGroupsStable: number
  /** Those without members. */
  readonly NumGroupsEmpty: number
}

/** A partition's log, under Kafka's names: group `Log`, tags `topic` and `partition`. Those that were opened are told of, a thousand at most; `inspect` tells of all. */
export interface LogMetrics {
  /** The bytes of its batches. */
  readonly Size: number
  /** Its first offset. */
  readonly LogStartOffset: number
  /** The offset that the next record gets. */
  readonly LogEndOffset: number
}

/** All metrics of a broker. Rates are those of the last 30 to 60 seconds. */
export interface BrokerMetrics
  extends TrafficMetrics, RequestMetrics, PartitionCountMetrics, GroupCountMetrics, LogMetrics {
  /** Fetches that wait for records; group `DelayedOperationPurgatory`, tag `delayedOperation`. */
  readonly NumDelayedOperations: number
}

/** What a snapshot is made of. */
export interface BrokerGauges {
  readonly topics: Iterable<Topic>
  readonly groups: GroupCount
  readonly waitingFetches: number
}

/** The sensors of one broker; those of a topic are the topic's. */
export class BrokerSensors {
  readonly traffic = new Traffic()
  readonly requests = new RequestSensors()

  /** As it is now, a monotonic time. */
  snapshot({ topics, groups, waitingFetches }: BrokerGauges, now: number): Metrics<BrokerMetrics> {
    const all = [...topics]
    const used = all.filter((topic) => topic.used !== undefined)
    const fetches = { delayedOperation: 'Fetch' }
    return new Metrics([
      ...metricsOf('BrokerTopicMetrics', {}, this.traffic.metrics(now)),
      ...this.requests.metrics(now),
      ...metricsOf('KafkaController', {}, partitionCounts(all)),
      ...metricsOf('GroupMetadataManager', {}, groupCounts(groups)),
      ...metricsOf('DelayedOperationPurgatory', fetches, { NumDelayedOperations: waitingFetches }),
      ...used
        .slice(0, MAX_TOLD)
        .flatMap(({ name, traffic }) =>
          metricsOf('BrokerTopicMetrics', { topic: name }, traffic.metrics(now)),
        ),
      ...openLogs(all).flatMap(logMetrics),
    ])
  }
}

const partitionCounts = (topics: readonly Topic[]): PartitionCountMetrics => {
  let [partitionCount, offlineCount] = [0, 0]
  for (const { partitions } of topics) {
    partitionCount += partitions.length
    for (const { log } of partitions) if (log?.failure !== undefined) offlineCount++
  }
  return {
    GlobalTopicCount: topics.length,
    GlobalPartitionCount: partitionCount,
    OfflinePartitionsCount: offlineCount,
  }
}

const groupCounts = (groups: GroupCount): GroupCountMetrics => ({
  NumGroups: Object.values(groups).reduce((sum, count) => sum + count, 0),
  NumGroupsPreparingRebalance: groups.PreparingRebalance,
  NumGroupsCompletingRebalance: groups.CompletingRebalance,
  NumGroupsStable: groups.Stable,
  NumGroupsEmpty: groups.Empty,
})

interface OpenLog {
  readonly topic: string
  readonly partition: number
  readonly log: PartitionLog
}

const openLogs = (topics: readonly Topic[]): OpenLog[] => {
  const open: OpenLog[] = []
  for (const { name, partitions } of topics) {
    for (const { index, log } of partitions) {
      if (open.length === MAX_TOLD) return open
      if (log !== undefined) open.push({ topic: name, partition: index, log })
    }
  }
  return open
}

const logMetrics = ({ topic, partition, log }: OpenLog): Metric[] => {
  const values: LogMetrics = {
    Size: log.sizeBytes,
    LogStartOffset: log.startOffset,
    LogEndOffset: log.endOffset,
  }
  return metricsOf('Log', { topic, partition: String(partition) }, values)
}
