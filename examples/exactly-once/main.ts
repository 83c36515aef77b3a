/**
 * Exactly once: what is read, what is made of it and how far the reading has come count together or not at all. The
 * processor below fails over and over in the middle of its work, and each flight is counted once all the same.
 *
 *     npx tsx examples/exactly-once/main.ts
 */
import assert from 'node:assert/strict'
import { float64, json, Ottla, string } from 'ottla'
import { flights, type Flight } from '../quickstart/records.js'

const FLIGHTS = 20_000
/** Each so-and-so-many-th transaction fails when it has sent everything. */
const FAILS_EVERY = 3

await using ottla = await Ottla.open()
const flown = await ottla.createTopic('flights', { partitions: 3, key: string, value: json<Flight>() })
const delays = await ottla.createTopic('delays', { partitions: 3, key: string, value: float64 })

const source = (await flights()).slice(0, FLIGHTS)
await ottla.producer().send(flown, source)

const group = ottla.consumerGroup('delays', { topics: [flown] })
let transactions = 0
let failures = 0

/** Joins, and works until it fails or has nothing left. */
const work = async (): Promise<boolean> => {
  await using producer = ottla.producer({ transactionalId: 'delays' })
  await using consumer = await group.join({
    enableAutoCommit: false,
    isolationLevel: 'read_committed',
    maxPollRecords: 500,
  })
  const done = new AbortController()
  try {
    await consumer.run({
      signal: done.signal,
      eachBatch: async (batch) => {
        await producer.transaction(async (tx) => {
          for (const { key, value } of batch) void tx.send(delays, { key, value: value.delayMinutes })
          await tx.commitOffsets(consumer, [...batch])
          if (++transactions % FAILS_EVERY === 0) throw new Error('the processor has failed')
        })
        if ((await lag()) === 0) done.abort()
      },
    })
    return true
  } catch {
    failures++
    return false
  }
}

/** How many flights are left. */
const lag = async (): Promise<number> => {
  const committed = await ottla.admin.listConsumerGroupOffsets('delays')
  return source.length - committed.reduce((sum, { offset }) => sum + offset, 0)
}

while (!(await work()));

let count = 0
let minutes = 0
for (const partition of delays.partitions()) {
  for await (const { value } of partition.read({ to: 'latest', isolationLevel: 'read_committed' })) {
    count++
    minutes += value
  }
}
console.log(`${transactions} transactions, ${failures} of them failed and were undone`)
console.log(`${count} flights were ${minutes.toLocaleString('en-US')} minutes late together`)
assert.equal(count, source.length)
assert.equal(
  minutes,
  source.reduce((sum, { value }) => sum + value.delayMinutes, 0),
)
assert.ok(failures > 5)
