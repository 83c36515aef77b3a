/** What kafkajs makes of a broker. */
import { once } from 'node:events'
import { Kafka, logLevel } from 'kafkajs'
import type { Measurements } from '../harness/benchmark.js'
import type { ListenerSettings, RunningBroker } from './settings.js'

const connectTo = ({ host, port }: RunningBroker): Kafka =>
  new Kafka({ clientId: 'benchmark', brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING })

/** How long a broker may take until it knows of the topics that it was told to create. */
const KNOWN_WITHIN_MS = 30_000

/** Creates the topics that the clients use. */
export const createTopics = async (
  broker: RunningBroker,
  names: readonly string[],
  numPartitions: number,
): Promise<void> => {
  const admin = connectTo(broker).admin()
  await admin.connect()
  const topics = names.map((topic) => ({ topic, numPartitions, replicationFactor: 1 }))
  // kafkajs would wait for leaders, but gives up on a broker that does not know of the topics yet.
  await admin.createTopics({ topics, waitForLeaders: false })
  const isKnown = async (): Promise<boolean> => {
    // It throws what a broker says of a topic that has no leader yet.
    const { topics: known } = await admin.fetchTopicMetadata().catch(() => ({ topics: [] }))
    return names.every((name) => {
      const topic = known.find((one) => one.name === name)
      return topic?.partitions.length === numPartitions && topic.partitions.every(({ leader }) => leader >= 0)
    })
  }
  for (const start = performance.now(); !(await isKnown());) {
    if (performance.now() - start > KNOWN_WITHIN_MS) throw new Error(`${names.join(', ')}: not there in time`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await admin.disconnect()
}

/** Writes to `topic` and reads it in a group, by `eachBatch`; records a second. */
export const kafkajsThroughput = async (
  broker: RunningBroker,
  topic: string,
  settings: ListenerSettings,
): Promise<Measurements> => {
  const kafka = connectTo(broker)
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const value = Buffer.alloc(settings.valueBytes, 'some text ')
  const messages = Array.from({ length: settings.recordsPerSend }, (_, index) => ({
    value,
    partition: index % settings.partitions,
  }))
  const sends = Math.ceil(settings.records / settings.recordsPerSend)
  let sent = 0
  const produceStart = performance.now()
  const lane = async (): Promise<void> => {
    while (sent++ < sends) await producer.send({ topic, messages, acks: -1 })
  }
  await Promise.all(Array.from({ length: settings.sendsInFlight }, lane))
  const produced = (sends * settings.recordsPerSend) / ((performance.now() - produceStart) / 1000)
  await producer.disconnect()

  const consumer = kafka.consumer({ groupId: `${topic}-readers`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const count = sends * settings.recordsPerSend
  let left = count
  let first = 0
  const elapsedMs = await new Promise<number>((resolve, reject) => {
    const eachBatch = async ({ batch }: { batch: { messages: readonly unknown[] } }): Promise<void> => {
      // What joining takes is no part of reading.
      if (left === count) first = batch.messages.length
      if (first === batch.messages.length && left === count) start = performance.now()
      left -= batch.messages.length
      if (left === 0) resolve(performance.now() - start)
    }
    let start = 0
    consumer.run({ eachBatch }).catch(reject)
  })
  await consumer.disconnect()
  return { 'kafkajs-produce': produced, 'kafkajs-consume': (count - first) / (elapsedMs / 1000) }
}

/** Sends one record at a time, and waits until a consumer of a group has it; milliseconds. */
export const kafkajsLatency = async (
  broker: RunningBroker,
  topic: string,
  { latencyRecords, valueBytes }: ListenerSettings,
): Promise<Measurements> => {
  const kafka = connectTo(broker)
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  const consumer = kafka.consumer({ groupId: `${topic}-readers`, maxWaitTimeInMs: 500 })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const arrivals = new EventTarget()
  await consumer.run({
    eachMessage: async () => {
      arrivals.dispatchEvent(new Event('arrival'))
    },
  })
  const value = Buffer.alloc(valueBytes, 'some text ')
  const elapsed: number[] = []
  // The first ones wait for the group; they warm up what follows.
  for (let index = -20; index < latencyRecords; index++) {
    const arrived = once(arrivals, 'arrival')
    const start = performance.now()
    await producer.send({ topic, messages: [{ value }], acks: -1 })
    await arrived
    if (index >= 0) elapsed.push(performance.now() - start)
  }
  await Promise.all([producer.disconnect(), consumer.disconnect()])
  elapsed.sort((a, b) => a - b)
  const at = (share: number): number => elapsed[Math.floor(elapsed.length * share)]!
  return { 'latency-p50': at(0.5), 'latency-p99': at(0.99) }
}
