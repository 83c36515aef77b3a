/** `listener`: Ottla as a broker, beside Apache Kafka and kfake, driven by the same clients. */
import { defineBenchmark, type Measurements, type Subject } from './harness/benchmark.js'
import { withTempFolder } from './harness/temp-folder.js'
import { apacheKafka, kfake, ottlaBroker, type StartBroker } from './listener/brokers.js'
import { javaThroughput } from './listener/java.js'
import { createTopics, kafkajsLatency, kafkajsThroughput } from './listener/kafkajs.js'
import { platformaticThroughput } from './listener/platformatic.js'
import type { ListenerSettings } from './listener/settings.js'

const sample = (start: StartBroker, settings: ListenerSettings): Promise<Measurements> =>
  withTempFolder(async (folder) => {
    const broker = await start(folder)
    try {
      const { startMs } = broker
      await createTopics(broker, ['kafkajs', 'platformatic', 'java'], settings.partitions)
      await createTopics(broker, ['latency'], 1)
      return {
        start: startMs,
        ...(await kafkajsLatency(broker, 'latency', settings)),
        ...(await kafkajsThroughput(broker, 'kafkajs', settings)),
        ...(await platformaticThroughput(broker, 'platformatic', settings)),
        ...(await javaThroughput(broker, 'java', settings)),
        rss: broker.rssMb(),
      }
    } finally {
      await broker.stop()
    }
  })

const subject = (name: string, summary: string, broker: () => StartBroker): Subject<ListenerSettings> => ({
  name,
  summary,
  prepare: async (settings) => {
    const start = broker()
    return { sample: () => sample(start, settings) }
  },
})

const THROUGHPUT = [
  'kafkajs-produce',
  'kafkajs-consume',
  'platformatic-produce',
  'platformatic-consume',
  'java-produce',
  'java-consume',
] as const

const throughput = (storage: string, against: string, atLeast: (metric: string) => number) =>
  THROUGHPUT.map((metric) => ({
    name: `${storage}-${metric}-${against}`,
    metric,
    subject: `ottla-${storage}`,
    against,
    atLeast: atLeast(metric),
  }))

/** Turned round, so that more is better: `share` of what Apache Kafka takes, at most. */
const atMost = (storage: string, metric: string, share: number) => ({
  name: `apache-kafka-${metric}-${storage}`,
  metric,
  subject: 'apache-kafka',
  against: `ottla-${storage}`,
  atLeast: 1 / share,
})

export const listener = defineBenchmark<ListenerSettings>({
  name: 'listener',
  summary: 'a broker on a socket: Ottla, Apache Kafka and kfake, driven by the same clients',
  units: {
    ...Object.fromEntries(THROUGHPUT.map((metric) => [metric, 'records/s'])),
    'latency-p50': 'ms',
    'latency-p99': 'ms',
    start: 'ms',
    rss: 'MB',
  },
  // Every sample starts a broker, and warms it up by what comes first.
  warmUpSamples: 0,
  samples: 3,
  settings: (smoke) => ({
    records: smoke ? 5_000 : 300_000,
    valueBytes: 100,
    partitions: 4,
    recordsPerSend: 1000,
    sendsInFlight: 5,
    latencyRecords: smoke ? 20 : 500,
  }),
  subjects: [
    subject('ottla-memory', 'in memory', () => ottlaBroker('memory')),
    subject('ottla-level', 'on LevelDB', () => ottlaBroker('level')),
    subject('ottla-file', 'in segment files', () => ottlaBroker('file')),
    subject('apache-kafka', 'Apache Kafka 4.3, broker and controller in one', apacheKafka),
    subject('kfake', "franz-go's broker in memory", kfake),
  ],
  ratios: [
    ...throughput('memory', 'apache-kafka', (metric) => (metric.startsWith('java') ? 1 : 1.1)),
    ...throughput('memory', 'kfake', () => 0.95),
    ...throughput('level', 'apache-kafka', () => 1),
    ...throughput('file', 'apache-kafka', () => 1),
    atMost('memory', 'latency-p50', 0.7),
    atMost('memory', 'start', 0.05),
    atMost('level', 'rss', 0.3),
    atMost('file', 'rss', 0.3),
  ],
})
