/** What @platformatic/kafka makes of a broker. */
import { Consumer, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka'
import type { Measurements } from '../harness/benchmark.js'
import type { ListenerSettings, RunningBroker } from './settings.js'

/** Writes to `topic` and reads it in a group, by a stream; records a second. */
export const platformaticThroughput = async (
  { host, port }: RunningBroker,
  topic: string,
  settings: ListenerSettings,
): Promise<Measurements> => {
  const connection = { clientId: 'benchmark', bootstrapBrokers: [`${host}:${port}`] }
  const producer = new Producer(connection)
  const value = Buffer.alloc(settings.valueBytes, 'some text ')
  const messages = Array.from({ length: settings.recordsPerSend }, (_, index) => ({
    topic,
    value,
    partition: index % settings.partitions,
  }))
  const sends = Math.ceil(settings.records / settings.recordsPerSend)
  let sent = 0
  const produceStart = performance.now()
  const lane = async (): Promise<void> => {
    while (sent++ < sends) await producer.send({ messages, acks: ProduceAcks.ALL })
  }
  await Promise.all(Array.from({ length: settings.sendsInFlight }, lane))
  const count = sends * settings.recordsPerSend
  const produced = count / ((performance.now() - produceStart) / 1000)
  await producer.close()

  const consumer = new Consumer({ ...connection, groupId: `${topic}-readers`, maxWaitTime: 100 })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
  })
  let read = 0
  let start = 0
  for await (const _message of stream) {
    // What joining takes is no part of reading.
    if (read++ === 0) start = performance.now()
    if (read === count) break
  }
  const consumed = (count - 1) / ((performance.now() - start) / 1000)
  await stream.close()
  await consumer.close()
  return { 'platformatic-produce': produced, 'platformatic-consume': consumed }
}
