/** The metrics of a broker: what was measured, and what its parts tell when they are asked. */
import { Metrics, metricsOf, type Metric } from '../../runtime/metrics/metrics.js'
import type { GroupCount } from '../groups/offsets-partitions.js'
import type { Partition, Topic } from '../topic.js'
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

/** A partition's log, under Kafka's names: group `Log`, tags `topic` and `partition`. Those that were opened are told of. */
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
    const all = [...topics].sort((a, b) => (a.name < b.name ? -1 : 1))
    const fetches = { delayedOperation: 'Fetch' }
    return new Metrics([
      ...metricsOf('BrokerTopicMetrics', {}, this.traffic.metrics(now)),
      ...this.requests.metrics(now),
      ...metricsOf('KafkaController', {}, partitionCounts(all)),
      ...metricsOf('GroupMetadataManager', {}, groupCounts(groups)),
      ...metricsOf('DelayedOperationPurgatory', fetches, { NumDelayedOperations: waitingFetches }),
      ...all.flatMap(({ name, used }) =>
        used === undefined ? [] : metricsOf('BrokerTopicMetrics', { topic: name }, used.metrics(now)),
      ),
      ...all.flatMap(({ partitions }) => partitions.flatMap(logMetrics)),
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

const logMetrics = ({ topic, index, log }: Partition): Metric[] => {
  if (log === undefined) return []
  const values: LogMetrics = {
    Size: log.sizeBytes,
    LogStartOffset: log.startOffset,
    LogEndOffset: log.endOffset,
  }
  return metricsOf('Log', { topic: topic.name, partition: String(index) }, values)
}
