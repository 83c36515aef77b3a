/** Processes that are started in order to be killed, from one bundle: a start costs what Node's costs, and no more. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { scratchFolder, sweep, undoLater } from './scratch.js'

/** A child that does nothing for so long has hung. */
const CHILD_LIMIT_MS = 60_000

/** How a child ended. */
export interface Death {
  readonly output: string
  readonly errors: string
  readonly signal: NodeJS.Signals | null
  readonly code: number | null
}

/** A child that runs. */
export interface Child {
  readonly pid: number
  /** What it has said so far. */
  readonly output: () => string
  /** Resolves when it has said `text`, or has ended. */
  readonly said: (text: string) => Promise<void>
  readonly kill: () => void
  /** Resolves when it has ended and all it said was read. */
  readonly ended: Promise<Death>
}

/** The bundle of child.ts. */
export class Children {
  readonly #script: string

  private constructor(script: string) {
    this.#script = script
  }

  /** Bundles the sources, into a folder from which the packages that they use are found. */
  static async build(): Promise<Children> {
    const modules = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url))
    mkdirSync(modules, { recursive: true })
    for (const parent of [undefined, modules]) sweep(parent)
    const { folder } = scratchFolder(modules)
    await build({
      config: false,
      silent: true,
      entry: [fileURLToPath(new URL('child.ts', import.meta.url))],
      outDir: folder,
      format: 'esm',
      outExtension: () => ({ js: '.mjs' }),
      target: 'node20',
      platform: 'node',
    })
    return new Children(join(folder, 'child.mjs'))
  }

  start(...args: readonly (string | number)[]): Child {
    const child = spawn(process.execPath, [this.#script, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const kill = (): void => void child.kill('SIGKILL')
    const forget = undoLater(kill)
    const limit = setTimeout(kill, CHILD_LIMIT_MS)
    const { output, said, errors } = listen(child)
    const ended = new Promise<Death>((resolve, reject) => {
      child.on('error', reject)
      // 'close' and not 'exit': what the dead left in the pipe counts.
      child.on('close', (code, signal) => {
        clearTimeout(limit)
        forget()
        resolve({ output: output(), errors: errors(), signal, code })
      })
    })
    return { pid: child.pid ?? 0, output, said, kill, ended }
  }
}

const listen = (child: ChildProcess): Pick<Child, 'output' | 'said'> & { readonly errors: () => string } => {
  let output = ''
  let errors = ''
  let isOver = false
  const waiting: { readonly text: string; readonly resolve: () => void }[] = []
  const settle = (): void => {
    for (const wait of waiting.splice(0)) {
      if (isOver || output.includes(wait.text)) wait.resolve()
      else waiting.push(wait)
    }
  }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    if (waiting.length > 0) settle()
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  child.on('close', () => {
    isOver = true
    settle()
  })
  return {
    output: () => output,
    errors: () => errors,
    said: (text) =>
      new Promise((resolve) => {
        waiting.push({ text, resolve })
        settle()
      }),
  }
}

/** Resolves after `ms`. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
