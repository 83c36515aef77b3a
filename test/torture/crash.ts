/**
 * The suite `crash`: a writer is killed at a moment that nobody chose, over and over, on one folder; each time the log
 * must open again with everything that was acknowledged.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ottla, string } from 'ottla'
import { SeededRandom } from '../support/seeded-random.js'
import { Skipped, type Suite } from '../support/suite-command.js'
import { Ledger, PARTITIONS, promisesIn, TOPIC } from './ledger.js'

const WRITER = fileURLToPath(new URL('crash-writer.ts', import.meta.url))
/** A writer that neither gets ready nor dies has hung. */
const ROUND_LIMIT_MS = 60_000
/** A partition is read in seconds, or not at all. */
const READ_LIMIT_MS = 60_000

interface Death {
  readonly output: string
  readonly errors: string
  readonly signal: NodeJS.Signals | null
  readonly code: number | null
}

/** Starts a writer, and kills it `delayMs` after it began to write, or after it was started. */
const runWriter = (
  folder: string,
  round: number,
  seed: number,
  death: { readonly from: 'start' | 'ready'; readonly delayMs: number },
): Promise<Death> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), WRITER, folder, String(round), String(seed)],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    let errors = ''
    let timer = setTimeout(() => child.kill('SIGKILL'), ROUND_LIMIT_MS)
    const kill = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => child.kill('SIGKILL'), death.delayMs)
    }
    if (death.from === 'start') kill()
    let isReady = false
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      if (isReady || !output.startsWith('ready\n')) return
      isReady = true
      if (death.from === 'ready') kill()
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
    child.on('error', reject)
    // 'close' and not 'exit': what the dead left in the pipe counts.
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ output, errors, signal, code })
    })
  })

/** Opens the folder as an application would after the crash, and holds everything in it against the ledger. */
const judge = async (folder: string, ledger: Ledger): Promise<number> => {
  const ottla = await Ottla.open(folder)
  try {
    const topic = await ottla.createTopic(TOPIC, { partitions: PARTITIONS, key: string, value: string })
    let count = 0
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const judgement = ledger.judgePartition(partition)
      // A hole in the log leaves a reader waiting for what will not come.
      const signal = AbortSignal.timeout(READ_LIMIT_MS)
      const messages = topic.partition(partition).read({ from: 'earliest', to: 'latest', signal })
      try {
        for await (const { offset, value } of messages) judgement.see(offset, value)
      } catch (error) {
        if (!signal.aborted) throw error
        throw new Error(`partition ${partition} cannot be read beyond ${judgement.recordCount}`, {
          cause: error,
        })
      }
      judgement.end()
      count += judgement.recordCount
    }
    for (const { group, positions } of ledger.commits()) {
      const committed = await ottla.admin.listConsumerGroupOffsets(group)
      positions.forEach((position, partition) => {
        const found = committed.find((entry) => entry.topic === TOPIC && entry.partition === partition)
        if (position > 0 && (found?.offset ?? 0) < position) {
          throw new Error(
            `${group} had committed ${position} of partition ${partition}; found is ${found?.offset}`,
          )
        }
      })
    }
    return count
  } finally {
    await ottla.close()
  }
}

/** Kill -9, reopen, compare; `--rounds` times on one folder. */
export const crash: Suite = {
  name: 'crash',
  summary: 'a writer killed with SIGKILL loses nothing that was acknowledged',
  defaultRounds: 50,
  async run({ rounds, seed, check }) {
    const random = new SeededRandom(seed)
    const folder = await mkdtemp(join(tmpdir(), 'ottla-torture-'))
    const ledger = new Ledger()
    try {
      for (let round = 0; round < rounds; round++) {
        const from = random.below(5) === 0 ? 'start' : 'ready'
        const death = { from, delayMs: random.below(from === 'start' ? 1500 : 600) } as const
        const passed = await check(
          `round ${round + 1}: killed ${death.delayMs} ms after the ${from === 'start' ? 'start' : 'first write'}`,
          async () => {
            if (process.platform === 'win32') throw new Skipped('Windows has no SIGKILL')
            const before = ledger.recordCount
            const { output, errors, signal, code } = await runWriter(
              folder,
              round,
              seed + round * 1000,
              death,
            )
            const promises = promisesIn(output)
            ledger.add(round, promises)
            if (signal !== 'SIGKILL') {
              throw new Error(`the writer ended by itself, with ${code ?? signal}: ${errors}`)
            }
            const stored = await judge(folder, ledger)
            const commits = promises.filter(({ kind }) => kind === 'commit').length
            return `${ledger.recordCount - before} records and ${commits} commits acknowledged, ${stored} records in the log`
          },
        )
        // What a broken log does after that says nothing new.
        if (!passed) break
      }
      if (ledger.recordCount === 0) {
        await check('anything was acknowledged at all', () => {
          throw process.platform === 'win32'
            ? new Skipped('nothing ran')
            : new Error('no writer got that far')
        })
      }
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  },
}
