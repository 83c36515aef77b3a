/**
 * The benchmarks' command: `npm run -s bench -- --list`, or `NAME [--json] [--smoke] [--samples N]`.
 * Progress goes to stderr; with `--json`, stdout carries one JSON object and nothing else.
 */
import { parseArgs } from 'node:util'
import type { Benchmark, BenchmarkSettings } from './harness/benchmark.js'
import { measure } from './harness/measure.js'
import { allowInstalling } from './harness/peers.js'
import { benchmarks } from './harness/registry.js'
import { formatReport } from './harness/report.js'

const usage = `npm run -s bench -- --list                 what there is
npm run -s bench -- NAME                   a report to read
  --json          one JSON object on stdout instead
  --smoke         a tiny workload, only to see that it runs; installs nothing
  --samples N     samples per subject, after one to warm up (default 5, or as the benchmark says; with --smoke 1)
  --set NAME=N    another number for a setting of the workload; the report lists them all. May be repeated`

const fail = (message: string): never => {
  process.stderr.write(`${message}\n\n${usage}\n`)
  process.exit(2)
}

const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        samples: { type: 'string' },
        set: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}

/** The benchmark's settings, with those that the command sets. */
const settingsOf = (benchmark: Benchmark, smoke: boolean, changes: readonly string[]): BenchmarkSettings => {
  const settings = { ...benchmark.settings(smoke) }
  for (const change of changes) {
    const [name = '', value = ''] = change.split('=', 2)
    if (typeof settings[name] !== 'number' || !(Number(value) > 0)) {
      const known = Object.keys(settings).join(', ')
      return fail(`--set takes NAME=N, N above 0 and NAME one of ${known}; not '${change}'.`)
    }
    settings[name] = Number(value)
  }
  return settings
}

const main = async (): Promise<void> => {
  const { values, positionals } = readArguments()
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return
  }
  if (values.list) {
    const listed = await Promise.all(Object.values(benchmarks).map((load) => load()))
    const text = values.json
      ? JSON.stringify(listed.map(({ name, summary }) => ({ name, summary })))
      : listed.map(({ name, summary }) => `${name.padEnd(12)} ${summary}`).join('\n')
    process.stdout.write(`${text}\n`)
    return
  }
  const [name, ...rest] = positionals
  const load = benchmarks[name ?? '']
  if (load === undefined || rest.length > 0) {
    const known = Object.keys(benchmarks).join(', ')
    return fail(`Name one benchmark of ${known}; not '${positionals.join(' ')}'.`)
  }
  const benchmark = await load()
  const sampleCount = Number(values.samples ?? (values.smoke ? 1 : (benchmark.samples ?? 5)))
  if (!Number.isInteger(sampleCount) || sampleCount < 1 || sampleCount > 1000) {
    return fail(`--samples takes a whole number from 1 to 1000, not '${values.samples}'.`)
  }
  allowInstalling(!values.smoke)
  const settings = settingsOf(benchmark, values.smoke, values.set)
  const report = await measure(benchmark, { settings, sampleCount, onProgress: progress })
  if (values.json) {
    for (const { subject, reason } of report.leftOut)
      process.stderr.write(`Left out: ${subject}: ${reason}\n`)
  }
  if (report.results.length === 0) process.exitCode = 1
  process.stdout.write(`${values.json ? JSON.stringify(report) : formatReport(benchmark, report)}\n`)
}

await main()
