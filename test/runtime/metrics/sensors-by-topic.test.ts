/** Sensors of topics are bounded: in number, and in the time that a topic is remembered which is no longer used. */
import { describe, expect, it } from 'vitest'
import { SensorsByTopic } from '../../../src/runtime/metrics/sensors-by-topic.js'
import { Sensor } from '../../../src/runtime/metrics/sensor.js'

const HOUR_MS = 3_600_000

describe('sensors by topic', () => {
  it('are the same for a topic each time, and listed by its name', () => {
    const sensors = new SensorsByTopic(() => new Sensor())
    sensors.of('b').record(1, 0)
    sensors.of('a').record(2, 0)
    sensors.of('b').record(3, 0)
    expect(sensors.entries(0).map(([topic, { total }]) => [topic, total])).toEqual([
      ['a', 2],
      ['b', 4],
    ])
  })

  it('are forgotten after an hour without a measurement', () => {
    const sensors = new SensorsByTopic(() => new Sensor())
    sensors.of('old').record(1, 0)
    sensors.of('new').record(1, 1)
    const topics = sensors.entries(HOUR_MS).map(([topic]) => topic)
    expect(topics).toEqual(['new'])
  })

  it('are forgotten, those that were quiet for longest, when there are more than a thousand', () => {
    const sensors = new SensorsByTopic(() => new Sensor())
    for (let topic = 0; topic < 1000; topic++) sensors.of(`t${topic}`).record(1, topic)
    sensors.of('t0').record(1, 1000)
    sensors.of('one more').record(1, 1001)
    const topics = new Set(sensors.entries(1001).map(([topic]) => topic))
    expect(topics.size).toBe(1000)
    expect([topics.has('t0'), topics.has('t1'), topics.has('one more')]).toEqual([true, false, true])
  })
})
