/** Part one: writers killed with SIGKILL, over and over, on one folder after another. */
import type { NaivePartition as Model } from '../../../src/storage/test-suite/naive-partition.js'
import { NaivePartition } from '../../../src/storage/test-suite/naive-partition.js'
import { SeededRandom } from '../../support/seeded-random.js'
import { pause, type Children, type Death } from '../children.js'
import { scratchFolder } from '../scratch.js'
import type { Subject } from '../storages.js'
import { judge, type Progress } from './judge.js'
import { MAX_IN_FLIGHT, PARTITION_IDS } from './script.js'

/** After so many rounds a folder is left for a new one. */
const ROUNDS_A_FOLDER = 25

/** Most rounds are short; what a storage does after so many changes wants a longer one. */
const LONG_MS = 4000

/** What a round is told. */
export interface Rounds {
  readonly children: Children
  readonly seed: number
  readonly first: number
  readonly count: number
}

/** Partitions that nobody has written. */
export const emptyModels = (): Model[] => PARTITION_IDS.map(() => new NaivePartition())

/** The steps that a writer says were acknowledged, by partition. @throws Error when one was after a failed one. */
export const acknowledged = (output: string): number[][] => {
  const steps: number[][] = PARTITION_IDS.map(() => [])
  // What a writer could not finish saying promises nothing.
  for (const line of output.slice(0, output.lastIndexOf('\n') + 1).split('\n')) {
    if (line.startsWith('late ')) throw new Error(`acknowledged after the storage had failed: ${line}`)
    const match = /^(\d+) (\d+)$/.exec(line)
    if (match !== null) steps[Number(match[1])]?.push(Number(match[2]))
  }
  return steps
}

/** That an acknowledged step brings all before it along. */
export const progressOf = (steps: readonly (readonly number[])[]): Progress[] =>
  steps.map((acknowledgedSteps) => {
    const promised = Math.max(-1, ...acknowledgedSteps) + 1
    return { promised, begun: promised + MAX_IN_FLIGHT }
  })

/** Runs the rounds. @throws Error at the first that lost something. */
export const killRounds = async (
  { storage, durability }: Subject,
  { children, seed, first, count }: Rounds,
): Promise<string> => {
  const random = new SeededRandom(seed + first)
  let scratch = scratchFolder()
  let models = emptyModels()
  const total = { steps: 0, interrupted: 0, early: 0, batches: 0 }
  try {
    for (let round = first; round < first + count; round++) {
      if ((round - first) % ROUNDS_A_FOLDER === 0 && round > first) {
        scratch.remove()
        scratch = scratchFolder()
        models = emptyModels()
      }
      const { folder } = scratch
      const writer = children.start('write', storage.name, folder, durability, seed, round)
      const isEarly = random.below(8) === 0
      // Some die as they open; the others at any time after the first acknowledgement.
      if (isEarly) total.early++
      else await writer.said('\n0 ')
      await pause(isEarly ? random.below(150) : random.below(50) === 0 ? LONG_MS : random.below(300))
      writer.kill()
      const death = await writer.ended
      assertKilled(death)
      const steps = acknowledged(death.output)
      total.steps += steps.reduce((sum, each) => sum + each.length, 0)
      if (random.below(4) === 0) {
        // A second one dies as it cleans up after the first.
        const opener = children.start('open', storage.name, folder)
        await pause(30 + random.below(60))
        opener.kill()
        const { signal, code, errors } = await opener.ended
        if (signal !== 'SIGKILL' && code !== 0)
          throw new Error(`round ${round}: the folder does not open: ${errors}`)
        if (signal === 'SIGKILL') total.interrupted++
      }
      const log = storage.create(folder)
      try {
        await log.open()
        const found = await judge(log, models, progressOf(steps), { seed, round })
        models = [...found.models]
        total.batches += found.batchCount
      } catch (error) {
        throw new Error(
          `round ${round}, seed ${seed}: ${error instanceof Error ? error.message : String(error)}`,
          {
            cause: error,
          },
        )
      } finally {
        await log.close()
      }
    }
  } finally {
    scratch.remove()
  }
  const { steps, batches, early, interrupted } = total
  return `${count} kills, ${early} of them at the opening, ${interrupted} recoveries killed too; ${steps} steps acknowledged, ${batches} batches compared`
}

/** @throws Error when a writer ended before it was killed. */
export const assertKilled = ({ signal, code, errors, output }: Death): void => {
  const failure = /^failed .*$/m.exec(output)
  if (failure !== null) throw new Error(`a write failed on a sound disk: ${failure[0]}`)
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself, with ${code ?? signal}: ${errors}`)
}
