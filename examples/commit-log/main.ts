/**
 * Commit log: a table that lives in memory, whose every change is in the log before it counts. The process that keeps it
 * is killed in the middle of its work; the next one reads the log, and has every change that was acknowledged.
 *
 *     npx tsx examples/commit-log/main.ts
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { json, Ottla, string } from 'ottla'
import { routes, type Route } from '../quickstart/records.js'

/** How many acknowledged changes the process is left to make before it is killed. */
const KILL_AFTER = 1500

const openTable = async (folder: string) => {
  const ottla = await Ottla.open(folder, { durability: 'fsync' })
  const changes = await ottla.createTopic('changes', { key: string, value: json<Route>() })
  return { ottla, changes }
}

/** Writes change after change, and says each that is in the log. */
const keepTable = async (folder: string): Promise<void> => {
  const { ottla, changes } = await openTable(folder)
  const producer = ottla.producer()
  const acknowledged: Promise<unknown>[] = []
  for (const { key, value } of await routes()) {
    const change = producer
      .send(changes, { key: `${key}-${value.destination}`, value })
      .then(({ offset }) => process.stdout.write(`${offset}\n`))
    acknowledged.push(change)
    if (acknowledged.length % 50 === 0) await change
  }
  await Promise.all(acknowledged)
}

const [, program = '', folderToKeep] = process.argv
if (folderToKeep !== undefined) await keepTable(folderToKeep)
else {
  const folder = await mkdtemp(join(tmpdir(), 'ottla-commit-log-'))
  const keeper = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(new URL(program, 'file:')), folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(keeper, 'exit')
  let promised = -1
  for await (const line of createInterface({ input: keeper.stdout })) {
    promised = Math.max(promised, Number(line))
    if (promised === KILL_AFTER) keeper.kill('SIGKILL')
  }
  await ended

  const { ottla, changes } = await openTable(folder)
  const table = new Map<string | null, Route>()
  let next = 0
  for await (const { key, value, offset } of changes.partition(0).read({ to: 'latest' })) {
    assert.equal(offset, next++)
    table.set(key, value)
  }
  await ottla.close()
  await rm(folder, { recursive: true, force: true })
  const expected = (await routes()).slice(0, next)
  console.log(
    `killed after ${promised + 1} acknowledged changes; ${next} are in the log, ${table.size} rows in the table`,
  )
  assert.ok(next > promised)
  assert.deepEqual(table, new Map(expected.map(({ key, value }) => [`${key}-${value.destination}`, value])))
}
