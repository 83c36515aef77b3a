/**
 * Metrics: measurements of many places come together in one topic; a processor sums them up by month as they come, and
 * writes the sums to another, of which only the newest of each key is of interest.
 *
 *     npx tsx examples/metrics/main.ts
 */
import assert from 'node:assert/strict'
import { json, Ottla, string } from 'ottla'
import { field, rowsOf, type Row } from '../rows.js'

interface Measurement {
  readonly date: string
  readonly rainMm: number
}

interface Month {
  readonly days: number
  readonly rainMm: number
}

await using ottla = await Ottla.open()
const measured = await ottla.createTopic('weather', {
  partitions: 2,
  key: string,
  value: json<Measurement>(),
})
const months = await ottla.createTopic('weather-by-month', {
  key: string,
  value: json<Month>(),
  configs: { 'cleanup.policy': 'compact' },
})

const rows = await rowsOf('weather.csv')
const rainOf = (row: Row): number => Number(field(row, 'precipitation'))
const stations = new Map<string, Row[]>()
for (const row of rows)
  stations.set(field(row, 'location'), [...(stations.get(field(row, 'location')) ?? []), row])

/** A station sends what it has measured, a year at a time. */
const report = async (location: string, days: readonly Row[]): Promise<void> => {
  await using producer = ottla.producer()
  for (let at = 0; at < days.length; at += 365) {
    await producer.send(
      measured,
      days.slice(at, at + 365).map((row) => ({
        key: location,
        value: { date: field(row, 'date'), rainMm: rainOf(row) },
      })),
    )
  }
}

const done = new AbortController()
const processor = await ottla.consumerGroup('by-month', { topics: [measured] }).join()
const sums = new Map<string, Month>()
const producer = ottla.producer()
let seen = 0
const processing = processor.run({
  signal: done.signal,
  eachBatch: async ({ messages }) => {
    const changed = new Set<string>()
    for (const { key, value } of messages) {
      const month = `${key} ${value.date.slice(0, 7)}`
      const { days, rainMm } = sums.get(month) ?? { days: 0, rainMm: 0 }
      sums.set(month, { days: days + 1, rainMm: rainMm + value.rainMm })
      changed.add(month)
    }
    await producer.send(
      months,
      [...changed].flatMap((key) => {
        const value = sums.get(key)
        return value === undefined ? [] : [{ key, value }]
      }),
    )
    seen += messages.length
    if (seen === rows.length) done.abort()
  },
})
await Promise.all([...stations].map(([location, days]) => report(location, days)))
await processing
await processor.close()

// A dashboard needs no more than the newest of each key.
const newest = new Map<string | null, Month>()
for await (const { key, value } of months.partition(0).read({ to: 'latest' })) newest.set(key, value)
const wettest = [...newest].sort(([, a], [, b]) => b.rainMm - a.rainMm).slice(0, 3)
console.log(
  `${rows.length} days of ${[...stations.keys()].join(' and ')} are ${newest.size} months; the wettest:`,
)
for (const [month, { rainMm, days }] of wettest)
  console.log(`${month}  ${rainMm.toFixed(1)} mm in ${days} days`)
for (const [month, { days, rainMm }] of newest) {
  const of = rows.filter((row) => `${field(row, 'location')} ${field(row, 'date').slice(0, 7)}` === month)
  assert.equal(days, of.length)
  assert.ok(Math.abs(rainMm - of.reduce((sum, row) => sum + rainOf(row), 0)) < 1e-6)
}
