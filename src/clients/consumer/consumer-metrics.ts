/** What a consumer measures, under Kafka's names. Everything is counted by the fetch or the chunk, never by the record. */
import { recordCountOf } from '../../record/header.js'
import { Histogram, type HistogramSnapshot } from '../../runtime/metrics/histogram.js'
import { MAX_TOLD, Metrics, metricsOf, type Metric } from '../../runtime/metrics/metrics.js'
import { Sensor } from '../../runtime/metrics/sensor.js'
import { SensorsByTopic } from '../../runtime/metrics/sensors-by-topic.js'

/**
 * The metrics of a consumer, tag `client-id`. What is fetched is in the group `consumer-fetch-manager-metrics`; what says
 * so is there also for each topic (tag `topic`) or each assigned partition (tags `topic` and `partition`), a thousand of
 * each at most. What the group is about is in `consumer-coordinator-metrics`. Times are in milliseconds unless the name
 * says otherwise; rates, averages, minima and maxima are those of the last 30 to 60 seconds, NaN when nothing was
 * measured in them.
 */
export interface ConsumerMetrics {
  /** Records handed to the loops per second. Also per topic. */
  readonly 'records-consumed-rate': number
  /** Records handed to the loops. Also per topic. */
  readonly 'records-consumed-total': number
  /** Bytes of the batches that were consumed, as they are stored, per second. Also per topic. */
  readonly 'bytes-consumed-rate': number
  /** Bytes of the batches that were consumed. Also per topic. */
  readonly 'bytes-consumed-total': number
  /** Bytes that a fetch brought. Also per topic. */
  readonly 'fetch-size-avg': number
  /** The most bytes that a fetch brought. Also per topic. */
  readonly 'fetch-size-max': number
  /** Records that a fetch brought. Also per topic. */
  readonly 'records-per-request-avg': number
  /** From a fetch to its answer, which waits for `fetchMinBytes` up to `fetchMaxWaitMs`. */
  readonly 'fetch-latency-avg': number
  /** The longest of these. */
  readonly 'fetch-latency-max': number
  /** The distribution of these since the beginning; a name of ours. */
  readonly 'fetch-latency': HistogramSnapshot
  /** Fetches per second. */
  readonly 'fetch-rate': number
  /** Fetches. */
  readonly 'fetch-total': number
  /** How many records a partition's position is behind its end. Per partition only. */
  readonly 'records-lag': number
  /** The mean of these. Per partition only. */
  readonly 'records-lag-avg': number
  /** The largest lag of any partition. Also per partition. */
  readonly 'records-lag-max': number
  /** How many records a partition's position is ahead of its start, where records are dropped. Per partition only. */
  readonly 'records-lead': number
  /** The mean of these. Per partition only. */
  readonly 'records-lead-avg': number
  /** The smallest lead of any partition. Also per partition. */
  readonly 'records-lead-min': number
  /** How many partitions it has now. */
  readonly 'assigned-partitions': number
  /** How long commits took. */
  readonly 'commit-latency-avg': number
  /** The longest of these. */
  readonly 'commit-latency-max': number
  /** The distribution of these since the beginning; a name of ours. */
  readonly 'commit-latency': HistogramSnapshot
  /** Commits per second. */
  readonly 'commit-rate': number
  /** Commits. */
  readonly 'commit-total': number
  /** How long rebalances took, from the first word of them to the new assignment. */
  readonly 'rebalance-latency-avg': number
  /** The longest of these. */
  readonly 'rebalance-latency-max': number
  /** All of them together. */
  readonly 'rebalance-latency-total': number
  /** Rebalances that led to an assignment; joining for the first time is one. */
  readonly 'rebalance-total': number
  /** Such rebalances per hour. */
  readonly 'rebalance-rate-per-hour': number
  /** How long ago the last one ended, in seconds; -1 before the first. */
  readonly 'last-rebalance-seconds-ago': number
  /** Heartbeats that were answered, per second. */
  readonly 'heartbeat-rate': number
  /** Heartbeats that were answered. */
  readonly 'heartbeat-total': number
  /** The longest time from a heartbeat to its answer. */
  readonly 'heartbeat-response-time-max': number
  /** How long ago a heartbeat was answered, in seconds; -1 before the first. */
  readonly 'last-heartbeat-seconds-ago': number
}

/** The names that are there for partitions alone. */
type PartitionMetrics = Pick<
  ConsumerMetrics,
  | 'records-lag'
  | 'records-lag-avg'
  | 'records-lag-max'
  | 'records-lead'
  | 'records-lead-avg'
  | 'records-lead-min'
>

/** A partition, as its metrics need it. */
export interface MeasuredPartition {
  readonly topic: string
  readonly partition: number
  readonly distances: PartitionDistances
  /** How far the position is behind the end that it can see; undefined while that is not known. */
  readonly lag: number | undefined
  /** How far the position is ahead of the start; undefined while that is not known. */
  readonly lead: number | undefined
}

/** How far a partition's position was from the ends of its log. Lives as long as the partition is assigned. */
export class PartitionDistances {
  readonly lag = new Sensor()
  /** Negated, so that the largest measurement is the smallest lead. */
  readonly lead = new Sensor()

  metrics({ lag = NaN, lead = NaN }: MeasuredPartition, now: number): PartitionMetrics {
    return {
      'records-lag': lag,
      'records-lag-avg': this.lag.average(now),
      'records-lag-max': this.lag.max(now),
      'records-lead': lead,
      'records-lead-avg': -this.lead.average(now),
      'records-lead-min': -this.lead.max(now),
    }
  }
}

class ConsumedSensors {
  readonly records = new Sensor()
  readonly bytes = new Sensor()
  readonly fetchSize = new Sensor()
  readonly recordsPerFetch = new Sensor()

  get lastAt(): number {
    return Math.max(this.records.lastAt, this.fetchSize.lastAt)
  }

  metrics(now: number) {
    return {
      'records-consumed-rate': this.records.rate(now),
      'records-consumed-total': this.records.total,
      'bytes-consumed-rate': this.bytes.rate(now),
      'bytes-consumed-total': this.bytes.total,
      'fetch-size-avg': this.fetchSize.average(now),
      'fetch-size-max': this.fetchSize.max(now),
      'records-per-request-avg': this.recordsPerFetch.average(now),
    }
  }
}

/** What a fetch brought of one topic. */
export interface FetchedTopic {
  readonly name: string
  readonly batches: readonly Uint8Array[]
}

/** The sensors of one consumer. All times are those of the monotonic clock. */
export class ConsumerSensors {
  readonly #consumed = new ConsumedSensors()
  readonly #topics = new SensorsByTopic(() => new ConsumedSensors())
  readonly #fetchLatency = new Sensor()
  readonly #fetchLatencies = new Histogram()
  readonly #lag = new Sensor()
  /** Negated, so that the largest measurement is the smallest lead. */
  readonly #lead = new Sensor()
  readonly #commitLatency = new Sensor()
  readonly #commitLatencies = new Histogram()
  readonly #rebalances = new Sensor()
  readonly #heartbeats = new Sensor()
  #rebalanceSince: number | undefined

  /** A fetch that was sent at `sentAt` is answered. */
  fetched(topics: readonly FetchedTopic[], sentAt: number, now: number): void {
    this.#fetchLatency.record(now - sentAt, now)
    this.#fetchLatencies.record(now - sentAt)
    let [allBytes, allRecords] = [0, 0]
    for (const { name, batches } of topics) {
      let [bytes, records] = [0, 0]
      for (const batch of batches) {
        bytes += batch.length
        records += recordCountOf(batch)
      }
      const sensors = this.#topics.of(name)
      sensors.fetchSize.record(bytes, now)
      sensors.recordsPerFetch.record(records, now)
      allBytes += bytes
      allRecords += records
    }
    this.#consumed.fetchSize.record(allBytes, now)
    this.#consumed.recordsPerFetch.record(allRecords, now)
  }

  /** Messages of `partition` go to a loop. */
  consumed(partition: MeasuredPartition, recordCount: number, sizeBytes: number, now: number): void {
    const topic = this.#topics.of(partition.topic)
    for (const sensors of [this.#consumed, topic]) {
      sensors.records.record(recordCount, now)
      sensors.bytes.record(sizeBytes, now)
    }
    const { lag, lead, distances } = partition
    if (lag !== undefined) for (const sensor of [this.#lag, distances.lag]) sensor.record(lag, now)
    if (lead !== undefined) for (const sensor of [this.#lead, distances.lead]) sensor.record(-lead, now)
  }

  /** A commit that was sent at `sentAt` is answered. */
  committed(sentAt: number, now: number): void {
    this.#commitLatency.record(now - sentAt, now)
    this.#commitLatencies.record(now - sentAt)
  }

  /** A rebalance has begun, if none had. */
  rebalancing(now: number): void {
    this.#rebalanceSince ??= now
  }

  /** There is an assignment. */
  rebalanced(now: number): void {
    this.#rebalances.record(now - (this.#rebalanceSince ?? now), now)
    this.#rebalanceSince = undefined
  }

  /** A heartbeat that was sent at `sentAt` is answered. */
  heartbeat(sentAt: number, now: number): void {
    this.#heartbeats.record(now - sentAt, now)
  }

  /** What all of it comes to. */
  snapshot(
    clientId: string,
    partitions: Iterable<MeasuredPartition>,
    isMember: boolean,
    now: number,
  ): Metrics<ConsumerMetrics> {
    const tags = { 'client-id': clientId }
    const assigned = [...partitions]
    const fetching = 'consumer-fetch-manager-metrics'
    return new Metrics([
      ...metricsOf(fetching, tags, { ...this.#consumed.metrics(now), ...this.#fetching(now) }),
      ...metricsOf('consumer-coordinator-metrics', tags, this.#committing(assigned.length, now)),
      ...(isMember ? metricsOf('consumer-coordinator-metrics', tags, this.#membership(now)) : []),
      ...this.#topics
        .entries(now)
        .flatMap(([topic, sensors]) => metricsOf(fetching, { ...tags, topic }, sensors.metrics(now))),
      ...assigned.slice(0, MAX_TOLD).flatMap((partition): Metric[] => {
        const { topic, distances } = partition
        const where = { ...tags, topic, partition: String(partition.partition) }
        return metricsOf(fetching, where, distances.metrics(partition, now))
      }),
    ])
  }

  #fetching(now: number) {
    return {
      'fetch-latency-avg': this.#fetchLatency.average(now),
      'fetch-latency-max': this.#fetchLatency.max(now),
      'fetch-latency': this.#fetchLatencies.snapshot(),
      'fetch-rate': this.#fetchLatency.frequency(now),
      'fetch-total': this.#fetchLatency.count,
      'records-lag-max': this.#lag.max(now),
      'records-lead-min': -this.#lead.max(now),
    }
  }

  #committing(assignedPartitions: number, now: number) {
    return {
      'assigned-partitions': assignedPartitions,
      'commit-latency-avg': this.#commitLatency.average(now),
      'commit-latency-max': this.#commitLatency.max(now),
      'commit-latency': this.#commitLatencies.snapshot(),
      'commit-rate': this.#commitLatency.frequency(now),
      'commit-total': this.#commitLatency.count,
    }
  }

  #membership(now: number) {
    return {
      'rebalance-latency-avg': this.#rebalances.average(now),
      'rebalance-latency-max': this.#rebalances.max(now),
      'rebalance-latency-total': this.#rebalances.total,
      'rebalance-total': this.#rebalances.count,
      'rebalance-rate-per-hour': this.#rebalances.frequency(now) * 3600,
      'last-rebalance-seconds-ago': secondsSince(this.#rebalances, now),
      'heartbeat-rate': this.#heartbeats.frequency(now),
      'heartbeat-total': this.#heartbeats.count,
      'heartbeat-response-time-max': this.#heartbeats.max(now),
      'last-heartbeat-seconds-ago': secondsSince(this.#heartbeats, now),
    }
  }
}

const secondsSince = ({ lastAt }: Sensor, now: number): number =>
  lastAt === -Infinity ? -1 : Math.floor((now - lastAt) / 1000)
