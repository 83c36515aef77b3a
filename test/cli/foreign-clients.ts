/** What the tests of the command ask it for, as any Kafka client would. */
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs'
import { metadata } from '../../src/protocol/api/metadata.js'
import { WireClient } from '../support/wire-client.js'

/** kafkajs, which tries everything once. */
export const kafkaAt = (port: number, options: Partial<KafkaConfig> = {}): Kafka =>
  new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    ...options,
  })

/** Sends `values` to `topic`, and waits until they are acknowledged. */
export const produce = async (kafka: Kafka, topic: string, ...values: readonly string[]): Promise<void> => {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  try {
    await producer.send({ topic, messages: values.map((value) => ({ key: 'k', value })) })
  } finally {
    await producer.disconnect()
  }
}

/** The first `count` values that a new group finds in `topic`. */
export const consume = async (kafka: Kafka, topic: string, count: number): Promise<string[]> => {
  const consumer = kafka.consumer({ groupId: 'test', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const seen: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          seen.push(String(message.value))
          if (seen.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return seen
}

/** What the broker at `port` says of itself: its address, and its topics with their numbers of partitions. */
export const describeBroker = async (
  port: number,
): Promise<{ brokers: string[]; topics: Record<string, number> }> => {
  const client = await WireClient.connect(port)
  const { brokers, topics } = await client.call(metadata, 9, {
    topics: null,
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
    includeClusterAuthorizedOperations: false,
  })
  client.close()
  return {
    brokers: brokers.map(({ host, port: at }) => `${host}:${at}`),
    topics: Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length])),
  }
}
