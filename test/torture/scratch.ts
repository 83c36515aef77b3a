/**
 * What a suite makes outside its own process: folders, mounts, loop devices, children. All of it is gone when the suite
 * is over, also when it failed or was stopped.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What is to be undone, the last first. */
const undoing: (() => void)[] = []

const undo = (): void => {
  for (let step = undoing.pop(); step !== undefined; step = undoing.pop()) attempt(step)
}

/** What cannot be undone must not keep the rest from it. */
const attempt = (step: () => void): void => {
  try {
    step()
  } catch (error) {
    console.error(error)
  }
}

process.on('exit', undo)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

/** Calls `step` when the process ends, unless what this returns was called before, which does it at once. */
export const undoLater = (step: () => void): (() => void) => {
  undoing.push(step)
  return () => {
    const at = undoing.indexOf(step)
    if (at < 0) return
    undoing.splice(at, 1)
    attempt(step)
  }
}

const PREFIX = 'ottla-torture-'

/** Removes the folders that a run left behind which was killed itself. */
export const sweep = (parent = tmpdir()): void => {
  for (const name of readdirSync(parent)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1] ?? process.pid)
    // What is mounted or used still stays.
    if (!isRunning(pid)) attempt(() => rmSync(join(parent, name), { recursive: true, force: true }))
  }
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A new empty folder, and what removes it. */
export const scratchFolder = (
  parent = tmpdir(),
): { readonly folder: string; readonly remove: () => void } => {
  const folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`))
  const remove = undoLater(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  return { folder, remove }
}

/** Runs a program of the system to its end. @throws Error with what it said, when it failed or is not there. */
export const system = (program: string, ...args: string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (error !== undefined) throw new Error(`${program}: ${error.message}`)
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim() || `exit code ${status}`}`)
  return stdout.trim()
}

/** Why what needs root cannot be done here; undefined when it can. */
export const rootMissing = (): string | undefined =>
  process.platform !== 'linux'
    ? 'only Linux can mount like that'
    : process.getuid?.() === 0
      ? undefined
      : 'mounting needs root'
