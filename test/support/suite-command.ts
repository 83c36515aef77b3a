/**
 * The commands `npm run test:interop` and `npm run test:torture`: suites by name, run one after another. What a suite
 * cannot do on this machine is skipped by name and with the reason, and counted; the last line has the totals.
 */
import { parseArgs } from 'node:util'

/** Thrown by a case that cannot run here; `message` says what is missing. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}

/** No case takes longer; one that hangs has failed. */
const CASE_LIMIT_MS = 180_000

const withinLimit = async <T>(body: () => T): Promise<Awaited<T>> => {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`did not end within ${CASE_LIMIT_MS / 1000} seconds`)),
      CASE_LIMIT_MS,
    )
  })
  try {
    return await Promise.race([body(), limit])
  } finally {
    clearTimeout(timer)
  }
}

/** What a suite is given. */
export interface SuiteRun {
  /** How much of it: what the option of the command says, or its default. */
  readonly rounds: number
  /** From what the suite draws whatever it draws; printed, so that a run can be repeated. */
  readonly seed: number
  /** What the options that the command has besides say. */
  readonly options: Readonly<Record<string, string | undefined>>
  /**
   * Runs one case, and prints how it went, with the text that `body` returns as a remark. A failed one does not keep
   * the next from running; what cannot do without it asks for what this resolves to: whether it passed.
   */
  readonly check: (name: string, body: () => unknown) => Promise<boolean>
}

/** A suite. */
export interface Suite {
  readonly name: string
  readonly summary: string
  readonly defaultRounds: number
  run(run: SuiteRun): Promise<void>
}

/**
 * Reads the command line, runs the suites that it names (all of them when it names none), and sets the exit code.
 * `choices` are the options that the command has besides, each with what may be chosen.
 */
export const runSuites = async (
  command: string,
  suites: readonly Suite[],
  choices: Readonly<Record<string, readonly string[]>> = {},
): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seed: { type: 'string' },
      ...Object.fromEntries(Object.keys(choices).map((name) => [name, { type: 'string' } as const])),
    },
  })
  const given: Readonly<Record<string, unknown>> = values
  const options: Record<string, string | undefined> = {}
  for (const name of Object.keys(choices)) {
    const value = given[name]
    if (typeof value === 'string') options[name] = value
  }
  if (values.list) {
    for (const { name, summary, defaultRounds } of suites)
      console.log(`${name.padEnd(12)} ${summary} (${defaultRounds} rounds)`)
    return
  }
  const unknown = positionals.filter((name) => !suites.some((suite) => suite.name === name))
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
  if (
    unknown.length > 0 ||
    Object.entries(options).some(([name, value]) => !choices[name]?.includes(value ?? '')) ||
    !Number.isInteger(seed) ||
    (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
  ) {
    const names = suites.map(({ name }) => name).join(', ')
    const more = Object.entries(choices)
      .map(([name, values]) => ` [--${name} ${values.join('|')}]`)
      .join('')
    console.error(`npm run ${command} -- [--list] [${names}] [--rounds N] [--seed N]${more}`)
    process.exitCode = 2
    return
  }

  const counts = { passed: 0, failed: 0, skipped: 0 }
  const check: SuiteRun['check'] = async (name, body) => {
    const start = performance.now()
    try {
      const remark = await withinLimit(body)
      counts.passed++
      const seconds = ((performance.now() - start) / 1000).toFixed(1)
      console.log(`ok       ${name} (${seconds} s${typeof remark === 'string' ? `, ${remark}` : ''})`)
      return true
    } catch (error) {
      if (error instanceof Skipped) {
        counts.skipped++
        console.log(`skipped  ${name}: ${error.message}`)
      } else {
        counts.failed++
        console.log(`FAILED   ${name} (seed ${seed})`)
        console.log(error)
      }
      return false
    }
  }
  for (const suite of suites) {
    if (positionals.length > 0 && !positionals.includes(suite.name)) continue
    console.log(`${suite.name}: ${suite.summary}; seed ${seed}`)
    await suite.run({ rounds: rounds ?? suite.defaultRounds, seed, options, check })
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  // A case that hung may hold the process open.
  if (counts.failed > 0) process.exit(1)
}
