/**
 * Random histories in which members are killed in the middle of a turn: at least once, nothing is lost; at most once,
 * nothing is processed twice.
 */
import { describe, expect, it } from 'vitest'
import { ConsumerWorld } from '../../support/consumer-world.js'
import { SeededRandom } from '../../support/seeded-random.js'

const OPTIONS = {
  heartbeatIntervalMs: 5,
  sessionTimeoutMs: 40,
  autoCommitIntervalMs: 1,
  maxPollRecords: 5,
  fetchMaxWaitMs: 20,
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Joins, processes for a while, and is killed in a turn that ends only when the history does. */
const mortal = async (world: ConsumerWorld, random: SeededRandom, over: Promise<void>): Promise<void> => {
  const process = world.process()
  const consumer = await world.join(process)
  let left = 1 + random.below(20)
  await new Promise<void>((resolve) => {
    const isBatch = random.below(2) === 0
    const dies = async (): Promise<boolean> => {
      if (left-- > 0) {
        if (random.below(3) === 0) await pause(random.below(4))
        return false
      }
      // Commits at the interval come while the turn is under way.
      await pause(5)
      await process.kill()
      resolve()
      return true
    }
    const partitionsConsumedConcurrently = 1 + random.below(2)
    const running = isBatch
      ? consumer.run({
          partitionsConsumedConcurrently,
          eachBatch: async ({ messages }) => {
            if (left < 0 || (await dies())) return over
            for (const message of messages) world.count(message)
          },
        })
      : consumer.run({
          partitionsConsumedConcurrently,
          eachMessage: async (message) => {
            if (left < 0 || (await dies())) return over
            world.count(message)
          },
        })
    running.catch(() => undefined)
  })
}

const history = async (seed: number, delivery: 'at-least-once' | 'at-most-once'): Promise<number[][]> => {
  const world = await ConsumerWorld.open(2, { ...OPTIONS, delivery })
  const random = new SeededRandom(seed)
  const producing = { isOver: false }
  let bury!: () => void
  const buried = new Promise<void>((resolve) => (bury = resolve))
  const produce = async (): Promise<void> => {
    while (!producing.isOver) {
      await world.produce(random)
      await pause(2)
    }
  }
  const records = produce()
  for (let life = 0; life < 4; life++) {
    await Promise.all([
      mortal(world, random, buried),
      ...(random.below(2) === 0 ? [mortal(world, random, buried)] : []),
    ])
  }
  producing.isOver = true
  await records

  const survivor = await world.join()
  const over = new AbortController()
  const ends = await survivor.endOffsets(world.topic.partitions())
  const isOver = async (): Promise<boolean> => {
    const committed = await world.committed()
    return ends.every(({ partition, offset }) => committed[partition] === offset)
  }
  const running = survivor.run({ signal: over.signal, eachMessage: (message) => world.count(message) })
  while (!(await isOver())) {
    await survivor.commit().catch(() => undefined)
    await pause(5)
  }
  over.abort()
  await running
  await survivor.close()
  const tally = world.tally()
  // Closing waits for handlers, and a real process that was killed has none.
  bury()
  await world.close()
  return tally
}

const SEEDS = [1, 2, 3, 4]

describe('members that are killed in the middle of a turn', () => {
  it.each(SEEDS)('lose nothing at least once, seed %i', { timeout: 30_000 }, async (seed) => {
    const tally = await history(seed, 'at-least-once')
    expect(tally.flat().filter((count) => count === 0)).toEqual([])
  })

  it.each(SEEDS)('repeat nothing at most once, seed %i', { timeout: 30_000 }, async (seed) => {
    const tally = await history(seed, 'at-most-once')
    expect(tally.flat().filter((count) => count > 1)).toEqual([])
  })
})
