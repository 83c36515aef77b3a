/** Metrics as they are handed out: a snapshot under Kafka's names, and how it is put together. */
import type { HistogramSnapshot } from './histogram.js'
import type { Sensor } from './sensor.js'

/** What comes again and again, as Kafka's brokers count it. */
export interface Meter {
  /** How much came since the beginning. */
  readonly count: number
  /** How much of it came per second of late: in the last 30 to 60 seconds. */
  readonly rate: number
}

/** What a metric tells: a number, a {@link Meter}, or the distribution of durations. NaN is a figure that nothing was measured for. */
export type MetricValue = number | Meter | HistogramSnapshot

/** One metric at the moment of the snapshot. */
export interface Metric {
  /** Which part it is about, e.g. `producer-metrics` or `BrokerTopicMetrics`. */
  readonly group: string
  /** Kafka's name for it, e.g. `record-send-rate`. */
  readonly name: string
  /** What tells it from others of its name: `client-id`, `topic`, `partition`, `request`. */
  readonly tags: Readonly<Record<string, string>>
  /** What was measured. */
  readonly value: MetricValue
}

/**
 * Metrics as they were at one moment. `T` says which names there are, and what each one tells.
 *
 * @example
 * ```ts
 * const metrics = producer.metrics()
 * metrics.get('record-send-total') // of the producer
 * metrics.get('record-send-total', { topic: 'orders' }) // of one topic
 * for (const { group, name, tags, value } of metrics) console.log(group, name, tags, value)
 * ```
 */
export class Metrics<T> implements Iterable<Metric> {
  /** All of them, those of a whole before those of its parts. */
  readonly all: readonly Metric[]

  /** @internal */
  constructor(all: readonly Metric[]) {
    this.all = all
  }

  /** The value of the first metric of this name that has these tags; undefined when there is none. */
  get<N extends keyof T & string>(name: N, tags: Readonly<Record<string, string>> = {}): T[N] | undefined {
    const wanted = Object.entries(tags)
    const found = this.all.find(
      (metric) => metric.name === name && wanted.every(([tag, value]) => metric.tags[tag] === value),
    )
    // Whoever made the snapshot promised these types.
    return found?.value as T[N] | undefined
  }

  /** All of them, one after the other. */
  [Symbol.iterator](): Iterator<Metric> {
    return this.all[Symbol.iterator]()
  }
}

/**
 * Of how many topics and of how many partitions a snapshot tells one by one: to put it together takes a few milliseconds
 * at most, however many there are.
 */
export const MAX_TOLD = 1000

/** The metrics of one group with the same tags. */
export const metricsOf = (group: string, tags: Readonly<Record<string, string>>, values: object): Metric[] =>
  Object.entries(values as Readonly<Record<string, MetricValue>>).map(([name, value]) => ({
    group,
    name,
    tags,
    value,
  }))

/** What `sensor` has measured, as a meter. */
export const meterOf = (sensor: Sensor, now: number): Meter => ({
  count: sensor.total,
  rate: sensor.rate(now),
})
