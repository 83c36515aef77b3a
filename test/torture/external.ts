/**
 * The suite `external`: the example that writes rows and offsets to SQLite is killed at a moment that nobody chose, over
 * and over, on one folder. At the end each record of the log is a row, once.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SeededRandom } from '../support/seeded-random.js'
import { Skipped, type Suite } from '../support/suite-command.js'
import { pause } from './children.js'
import { scratchFolder, undoLater } from './scratch.js'

const EXAMPLE = new URL('../../examples/external-database/', import.meta.url)
/** It has said that it is ready, and is killed within this time. */
const KILLED_WITHIN_MS = 300

interface Run {
  /** Resolves when it is ready, or has ended. */
  readonly ready: Promise<void>
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>
  kill(): void
}

const start = (folder: string): Run => {
  const main = fileURLToPath(new URL('main.ts', EXAMPLE))
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = undoLater(() => void child.kill('SIGKILL'))
  let said = ''
  let isReady = (): void => undefined
  const ready = new Promise<void>((resolve) => (isReady = resolve))
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece: Buffer) => {
      said += piece.toString()
      if (said.includes('ready')) isReady()
    })
  }
  const ended = new Promise<{ code: number | null; said: string }>((resolve) => {
    child.on('close', (code) => {
      isReady()
      resolve({ code, said })
    })
  })
  return { ready, ended, kill }
}

interface Sqlite {
  prepare(text: string): { get(): Record<string, number> }
  close(): void
}

/** How many rows there are, and how many different ones. */
const rowsIn = (folder: string): { readonly rows: number; readonly different: number } => {
  const Database = createRequire(new URL('package.json', EXAMPLE))('better-sqlite3') as new (
    path: string,
  ) => Sqlite
  const database = new Database(join(folder, 'delays.sqlite'))
  try {
    const text = `SELECT COUNT(*) AS rows, COUNT(DISTINCT partition || '/' || offset) AS different FROM delays`
    const { rows = -1, different = -1 } = database.prepare(text).get()
    return { rows, different }
  } finally {
    database.close()
  }
}

/** Kill -9, look, start again; the last one runs to its end and holds the rows against the log. */
export const external: Suite = {
  name: 'external',
  summary:
    'rows of a database that has the offsets too are there exactly once, however often their writer is killed',
  defaultRounds: 50,
  async run({ rounds, seed, check }) {
    const random = new SeededRandom(seed)
    const { folder, remove } = scratchFolder()
    await check(`better-sqlite3, ${rounds} kills`, async () => {
      if (process.platform === 'win32') throw new Skipped('Windows has no SIGKILL')
      if (!existsSync(new URL('node_modules/better-sqlite3/package.json', EXAMPLE)))
        throw new Skipped('better-sqlite3 is not installed (npm ci --prefix examples/external-database)')
      let killedAtWork = 0
      let before = 0
      for (let round = 0; round < rounds; round++) {
        const run = start(folder)
        await run.ready
        await pause(random.below(KILLED_WITHIN_MS))
        run.kill()
        const { code, said } = await run.ended
        if (code !== null && code !== 0) throw new Error(`round ${round + 1} ended with ${code}: ${said}`)
        const { rows, different } = rowsIn(folder)
        if (rows !== different)
          throw new Error(`round ${round + 1}: ${rows - different} rows are there twice`)
        if (rows > before && code === null) killedAtWork++
        before = rows
      }
      const { code, said } = await start(folder).ended
      if (code !== 0) throw new Error(`the last run ended with ${code}: ${said}`)
      if (rounds >= 10 && killedAtWork === 0) throw new Error('nobody was killed at work')
      return `${killedAtWork} of them at work; ${rowsIn(folder).rows} rows`
    })
    remove()
  },
}
