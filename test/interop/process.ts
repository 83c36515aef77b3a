/** Programs of other languages as child processes, beside an event loop that goes on: the broker runs in this one. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Skipped } from '../support/suite-command.js'

const CHILD_LIMIT_MS = 120_000
const PREPARE_LIMIT_MS = 600_000

/** How to call a program. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  /** Besides this process's own. */
  readonly env?: Readonly<Record<string, string>>
}

/** Whether `command` can be called. */
export const has = (command: string, ...args: readonly string[]): boolean => {
  const { error } = spawnSync(command, args, { stdio: 'ignore' })
  return error === undefined
}

/** Runs a program to its end. Resolves to the lines that it printed; rejects with what it said when it failed. */
export const run = async (
  command: Command,
  parameters: readonly string[],
  input = '',
): Promise<readonly string[]> => {
  const child = spawn(command.file, [...command.args, ...parameters], {
    env: { ...process.env, ...command.env },
    timeout: CHILD_LIMIT_MS,
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdin.on('error', () => undefined).end(input)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve)
  })
  if (code !== 0) {
    throw new Error(
      `${command.file} ${[...command.args, ...parameters].join(' ')} ended with ${code}: ${errors}${output}`,
    )
  }
  return output.split('\n').filter((line) => line !== '')
}

/**
 * A folder of the cache that `prepare` fills, once and for all. It is filled beside its place and then moved: what was
 * broken off half-way is never taken for the whole.
 * @throws Skipped when it cannot be filled here.
 */
export const prepared = (name: string, prepare: (folder: string) => readonly Command[]): string => {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ottla-interop')
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const partial = `${folder}.${process.pid}`
  for (const { file, args, env } of prepare(partial)) {
    const made = spawnSync(file, args, {
      encoding: 'utf8',
      timeout: PREPARE_LIMIT_MS,
      env: { ...process.env, ...env },
    })
    if (made.status === 0) continue
    rmSync(partial, { recursive: true, force: true })
    throw new Skipped(`${name} cannot be made ready: ${`${made.stdout}${made.stderr}`.trim().slice(-500)}`)
  }
  renameSync(partial, folder)
  return folder
}
