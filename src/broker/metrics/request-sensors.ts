/** How many requests there were of each API, and how long they took. */
import type { Api } from '../../protocol/schema.js'
import { Histogram, type HistogramSnapshot } from '../../runtime/metrics/histogram.js'
import { meterOf, metricsOf, type Meter, type Metric } from '../../runtime/metrics/metrics.js'
import { Sensor } from '../../runtime/metrics/sensor.js'

/** Requests, under Kafka's names: group `RequestMetrics`, for each API that was used, tag `request`. */
export interface RequestMetrics {
  /** Requests that were answered. */
  readonly RequestsPerSec: Meter
  /**
   * From a request to its answer, in milliseconds since the beginning. A Fetch waits for records and a JoinGroup for
   * other members, which is part of it.
   */
  readonly TotalTimeMs: HistogramSnapshot
}

interface ApiSensors {
  readonly name: string
  readonly requests: Sensor
  readonly times: Histogram
}

/** The sensors of all APIs; there are no more than handlers. */
export class RequestSensors {
  readonly #byKey: (ApiSensors | undefined)[] = []

  /** A request that came at `startedAt` is answered. */
  answered({ key, name }: Api, startedAt: number, now: number): void {
    const { requests, times } = (this.#byKey[key] ??= {
      name,
      requests: new Sensor(),
      times: new Histogram(),
    })
    requests.record(1, now)
    times.record(now - startedAt)
  }

  /** What it comes to. */
  metrics(now: number): Metric[] {
    return this.#byKey.flatMap((sensors) => {
      if (sensors === undefined) return []
      const { name, requests, times } = sensors
      const metrics: RequestMetrics = {
        RequestsPerSec: meterOf(requests, now),
        TotalTimeMs: times.snapshot(),
      }
      return metricsOf('RequestMetrics', { request: name }, metrics)
    })
  }
}
