/**
 * The suite `switches`: each rule is broken on purpose, and a test must notice. A run that fails for another reason
 * than a failed test (a file that does not compile, a crash before the first test) has noticed nothing.
 */
import { spawn } from 'node:child_process'
import type { Suite } from '../support/suite-command.js'
import { nameOf, ROOT, type Switch } from '../switches/switch.js'
import { SWITCHES } from '../switches/switches.js'

/** Enough drawn histories that a rule that is seldom needed is needed in one. */
const MODEL_RUNS = 300

/** What a run of tests came to, of all that it says. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

const testsOf = ({ tests, ...one }: Switch): Promise<Report> =>
  new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      OTTLA_SWITCH: nameOf({ tests, ...one }),
      OTTLA_MODEL_RUNS: String(MODEL_RUNS),
      OTTLA_MODEL_SEED: '1',
    }
    const child = spawn('npx', ['vitest', 'run', '--bail=1', '--reporter=json', ...tests], { cwd: ROOT, env })
    let said = ''
    let complained = ''
    child.stdout.on('data', (piece: Buffer) => {
      said += piece.toString()
    })
    child.stderr.on('data', (piece: Buffer) => {
      complained += piece.toString()
    })
    child.on('error', reject)
    child.on('close', () => {
      try {
        resolve(JSON.parse(said.slice(said.indexOf('{'))) as Report)
      } catch {
        reject(new Error(`the tests did not report: ${said}${complained}`))
      }
    })
  })

/** @throws Error when no test fails with the switch on. Resolves to the name of the one that did. */
const noticed = async (one: Switch): Promise<string> => {
  const { testResults } = await testsOf(one)
  const results = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failed = results.find(({ status }) => status === 'failed')
  if (failed === undefined) throw new Error(`no test of ${one.tests.join(', ')} fails`)
  return failed.fullName
}

/** As many of them as asked for, spread over all. */
const some = (count: number): readonly Switch[] =>
  SWITCHES.filter(
    (_, index) =>
      Math.floor((index * count) / SWITCHES.length) !== Math.floor(((index - 1) * count) / SWITCHES.length),
  )

export const switches: Suite = {
  name: 'switches',
  summary: 'each rule of logs, transactions and groups is broken on purpose, and a test notices',
  defaultRounds: SWITCHES.length,
  async run({ rounds, check }) {
    for (const one of some(Math.min(rounds, SWITCHES.length))) await check(nameOf(one), () => noticed(one))
  },
}
