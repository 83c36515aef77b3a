/**
 * One part of `growth`, in a process of its own: its memory and its event loop are then nobody else's. Takes a Task as
 * JSON, and prints its figures as JSON in one line.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { loadOttla } from '../harness/ottla.js'
import { grow } from './grow.js'
import { measureIdle } from './idle.js'
import { openingMs } from './log.js'
import { LoopDelay } from './loop-delay.js'
import type { Figures, Task } from './settings.js'

const task = JSON.parse(process.argv[2] ?? '') as Task
const ottla = await loadOttla()

/** Opens what was killed in the middle of its work. */
const recover = async (): Promise<Figures> => ({
  'open-unclean': await openingMs(ottla, task, join(task.folder, 'long'), 1),
})

const delay = new LoopDelay()
const parts = { grow, idle: measureIdle, recover }
const figures = await parts[task.part](ottla, task)
const report = {
  ...figures,
  ...(task.part === 'idle' ? {} : delay.figures()),
  'rss-max': process.resourceUsage().maxRSS / 1000,
}
writeSync(1, `${JSON.stringify(report)}\n`)
// A part that is to be recovered from ends as a crash ends.
if (task.part === 'grow') process.kill(process.pid, 'SIGKILL')
