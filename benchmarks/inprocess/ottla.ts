/** The subjects of `inprocess` that are Ottla: through the public API, in memory and on LevelDB. */
import type { Ottla, Topic } from 'ottla'
import type { ReadySubject } from '../harness/benchmark.js'
import { percentile } from '../harness/measure.js'
import { loadOttla, type OttlaModule } from '../harness/ottla.js'
import { withTempFolder } from '../harness/temp-folder.js'
import { batchCountOf, makeValues, perSecond, Reader, type InprocessSettings } from './workload.js'

type BytesTopic = Topic<Uint8Array, Uint8Array>

/** In memory. */
export const prepareOttlaMemory = async (settings: InprocessSettings): Promise<ReadySubject> => {
  const module = await loadOttla()
  return { sample: () => sample(module, settings, () => module.Ottla.open()) }
}

/** On LevelDB, with the defaults. */
export const prepareOttlaLevel = async (settings: InprocessSettings): Promise<ReadySubject> => {
  const module = await loadOttla()
  return {
    sample: () => withTempFolder((folder) => sample(module, settings, () => module.Ottla.open(folder))),
  }
}

const sample = async (
  { bytes }: OttlaModule,
  settings: InprocessSettings,
  open: () => Promise<Ottla>,
): Promise<Record<string, number>> => {
  const ottla = await open()
  try {
    const { partitions } = settings
    const topic = await ottla.createTopic('log', { partitions, key: bytes, value: bytes })
    const produced = await perSecond(settings, () => produce(ottla, topic, settings))
    const consumed = await consume(ottla, topic, settings)
    const iterated = await consumeByIterator(ottla, topic, settings)
    const single = await ottla.createTopic('single', { partitions, key: bytes, value: bytes })
    const latencies = await latenciesOf(ottla, single, settings)
    return {
      produce: produced,
      consume: consumed,
      'consume-iterator': iterated,
      'latency-p50': percentile(latencies, 0.5),
      'latency-p99': percentile(latencies, 0.99),
    }
  } finally {
    await ottla.close()
  }
}

const produce = async (ottla: Ottla, topic: BytesTopic, settings: InprocessSettings): Promise<void> => {
  const records = makeValues(settings).map((value) => ({ value }))
  const producer = ottla.producer({ batchSize: settings.batchBytes })
  const inFlight = new Set<Promise<unknown>>()
  for (let batch = 0; batch < batchCountOf(settings); batch++) {
    const sent = producer.send(topic, records)
    inFlight.add(sent)
    void sent.then(() => inFlight.delete(sent))
    if (inFlight.size >= settings.batchesInFlight) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
  await producer.close()
}

/** As many records at a time as the peers get. */
const readingAs = (topic: BytesTopic, { recordsPerBatch }: InprocessSettings) => ({
  topics: [topic],
  maxPollRecords: recordsPerBatch,
})

const consume = async (ottla: Ottla, topic: BytesTopic, settings: InprocessSettings): Promise<number> => {
  const consumer = await ottla.consumerGroup('batches', readingAs(topic, settings)).join()
  const reader = new Reader(settings)
  const done = new AbortController()
  const rate = await perSecond(settings, () =>
    consumer.run({
      signal: done.signal,
      eachBatch: (batch) => {
        for (const message of batch.messages) reader.see(message.offset, message.value)
        if (reader.isDone) done.abort()
      },
    }),
  )
  reader.check()
  await consumer.close()
  return rate
}

const consumeByIterator = async (
  ottla: Ottla,
  topic: BytesTopic,
  settings: InprocessSettings,
): Promise<number> => {
  const consumer = await ottla.consumerGroup('iterator', readingAs(topic, settings)).join()
  const reader = new Reader(settings)
  const rate = await perSecond(settings, async () => {
    for await (const message of consumer) {
      reader.see(message.offset, message.value)
      if (reader.isDone) break
    }
  })
  reader.check()
  await consumer.close()
  return rate
}

/** Microseconds from the call of `send` to the moment at which a waiting member of a group has the record. */
const latenciesOf = async (
  ottla: Ottla,
  topic: BytesTopic,
  settings: InprocessSettings,
): Promise<number[]> => {
  const consumer = await ottla.consumerGroup('latency', { topics: [topic] }).join()
  const producer = ottla.producer()
  const done = new AbortController()
  let arrived: (at: number) => void = () => undefined
  const running = consumer.run({
    signal: done.signal,
    eachMessage: () => arrived(performance.now()),
  })
  const value = makeValues(settings)[0]!
  const latencies: number[] = []
  // The first few pay for what is set up once: partitions opened, ids fetched, code compiled.
  const warmUpRecords = Math.ceil(settings.latencyRecords / 10)
  for (let index = 0; index < warmUpRecords + settings.latencyRecords; index++) {
    const arrival = new Promise<number>((resolve) => (arrived = resolve))
    const start = performance.now()
    await producer.send(topic, { value })
    const microseconds = ((await arrival) - start) * 1000
    if (index >= warmUpRecords) latencies.push(microseconds)
  }
  done.abort()
  await running
  await producer.close()
  await consumer.close()
  return latencies
}
