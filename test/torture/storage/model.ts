/** The model test of the log for as long as one likes: in rounds, each from a seed of its own. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Runs `test/log/model.test.ts` with this many runs of each storage. @throws Error with what it said, when it failed. */
export const modelRuns = (seed: number, runs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, OTTLA_MODEL_RUNS: String(runs), OTTLA_MODEL_SEED: String(seed) }
    const child = spawn('npx', ['vitest', 'run', 'test/log/model.test.ts'], { cwd: ROOT, env })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (piece: Buffer) => {
        said += piece.toString()
      })
    }
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(said))))
  })
