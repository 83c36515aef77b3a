/**
 * The quickstart: real records into a durable log, a group that shares them, a reopening, and two ways to read what is
 * already there. Run it again and it goes on from what the last run left.
 *
 *     npm start [FOLDER]
 */
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Dashboard } from './dashboard.js'
import { lag, openLog, recordCount } from './log.js'
import { load } from './load.js'
import { airportCities, earthquakes, flights, routes } from './records.js'
import { Statistics } from './statistics.js'
import { bar, heading, line, megabytes, number, table } from './terminal.js'

const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('data', import.meta.url)))
const startedAt = performance.now()
const secondsSince = (start: number): number => (performance.now() - start) / 1000

// ── Write ──
heading(`A durable log in ${relative(process.cwd(), folder) || '.'}, kept by LevelDB`)
let log = await openLog(folder)
const before = await recordCount(log)
line(before === 0 ? '  it is new' : `  ${number(before)} records are there already; this run adds to them`)
const sources = { quakes: await earthquakes(), flights: await flights(), routes: await routes() }
await load(log.ottla, log.quakes, sources.quakes)
await load(log.ottla, log.routed, sources.routes)
await load(log.ottla, log.flown, sources.flights)

// ── Share ──
const statistics = new Statistics()
const waiting = await lag(log, 'dashboard')
heading(`Three members of the group "dashboard" share ${number(waiting)} records`)
let dashboard = new Dashboard(log, statistics)
const consumingSince = performance.now()
await dashboard.join('ada', 'grace', 'linus')
await dashboard.until(waiting / 3)
line(`\n  linus leaves after ${number(dashboard.consumedCount)} records; the others take over:`)
await dashboard.leave('linus')
await dashboard.until((waiting * 2) / 3)
await dashboard.close()
const consumedBefore = dashboard.consumedCount
const consumingSeconds = secondsSince(consumingSince)

// ── Reopen ──
heading('The log is closed and opened again')
await log.ottla.close()
const reopeningSince = performance.now()
log = await openLog(folder)
line(
  `  opened in ${(secondsSince(reopeningSince) * 1000).toFixed(0)} ms, with ${number(await recordCount(log))} records`,
)

const left = await lag(log, 'dashboard')
line(`  the group had committed ${number(consumedBefore)} records and goes on with the other ${number(left)}`)
dashboard = new Dashboard(log, statistics)
await dashboard.join('ada')
await dashboard.until(left)
await dashboard.close()

const lastDay = new Date((sources.quakes.at(-1)?.timestamp ?? 0) - 24 * 3_600_000)
let replayed = 0
for (const partition of log.quakes.partitions()) {
  for await (const { timestamp } of partition.read({ from: lastDay, to: 'latest' })) {
    // It begins where the log first reaches that time; what an earlier run wrote may lie behind and be older.
    if (timestamp >= lastDay.getTime()) replayed++
  }
}
line(
  `  read again from ${lastDay.toISOString().slice(0, 16).replace('T', ' ')} on: ${number(replayed)} earthquakes of the last day`,
)

// ── Tell ──
const cities = await airportCities()
heading('Strongest earthquakes of the week')
table(
  statistics
    .strongestEarthquakes(5)
    .map(({ quake, timestamp }) => [
      `M ${quake.magnitude.toFixed(1)}  ${quake.place}`,
      new Date(timestamp).toISOString().slice(0, 16).replace('T', ' '),
      `${quake.depthKm.toFixed(0)} km deep`,
    ]),
)
heading('Busiest airports, by departures in 2008')
const airports = statistics.busiestAirports(5)
table(
  airports.map(([airport, departures]) => [
    `${airport}  ${cities.get(airport) ?? ''}`,
    number(departures),
    bar(departures, airports[0]?.[1] ?? 1),
  ]),
)
heading('Average delay by hour of departure, in minutes')
const delays = statistics.delaysByHour()
const longest = Math.max(...delays.map(([, minutes]) => minutes))
table(delays.map(([hour, minutes]) => [hour, minutes.toFixed(1), bar(minutes, longest)]))

heading('Summary')
table([
  ['records in the log', number(await recordCount(log))],
  ['records shared by the group', number(consumedBefore + dashboard.consumedCount)],
  ['consumed per second by three members', number(consumedBefore / consumingSeconds)],
  ['miles flown', number(statistics.miles)],
  ['bytes on disk', megabytes(await log.ottla.storageSizeBytes())],
])
await log.ottla.close()
line(`\n  Done in ${secondsSince(startedAt).toFixed(1)} s. Run it again: it goes on from here.`)
