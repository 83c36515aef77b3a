/** What a benchmark is: subjects that are measured side by side, what is measured, and what it should come to. */

/** One run's measurements, by metric. A subject leaves out a metric that it has no way to do. */
export type Measurements = Readonly<Record<string, number>>

/** A subject that stands ready. `sample` may be called any number of times; each call is one full workload. */
export interface ReadySubject {
  sample(): Promise<Measurements>
  close?(): Promise<void> | void
}

/** Something to measure. */
export interface Subject<Settings> {
  readonly name: string
  /** Says what it is, in the report. */
  readonly summary: string
  /** @throws SubjectUnavailable where it cannot run; the report then says so, and its ratios are left out. */
  prepare(settings: Settings): Promise<ReadySubject>
}

/** What one metric of a subject is divided by: the same metric of another, or another of its own. */
export interface RatioDefinition {
  readonly name: string
  readonly metric: string
  readonly subject: string
  readonly against: string
  /** The metric of `against`; default the same. */
  readonly againstMetric?: string
  /** What it should reach, where that has been laid down. */
  readonly atLeast?: number
}

/** What one figure of a subject should stay below. */
export interface LimitDefinition {
  readonly subject: string
  readonly metric: string
  readonly atMost: number
}

/** A plain record of what was chosen; printed with the results, so that a figure can be understood later. */
export type BenchmarkSettings = Readonly<Record<string, number | string>>

/** One benchmark. */
export interface Benchmark<Settings extends BenchmarkSettings = BenchmarkSettings> {
  readonly name: string
  readonly summary: string
  /** The unit of each metric, in the order in which they are reported. */
  readonly units: Readonly<Record<string, string>>
  /** How often a subject warms up; default once. */
  readonly warmUpSamples?: number
  /** How many samples a subject gives unless the command says otherwise; default 5, with `smoke` 1. */
  readonly samples?: number
  /** The workload; with `smoke` as small as shows that everything still runs. */
  settings(smoke: boolean): Settings
  readonly subjects: readonly Subject<Settings>[]
  readonly ratios: readonly RatioDefinition[]
  readonly limits?: readonly LimitDefinition[]
}

/** A subject that cannot run here; `message` says why. */
export class SubjectUnavailable extends Error {
  override readonly name = 'SubjectUnavailable'
}

/** Checks the names that a benchmark uses against each other, and forgets its settings' type. */
export const defineBenchmark = <Settings extends BenchmarkSettings>(
  benchmark: Benchmark<Settings>,
): Benchmark => {
  const subjects = new Set(benchmark.subjects.map(({ name }) => name))
  const named = [
    ...benchmark.ratios.flatMap(({ metric, subject, against, againstMetric = metric }) => [
      { metric, subject },
      { metric: againstMetric, subject: against },
    ]),
    ...(benchmark.limits ?? []),
  ]
  for (const { metric, subject } of named) {
    if (!subjects.has(subject)) throw new Error(`${benchmark.name} has no subject '${subject}'`)
    if (!(metric in benchmark.units)) throw new Error(`${benchmark.name} has no metric '${metric}'`)
  }
  return {
    ...benchmark,
    // Each subject gets back exactly what `settings` made.
    subjects: benchmark.subjects.map((subject) => ({
      ...subject,
      prepare: (settings: BenchmarkSettings) => subject.prepare(settings as Settings),
    })),
  }
}
