/** `inprocess`: a log in one process, produced to and consumed from, beside what else a Node process could use. */
import { prepareClassicLevel } from './inprocess/classic-level.js'
import { prepareCodec } from './inprocess/codec.js'
import { prepareOttlaLevel, prepareOttlaMemory } from './inprocess/ottla.js'
import { prepareSqlite } from './inprocess/sqlite.js'
import type { InprocessSettings } from './inprocess/workload.js'
import { defineBenchmark } from './harness/benchmark.js'

export const inprocess = defineBenchmark<InprocessSettings>({
  name: 'inprocess',
  summary: 'append and read in one process, against SQLite and plain LevelDB',
  units: {
    produce: 'records/s',
    consume: 'records/s',
    'consume-iterator': 'records/s',
    'send-single': 'records/s',
    'produce-and-consume': 'records/s',
    'grouped-sends': 'records/s',
    transactional: 'records/s',
    'latency-p50': 'µs',
    'latency-p99': 'µs',
  },
  settings: (smoke) => ({
    valueBytes: 100,
    partitions: 4,
    recordsPerBatch: 1000,
    batchBytes: 131_072,
    batchesInFlight: 8,
    records: smoke ? 8000 : 400_000,
    recordsPerTransaction: 100,
    latencyRecords: smoke ? 50 : 5000,
  }),
  subjects: [
    { name: 'ottla-memory', summary: 'Ottla in memory', prepare: prepareOttlaMemory },
    { name: 'ottla-level', summary: 'Ottla on LevelDB', prepare: prepareOttlaLevel },
    { name: 'better-sqlite3', summary: 'WAL mode, a transaction a batch', prepare: prepareSqlite },
    { name: 'codec', summary: 'the same records encoded and decoded, without a log', prepare: prepareCodec },
    { name: 'classic-level', summary: 'LevelDB, a key a record', prepare: prepareClassicLevel },
  ],
  ratios: [
    {
      name: 'memory-produce',
      metric: 'produce',
      subject: 'ottla-memory',
      against: 'better-sqlite3',
      atLeast: 4,
    },
    {
      name: 'memory-consume',
      metric: 'consume',
      subject: 'ottla-memory',
      against: 'better-sqlite3',
      atLeast: 8,
    },
    {
      name: 'memory-consume-iterator',
      metric: 'consume-iterator',
      subject: 'ottla-memory',
      against: 'better-sqlite3',
      atLeast: 4,
    },
    {
      name: 'level-produce',
      metric: 'produce',
      subject: 'ottla-level',
      against: 'better-sqlite3',
      atLeast: 2.5,
    },
    {
      name: 'memory-send-single',
      metric: 'send-single',
      subject: 'ottla-memory',
      against: 'better-sqlite3',
      againstMetric: 'produce',
      atLeast: 1.2,
    },
    {
      name: 'memory-produce-and-consume',
      metric: 'produce-and-consume',
      subject: 'ottla-memory',
      against: 'codec',
      atLeast: 0.5,
    },
    ...['memory', 'level'].map((name) => ({
      name: `${name}-transactional`,
      metric: 'transactional',
      subject: `ottla-${name}`,
      against: `ottla-${name}`,
      againstMetric: 'grouped-sends',
      atLeast: 0.5,
    })),
    { name: 'level-consume', metric: 'consume', subject: 'ottla-level', against: 'better-sqlite3' },
  ],
  limits: [
    { subject: 'ottla-memory', metric: 'latency-p50', atMost: 50 },
    { subject: 'ottla-memory', metric: 'latency-p99', atMost: 500 },
  ],
})
