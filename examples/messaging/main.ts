/**
 * Messaging: work that is shared. Reports of bird strikes wait in a topic; three clerks of one group take them, each
 * report goes to one of them, and those that lack what the clerks need end up where somebody will look.
 *
 *     npx tsx examples/messaging/main.ts
 */
import assert from 'node:assert/strict'
import { json, Ottla, string } from 'ottla'
import { field, rowsOf, type Row } from '../rows.js'

const CLERKS = ['ada', 'grace', 'linus']

await using ottla = await Ottla.open()
const reports = await ottla.createTopic('reports', { partitions: 6, key: string, value: json<Row>() })
const incomplete = await ottla.createTopic('reports-incomplete', { key: string, value: string })

const rows = (await rowsOf('birdstrikes.csv')).slice(0, 3000)
await ottla.producer().send(
  reports,
  rows.map((row) => ({ key: field(row, 'Origin State'), value: row })),
)

/** How fast the aircraft was, in knots. @throws Error for a report that does not say. */
const speedOf = (report: Row): number => {
  const knots = field(report, 'Speed IAS in knots')
  if (knots === '') throw new Error('the report does not say how fast the aircraft was')
  return Number(knots)
}

const done = new AbortController()
let left = rows.length
const finished = (): void => {
  if (--left === 0) done.abort()
}

const group = ottla.consumerGroup('clerks', { topics: [reports] })
const members = await Promise.all(CLERKS.map(() => group.join()))
const handled = CLERKS.map(() => 0)
let knots = 0
const working = members.map((member, clerk) =>
  member.run({
    signal: done.signal,
    onFailure: { maxAttempts: 2, retryBackoffMs: 1, deadLetters: incomplete },
    eachMessage: ({ value }) => {
      knots += speedOf(value)
      handled[clerk] = (handled[clerk] ?? 0) + 1
      finished()
    },
  }),
)
let letters = 0
const reading = incomplete.partition(0).read({ signal: done.signal })
try {
  for await (const { headers } of reading) {
    assert.ok(headers.some(({ key }) => key.startsWith('__ottla.errors.')))
    letters++
    finished()
  }
} catch (error) {
  if (!done.signal.aborted) throw error
}
await Promise.all(working)
await Promise.all(members.map((member) => member.close()))

for (const [index, clerk] of CLERKS.entries()) console.log(`${clerk.padEnd(6)} ${handled[index]} reports`)
const complete = rows.filter((row) => field(row, 'Speed IAS in knots') !== '')
console.log(`${letters} of ${rows.length} reports lack the speed, and wait in ${incomplete.name}`)
console.log(`birds are struck at ${(knots / complete.length).toFixed(0)} knots on average`)
assert.equal(letters, rows.length - complete.length)
assert.equal(
  knots,
  complete.reduce((sum, row) => sum + speedOf(row), 0),
)
