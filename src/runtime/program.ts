/** The Program seam: what a command that runs as a process of its own needs of its process. */

/** The signals that ask a process to end. */
export type StopSignal = 'SIGINT' | 'SIGTERM'

/** The process that a command runs in. */
export interface Program {
  /** What stands behind the command's name on the command line. */
  readonly args: readonly string[]
  /** The version of the package that the command is part of. */
  readonly version: string
  /** Writes a line to the standard output. */
  print(line: string): void
  /**
   * Writes a line to the standard error. While nobody reads what is there already, lines are left out; how many is
   * said as soon as somebody does, by the line that the `leftOut` of the first of them makes.
   */
  report(line: string, leftOut?: (count: number) => string): void
  /** Sets what the process ends with once nothing keeps it: 0 for well. */
  endWith(exitCode: number): void
  /** Ends the process at once, whatever is under way. */
  endNow(exitCode: number): void
  /** Calls `listener` for each signal that asks the process to end, in place of ending it. */
  onStopSignal(listener: (signal: StopSignal) => void): void
}
