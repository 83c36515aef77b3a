/** Sensors of a client for each topic that it has to do with: no more than a bound, and none for topics long left. */

import { MAX_TOLD } from './metrics.js'

/** After this time without a measurement a topic is forgotten, in milliseconds; Kafka's for inactive sensors. */
const INACTIVE_MS = 3_600_000

/** Sensors that know when the last measurement came. */
export interface TopicSensors {
  readonly lastAt: number
}

/** Topic to its sensors. Of more than {@link MAX_TOLD}, those are forgotten that were quiet for longest. */
export class SensorsByTopic<S extends TopicSensors> {
  readonly #create: () => S
  readonly #topics = new Map<string, S>()

  constructor(create: () => S) {
    this.#create = create
  }

  /** The sensors of `topic`, made when it has none. */
  of(topic: string): S {
    const known = this.#topics.get(topic)
    if (known !== undefined) return known
    if (this.#topics.size >= MAX_TOLD) this.#forgetQuietest()
    const sensors = this.#create()
    this.#topics.set(topic, sensors)
    return sensors
  }

  /** Those that are not inactive, by name; the others are forgotten. */
  entries(now: number): [topic: string, sensors: S][] {
    for (const [topic, { lastAt }] of this.#topics) {
      if (now - lastAt >= INACTIVE_MS) this.#topics.delete(topic)
    }
    return [...this.#topics].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  #forgetQuietest(): void {
    let quietest: string | undefined
    let since = Infinity
    for (const [topic, { lastAt }] of this.#topics) {
      if (lastAt >= since) continue
      quietest = topic
      since = lastAt
    }
    if (quietest !== undefined) this.#topics.delete(quietest)
  }
}
