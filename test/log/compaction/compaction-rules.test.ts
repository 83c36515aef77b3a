/** What histories at random hardly come across. */
import { describe, expect, it } from 'vitest'
import { repairPartition } from '../../../src/log/maintenance/repair-partition.js'
import { baseOffsetOf } from '../../../src/record/header.js'
import { deferred } from '../../../src/runtime/abort.js'
import type { PartitionStorage } from '../../../src/storage/contract.js'
import { memoryPartition } from '../../support/log-batches.js'
import { CompactedWorld, type Written } from './compacted-world.js'

const record = (key: string, value: string | null, age = 0): Written => ({
  key,
  value,
  age,
  hasHeaders: false,
})

const openWorld = async (storage?: PartitionStorage): Promise<CompactedWorld> => {
  const partition = storage ?? (await memoryPartition())
  return new CompactedWorld(() => Promise.resolve(partition), { segmentBytes: 150 }).open()
}

describe('a transaction that was aborted', () => {
  it('C5, C7: is forgotten with its data, so that what its producer commits later is not taken for a part of it', async () => {
    const world = await openWorld()
    await world.produce(1, [record('a', 'taken back')], true)
    await world.end(1, 'abort')
    await world.produce(1, [record('b', 'kept')], true)
    await world.end(1, 'commit')
    const left: (readonly boolean[])[] = []
    for (let pass = 0; pass < 4; pass++) {
      await world.write([record('c', `${pass}`), record('d', `${pass}`)])
      await world.write([record('c', `${pass}`), record('d', `${pass}`)])
      await world.compact()
      const bases = world.naive.batches.map(({ base }) => base)
      left.push([bases.includes(0), bases.includes(1)])
      world.clock.time += 100
    }
    // The data at once; its marker when nothing of it is left, and the time to learn of it is over.
    expect(left).toEqual([
      [false, true],
      [false, true],
      [false, false],
      [false, false],
    ])
    expect((await world.committed(1 << 20)).map(({ value }) => value)).toContain('kept')
    await world.reopen('crash')
    expect((await world.committed(1 << 20)).map(({ value }) => value)).toContain('kept')
  })

  it('is not seen by a reader that has read its data before two passes, and hears of what was aborted after them', async () => {
    const inner = await memoryPartition()
    let gate: Promise<unknown> | undefined
    const storage = new Proxy(inner, {
      get(target, name) {
        if (name === 'read') {
          return async (...range: Parameters<PartitionStorage['read']>) => {
            const wait = gate
            gate = undefined
            const batches = await target.read(...range)
            await wait
            return batches
          }
        }
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    const world = await openWorld(storage)
    await world.produce(1, [record('a', 'taken back')], true)
    await world.end(1, 'abort')
    await world.produce(1, [record('b', 'kept')], false)
    await world.write([record('c', '1')])
    const held = deferred<undefined>()
    gate = held.promise
    const reading = world.committed(1 << 20)
    for (let pass = 0; pass < 2; pass++) {
      await world.write([record('d', '1'), record('e', '1')])
      await world.write([record('d', '1'), record('e', '1')])
      await world.compact()
    }
    held.resolve(undefined)
    expect((await reading).map(({ value }) => value)).not.toContain('taken back')
  })
})

it('C6: the largest timestamp is that of a record, not that of a batch that only tells its producer from others', async () => {
  const world = await openWorld()
  await world.produce(1, [record('a', 'latest by its time')], false)
  await world.write([record('a', 'last', 40)])
  await world.write([record('b', '1', 50), record('c', '1', 50)])
  await world.write([record('b', '1', 60), record('c', '1', 60)])
  await world.compact()
  expect(world.naive.batches[0]).toMatchObject({ producer: 1, records: [] })
  expect(await world.log.maxTimestamp()).toMatchObject({ offset: 1, timestamp: world.clock.now() - 40 })
})

it('L5: a hole above what was compacted is damage, with every blob and without the checkpoint', async () => {
  for (const how of ['clean', 'no checkpoint'] as const) {
    const world = await openWorld()
    for (const key of ['a', 'a', 'a', 'b', 'c', 'd']) await world.write([record(key, '1'), record('z', '1')])
    await world.compact()
    await world.reopen('crash')
    const { batches } = await world.log.read(0, 1 << 20)
    expect(batches.length).toBeGreaterThan(2)
    await world.write([record('e', '1')])
    await world.write([record('f', '1')])
    const hole = world.naive.batches.at(-2)!
    await world.storage.replace(hole.base, hole.last + 1, [])
    // A clean stop leaves nothing to be read through: who reads there finds it.
    const found = how === 'clean' ? world.reopen(how).then(() => world.committed()) : world.reopen(how)
    await expect(found, how).rejects.toThrow()
    expect(world.log.failure?.code, how).toBe('STORAGE_CORRUPT')
  }
})

it('L5: a compacted log is cut off at its damage as any other is, and opens again with its gaps', async () => {
  const world = await openWorld()
  for (const key of ['a', 'a', 'a', 'b', 'c', 'd']) await world.write([record(key, '1'), record('z', '1')])
  await world.compact()
  await world.write([record('e', '1')])
  const hole = world.naive.batches.at(-2)!
  await world.storage.replace(hole.base, hole.last + 1, [])
  const kept: number[] = []
  const repair = await repairPartition(world.storage, {
    topic: 'orders',
    clock: world.clock,
    keep: (batches) => {
      kept.push(...batches.map(baseOffsetOf))
      return Promise.resolve()
    },
    kept: () => Promise.resolve(),
  })
  expect([repair?.lostFrom, kept]).toEqual([hole.base, [world.naive.batches.at(-1)!.base]])
  await world.open()
  expect(world.log.failure).toBeUndefined()
  expect(world.log.endOffset).toBe(hole.base)
  await world.expectSound()
})
