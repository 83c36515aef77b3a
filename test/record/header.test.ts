/** The broker's patches, the single-field readers, and how a `records` field is split. */
import { describe, expect, it } from 'vitest'
import { openBatch } from '../../src/record/decode.js'
import type { RecordCursor } from '../../src/record/decode.js'
import { encodeBatch } from '../../src/record/encode.js'
import {
  assignOffset,
  baseOffsetOf,
  isControlBatch,
  lastOffsetOf,
  leaderEpochOf,
  maxTimestampOf,
  readHeader,
  recordCountOf,
  setLogAppendTime,
} from '../../src/record/header.js'
import { splitBatches, validateBatch } from '../../src/record/validate.js'

const NOW = 1_700_000_000_000
const batchOf = (count: number): Uint8Array =>
  encodeBatch(
    Array.from({ length: count }, (_, i) => ({
      timestamp: NOW + i,
      key: null,
      value: Uint8Array.of(i),
      headers: [],
    })),
  )

describe('a stored batch', () => {
  it.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 7, 2 ** 52 + 3])(
    'is given the offset %d without a change of its CRC',
    (offset) => {
      const batch = batchOf(3)
      const { crc } = readHeader(batch)
      assignOffset(batch, offset, 9)
      expect(validateBatch(batch)).toMatchObject({ baseOffset: offset, crc, partitionLeaderEpoch: 9 })
      expect(baseOffsetOf(batch)).toBe(offset)
      expect(lastOffsetOf(batch)).toBe(offset + 2)
      expect(leaderEpochOf(batch)).toBe(9)
    },
  )

  it('is given the time of its append, which becomes the timestamp of each record', () => {
    const batch = batchOf(3)
    setLogAppendTime(batch, NOW + 5000)
    expect(validateBatch(batch)).toMatchObject({ timestampType: 'LogAppendTime', baseTimestamp: NOW })
    expect(maxTimestampOf(batch)).toBe(NOW + 5000)
    const cursor = openBatch(batch) as RecordCursor
    while (cursor.next()) expect(cursor.timestamp).toBe(NOW + 5000)
  })

  it('has its fields read one by one', () => {
    const batch = batchOf(4)
    expect(recordCountOf(batch)).toBe(4)
    expect(maxTimestampOf(batch)).toBe(NOW + 3)
    expect(isControlBatch(batch)).toBe(false)
    expect(leaderEpochOf(batch)).toBe(-1)
  })
})

describe('a records field', () => {
  const [a, b] = [batchOf(1), batchOf(20)]
  const both = new Uint8Array(Buffer.concat([a, b]))

  it('is split into views of its batches', () => {
    const batches = splitBatches([both, a])
    expect(batches.map((batch) => batch.length)).toEqual([a.length, b.length, a.length])
    expect(batches[1]!.buffer).toBe(both.buffer)
    expect(batches[2]).toBe(a)
    expect(splitBatches([])).toEqual([])
  })

  it('may end in a batch that is cut off anywhere', () => {
    for (let cut = a.length; cut < both.length; cut++) {
      expect(splitBatches([both.subarray(0, cut)]).length).toBe(1)
    }
  })

  it('of an older format, or of no format, is refused', () => {
    const old = new Uint8Array(40)
    old[11] = 22
    old[16] = 1
    expect(() => splitBatches([old])).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_FOR_MESSAGE_FORMAT' }),
    )
    for (const [at, byte] of [
      [8, 0xff],
      [11, 3],
      [16, 9],
    ] as const) {
      const wrong = b.slice()
      wrong[at] = byte
      expect(() => splitBatches([wrong])).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    }
  })
})
