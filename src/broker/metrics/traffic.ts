/** What goes into and out of topics: of one, which dies with it, and of all together. Counted by the batch or the fetch. */
import { meterOf, type Meter } from '../../runtime/metrics/metrics.js'
import { Sensor } from '../../runtime/metrics/sensor.js'

/**
 * Traffic, under Kafka's names: group `BrokerTopicMetrics`, for all topics together and for each, tag `topic`, of which a
 * thousand are told of at most.
 */
export interface TrafficMetrics {
  /** Records that producers had stored. */
  readonly MessagesInPerSec: Meter
  /** Bytes of their batches. */
  readonly BytesInPerSec: Meter
  /** Bytes of batches that were answered to fetches. */
  readonly BytesOutPerSec: Meter
  /** Batches that producers sent, stored or not. */
  readonly TotalProduceRequestsPerSec: Meter
  /** Those of them that were refused, whatever the reason; Kafka counts only reasons that are its own. */
  readonly FailedProduceRequestsPerSec: Meter
  /** Partitions that fetches were answered for. */
  readonly TotalFetchRequestsPerSec: Meter
  /** Those of them that were refused, whatever the reason; Kafka counts only reasons that are its own. */
  readonly FailedFetchRequestsPerSec: Meter
}

/** The sensors of one topic, or of all together. All times are those of the monotonic clock. */
export class Traffic {
  readonly #messagesIn = new Sensor()
  readonly #bytesIn = new Sensor()
  readonly #bytesOut = new Sensor()
  readonly #produces = new Sensor()
  readonly #failedProduces = new Sensor()
  readonly #fetches = new Sensor()
  readonly #failedFetches = new Sensor()

  /** A batch was stored. */
  stored(recordCount: number, sizeBytes: number, now: number): void {
    this.#produces.record(1, now)
    this.#messagesIn.record(recordCount, now)
    this.#bytesIn.record(sizeBytes, now)
  }

  /** A batch was refused. */
  refused(now: number): void {
    this.#produces.record(1, now)
    this.#failedProduces.record(1, now)
  }

  /** A fetch was answered for so many partitions, of which so many were refused. */
  fetched(sizeBytes: number, partitionCount: number, failedCount: number, now: number): void {
    this.#fetches.record(partitionCount, now)
    if (sizeBytes > 0) this.#bytesOut.record(sizeBytes, now)
    if (failedCount > 0) this.#failedFetches.record(failedCount, now)
  }

  /** What it comes to. */
  metrics(now: number): TrafficMetrics {
    return {
      MessagesInPerSec: meterOf(this.#messagesIn, now),
      BytesInPerSec: meterOf(this.#bytesIn, now),
      BytesOutPerSec: meterOf(this.#bytesOut, now),
      TotalProduceRequestsPerSec: meterOf(this.#produces, now),
      FailedProduceRequestsPerSec: meterOf(this.#failedProduces, now),
      TotalFetchRequestsPerSec: meterOf(this.#fetches, now),
      FailedFetchRequestsPerSec: meterOf(this.#failedFetches, now),
    }
  }
}
