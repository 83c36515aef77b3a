/** Programs of the tests in processes of their own: TypeScript as it stands, against the sources. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** A process, and what it has written so far. */
export interface StartedProcess {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** Resolves when stdout has this many whole lines; rejects when the process ends before. */
  lines(count: number): Promise<readonly string[]>
  /** Resolves when the process has ended and its pipes are empty. */
  readonly ended: Promise<{
    readonly code: number | null
    readonly signal: string | null
    readonly stdout: string
    readonly stderr: string
  }>
}

/** Starts `file` (relative to the module that asks) with `args`; it is killed when the test is over. */
export const startProcess = (file: URL, args: readonly string[] = []): StartedProcess => {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), fileURLToPath(file), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  let hasEnded = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const wholeLines = () => stdout.split('\n').slice(0, -1)
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    hasEnded = true
    return { code: code as number | null, signal: signal as string | null, stdout, stderr }
  })
  return {
    child,
    ended,
    async lines(count) {
      while (wholeLines().length < count) {
        if (hasEnded) throw new Error(`it ended after ${wholeLines().length} lines: ${stderr}`)
        await Promise.race([once(child.stdout, 'data'), ended])
      }
      return wholeLines()
    },
  }
}
