/** The benchmarks' harness: who is measured when, and what is made of the samples. */
import { describe, expect, it } from 'vitest'
import { defineBenchmark, SubjectUnavailable, type Subject } from '../../benchmarks/harness/benchmark.js'
import { measure, median, percentile } from '../../benchmarks/harness/measure.js'
import { formatReport } from '../../benchmarks/harness/report.js'

const subject = (name: string, values: readonly number[], log: string[] = []): Subject<object> => {
  let at = 0
  return {
    name,
    summary: name,
    prepare: async () => ({
      sample: async () => {
        log.push(name)
        return { speed: values[at++ % values.length] ?? 0 }
      },
      close: () => void log.push(`close ${name}`),
    }),
  }
}

const missing: Subject<object> = {
  name: 'missing',
  summary: 'cannot run',
  prepare: () => Promise.reject(new SubjectUnavailable('no compiler')),
}

const benchmarkOf = (subjects: readonly Subject<object>[]) =>
  defineBenchmark({
    name: 'test',
    summary: 'a test',
    units: { speed: 'm/s' },
    settings: (smoke) => ({ size: smoke ? 1 : 1000 }),
    subjects,
    ratios: [
      { name: 'us/peer', metric: 'speed', subject: 'us', against: subjects.at(-1)?.name ?? '', atLeast: 2 },
    ],
  })

const run = (subjects: readonly Subject<object>[], sampleCount = 3) =>
  measure(benchmarkOf(subjects), { settings: { size: 1 }, sampleCount, onProgress: () => undefined })

describe('measuring', () => {
  it('warms up and takes turns', async () => {
    const log: string[] = []
    await run([subject('us', [1], log), subject('peer', [1], log)], 2)
    expect(log).toEqual(['us', 'peer', 'us', 'peer', 'us', 'peer', 'close peer', 'close us'])
  })

  it('leaves the warm-up out, and gives medians and their ratio', async () => {
    const report = await run([subject('us', [1000, 30, 10, 20]), subject('peer', [1, 8, 10, 9])])
    expect(report.settings).toEqual({ size: 1, samples: 3, warmUpSamples: 1 })
    expect(report.results).toEqual([
      { subject: 'us', metric: 'speed', unit: 'm/s', median: 20, samples: [30, 10, 20] },
      { subject: 'peer', metric: 'speed', unit: 'm/s', median: 9, samples: [8, 10, 9] },
    ])
    expect(report.ratios).toEqual({ 'us/peer': 2.222 })
  })

  it('has no ratio against a subject that cannot run, and says so', async () => {
    const report = await run([subject('us', [1]), missing])
    expect(report.ratios).toEqual({})
    expect(report.leftOut).toEqual([{ subject: 'missing', reason: 'no compiler' }])
    const text = formatReport(benchmarkOf([subject('us', [1]), missing]), report)
    expect(text).toContain('Left out: missing: no compiler')
    expect(text).toContain('No ratio without both its sides: us/peer')
  })

  it('shows the bar and whether it is met', async () => {
    const subjects = (speed: number) => [subject('us', [speed]), subject('peer', [10])]
    const textAt = async (speed: number) =>
      formatReport(benchmarkOf(subjects(speed)), await run(subjects(speed)))
    expect(await textAt(20)).toMatch(/us\/peer: speed of us \/ peer\s+2\s+>= 2\s+yes/)
    expect(await textAt(19)).toMatch(/us\/peer: speed of us \/ peer\s+1.9\s+>= 2\s+NO/)
  })

  it('refuses a figure that is none', async () => {
    await expect(run([subject('us', [Number.NaN]), subject('peer', [1])])).rejects.toThrow(/us measures/)
    await expect(run([subject('us', [0]), subject('peer', [1])])).rejects.toThrow(/us measures/)
  })

  it('refuses ratios between names that are not there', () => {
    expect(() => benchmarkOf([subject('peer', [1])])).toThrow(/no subject 'us'/)
  })
})

describe('median and percentile', () => {
  it('are those of the textbook', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile([7], 0.99)).toBe(7)
  })
})
