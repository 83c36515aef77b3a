/** The report that a person reads. */
import type { Benchmark } from './benchmark.js'
import type { Report, Result } from './measure.js'

/** A number with as many digits as help. */
const figure = (value: number): string =>
  value >= 1000
    ? Math.round(value).toLocaleString('en-US')
    : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })

/** Columns side by side; the first is aligned left, the others right. */
const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('   ')
      .trimEnd(),
  )
}

/** How far the samples lie apart, as a share of their median. */
const spread = ({ samples, median }: Result): string => {
  const share = (Math.max(...samples) - Math.min(...samples)) / median
  return samples.length < 2 ? '' : `±${Math.round((share * 100) / 2)} %`
}

/** The whole report as lines of text. */
export const formatReport = (benchmark: Benchmark, report: Report): string => {
  const { machine, results, ratios } = report
  const subjects = benchmark.subjects.filter(({ name }) => results.some(({ subject }) => subject === name))
  const lines = [
    `${benchmark.name}: ${benchmark.summary}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
    Object.entries(report.settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    '',
  ]
  const rows = [['', ...subjects.flatMap(({ name }) => [name, ''])]]
  for (const [metric, unit] of Object.entries(benchmark.units)) {
    const cells = subjects.flatMap(({ name }) => {
      const result = results.find(({ subject, metric: of }) => subject === name && of === metric)
      return result === undefined ? ['', ''] : [figure(result.median), spread(result)]
    })
    if (cells.some((cell) => cell !== '')) rows.push([`${metric}, ${unit}`, ...cells])
  }
  lines.push(...table(rows))

  const bars = barsOf(benchmark, report)
  if (bars.length > 0) lines.push('', ...table([['', 'measured', 'should be', ''], ...bars]))
  const notComputed = benchmark.ratios.filter(({ name }) => !(name in ratios)).map(({ name }) => name)
  for (const { subject, reason } of report.leftOut) lines.push('', `Left out: ${subject}: ${reason}`)
  if (notComputed.length > 0) lines.push(`No ratio without both its sides: ${notComputed.join(', ')}`)
  return lines.join('\n')
}

const barsOf = (benchmark: Benchmark, { results, ratios }: Report): string[][] => {
  const rows: string[][] = []
  for (const { name, metric, subject, against, againstMetric, atLeast } of benchmark.ratios) {
    const ratio = ratios[name]
    if (ratio === undefined) continue
    const met = atLeast === undefined ? '' : ratio >= atLeast ? 'yes' : 'NO'
    rows.push([
      `${name}: ${metric} of ${subject} / ${againstMetric ?? against}`,
      figure(ratio),
      atLeast === undefined ? '' : `>= ${atLeast}`,
      met,
    ])
  }
  for (const { subject, metric, atMost } of benchmark.limits ?? []) {
    const result = results.find(({ subject: of, metric: what }) => of === subject && what === metric)
    if (result === undefined) continue
    const met = result.median <= atMost ? 'yes' : 'NO'
    rows.push([`${metric} of ${subject}, ${result.unit}`, figure(result.median), `<= ${atMost}`, met])
  }
  return rows
}
