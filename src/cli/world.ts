/** What the command sees of the machine. */
import type { Clock } from '../runtime/clock.js'
import type { Files } from '../runtime/files.js'
import type { Program } from '../runtime/program.js'

/** The seams that the command works with. */
export interface World {
  readonly program: Program
  readonly files: Files
  readonly clock: Clock
}
