/** The Program seam over Node's process. */
import { createRequire } from 'node:module'
import type { Program } from '../program.js'

const { version } = createRequire(import.meta.url)('ottla/package.json') as { readonly version: string }

let leftOutCount = 0

// Who reads the lines may go, as `head` does; that is no reason to stop.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

/** This process. */
export const nodeProgram: Program = {
  args: process.argv.slice(2),
  version,
  print: (line) => void process.stdout.write(`${line}\n`),
  report: (line, leftOut = (count) => `${count} lines were left out`) => {
    const { stderr } = process
    if (!stderr.writableNeedDrain) {
      stderr.write(`${line}\n`)
      return
    }
    if (leftOutCount++ > 0) return
    stderr.once('drain', () => {
      const count = leftOutCount
      leftOutCount = 0
      stderr.write(`${leftOut(count)}\n`)
    })
  },
  endWith: (exitCode) => {
    process.exitCode = exitCode
  },
  endNow: (exitCode) => process.exit(exitCode),
  onStopSignal: (listener) => {
    process.on('SIGINT', listener)
    process.on('SIGTERM', listener)
  },
}
