/**
 * Event sourcing: the events are the truth, and what is known now follows from them. A compacted topic keeps a snapshot
 * of each state with the offset that it holds up to, so that to begin again takes no longer as the history grows.
 *
 *     npx tsx examples/event-sourcing/main.ts
 */
import assert from 'node:assert/strict'
import { json, Ottla, string } from 'ottla'
import { field, rowsOf } from '../rows.js'

interface PriceChanged {
  readonly month: string
  readonly price: number
}

interface Stock {
  readonly price: number
  readonly highest: number
  readonly changes: number
}

/** A state, and the offset of the first event that is not in it. */
interface Snapshot {
  readonly state: Stock
  readonly next: number
}

const SNAPSHOT_EVERY = 50

await using ottla = await Ottla.open()
const events = await ottla.createTopic('prices', {
  key: string,
  value: json<PriceChanged>(),
  configs: { 'retention.ms': -1 },
})
const snapshots = await ottla.createTopic('price-snapshots', {
  key: string,
  value: json<Snapshot>(),
  configs: { 'cleanup.policy': 'compact' },
})

const apply = (state: Stock | undefined, { price }: PriceChanged): Stock => ({
  price,
  highest: Math.max(state?.highest ?? 0, price),
  changes: (state?.changes ?? 0) + 1,
})

/** Follows the events from where the snapshots end to the end of the log; resolves to how many it had to read. */
const catchUp = async (states: Map<string, Stock>): Promise<number> => {
  const from = new Map<string, number>()
  for await (const { key, value } of snapshots.partition(0).read({ to: 'latest' })) {
    states.set(key ?? '', value.state)
    from.set(key ?? '', value.next)
  }
  // An event before its own snapshot is in it already; where the oldest of them ends, reading begins.
  let read = 0
  const start = from.size === 0 ? 0 : Math.min(...from.values())
  for await (const { key, value, offset } of events.partition(0).read({ from: start, to: 'latest' })) {
    read++
    const symbol = key ?? ''
    if (offset >= (from.get(symbol) ?? 0)) states.set(symbol, apply(states.get(symbol), value))
  }
  return read
}

const rows = [...(await rowsOf('stocks.csv'))].sort(
  (a, b) => Date.parse(field(a, 'date')) - Date.parse(field(b, 'date')),
)
const producer = ottla.producer()
const states = new Map<string, Stock>()
for (const [index, row] of rows.entries()) {
  const symbol = field(row, 'symbol')
  const event = { month: field(row, 'date'), price: Number(field(row, 'price')) }
  const { offset } = await producer.send(events, { key: symbol, value: event })
  states.set(symbol, apply(states.get(symbol), event))
  if ((index + 1) % SNAPSHOT_EVERY > 0) continue
  await producer.send(
    snapshots,
    [...states].map(([key, state]) => ({ key, value: { state, next: offset + 1 } })),
  )
}

const again = new Map<string, Stock>()
const read = await catchUp(again)
console.log(
  `${rows.length} events; to know what they come to, ${read} of them were read again, behind the snapshots:`,
)
for (const [symbol, { price, highest, changes }] of again)
  console.log(
    `${symbol.padEnd(5)} ${price.toFixed(2).padStart(7)}, highest ${highest.toFixed(2)}, after ${changes} changes`,
  )
assert.deepEqual(again, states)
assert.ok(read < SNAPSHOT_EVERY)
