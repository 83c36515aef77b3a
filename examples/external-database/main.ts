/**
 * Exactly once into a database that knows nothing of Kafka: the rows and the offset behind them go into SQLite in one
 * transaction, and a consumer begins where SQLite says. Kill it whenever you like, and start it again on the same folder:
 * no row is lost, and none is there twice.
 *
 *     npm ci --prefix examples/external-database
 *     npx tsx examples/external-database/main.ts [FOLDER]
 */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { json, Ottla, string, type MessageBatch, type MessageOf, type OffsetStore } from 'ottla'
import { flights, type Flight } from '../quickstart/records.js'

/** How many flights each start adds. */
const FLIGHTS = 5_000

const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'ottla-example-'))
const database = new Database(join(folder, 'delays.sqlite'))
database.pragma('journal_mode = WAL')
database.exec(`
  CREATE TABLE IF NOT EXISTS delays (route TEXT, minutes REAL, partition INTEGER, offset INTEGER);
  CREATE TABLE IF NOT EXISTS offsets (topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (topic, partition));
`)

const find = database.prepare('SELECT next FROM offsets WHERE topic = ? AND partition = ?')
const insert = database.prepare('INSERT INTO delays VALUES (?, ?, ?, ?)')
// Changes nothing when another consumer, which has the partition by now, was there first.
const advance = database.prepare(`
  INSERT INTO offsets VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET next = excluded.next WHERE next <= ?
`)

const offsetStore: OffsetStore = {
  load: (partitions) =>
    partitions.flatMap(({ topic, partition }) => {
      const row = find.get(topic, partition) as { readonly next: number } | undefined
      return row === undefined ? [] : [{ topic, partition, offset: row.next }]
    }),
}

const store = database.transaction((batch: MessageBatch<FlightMessage>) => {
  const { topic, partition, firstOffset, lastOffset } = batch
  const { changes } = advance.run(topic, partition, lastOffset + 1, firstOffset)
  assert.equal(changes, 1, `another consumer has ${topic}-${partition}`)
  for (const { key, value, offset } of batch) insert.run(key, value.delayMinutes, partition, offset)
})

await using ottla = await Ottla.open(join(folder, 'log'))
const flown = await ottla.createTopic('flights', { partitions: 3, key: string, value: json<Flight>() })
type FlightMessage = MessageOf<typeof flown>

await ottla.producer().send(flown, (await flights()).slice(0, FLIGHTS))
console.log(`ready, in ${folder}`)

const consumer = await ottla
  .consumerGroup('delays', { topics: [flown], offsetStore })
  .join({ maxPollRecords: 20 })
const ends = await consumer.endOffsets()
const isDone = (): boolean =>
  ends.every(({ topic, partition, offset }) => {
    const row = find.get(topic, partition) as { readonly next: number } | undefined
    return offset === 0 || (row !== undefined && row.next >= offset)
  })
const done = new AbortController()
if (isDone()) done.abort()
await consumer.run({
  signal: done.signal,
  eachBatch: (batch) => {
    store(batch)
    if (isDone()) done.abort()
  },
})

const { count, once, minutes } = database
  .prepare(
    `SELECT COUNT(*) AS count, COUNT(DISTINCT partition || '/' || offset) AS once, SUM(minutes) AS minutes FROM delays`,
  )
  .get() as Record<'count' | 'once' | 'minutes', number>
let expected = 0
for (const partition of flown.partitions())
  for await (const { value } of partition.read({ to: 'latest' })) expected += value.delayMinutes
console.log(
  `${count} flights in the log and in SQLite, ${minutes.toLocaleString('en-US')} minutes late together`,
)
assert.equal(
  count,
  ends.reduce((sum, { offset }) => sum + offset, 0),
)
assert.equal(once, count)
assert.equal(minutes, expected)
database.close()
