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
    const singles = await ottla.createTopic('singles', { partitions, key: bytes, value: bytes })
    const both = await ottla.createTopic('both', { partitions, key: bytes, value: bytes })
    const groups = await ottla.createTopic('groups', { partitions, key: bytes, value: bytes })
    return {
      produce: produced,
      consume: consumed,
      'consume-iterator': iterated,
      'send-single': await perSecond(settings, () => sendSingles(ottla, singles, settings)),
      'produce-and-consume': await produceAndConsume(ottla, both, settings),
      'grouped-sends': await groupedSends(ottla, groups, settings, false),
      transactional: await groupedSends(ottla, groups, settings, true),
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

/** One record a call, none of them awaited before the next; they are counted in at the end. */
const sendSingles = async (ottla: Ottla, topic: BytesTopic, settings: InprocessSettings): Promise<void> => {
  const values = makeValues(settings)
  const producer = ottla.producer({ batchSize: settings.batchBytes })
  for (let batch = 0; batch < batchCountOf(settings); batch++) {
    let last: Promise<unknown> | undefined
    for (const value of values) last = producer.send(topic, { value })
    // Only so that what is sent can be on its way: nobody calls a million times without a turn of the event loop.
    if (batch % settings.batchesInFlight === 0) await last
  }
  await producer.close()
}

/** Records a second through the log, a member of a group reading while they are sent. */
const produceAndConsume = async (
  ottla: Ottla,
  topic: BytesTopic,
  settings: InprocessSettings,
): Promise<number> => {
  const consumer = await ottla.consumerGroup('both', readingAs(topic, settings)).join()
  const reader = new Reader(settings)
  const done = new AbortController()
  const rate = await perSecond(settings, async () => {
    const reading = consumer.run({
      signal: done.signal,
      eachBatch: (batch) => {
        for (const message of batch.messages) reader.see(message.offset, message.value)
        if (reader.isDone) done.abort()
      },
    })
    await Promise.all([produce(ottla, topic, settings), reading])
  })
  reader.check()
  await consumer.close()
  return rate
}

/** So many records a send, each awaited before the next; with `isTransactional` each is a transaction. */
const groupedSends = async (
  ottla: Ottla,
  topic: BytesTopic,
  { recordsPerTransaction, ...settings }: InprocessSettings,
  isTransactional: boolean,
): Promise<number> => {
  const records = makeValues({
    ...settings,
    recordsPerTransaction,
    recordsPerBatch: recordsPerTransaction,
  }).map((value) => ({ value }))
  const producer = ottla.producer(isTransactional ? { transactionalId: 'bench' } : {})
  const workload = {
    ...settings,
    recordsPerTransaction,
    recordsPerBatch: recordsPerTransaction,
  }
  const rate = await perSecond(workload, async () => {
    for (let group = 0; group < batchCountOf(workload); group++) {
      if (isTransactional) await producer.transaction((tx) => tx.send(topic, records))
      else await producer.send(topic, records)
    }
  })
  await producer.close()
  return rate
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
  // The first pay for what is set up once: partitions opened, ids fetched, code compiled.
  const warmUpRecords = settings.latencyRecords
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
