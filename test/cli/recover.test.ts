/** Partitions are opened before clients come, and somebody who looks on sees how far it is. */
import { describe, expect, it } from 'vitest'
import { Log } from '../../src/cli/log.js'
import { recover } from '../../src/cli/recover.js'
import { Ottla } from '../../src/index.js'
import { nodeFiles } from '../../src/runtime/node/node-files.js'
import { ManualClock } from '../support/manual-clock.js'
import { ScriptedProgram } from './scripted-program.js'

/** A clock by which every look at it takes longer than progress may be silent. */
class SlowClock extends ManualClock {
  override monotonic(): number {
    this.advance(1_000)
    return super.monotonic()
  }
}

describe('recovery', () => {
  it('tells of its progress, and of its end', async () => {
    await using ottla = await Ottla.open()
    await ottla.createTopic('a', { partitions: 40 })
    await ottla.createTopic('b', { partitions: 30 })
    const program = new ScriptedProgram([])
    const world = { program, files: nodeFiles, clock: new SlowClock() }
    const log = new Log({ isJson: true, level: 'info' }, world)
    await recover(ottla, log, world, new AbortController().signal)
    const lines = program.reported.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(({ event, done, total, partitions }) => ({ event, done, total, partitions }))).toEqual([
      { event: 'recovering', done: 0, total: 70 },
      { event: 'recovering', done: 32, total: 70 },
      { event: 'recovering', done: 64, total: 70 },
      { event: 'recovered', partitions: 70 },
    ])
  })

  it('ends early when it is time to stop', async () => {
    await using ottla = await Ottla.open()
    await ottla.createTopic('a', { partitions: 40 })
    const program = new ScriptedProgram([])
    const world = { program, files: nodeFiles, clock: new SlowClock() }
    const log = new Log({ isJson: false, level: 'info' }, world)
    await expect(recover(ottla, log, world, AbortSignal.abort())).rejects.toThrow()
    expect(program.reported).toEqual([])
  })
})
