/**
 * Measuring: every subject once to warm up, then sample after sample with the subjects taking turns, so that
 * whatever else the machine does falls on all of them alike.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SubjectUnavailable, type Benchmark, type BenchmarkSettings, type ReadySubject } from './benchmark.js'
import { machine, type Machine } from './machine.js'

/** One metric of one subject. */
export interface Result {
  readonly subject: string
  readonly metric: string
  readonly unit: string
  readonly median: number
  readonly samples: readonly number[]
}

/** What a benchmark came to. */
export interface Report {
  readonly name: string
  readonly machine: Machine
  readonly settings: BenchmarkSettings
  readonly results: readonly Result[]
  readonly ratios: Readonly<Record<string, number>>
  /** The subjects that could not run here, and why. */
  readonly leftOut: readonly { readonly subject: string; readonly reason: string }[]
}

/** The middle one, or the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  if (values.length === 0) throw new Error('no median of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The value below which `share` (0 to 1) of the values lie, by nearest rank. */
export const percentile = (values: readonly number[], share: number): number => {
  if (values.length === 0) throw new Error('no percentile of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!
}

/** Collects what the subject before left behind, so that it is not charged to the next one. */
const collectGarbage = ((): (() => void) => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
})()

/** Runs `benchmark`: one warm-up of each subject, then `sampleCount` samples each, interleaved. */
export const measure = async (
  benchmark: Benchmark,
  options: {
    readonly settings: BenchmarkSettings
    readonly sampleCount: number
    readonly onProgress: (text: string) => void
  },
): Promise<Report> => {
  const { settings } = options
  const warmUpSamples = benchmark.warmUpSamples ?? 1
  const leftOut: { subject: string; reason: string }[] = []
  const ready: { name: string; subject: ReadySubject; samples: Map<string, number[]> }[] = []
  try {
    for (const subject of benchmark.subjects) {
      options.onProgress(`${benchmark.name}: preparing ${subject.name}`)
      try {
        ready.push({
          name: subject.name,
          subject: await subject.prepare(settings),
          samples: new Map(),
        })
      } catch (error) {
        if (!(error instanceof SubjectUnavailable)) throw error
        leftOut.push({ subject: subject.name, reason: error.message })
      }
    }
    for (let round = 1 - warmUpSamples; round <= options.sampleCount; round++) {
      for (const { name, subject, samples } of ready) {
        const what = round < 1 ? 'warming up' : `sample ${round} of ${options.sampleCount},`
        options.onProgress(`${benchmark.name}: ${what} ${name}`)
        collectGarbage()
        const measurements = await subject.sample()
        if (round > 0) collect(benchmark, name, measurements, samples)
      }
    }
  } finally {
    options.onProgress('')
    for (const { subject } of ready.reverse()) await subject.close?.()
  }
  ready.reverse()

  const results = ready.flatMap(({ name, samples }) =>
    Object.entries(benchmark.units).flatMap(([metric, unit]): Result[] => {
      const values = samples.get(metric)
      return values === undefined
        ? []
        : [{ subject: name, metric, unit, median: rounded(median(values)), samples: values.map(rounded) }]
    }),
  )
  return {
    name: benchmark.name,
    machine: machine(),
    settings: { ...settings, samples: options.sampleCount, warmUpSamples },
    results,
    ratios: ratiosOf(benchmark, results),
    leftOut,
  }
}

const collect = (
  benchmark: Benchmark,
  subject: string,
  measurements: Readonly<Record<string, number>>,
  samples: Map<string, number[]>,
): void => {
  for (const [metric, value] of Object.entries(measurements)) {
    if (!(metric in benchmark.units)) throw new Error(`${subject} measures '${metric}', which has no unit`)
    if (!Number.isFinite(value) || value <= 0) throw new Error(`${subject} measures ${metric} = ${value}`)
    const values = samples.get(metric)
    if (values === undefined) samples.set(metric, [value])
    else values.push(value)
  }
}

/** Only ratios whose two sides were measured: a subject that could not run yields none. */
const ratiosOf = (benchmark: Benchmark, results: readonly Result[]): Record<string, number> => {
  const ratios: Record<string, number> = {}
  for (const { name, metric, subject, against, againstMetric = metric } of benchmark.ratios) {
    const of = results.find((result) => result.subject === subject && result.metric === metric)
    const to = results.find((result) => result.subject === against && result.metric === againstMetric)
    if (of !== undefined && to !== undefined) ratios[name] = Number((of.median / to.median).toPrecision(4))
  }
  return ratios
}

/** Five digits that count: more would only look exact. */
const rounded = (value: number): number => Number(value.toPrecision(5))
