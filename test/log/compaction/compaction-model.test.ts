import { fc, test } from '@fast-check/vitest'
import { MemoryLevel } from 'memory-level'
import { describe } from 'vitest'
import type { CompressionType } from '../../../src/record/header.js'
import type { LogStorage } from '../../../src/storage/contract.js'
import { FileStorage } from '../../../src/storage/file/file-storage.js'
import { levelStorageOver } from '../../../src/storage/level/index.js'
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.js'
import { CrashingFiles } from '../../support/crashing-files.js'
import { ID } from '../../support/log-batches.js'
import { CompactedWorld, type Written } from './compacted-world.js'

type Step =
  | { readonly kind: 'write'; readonly records: readonly Written[]; readonly codec: CompressionType }
  | {
      readonly kind: 'produce'
      readonly producer: number
      readonly records: readonly Written[]
      readonly isTransactional: boolean
      readonly codec: CompressionType
    }
  | {
      readonly kind: 'end'
      readonly producer: number
      readonly type: 'commit' | 'abort'
      readonly bumps: boolean
    }
  | { readonly kind: 'compact'; readonly maxKeys: number; readonly bufferBytes: number }
  | { readonly kind: 'tick'; readonly ms: number }
  | { readonly kind: 'delete'; readonly percent: number }
  | {
      readonly kind: 'reopen'
      readonly how: 'clean' | 'crash' | 'no checkpoint' | 'no compaction blob'
    }

const records = fc.array(
  fc.record({
    key: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { freq: 12 }),
    value: fc.option(fc.constantFrom('1', 'two', ''), { freq: 4 }),
    age: fc.integer({ min: 0, max: 50 }),
    hasHeaders: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
)
const codec: fc.Arbitrary<CompressionType> = fc.constantFrom('none', 'none', 'gzip', 'snappy', 'lz4')
const producer = fc.integer({ min: 1, max: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), records, codec }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('produce' as const),
      producer,
      records,
      isTransactional: fc.boolean(),
      codec,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      producer,
      type: fc.constantFrom('commit' as const, 'abort' as const),
      bumps: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      maxKeys: fc.constantFrom(1, 2, 3, 1000),
      bufferBytes: fc.constantFrom(0, 150, 1 << 20),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.constantFrom(1, 60, 100, 250) }),
  },
  fc.record({ kind: fc.constant('delete' as const), percent: fc.integer({ min: 0, max: 60 }) }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('reopen' as const),
      how: fc.constantFrom(
        'clean' as const,
        'crash' as const,
        'no checkpoint' as const,
        'no compaction blob' as const,
      ),
    }),
  },
)

const take = async (world: CompactedWorld, action: Step): Promise<void> => {
  switch (action.kind) {
    case 'write':
      return world.write(action.records, action.codec)
    case 'produce':
      return world.produce(action.producer, action.records, action.isTransactional, action.codec)
    case 'end':
      return world.end(action.producer, action.type, action.bumps)
    case 'compact':
      await world.compact(action.maxKeys, action.bufferBytes)
      return
    case 'tick':
      world.clock.time += action.ms
      return
    case 'delete':
      return world.deleteBefore(action.percent / 100)
    case 'reopen':
      return world.reopen(action.how)
  }
}

const STORAGES: readonly [name: string, create: () => LogStorage, runs: number][] = [
  ['memory', () => new MemoryStorage(), 400],
  ['level', () => levelStorageOver(new MemoryLevel({ keyEncoding: 'view', valueEncoding: 'view' })), 60],
  [
    'files',
    () =>
      new FileStorage({
        location: '/log',
        files: new CrashingFiles(() => 0).mount(),
        process: () => Promise.resolve({ pid: 1, startedAt: '0', isRunning: () => Promise.resolve(true) }),
      }),
    60,
  ],
]

describe.each(STORAGES)('compaction in %s', (_name, create, numRuns) => {
  test.prop(
    [
      fc.array(step, { minLength: 4, maxLength: 60 }),
      fc.constantFrom('CreateTime' as const, 'LogAppendTime' as const),
    ],
    { numRuns },
  )(
    'C1 to C7, P4, L1: leaves what a naive compactor leaves, to every reader and every opening',
    async (steps, timestampType) => {
      const storage = create()
      await storage.open()
      try {
        const world = await new CompactedWorld(() => storage.partition(ID), { timestampType }).open()
        for (const action of steps) await take(world, action)
        await world.compact()
        await world.compare()
        await world.expectRetriesKnown()
        await world.expectSound()
        await world.log.close()
      } finally {
        await storage.close()
      }
    },
  )
})
