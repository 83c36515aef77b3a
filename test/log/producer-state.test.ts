import { describe, expect, it } from 'vitest'
import { ProducerState, type ProducedHeader } from '../../src/log/producer-state.js'

const header = (
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
  count = 1,
): ProducedHeader => ({
  producerId,
  producerEpoch,
  baseSequence,
  lastSequence: (baseSequence + count - 1) % 2 ** 31,
  isControl: false,
})

/** Appends to the state as a log would; resolves to the offset of the batch, or of the one it repeats. */
const logOf = (state: ProducerState) => {
  let offset = 0
  return (producerId: number, epoch: number, sequence: number, count = 1): number => {
    const batch = header(producerId, epoch, sequence, count)
    const retried = state.check(batch, true)
    if (retried !== undefined) return retried.baseOffset
    state.apply(batch, offset, offset + count - 1, 1, 1)
    offset += count
    return offset - count
  }
}

const code = (action: () => unknown): unknown => {
  try {
    action()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

const idsOf = (state: ProducerState): number[] => state.entries().map(({ producerId }) => producerId)
const openTo = (...producerIds: number[]) => ({ isOpen: (id: number) => producerIds.includes(id) })

describe('ProducerState', () => {
  it('P1: a retry of one of the last five batches is where that one is, an older one is out of order', () => {
    const append = logOf(new ProducerState('t-0'))
    for (let i = 0; i < 6; i++) expect(append(1, 0, i * 2, 2)).toBe(i * 2)
    for (let i = 1; i < 6; i++) expect(append(1, 0, i * 2, 2)).toBe(i * 2)
    expect(code(() => append(1, 0, 0, 2))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  it('P2: a gap, and a retry of other bounds, is out of order', () => {
    const append = logOf(new ProducerState('t-0'))
    append(1, 0, 0, 2)
    expect(code(() => append(1, 0, 3))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(code(() => append(1, 0, 0, 3))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(append(1, 0, 2)).toBe(2)
  })

  it('P3: a lower epoch is fenced, and a new one starts at 0', () => {
    const append = logOf(new ProducerState('t-0'))
    append(1, 4, 0)
    expect(code(() => append(1, 3, 1))).toBe('INVALID_PRODUCER_EPOCH')
    expect(code(() => append(1, 5, 1))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(append(1, 5, 0)).toBe(1)
    expect(code(() => append(1, 4, 1))).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('P3: a marker raises the epoch, after which the producer starts at 0', () => {
    const state = new ProducerState('t-0')
    const append = logOf(state)
    append(1, 4, 0)
    state.apply({ ...header(1, 5, -1), isControl: true }, 1, 1, 1, 1)
    expect(code(() => append(1, 4, 1))).toBe('INVALID_PRODUCER_EPOCH')
    expect(code(() => append(1, 5, 1))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(code(() => append(1, 5, 0))).toBeUndefined()
  })

  it('P5: sequences wrap at 2^31', () => {
    const append = logOf(new ProducerState('t-0'))
    const top = 2 ** 31 - 1
    append(1, 0, top - 1, 2)
    expect(append(1, 0, 0)).toBe(2)
    expect(append(1, 0, top - 1, 2)).toBe(0)
    const across = logOf(new ProducerState('t-0'))
    across(2, 0, top, 3)
    expect(across(2, 0, 2)).toBe(3)
  })

  it('takes an unknown producer at any sequence', () => {
    expect(logOf(new ProducerState('t-0'))(1, 3, 77)).toBe(0)
  })

  it('forgets who is idle longest beyond its bound, and who has expired', () => {
    const state = new ProducerState('t-0', [], 2)
    state.apply(header(1, 0, 0), 0, 0, 1, 100)
    state.apply(header(2, 0, 0), 1, 1, 1, 200)
    state.apply(header(1, 0, 1), 2, 2, 1, 300)
    state.apply(header(3, 0, 0), 3, 3, 1, 400)
    state.forgetIdlest(openTo())
    expect(idsOf(state)).toEqual([1, 3])
    state.expire(1299, 1000, openTo())
    expect(idsOf(state)).toEqual([1, 3])
    state.expire(1300, 1000, openTo())
    expect(idsOf(state)).toEqual([3])
  })

  it('keeps who is in a transaction, however long idle and beyond the bound', () => {
    const state = new ProducerState('t-0', [], 2)
    for (const producerId of [1, 2, 3, 4])
      state.apply(header(producerId, 0, 0), producerId, producerId, 1, 100)
    state.forgetIdlest(openTo(1, 3))
    expect(idsOf(state)).toEqual([1, 3])
    state.apply(header(5, 0, 0), 5, 5, 1, 100)
    state.forgetIdlest(openTo(1, 3, 5))
    expect(idsOf(state)).toEqual([1, 3, 5])
    state.expire(1_000_000, 1000, openTo(3))
    expect(idsOf(state)).toEqual([3])
  })
})
