import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/log/checkpoint.js'

const offset = fc.maxSafeNat()
const sequence = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const batch = fc.record({
  baseSequence: sequence,
  lastSequence: sequence,
  baseOffset: offset,
  lastOffset: offset,
  timestamp: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
})
const checkpoint = fc.record({
  recoveryPoint: offset,
  gapsBelow: offset,
  segment: fc.record({
    baseOffset: offset,
    sizeBytes: offset,
    firstTimestamp: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
    firstAppendMs: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  }),
  epochs: fc.array(fc.record({ epoch: fc.nat(), startOffset: offset })),
  producers: fc.array(
    fc.record({
      producerId: offset,
      epoch: fc.integer({ min: 0, max: 32767 }),
      coordinatorEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
      lastAppendMs: offset,
      batches: fc.array(batch, { maxLength: 5 }),
    }),
  ),
  openTransactions: fc.array(fc.record({ producerId: offset, firstOffset: offset })),
  abortedPages: fc.record({ firstPage: offset, count: offset }),
})

describe('checkpoint', () => {
  test.prop([checkpoint, fc.nat(), fc.integer({ min: 0, max: 7 })])(
    'comes back as it was; with any bit flipped, or any byte less, it does not come back',
    (value, position, bit) => {
      const bytes = encodeCheckpoint(value)
      expect(decodeCheckpoint(bytes)).toEqual(value)
      const bad = bytes.slice()
      bad[position % bad.length]! ^= 1 << bit
      expect(decodeCheckpoint(bad)).toBeUndefined()
      expect(decodeCheckpoint(bytes.subarray(0, position % bytes.length))).toBeUndefined()
    },
  )

  it('is small for a log without producers', () => {
    const bytes = encodeCheckpoint({
      recoveryPoint: 5,
      gapsBelow: 0,
      segment: { baseOffset: 0, sizeBytes: 400, firstTimestamp: 1, firstAppendMs: 1 },
      epochs: [{ epoch: 0, startOffset: 0 }],
      producers: [],
      openTransactions: [],
      abortedPages: { firstPage: 0, count: 0 },
    })
    expect(bytes.length).toBeLessThan(128)
  })
})
