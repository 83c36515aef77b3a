/** What happens to a log while it is compacted: appends, readers, deletion, truncation, closing. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { Pace } from '../../../src/log/compaction/pace.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.js'
import { MemoryLevel } from 'memory-level'
import { levelStorageOver } from '../../../src/storage/level/index.js'
import { ID } from '../../support/log-batches.js'
import { CompactedWorld, type Written } from './compacted-world.js'

type Meanwhile = 'append' | 'abort' | 'read' | 'delete' | 'truncate' | 'checkpoint' | 'close' | 'none'

/** A pace that does something at every rest. */
class EventfulPace extends Pace {
  readonly #next: () => Promise<void>

  constructor(world: CompactedWorld, next: () => Promise<void>) {
    super(world.clock)
    this.#next = next
  }

  override async rest(): Promise<void> {
    await super.rest()
    await this.#next()
  }
}

const record = (key: string, value: string | null): Written => ({ key, value, age: 0, hasHeaders: false })

describe.each([
  ['memory', () => new MemoryStorage(), 200],
  ['level', () => levelStorageOver(new MemoryLevel({ keyEncoding: 'view', valueEncoding: 'view' })), 40],
] as const)('while a log in %s is compacted', (_name, create, numRuns) => {
  test.prop(
    [
      fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 10, maxLength: 40 }),
      fc.array(
        fc.constantFrom<Meanwhile>(
          ...(['append', 'append', 'abort', 'read', 'read', 'delete', 'none', 'none'] as const),
          ...(['truncate', 'checkpoint', 'close'] as const),
        ),
        { maxLength: 30 },
      ),
      fc.constantFrom(0, 150, 1 << 20),
    ],
    { numRuns },
  )('everyone else gets what they would have got', async (keys, meanwhile, bufferBytes) => {
    const storage = create()
    await storage.open()
    const world = await new CompactedWorld(() => storage.partition(ID)).open()
    for (const [index, key] of keys.entries()) {
      await world.write([record(key, `${index}`), record('e', index % 3 === 0 ? null : `${index}`)])
      if (index % 4 === 0) {
        await world.produce(1, [record(key, 'taken back')], true)
        await world.end(1, 'abort')
      }
      if (index % 5 === 0) {
        await world.produce(2, [record(key, 'kept')], true)
        await world.end(2, 'commit')
      }
    }
    // A first pass, so that the second finds markers past their time.
    if (keys.length % 2 === 0) {
      await world.compact()
      world.clock.time += 200
      await world.write([record('a', 'later'), record('b', null)])
    }
    const section = await world.log.dirtySection(world.clock.now())
    if (section === undefined) return
    const actions = meanwhile.values()
    const reads: Promise<void>[] = []
    const read = async (): Promise<void> => {
      const seen = await world.committed(1).catch((error: unknown) => {
        if (world.log.isClosed || OttlaError.is(error, 'OFFSET_OUT_OF_RANGE')) return []
        throw error
      })
      expect(seen.filter(({ value }) => value === 'taken back')).toEqual([])
      const offsets = seen.map(({ offset }) => offset)
      expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b))
    }
    const cuts: number[] = []
    let newest = 10
    const next = async (): Promise<void> => {
      if (world.log.isClosed) return
      switch (actions.next().value) {
        case 'append':
          return world.write([record('a', 'meanwhile')])
        case 'abort':
          // A new one each time: truncation may have taken what another one was to go on from.
          await world.produce(++newest, [record('b', 'taken back')], true)
          return world.end(newest, 'abort')
        case 'read':
          reads.push(read())
          return
        case 'delete':
          return world.deleteBefore(0.2)
        case 'truncate': {
          const offset = Math.max(section.toOffset, world.log.endOffset - 2)
          cuts.push(offset)
          await world.log.truncateTo(offset)
          world.naive.truncateTo(world.log.endOffset)
          return
        }
        case 'checkpoint':
          return world.log.checkpoint()
        case 'close':
          await world.log.close()
          return
        case 'none':
        case undefined:
          return
      }
    }
    const options = { ...world.passOptions(1000, bufferBytes), pace: new EventfulPace(world, next) }
    const failure = await world.log.compact(section, world.clock.now(), options).then(
      () => undefined,
      (error: unknown) => error,
    )
    await Promise.all(reads)
    if (world.log.isClosed) await world.open()
    else if (failure !== undefined) {
      expect([cuts.length > 0, OttlaError.is(failure, 'NOT_LEADER_OR_FOLLOWER')]).toEqual([true, true])
    }
    expect(world.log.failure).toBeUndefined()
    const expected = world.naive.table(world.log.lastStableOffset)
    expect(world.tableOf(await world.committed())).toEqual(expected)
    await world.expectSound()
    // As in Kafka: the batch that counted as a producer's last when the pass began may be what was truncated.
    if (cuts.length === 0) await world.expectRetriesKnown()
    await world.log.close()
    await storage.close()
  })
})
