import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { EpochCache } from '../../src/log/epoch-cache.js'

describe('EpochCache', () => {
  it('answers as KIP-101 asks', () => {
    const cache = new EpochCache([
      { epoch: 2, startOffset: 10 },
      { epoch: 5, startOffset: 20 },
      { epoch: 6, startOffset: 25 },
    ])
    const ends = [-1, 0, 2, 3, 5, 6, 7].map((epoch) => cache.endOffsetFor(epoch, 30))
    expect(ends).toEqual([
      { epoch: -1, endOffset: -1 },
      { epoch: 0, endOffset: 10 },
      { epoch: 2, endOffset: 20 },
      { epoch: 2, endOffset: 20 },
      { epoch: 5, endOffset: 25 },
      { epoch: 6, endOffset: 30 },
      { epoch: -1, endOffset: -1 },
    ])
    cache.truncateFromStart(22)
    expect(cache.entries).toEqual([
      { epoch: 5, startOffset: 22 },
      { epoch: 6, startOffset: 25 },
    ])
    cache.truncateFromEnd(25)
    expect(cache.entries).toEqual([{ epoch: 5, startOffset: 22 }])
  })

  const change = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), raise: fc.integer({ min: 0, max: 2 }) }),
    fc.record({
      kind: fc.constantFrom('end' as const, 'start' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  )

  test.prop([fc.array(change, { maxLength: 60 })])(
    'L6, L7: strictly increases in epoch and offset, and is what the batches say',
    (changes) => {
      const cache = new EpochCache()
      /** The epoch of every offset. */
      let epochs: number[] = []
      let start = 0
      let epoch = 0
      for (const action of changes) {
        if (action.kind === 'append') {
          epoch += action.raise
          cache.assign(epoch, epochs.length)
          epochs.push(epoch)
        } else {
          const at = start + Math.round(action.at * (epochs.length - start))
          if (action.kind === 'end') {
            cache.truncateFromEnd(at)
            epochs = epochs.slice(0, at)
          } else {
            cache.truncateFromStart(at)
            start = at
          }
        }
        const { entries } = cache
        for (let i = 1; i < entries.length; i++) {
          expect(entries[i]!.epoch).toBeGreaterThan(entries[i - 1]!.epoch)
          expect(entries[i]!.startOffset).toBeGreaterThan(entries[i - 1]!.startOffset)
        }
        for (let offset = start; offset < epochs.length; offset++) {
          expect(entries.findLast(({ startOffset }) => startOffset <= offset)?.epoch).toBe(epochs[offset])
        }
      }
    },
  )
})
