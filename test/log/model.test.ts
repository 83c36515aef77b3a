/**
 * Every storage beside a naive model: after each step of a drawn history (appends of every kind, reads, cuts,
 * compaction, new epochs, crashes) all that can be seen of the log is what the model says. `OTTLA_MODEL_RUNS` asks for
 * more of them, `OTTLA_MODEL_SEED` for those of a seed.
 */
import { fc, test } from '@fast-check/vitest'
import { describe } from 'vitest'
import { Seeded } from '../../src/storage/test-suite/seeded.js'
import { MACHINES } from './model/machines.js'
import { settings, steps } from './model/steps.js'
import { LogWorld } from './model/world.js'

const RUNS = Number(process.env.OTTLA_MODEL_RUNS ?? 200)
const SEED = process.env.OTTLA_MODEL_SEED

describe.each(MACHINES)('a log on $name, and arrays', ({ create, share }) => {
  test.prop([steps, settings, fc.nat()], {
    numRuns: Math.max(1, Math.ceil(RUNS * share)),
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  })(
    'H1, H2, H5, L1 to L8, C1 to C8, P1 to P5, R1 to R4: are the same after every step, and after every crash',
    async (drawnSteps, drawnSettings, seed) => {
      const random = new Seeded(seed)
      const machine = await create((limit) => random.below(limit))
      await new LogWorld(machine, drawnSettings).run(drawnSteps)
    },
    600_000,
  )
})
