/**
 * Activity tracking: one stream, many readers. What happened on a site is written once, in the order of its time; a group
 * that counts by hour and one that counts by weekday read all of it, each at its own pace, one of them a day later.
 *
 *     npx tsx examples/activity-tracking/main.ts
 */
import assert from 'node:assert/strict'
import { json, Ottla, string, type Topic } from 'ottla'
import { field, rowsOf } from '../rows.js'

interface Activity {
  readonly commits: number
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

await using ottla = await Ottla.open()
const activity = await ottla.createTopic('activity', {
  partitions: 4,
  key: string,
  value: json<Activity>(),
  configs: { 'retention.ms': -1 },
})

const rows = await rowsOf('github.csv')
const timeOf = (text: string): number => Date.parse(`${text.replaceAll('/', '-').replace(' ', 'T')}Z`)
await ottla.producer().send(
  activity,
  rows.map((row) => ({
    key: field(row, 'time').slice(0, 10),
    value: { commits: Number(field(row, 'count')) },
    timestamp: timeOf(field(row, 'time')),
  })),
)

/** Reads the whole stream as a group of its own, and sums what `bucketOf` puts together. */
const sums = async (
  groupId: string,
  topic: Topic<string, Activity>,
  bucketOf: (time: Date) => string,
): Promise<Map<string, number>> => {
  const totals = new Map<string, number>()
  const done = new AbortController()
  const consumer = await ottla.consumerGroup(groupId, { topics: [topic] }).join()
  let seen = 0
  await consumer.run({
    signal: done.signal,
    eachBatch: ({ messages }) => {
      for (const { value, timestamp } of messages) {
        const bucket = bucketOf(new Date(timestamp))
        totals.set(bucket, (totals.get(bucket) ?? 0) + value.commits)
      }
      seen += messages.length
      if (seen === rows.length) done.abort()
    },
  })
  await consumer.close()
  return totals
}

const byHour = await sums('hours', activity, (time) => `${String(time.getUTCHours()).padStart(2, '0')}:00`)
const byDay = await sums('weekdays', activity, (time) => WEEKDAYS[time.getUTCDay()] ?? '')

const best = (totals: Map<string, number>): [string, number] =>
  [...totals].reduce((most, each) => (each[1] > most[1] ? each : most))
const total = rows.reduce((sum, row) => sum + Number(field(row, 'count')), 0)
console.log(`${rows.length} hours with ${total} commits, read twice`)
console.log(`most work is done at ${best(byHour).join(': ')}`)
console.log(`and on a ${best(byDay).join(': ')}`)
for (const totals of [byHour, byDay]) {
  assert.equal(
    [...totals.values()].reduce((sum, each) => sum + each, 0),
    total,
  )
}
