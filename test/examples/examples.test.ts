/** Every example runs to its end, checks its own result, and prints figures that are those of the data set. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { field, rowsOf } from '../../examples/rows.js'
import { startProcess } from '../support/child-process.js'

const EXAMPLES = new URL('../../examples/', import.meta.url)

const run = async (name: string): Promise<string> => {
  const { code, stdout, stderr } = await startProcess(new URL(`${name}/main.ts`, EXAMPLES)).ended
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

/** A line that each must print, computed here in another way. */
const EXPECTED: Record<string, () => Promise<string | RegExp>> = {
  messaging: async () => {
    const rows = (await rowsOf('birdstrikes.csv')).slice(0, 3000)
    return `${rows.filter((row) => field(row, 'Speed IAS in knots') === '').length} of 3000 reports lack the speed`
  },
  'activity-tracking': async () => {
    const rows = await rowsOf('github.csv')
    const noon = rows.filter((row) => field(row, 'time').includes(' 12:'))
    return `12:00: ${noon.reduce((sum, row) => sum + Number(field(row, 'count')), 0)}`
  },
  metrics: async () => {
    const rows = await rowsOf('weather.csv')
    const months = new Set(rows.map((row) => `${field(row, 'location')}${field(row, 'date').slice(0, 7)}`))
    return `${rows.length} days of Seattle and New York are ${months.size} months`
  },
  'log-aggregation': async () => '1707 lines of 12 sources in 3 partitions',
  'event-sourcing': async () => 'GOOG   560.19, highest 707.00, after 68 changes',
  'commit-log': async () => /killed after \d{4} acknowledged changes; \d{4} are in the log/,
  'exactly-once': async () => '20000 flights were',
}

it.each(Object.entries(EXPECTED))(
  '%s',
  async (name, expected) => {
    const line = await expected()
    const output = await run(name)
    if (typeof line === 'string') expect(output).toContain(line)
    else expect(output).toMatch(line)
  },
  60_000,
)

const hasDatabase = existsSync(
  new URL('external-database/node_modules/better-sqlite3/package.json', EXAMPLES),
)

// It needs a database that is compiled on some machines, and so is installed by itself.
it.skipIf(!hasDatabase)(
  'external-database (after npm ci in its folder)',
  async () => {
    expect(await run('external-database')).toContain('5000 flights in the log and in SQLite')
  },
  60_000,
)

it('none is left out', async () => {
  const folders = (await readdir(EXAMPLES, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  // The quickstart has tests of its own.
  const others = ['external-database', 'quickstart']
  expect(folders.map(({ name }) => name).sort()).toEqual([...Object.keys(EXPECTED), ...others].sort())
})
