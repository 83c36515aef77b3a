/** Writes docs/errors.md from the error table: `tsx scripts/error-docs.ts`. A test holds the two together. */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { ERRORS, type ErrorEntry } from '../src/runtime/errors/error-table.js'

type Row = readonly [name: string, entry: ErrorEntry]

/** A Markdown table with its columns padded, as the project's formatter leaves it. */
const table = (rows: readonly Row[]): string => {
  const cells = [
    ['Error', 'Code', 'Retriable', 'What happened'],
    ...rows.map(([name, { kafkaCode, retriable, meaning }]) => [
      `\`${name}\``,
      String(kafkaCode),
      retriable ? 'yes' : 'no',
      meaning.replaceAll('|', '\\|'),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
  lines.splice(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  )
  return lines.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** The text of docs/errors.md. */
export const errorDocs = (): string => {
  const rows: readonly Row[] = Object.entries(ERRORS)
  const isKafka = ([name, { kafkaCode }]: Row): boolean => kafkaCode !== -1 || name === 'UNKNOWN_SERVER_ERROR'
  return `# Errors

Every error that Ottla throws on purpose is an \`OttlaError\`. Its \`code\` is one of the names below and never changes
its meaning; \`retriable\` says whether the same call may succeed later without a change by the caller; \`kafkaCode\`
is the number that stands for it in Kafka's protocol.

This page is written from the error table by \`tsx scripts/error-docs.ts\`.

## Errors of Kafka's protocol

${table(rows.filter(isKafka))}

## Errors that only Ottla has

On the wire they become -1, \`UNKNOWN_SERVER_ERROR\`.

${table(rows.filter((row) => !isKafka(row)))}
`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(new URL('../docs/errors.md', import.meta.url), errorDocs())
}
