/** What is done to a log and the naive one beside it, drawn by chance. */
import { fc } from '@fast-check/vitest'
import type { CompressionType } from '../../../src/record/header.js'
import type { Appended, Change, Settings, Step, Written } from './world.js'

const records: fc.Arbitrary<Written[]> = fc.array(
  fc.record({
    key: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { freq: 12 }),
    value: fc.option(fc.constantFrom('1', 'two', ''), { freq: 4 }),
    age: fc.integer({ min: -1, max: 50 }),
  }),
  { minLength: 1, maxLength: 4 },
)
const codec: fc.Arbitrary<CompressionType> = fc.constantFrom('none', 'none', 'none', 'gzip', 'snappy', 'lz4')
const producer = fc.integer({ min: 1, max: 3 })
const percent = fc.integer({ min: 0, max: 100 })

const appended: fc.Arbitrary<Appended> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('plain' as const), records, codec }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('produce' as const),
      producer,
      records,
      codec,
      isTransactional: fc.boolean(),
      bumps: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      producer,
      type: fc.constantFrom('commit' as const, 'abort' as const),
      bumps: fc.boolean(),
      isNewCoordinator: fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 5),
    }),
  },
)
const batches = fc.array(appended, { minLength: 1, maxLength: 5 })

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('truncate' as const, 'delete' as const), percent }),
  },
  fc.record({
    kind: fc.constant('retain' as const),
    ms: fc.integer({ min: -1, max: 300 }),
    bytes: fc.integer({ min: -1, max: 1500 }),
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      maxKeys: fc.constantFrom(1, 2, 3, 1000),
      bufferBytes: fc.constantFrom(0, 150, 1 << 20),
    }),
  },
  fc.record({ kind: fc.constant('checkpoint' as const) }),
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('append' as const), batches }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      percent,
      maxBytes: fc.integer({ min: 0, max: 1500 }),
      committed: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('change' as const), change }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.constantFrom(1, 60, 100, 250, 500) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('reopen' as const), newEpoch: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      how: fc.nat({ max: 5 }),
      after: fc.nat({ max: 12 }),
      during: fc.oneof(fc.record({ append: batches }), fc.record({ change })),
    }),
  },
)

/** The steps of one run. */
export const steps = fc.array(step, { minLength: 1, maxLength: 30 })

/** The settings of one run. */
export const settings: fc.Arbitrary<Settings> = fc.record({
  timestampType: fc.constantFrom('CreateTime' as const, 'CreateTime' as const, 'LogAppendTime' as const),
  durability: fc.constantFrom('os' as const, 'fsync' as const),
  segmentBytes: fc.constantFrom(400, 1200, 0x7fffffff),
})
