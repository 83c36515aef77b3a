/** Random histories of transactions: what a consumer sees of them is what a naive reader of the whole history would. */
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { visibleBatches } from '../../../src/clients/consumer/visible-batches.js'
import { encodeControlBatch } from '../../../src/record/control.js'
import { readHeader } from '../../../src/record/header.js'
import { batchAt } from '../../support/scripted-leaders.js'

const step = fc.record({
  producerId: fc.integer({ min: 1, max: 3 }),
  what: fc.constantFrom('write', 'write', 'plain', 'commit', 'abort'),
})

/** Most transactions end, so that most of a history is stable. */
const ENDS = [1, 2, 3].map((producerId) => ({ producerId, what: 'commit' as const }))

test.prop([fc.array(step, { minLength: 10, maxLength: 40 }), fc.nat(20), fc.nat(3)], { numRuns: 300 })(
  'committed and plain batches are seen, in order, wherever a fetch begins',
  (begun, from, endCount) => {
    const steps = [...begun, ...ENDS.slice(0, endCount)]
    const batches: Uint8Array[] = []
    const open = new Map<number, number[]>()
    const aborted: { producerId: number; firstOffset: number; end: number }[] = []
    const seen = new Set<number>()
    for (const { producerId, what } of steps) {
      const offset = batches.length
      const mine = open.get(producerId) ?? []
      const sequence = { producerId, producerEpoch: 0, baseSequence: offset }
      if (what === 'write') {
        open.set(producerId, [...mine, offset])
        batches.push(batchAt(offset, ['x'], { ...sequence, isTransactional: true }))
      } else if (what === 'plain') {
        seen.add(offset)
        batches.push(batchAt(offset, ['x'], { ...sequence, producerId: 9 }))
      } else {
        const marker = {
          producerId,
          producerEpoch: 0,
          type: what,
          coordinatorEpoch: 0,
          timestamp: 0,
        } as const
        batches.push(encodeControlBatch({ ...marker, baseOffset: offset, leaderEpoch: 0 }))
        open.delete(producerId)
        const [firstOffset] = mine
        if (what === 'commit') for (const written of mine) seen.add(written)
        else if (firstOffset !== undefined) aborted.push({ producerId, firstOffset, end: offset })
      }
    }
    const stable = Math.min(batches.length, ...[...open.values()].flat())
    const start = from % (stable + 1)
    // A leader names those whose marker lies at or behind the beginning, and that begin before the end.
    const told = aborted.filter(({ firstOffset, end }) => end >= start && firstOffset < stable)
    const offsets = visibleBatches(batches.slice(start, stable), told).map(
      (batch) => readHeader(batch).baseOffset,
    )
    expect(offsets).toEqual(
      [...seen].filter((offset) => offset >= start && offset < stable).sort((a, b) => a - b),
    )
  },
)
