/** What a process says before it dies. */
import { writeSync } from 'node:fs'

/** Returns when the pipe has it all: what a buffer of this process holds would die with it. */
export const say = (lines: string): void => {
  let rest = Buffer.from(lines)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      // The pipe is full; the parent does nothing but empty it.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}
