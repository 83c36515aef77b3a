/** On what the figures were taken. */
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os'

/** The machine, as far as it decides the figures. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
}

/** This machine. */
export const machine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? arch(),
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()} ${arch()}`,
  node: process.version,
})
