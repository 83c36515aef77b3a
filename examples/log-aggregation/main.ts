/**
 * Log aggregation: every source writes its own lines, keyed by its name; what belongs together is in one place, in the
 * order of its source, kept as long as the disk budget allows, and found again by time.
 *
 *     npx tsx examples/log-aggregation/main.ts
 */
import assert from 'node:assert/strict'
import { json, Ottla, string } from 'ottla'
import { earthquakes, type Earthquake } from '../quickstart/records.js'

await using ottla = await Ottla.open()
const logs = await ottla.createTopic('logs', {
  partitions: 3,
  key: string,
  value: json<Earthquake>(),
  configs: { 'retention.ms': -1, 'retention.bytes': 10_000_000, 'compression.type': 'gzip' },
})

// Each network of seismographs writes what it has seen, whenever it likes.
const lines = await earthquakes()
const networks = new Map(lines.map(({ key }) => [key, lines.filter((line) => line.key === key)]))
await Promise.all(
  [...networks.values()].map(async (linesOf) => {
    await using producer = ottla.producer({ compressionType: 'gzip', lingerMs: 1 })
    for (const line of linesOf) void producer.send(logs, line)
    await producer.flush()
  }),
)

// Whoever looks for trouble reads from a moment on, in all partitions.
const lastDay = Math.max(...lines.map(({ timestamp = 0 }) => timestamp)) - 24 * 3_600_000
const perSource = new Map<string | null, number[]>()
let strong = 0
for (const partition of logs.partitions()) {
  for await (const { key, value, timestamp } of partition.read({ from: new Date(lastDay), to: 'latest' })) {
    if (timestamp < lastDay) continue
    perSource.set(key, [...(perSource.get(key) ?? []), timestamp])
    if (value.magnitude >= 4.5) strong++
  }
}

const found = [...perSource.values()].reduce((sum, times) => sum + times.length, 0)
console.log(`${lines.length} lines of ${networks.size} sources in ${logs.partitionCount} partitions`)
console.log(
  `in the last day: ${found} lines of ${perSource.size} sources, ${strong} of them of a strong earthquake`,
)
assert.equal(found, lines.filter(({ timestamp = 0 }) => timestamp >= lastDay).length)
for (const times of perSource.values())
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  )
