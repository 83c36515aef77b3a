/** One signal for many calls, and one Ottla with many readings: no warning of a leak, and all of them end. */
import { json, Ottla, string } from 'ottla'
import { afterEach, beforeEach, expect, it } from 'vitest'

const warnings: string[] = []
const onWarning = ({ name }: Error): void => void warnings.push(name)
beforeEach(() => void process.on('warning', onWarning))
afterEach(() => {
  process.off('warning', onWarning)
  warnings.length = 0
})

/** Warnings come in a turn of their own. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

it('reads in many places at once', async () => {
  await using ottla = await Ottla.open()
  const topic = await ottla.createTopic('t', { partitions: 20, key: string, value: json<number>() })
  const signal = new AbortController()
  const readings = topic.partitions().map(async (partition) => {
    for await (const _message of partition.read({ signal: signal.signal }));
  })
  const outcomes = Promise.allSettled(readings)
  await turn()
  expect(warnings).toEqual([])
  signal.abort(new Error('enough'))
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { message: 'enough' } })
})

it('gives many waits up by one signal', async () => {
  await using ottla = await Ottla.open({ configs: { 'group.initial.rebalance.delay.ms': 60_000 } })
  const topic = await ottla.createTopic('t', { partitions: 20, key: string, value: json<number>() })
  const { signal, abort } = (() => {
    const controller = new AbortController()
    return { signal: controller.signal, abort: () => controller.abort(new Error('enough')) }
  })()
  const consumer = ottla.consumer({ assign: [topic] })
  const producer = ottla.producer({ lingerMs: 60_000, bufferMemory: 1000, batchSize: 1000 })
  const kept = producer.send(topic, { key: 'k', value: 0, partition: 0 })
  const joins = Array.from({ length: 12 }, () =>
    ottla.consumerGroup('g', { topics: [topic] }).join({ signal }),
  )
  const runs = Array.from({ length: 12 }, () => consumer.run({ signal, eachMessage: () => undefined }))
  const flushes = Array.from({ length: 12 }, () => ottla.producer().flush({ signal }))
  const outcomes = Promise.allSettled(joins)
  await turn()
  await Promise.all(flushes)
  abort()
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { message: 'enough' } })
  await Promise.all(runs)
  await turn()
  expect(warnings).toEqual([])
  await producer.flush()
  await kept
})
