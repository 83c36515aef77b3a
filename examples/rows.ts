/** The tables of the npm package vega-datasets (BSD-3), which the examples take their records from. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** A row by the names of its columns. */
export type Row = Readonly<Record<string, string>>

/** The rows of a table. None of those that the examples read has a comma in quotes in the columns that they use. */
export const rowsOf = async (file: string): Promise<readonly Row[]> => {
  const path = createRequire(import.meta.url).resolve('vega-datasets/package.json')
  const text = await readFile(path.replace(/package\.json$/, `data/${file}`), 'utf8')
  const [head = '', ...lines] = text.trim().split(/\r?\n/)
  const columns = head.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']))
  })
}

/** A field of a row, which must be there. */
export const field = (row: Row, name: string): string => {
  const value = row[name]
  if (value === undefined)
    throw new Error(`There is no column ${name}; there are ${Object.keys(row).join(', ')}.`)
  return value
}
