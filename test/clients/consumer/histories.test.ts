/**
 * Random histories: members come and go, loops break off, handlers throw, batches are of every kind; whatever
 * happens, no record is lost, and as long as everybody leaves in order none is processed twice.
 */
import { describe, expect, it } from 'vitest'
import type { Consumer } from '../../../src/clients/consumer/consumer.js'
import { ConsumerWorld, type Text } from '../../support/consumer-world.js'
import { SeededRandom } from '../../support/seeded-random.js'

const OPTIONS = { heartbeatIntervalMs: 10, autoCommitIntervalMs: 7, maxPollRecords: 5, fetchMaxWaitMs: 20 }

class Oops extends Error {}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Consumes for a while in one of the ways there are, and ends in order. */
const consumeFor = async (
  world: ConsumerWorld,
  consumer: Consumer<Text>,
  random: SeededRandom,
): Promise<void> => {
  const limit = 1 + random.below(60)
  const failAt = random.below(3) === 0 ? random.below(limit) : -1
  const ending = new AbortController()
  const over = pause(5 + random.below(40)).then(() => ending.abort())
  let seen = 0
  switch (random.below(4)) {
    case 0: {
      const iterator = consumer[Symbol.asyncIterator]()
      let current: Text | undefined
      for (;;) {
        const answer = iterator.next()
        // Asking for the next one is what makes the current one processed.
        if (current !== undefined) world.count(current)
        current = undefined
        const ended = over.then(() => undefined)
        const result = await Promise.race([answer, ended])
        if (result === undefined) {
          await iterator.return?.()
          expect((await answer).done).toBe(true)
          break
        }
        if (result.done === true) break
        current = result.value
        if (++seen >= limit) {
          await iterator.return?.()
          break
        }
      }
      break
    }
    case 1:
    case 2: {
      const partitionsConsumedConcurrently = 1 + random.below(3)
      const run = consumer.run({
        partitionsConsumedConcurrently,
        signal: ending.signal,
        eachMessage: async (message) => {
          if (random.below(2) === 0) await pause(random.below(3))
          if (seen++ === failAt) throw new Oops()
          world.count(message)
          if (seen >= limit) ending.abort()
        },
      })
      await expect(run.catch((error: unknown) => error)).resolves.toSatisfy(
        (error) => error === undefined || error instanceof Oops,
      )
      break
    }
    default: {
      const run = consumer.run({
        partitionsConsumedConcurrently: 1 + random.below(3),
        signal: ending.signal,
        eachBatch: async ({ messages }) => {
          if (random.below(2) === 0) await pause(random.below(3))
          if (seen++ === failAt) throw new Oops()
          for (const message of messages) world.count(message)
          if (seen >= limit) ending.abort()
        },
      })
      await expect(run.catch((error: unknown) => error)).resolves.toSatisfy(
        (error) => error === undefined || error instanceof Oops,
      )
    }
  }
  await over
}

const member = async (world: ConsumerWorld, seed: number): Promise<void> => {
  const random = new SeededRandom(seed)
  for (let life = 0; life < 2; life++) {
    await pause(random.below(20))
    const consumer = await world.join()
    for (let turn = 0; turn < 2 + random.below(3); turn++) await consumeFor(world, consumer, random)
    await consumer.close()
  }
}

const history = async (seed: number): Promise<void> => {
  const world = await ConsumerWorld.open(4, OPTIONS)
  const random = new SeededRandom(seed)
  const producing = async (): Promise<void> => {
    for (let batch = 0; batch < 40; batch++) {
      await world.produce(random)
      if (random.below(3) === 0) await pause(random.below(10))
    }
  }
  await Promise.all([producing(), ...[1, 2, 3].map((index) => member(world, seed * 10 + index))])

  // Whoever comes last gets what is left.
  const last = await world.join()
  const drained = new AbortController()
  if (!world.isDone) {
    await last.run({
      signal: drained.signal,
      eachMessage: (message) => {
        world.count(message)
        if (world.isDone) drained.abort()
      },
    })
  }
  await last.close()

  expect(world.tally()).toEqual(world.produced.map((end) => new Array<number>(end).fill(1)))
  expect(await world.committed()).toEqual(world.produced)
  await world.close()
}

describe('random histories of a group', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'lose nothing and repeat nothing, seed %i',
    { timeout: 30_000 },
    async (seed) => {
      await history(seed)
    },
  )
})
