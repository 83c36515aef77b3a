/** The command inside the process of a test: what it says is collected, its signals are the test's to send. */
import { onTestFinished } from 'vitest'
import { runCommand } from '../../src/cli/command.js'
import type { Clock } from '../../src/runtime/clock.js'
import { systemClock } from '../../src/runtime/clock.js'
import { nodeFiles } from '../../src/runtime/node/node-files.js'
import type { Program, StopSignal } from '../../src/runtime/program.js'

/** A process that is none. */
export class ScriptedProgram implements Program {
  readonly version = '1.2.3'
  readonly args: readonly string[]
  /** The lines of the standard output. */
  readonly printed: string[] = []
  /** The lines of the standard error. */
  readonly reported: string[] = []
  /** What it ends with; undefined while nobody has said. */
  exitCode: number | undefined
  /** What it was ended with at once; undefined when it was not. */
  endedNowWith: number | undefined
  #onSignal: ((signal: StopSignal) => void) | undefined
  #onPrint: (() => void) | undefined

  constructor(args: readonly string[]) {
    this.args = args
  }

  print(line: string): void {
    this.printed.push(line)
    this.#onPrint?.()
  }

  report(line: string): void {
    this.reported.push(line)
  }

  endWith(exitCode: number): void {
    this.exitCode = exitCode
  }

  endNow(exitCode: number): void {
    this.endedNowWith = exitCode
  }

  onStopSignal(listener: (signal: StopSignal) => void): void {
    this.#onSignal = listener
  }

  /** Sends it a signal. */
  signal(signal: StopSignal): void {
    this.#onSignal?.(signal)
  }

  /** Resolves when it has printed a line. */
  firstLine(): Promise<void> {
    if (this.printed.length > 0) return Promise.resolve()
    return new Promise((resolve) => (this.#onPrint = resolve))
  }
}

/** Runs `ottla` with `args` to its end. */
export const run = async (...args: readonly string[]): Promise<ScriptedProgram> => {
  const program = new ScriptedProgram(args)
  await runCommand({ program, files: nodeFiles, clock: systemClock })
  return program
}

/** A command that serves. */
export interface Served {
  readonly program: ScriptedProgram
  /** Its line on the standard output. */
  readonly ready: string
  /** The port of its first listener. */
  readonly port: number
  /** Resolves when it is at its end. */
  readonly ended: Promise<void>
}

/** Runs `ottla serve` with `args`, on a free port of this machine, until it is ready; it is stopped with the test. */
export const serveHere = async (
  args: readonly string[] = [],
  clock: Clock = systemClock,
): Promise<Served> => {
  const program = new ScriptedProgram(['serve', '--listen', '127.0.0.1:0', ...args])
  const ended = runCommand({ program, files: nodeFiles, clock })
  onTestFinished(async () => {
    program.signal('SIGTERM')
    await ended
  })
  await Promise.race([program.firstLine(), ended])
  const [ready] = program.printed
  if (ready === undefined) throw new Error(program.reported.join('\n'))
  return { program, ready, ended, port: Number(/127\.0\.0\.1:(\d+)/.exec(ready)?.[1]) }
}
