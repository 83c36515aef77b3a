/** The command as a process of its own: the sources, started as a shell would. */
import { startProcess, type StartedProcess } from '../support/child-process.js'

/** Starts `ottla` with `args`; it is killed when the test is over. */
export const ottla = (...args: readonly string[]): StartedProcess =>
  startProcess(new URL('../../src/cli/main.ts', import.meta.url), args)

/** A command that serves. */
export interface Serving extends StartedProcess {
  /** Its line on the standard output. */
  readonly ready: string
  /** The port of its first listener. */
  readonly port: number
}

/** Starts `ottla serve` with `args`, on a free port of this machine, and waits until it is ready. */
export const serve = async (...args: readonly string[]): Promise<Serving> => {
  const started = ottla('serve', '--listen', '127.0.0.1:0', ...args)
  const [ready = ''] = await started.lines(1)
  return { ...started, ready, port: Number(/127\.0\.0\.1:(\d+)/.exec(ready)?.[1]) }
}
