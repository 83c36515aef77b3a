/** What a person sees while the quickstart runs: headings, tables and progress, on a terminal or in a log file. */
import { styleText } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'

const width = 62
const isTerminal = process.stdout.isTTY

const style = (format: Parameters<typeof styleText>[0], text: string): string =>
  isTerminal ? styleText(format, text) : text

export const line = (text = ''): void => {
  process.stdout.write(`${text}\n`)
}

export const heading = (text: string): void =>
  line(`\n${style('bold', text)}\n${style('dim', '─'.repeat(width))}`)

export const number = (value: number): string => Math.round(value).toLocaleString('en-US')

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const isFigure = (cell: string): boolean => /^-?[\d,.]+( MB)?$/.test(cell)

/** Rows in columns: figures to the right, everything else to the left. */
export const table = (rows: readonly (readonly string[])[]): void => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      isFigure(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    )
    line(`  ${cells.join('   ').trimEnd()}`)
  }
}

/** A bar of `length` characters for `value` on a scale that ends at `max`. */
export const bar = (value: number, max: number, length = 24): string =>
  '█'.repeat(Math.max(0, Math.round((value / Math.max(max, 1e-9)) * length)))

/** How far a long step has come. Off a terminal only its end is printed. */
export interface Progress {
  to(done: number): void
  finish(note: string): void
}

export const progress = (label: string, total: number): Progress => {
  const startedAt = performance.now()
  const meter = new SingleBar(
    {
      format: `  ${label.padEnd(12)} {bar} {percentage}% of ${number(total)}`,
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stdout,
    },
    Presets.shades_classic,
  )
  if (isTerminal) meter.start(total, 0)
  return {
    to: (done) => {
      if (isTerminal) meter.update(done)
    },
    finish: (note) => {
      if (isTerminal) meter.stop()
      const seconds = (performance.now() - startedAt) / 1000
      line(
        `  ${label.padEnd(12)} ${number(total).padStart(9)} records  ${number(total / seconds).padStart(9)}/s  ${note}`,
      )
    },
  }
}
