/** What a producer measures, under Kafka's names. Everything is counted by the batch or the request, never by the record. */
import { Histogram, type HistogramSnapshot } from '../../runtime/metrics/histogram.js'
import { Metrics, metricsOf } from '../../runtime/metrics/metrics.js'
import { Sensor } from '../../runtime/metrics/sensor.js'
import { SensorsByTopic } from '../../runtime/metrics/sensors-by-topic.js'
import type { ProducerBatch } from './producer-batch.js'

/**
 * The metrics of a producer: group `producer-metrics`, tag `client-id`; those that say so also for each topic, group
 * `producer-topic-metrics`, tags `client-id` and `topic`. Times are in milliseconds unless the name says otherwise;
 * rates, averages and maxima are those of the last 30 to 60 seconds, NaN when nothing was measured in them.
 *
 * Of Kafka's, `record-size-*` is left out, which would have to be measured for each record.
 */
export interface ProducerMetrics {
  /** Records sent per second, those that are sent again included. Also per topic. */
  readonly 'record-send-rate': number
  /** Records sent. Also per topic. */
  readonly 'record-send-total': number
  /** Records sent again after an error that may pass, per second. Also per topic. */
  readonly 'record-retry-rate': number
  /** Records sent again. Also per topic. */
  readonly 'record-retry-total': number
  /** Records that failed for good, per second. Also per topic. */
  readonly 'record-error-rate': number
  /** Records that failed for good. Also per topic. */
  readonly 'record-error-total': number
  /** Bytes of batches sent per second. Per topic only. */
  readonly 'byte-rate': number
  /** Bytes of batches sent. Per topic only. */
  readonly 'byte-total': number
  /** The size of batches as they are sent, in bytes. */
  readonly 'batch-size-avg': number
  /** The largest batch, in bytes. */
  readonly 'batch-size-max': number
  /** How large batches are compressed, as a share of what they were; 1 without compression. */
  readonly 'compression-rate-avg': number
  /** The same for one topic. Per topic only. */
  readonly 'compression-rate': number
  /** How long batches waited before they were sent, from their first record on. */
  readonly 'record-queue-time-avg': number
  /** The longest such wait. */
  readonly 'record-queue-time-max': number
  /** Records in a request. */
  readonly 'records-per-request-avg': number
  /** From a request to its answer. */
  readonly 'request-latency-avg': number
  /** The longest of these. */
  readonly 'request-latency-max': number
  /** The distribution of these since the beginning; a name of ours. */
  readonly 'request-latency': HistogramSnapshot
  /** Requests that are not answered yet. */
  readonly 'requests-in-flight': number
  /** Batches per second that the broker found too large, and that were sent again in halves. */
  readonly 'batch-split-rate': number
  /** Such batches. */
  readonly 'batch-split-total': number
  /** `bufferMemory`, in bytes. */
  readonly 'buffer-total-bytes': number
  /** What of it is free, in bytes. */
  readonly 'buffer-available-bytes': number
  /** Sends that wait for room in it, or for their turn; Kafka blocks a thread for each. */
  readonly 'waiting-threads': number
  /** The share of the time in which a send waited for room, from 0 to 1. */
  readonly 'bufferpool-wait-ratio': number
  /** How long sends waited for room, in nanoseconds. */
  readonly 'bufferpool-wait-time-ns-total': number
  /** Sends per second that found no room within `maxBlockMs`. */
  readonly 'buffer-exhausted-rate': number
  /** Such sends. */
  readonly 'buffer-exhausted-total': number
  /** How long `flush` took, all calls together, in nanoseconds. */
  readonly 'flush-time-ns-total': number
  /** How long `begin` took, in nanoseconds; the first one asks for the producer's identity, which Kafka counts by itself. */
  readonly 'txn-begin-time-ns-total': number
  /** How long `commitOffsets` took, in nanoseconds. */
  readonly 'txn-send-offsets-time-ns-total': number
  /** How long `commit` took, in nanoseconds. */
  readonly 'txn-commit-time-ns-total': number
  /** How long `abort` took, in nanoseconds. */
  readonly 'txn-abort-time-ns-total': number
}

/** The metrics that are there for each topic. */
type ProducerTopicMetrics = Pick<
  ProducerMetrics,
  | 'record-send-rate'
  | 'record-send-total'
  | 'record-retry-rate'
  | 'record-retry-total'
  | 'record-error-rate'
  | 'record-error-total'
  | 'byte-rate'
  | 'byte-total'
  | 'compression-rate'
>

/** The calls of a producer whose time is added up. */
export type TimedCall = 'flush' | 'txn-begin' | 'txn-send-offsets' | 'txn-commit' | 'txn-abort'

/** What is not measured but asked for when a snapshot is taken. */
export interface ProducerGauges {
  readonly requestsInFlight: number
  readonly bufferTotalBytes: number
  readonly bufferUsedBytes: number
  readonly waitingSends: number
}

const NANOSECONDS = 1_000_000

class TopicSensors {
  readonly records = new Sensor()
  readonly bytes = new Sensor()
  readonly compression = new Sensor()
  readonly retries = new Sensor()
  readonly errors = new Sensor()

  get lastAt(): number {
    return Math.max(this.records.lastAt, this.errors.lastAt)
  }

  metrics(now: number): ProducerTopicMetrics {
    const { records, bytes, compression, retries, errors } = this
    return {
      'record-send-rate': records.rate(now),
      'record-send-total': records.total,
      'record-retry-rate': retries.rate(now),
      'record-retry-total': retries.total,
      'record-error-rate': errors.rate(now),
      'record-error-total': errors.total,
      'byte-rate': bytes.rate(now),
      'byte-total': bytes.total,
      'compression-rate': compression.average(now),
    }
  }
}

/** The sensors of one producer. All times are those of the monotonic clock. */
export class ProducerSensors {
  readonly #recordsPerRequest = new Sensor()
  readonly #batchSize = new Sensor()
  readonly #compression = new Sensor()
  readonly #queueTime = new Sensor()
  readonly #latency = new Sensor()
  readonly #latencies = new Histogram()
  readonly #retries = new Sensor()
  readonly #errors = new Sensor()
  readonly #splits = new Sensor()
  readonly #roomWait = new Sensor()
  readonly #exhausted = new Sensor()
  readonly #calls: Record<TimedCall, number> = {
    flush: 0,
    'txn-begin': 0,
    'txn-send-offsets': 0,
    'txn-commit': 0,
    'txn-abort': 0,
  }
  readonly #topics = new SensorsByTopic(() => new TopicSensors())

  /** A request with these batches is on its way. */
  sent(parts: readonly { readonly batch: ProducerBatch }[], now: number): void {
    let recordCount = 0
    for (const { batch } of parts) {
      const { sizeBytes, compressionRatio } = batch
      const topic = this.#topics.of(batch.topic)
      topic.records.record(batch.recordCount, now)
      topic.bytes.record(sizeBytes, now)
      topic.compression.record(compressionRatio, now)
      this.#batchSize.record(sizeBytes, now)
      this.#compression.record(compressionRatio, now)
      this.#queueTime.record(now - batch.createdAt, now)
      recordCount += batch.recordCount
    }
    this.#recordsPerRequest.record(recordCount, now)
  }

  /** A request that was sent at `sentAt` is answered. */
  answered(sentAt: number, now: number): void {
    this.#latency.record(now - sentAt, now)
    this.#latencies.record(now - sentAt)
  }

  /** `batch` will be sent again. */
  retried({ topic, recordCount }: ProducerBatch, now: number): void {
    this.#retries.record(recordCount, now)
    this.#topics.of(topic).retries.record(recordCount, now)
  }

  /** `batch` will not be stored. */
  failed({ topic, recordCount }: ProducerBatch, now: number): void {
    this.#errors.record(recordCount, now)
    this.#topics.of(topic).errors.record(recordCount, now)
  }

  /** A batch was cut in halves. */
  split(now: number): void {
    this.#splits.record(1, now)
  }

  /** Sends have waited for room since `since`. */
  waitedForRoom(since: number, now: number): void {
    this.#roomWait.record(now - since, now)
  }

  /** A send has found no room in time. */
  exhausted(now: number): void {
    this.#exhausted.record(1, now)
  }

  /** `call` took `durationMs`. */
  called(call: TimedCall, durationMs: number): void {
    this.#calls[call] += durationMs
  }

  /** What all of it comes to. */
  snapshot(clientId: string, gauges: ProducerGauges, now: number): Metrics<ProducerMetrics> {
    const tags = { 'client-id': clientId }
    const topics = this.#topics
      .entries(now)
      .flatMap(([topic, sensors]) =>
        metricsOf('producer-topic-metrics', { ...tags, topic }, sensors.metrics(now)),
      )
    return new Metrics([...metricsOf('producer-metrics', tags, this.#own(gauges, now)), ...topics])
  }

  #own(
    gauges: ProducerGauges,
    now: number,
  ): Omit<ProducerMetrics, 'byte-rate' | 'byte-total' | 'compression-rate'> {
    const calls = this.#calls
    return {
      'record-send-rate': this.#recordsPerRequest.rate(now),
      'record-send-total': this.#recordsPerRequest.total,
      'record-retry-rate': this.#retries.rate(now),
      'record-retry-total': this.#retries.total,
      'record-error-rate': this.#errors.rate(now),
      'record-error-total': this.#errors.total,
      'batch-size-avg': this.#batchSize.average(now),
      'batch-size-max': this.#batchSize.max(now),
      'compression-rate-avg': this.#compression.average(now),
      'record-queue-time-avg': this.#queueTime.average(now),
      'record-queue-time-max': this.#queueTime.max(now),
      'records-per-request-avg': this.#recordsPerRequest.average(now),
      'request-latency-avg': this.#latency.average(now),
      'request-latency-max': this.#latency.max(now),
      'request-latency': this.#latencies.snapshot(),
      'requests-in-flight': gauges.requestsInFlight,
      'batch-split-rate': this.#splits.rate(now),
      'batch-split-total': this.#splits.total,
      'buffer-total-bytes': gauges.bufferTotalBytes,
      'buffer-available-bytes': Math.max(0, gauges.bufferTotalBytes - gauges.bufferUsedBytes),
      'waiting-threads': gauges.waitingSends,
      'bufferpool-wait-ratio': Math.min(1, this.#roomWait.rate(now) / 1000),
      'bufferpool-wait-time-ns-total': this.#roomWait.total * NANOSECONDS,
      'buffer-exhausted-rate': this.#exhausted.rate(now),
      'buffer-exhausted-total': this.#exhausted.total,
      'flush-time-ns-total': calls.flush * NANOSECONDS,
      'txn-begin-time-ns-total': calls['txn-begin'] * NANOSECONDS,
      'txn-send-offsets-time-ns-total': calls['txn-send-offsets'] * NANOSECONDS,
      'txn-commit-time-ns-total': calls['txn-commit'] * NANOSECONDS,
      'txn-abort-time-ns-total': calls['txn-abort'] * NANOSECONDS,
    }
  }
}
