/**
 * Seeks, pauses and loops that are left, at random, against the naive model: each partition is a counter that a
 * message raises by one and a seek sets.
 */
import { describe, expect, it } from 'vitest'
import { Consumer } from '../../../src/clients/consumer/consumer.js'
import { commitOffsets } from '../../../src/clients/group/group-offsets.js'
import { ConsumerWorld, type Text } from '../../support/consumer-world.js'
import { SeededRandom } from '../../support/seeded-random.js'

const PARTITIONS = 3

const history = async (seed: number): Promise<void> => {
  const world = await ConsumerWorld.open(PARTITIONS)
  const random = new SeededRandom(seed)
  for (let batch = 0; batch < 60; batch++) await world.produce(random, batch % PARTITIONS)
  const consumer = new Consumer<Text>(
    world.main.context,
    {
      assign: [world.topic],
      maxPollRecords: 1 + random.below(7),
      // Small enough that partitions are left out of fetches, and buffers given up.
      maxPartitionFetchBytes: random.oneOf([200, 2000, 1 << 20]),
      maxPrefetchBytes: random.oneOf([300, 1 << 20]),
    },
    world.main.root,
  )
  const next = new Array<number>(PARTITIONS).fill(0)
  const paused = new Set<number>()
  const hasMore = (): boolean =>
    next.some((offset, partition) => !paused.has(partition) && offset < world.produced[partition]!)
  let iterator = consumer[Symbol.asyncIterator]()
  let current: number | undefined

  for (let step = 0; step < 400; step++) {
    const partition = random.below(PARTITIONS)
    const named = { topic: 'orders', partition }
    switch (random.below(10)) {
      case 0: {
        const offset = random.below(world.produced[partition]! + 1)
        const seeking = consumer.seek(named, offset)
        if (random.below(2) === 0) await seeking
        next[partition] = offset
        if (current === partition) current = undefined
        break
      }
      case 1:
        await consumer.seek(named, 'earliest')
        next[partition] = 0
        if (current === partition) current = undefined
        break
      case 2:
        consumer.pause([named])
        paused.add(partition)
        break
      case 3:
        consumer.resume([named])
        paused.delete(partition)
        break
      case 4:
        // The message in which the loop was left is not processed.
        await iterator.return?.()
        if (current !== undefined) next[current]!--
        current = undefined
        iterator = consumer[Symbol.asyncIterator]()
        break
      default: {
        if (!hasMore()) break
        const result = await iterator.next()
        const message = result.value!
        expect(paused).not.toContain(message.partition)
        expect(message.value).toBe(`${message.partition}/${next[message.partition]}`)
        next[message.partition]!++
        current = message.partition
      }
    }
    expect(await consumer.position(named)).toBe(next[partition])
  }
  await iterator.return?.()
  await world.close()
}

describe('positions', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('follow the model, seed %i', { timeout: 10_000 }, (seed) => history(seed))

  it('are where the application went last, though what the group committed is heard of later', async () => {
    const world = await ConsumerWorld.open(1)
    const random = new SeededRandom(1)
    while (world.produced[0]! < 10) await world.produce(random, 0)
    const { context, root } = world.main
    const named = { topic: 'orders', partition: 0 }
    const nobody = { groupId: 'committed', memberId: '', generation: -1 }
    await commitOffsets(context, () => nobody, [{ ...named, offset: 7 }])
    const options = { assign: [world.topic], groupId: 'committed' }
    const consumer = new Consumer<Text>(context, options, root)
    await consumer.seek(named, 3)
    expect((await consumer[Symbol.asyncIterator]().next()).value).toMatchObject({ offset: 3 })
    const other = new Consumer<Text>(context, options, root)
    expect((await other[Symbol.asyncIterator]().next()).value).toMatchObject({ offset: 7 })
    await world.close()
  })
})
