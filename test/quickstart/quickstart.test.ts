/** The quickstart tells the truth: its figures are those of the data sets, and a second run adds to the first. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { startProcess } from '../support/child-process.js'
import { tempFolder } from '../support/temp-folder.js'

const MAIN = new URL('../../examples/quickstart/main.ts', import.meta.url)
const DAY_MS = 86_400_000

const data = (name: string): Promise<string> =>
  readFile(createRequire(import.meta.url).resolve(`vega-datasets/data/${name}`), 'utf8')

const figure = (value: number): string => Math.round(value).toLocaleString('en-US')

/** What the quickstart should print, computed straight from the files. */
const expectedFigures = async () => {
  const { features } = JSON.parse(await data('earthquakes.json')) as {
    features: { properties: { mag: number | null; place: string; time: number } }[]
  }
  const quakes = features.map(({ properties }) => properties)
  const flights = JSON.parse(await data('flights-200k.json')) as {
    delay: number
    distance: number
    time: number
  }[]
  const routes = (await data('flights-airport.csv'))
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(','))

  const lastDay = Math.max(...quakes.map(({ time }) => time)) - DAY_MS
  const departures = new Map<string, number>()
  for (const [origin = '', , count] of routes)
    departures.set(origin, (departures.get(origin) ?? 0) + Number(count))
  const delays = Array.from({ length: 24 }, (_, hour) => {
    const of = flights.filter(({ time }) => Math.floor(time) === hour)
    return { hour, count: of.length, minutes: of.reduce((sum, { delay }) => sum + delay, 0) / of.length }
  })
  return {
    total: quakes.length + flights.length + routes.length,
    lastDay: quakes.filter(({ time }) => time >= lastDay).length,
    strongest: quakes
      .map(({ mag, place }) => ({ magnitude: (mag ?? 0).toFixed(1), place }))
      .sort((a, b) => Number(b.magnitude) - Number(a.magnitude)),
    airports: [...departures].sort(([, a], [, b]) => b - a).slice(0, 5),
    delays: delays.filter(({ count }) => count >= 100),
    miles: flights.reduce((sum, { distance }) => sum + distance, 0),
  }
}

/** The rows below a heading, without bars. */
const section = (output: string, title: string): string[] => {
  const lines = output.split('\n')
  const start = lines.findIndex((line) => line.startsWith(title))
  expect(start, title).toBeGreaterThanOrEqual(0)
  const rows = lines.slice(start + 2)
  return rows.slice(0, rows.indexOf('')).map((row) => row.replaceAll('█', '').trim())
}

const run = async (folder: string): Promise<string> => {
  const { code, stdout, stderr } = await startProcess(MAIN, [folder]).ended
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

const expectFigures = (output: string, expected: Awaited<ReturnType<typeof expectedFigures>>) => {
  const quakes = section(output, 'Strongest earthquakes').map((row) => /^M (\S+) {2}(.*?) {3,}/.exec(row))
  // Which of several of one magnitude comes first is left open.
  expect(quakes.map((match) => match?.[1])).toEqual(
    expected.strongest.slice(0, 5).map(({ magnitude }) => magnitude),
  )
  for (const match of quakes)
    expect(expected.strongest).toContainEqual({ magnitude: match?.[1], place: match?.[2] })

  const airports = section(output, 'Busiest airports')
  expect(airports.map((row) => [row.slice(0, 3), row.split(/\s+/).at(-1)])).toEqual(
    expected.airports.map(([airport, count]) => [airport, figure(count)]),
  )
  expect(section(output, 'Average delay').map((row) => row.split(/\s+/))).toEqual(
    expected.delays.map(({ hour, minutes }) => [`${String(hour).padStart(2, '0')}:00`, minutes.toFixed(1)]),
  )
}

const summary = (output: string): Record<string, string> =>
  Object.fromEntries(
    section(output, 'Summary').map((row): [string, string] => {
      const [name = '', value = ''] = row.split(/ {3,}/)
      return [name, value]
    }),
  )

it('prints what the data sets hold, and a second run goes on from the first', async () => {
  const folder = await tempFolder()
  const expected = await expectedFigures()
  const first = await run(folder)
  expect(first).toContain('it is new')
  expect(first).toContain(`: ${figure(expected.lastDay)} earthquakes of the last day`)
  expectFigures(first, expected)
  expect(summary(first)).toMatchObject({
    'records in the log': figure(expected.total),
    'records shared by the group': figure(expected.total),
    'miles flown': figure(expected.miles),
  })

  const second = await run(folder)
  expect(second).toContain(`${figure(expected.total)} records are there already`)
  // Both runs' records of that day, however they lie behind one another.
  expect(second).toContain(`: ${figure(expected.lastDay * 2)} earthquakes of the last day`)
  expectFigures(second, expected)
  expect(summary(second)).toMatchObject({
    'records in the log': figure(expected.total * 2),
    'records shared by the group': figure(expected.total),
    'miles flown': figure(expected.miles),
  })
}, 60_000)
