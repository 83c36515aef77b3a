/** Batches of arbitrary records: what is encoded is decoded, and what is damaged is refused. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { OttlaError } from '../../src/runtime/errors/ottla-error.js'
import { openBatch } from '../../src/record/decode.js'
import type { RecordCursor } from '../../src/record/decode.js'
import { BatchBuilder, encodeBatch } from '../../src/record/encode.js'
import type { RecordInput } from '../../src/record/encode.js'
import { COMPRESSION_TYPES, HEADER_BYTES, incrementSequence, readHeader } from '../../src/record/header.js'
import { crc32c } from '../../src/record/crc32c.js'
import { splitBatches, validateBatch } from '../../src/record/validate.js'

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null })
const record = fc.record<RecordInput>({
  timestamp: fc.oneof(
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
    fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  ),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytes }), { maxLength: 4 }),
})
const records = fc.array(record, { minLength: 1, maxLength: 80 })

const readAll = (cursor: RecordCursor): (RecordInput & { offset: number })[] => {
  const all: (RecordInput & { offset: number })[] = []
  while (cursor.next()) {
    const { offset, timestamp, key, value, headers } = cursor
    // Plain copies: the comparison is of contents, not of views.
    all.push({
      offset,
      timestamp,
      key: key?.slice() ?? null,
      value: value?.slice() ?? null,
      headers: headers.map((header) => ({ key: header.key, value: header.value?.slice() ?? null })),
    })
  }
  return all
}

/** Puts a right CRC over damaged bytes, so that what stands behind the CRC is tried. */
const withCrc = (batch: Uint8Array): Uint8Array => {
  new DataView(batch.buffer, batch.byteOffset).setUint32(17, crc32c(batch, 21, batch.length))
  return batch
}

describe('a batch', () => {
  test.prop([records, fc.nat(2 ** 50), fc.nat(300)])(
    'holds the records that were encoded',
    (input, baseOffset, capacityBytes) => {
      const builder = new BatchBuilder({ capacityBytes })
      for (const { timestamp, key, value, headers } of input) {
        const bound = builder.sizeAfter(key, value, headers)
        builder.append(timestamp, key, value, headers)
        expect(builder.sizeBytes).toBeLessThanOrEqual(bound)
      }
      expect(builder.recordCount).toBe(input.length)
      const size = builder.sizeBytes
      const batch = builder.build({ baseOffset })
      expect(batch.length).toBe(size)
      expect(batch.buffer.byteLength).toBeLessThanOrEqual(size * 1.25 + 1)
      const header = validateBatch(batch)
      expect(header).toMatchObject({
        baseOffset,
        lastOffset: baseOffset + input.length - 1,
        recordCount: input.length,
        baseTimestamp: input[0]!.timestamp,
        maxTimestamp: Math.max(...input.map(({ timestamp }) => timestamp)),
      })
      const expected = input.map((one, i) => ({ ...one, offset: baseOffset + i }))
      expect(readAll(openBatch(batch) as RecordCursor)).toEqual(expected)
      expect(readAll(openBatch(Buffer.from(batch)) as RecordCursor)).toEqual(expected)
    },
  )

  // Where the length of a record takes one byte more, and two, and three.
  it.each([50, 70, 8170, 8200, 1_048_560, 1_048_590])('holds values of about %i bytes', (about) => {
    for (let length = about - 20; length < about + 20; length++) {
      const value = new Uint8Array(length).fill(length)
      const input = [0, 1, 70_000].map((timestamp) => ({ timestamp, key: null, value, headers: [] }))
      const found = readAll(openBatch(encodeBatch(input)) as RecordCursor)
      expect(found.map((one) => [one.timestamp, one.value?.length])).toEqual(
        input.map(({ timestamp }) => [timestamp, length]),
      )
      expect(found.every((one) => Buffer.compare(one.value!, value) === 0)).toBe(true)
    }
  })

  test.prop([records, fc.constantFrom(...COMPRESSION_TYPES)], { numRuns: 60 })(
    'holds the same compressed',
    async (input, type) => {
      const builder = new BatchBuilder()
      for (const { timestamp, key, value, headers } of input) builder.append(timestamp, key, value, headers)
      const pending = builder.buildCompressed(type, { producerId: 5, producerEpoch: 1, baseSequence: 9 })
      // The builder is free while the codec works.
      builder.append(1, null, null)
      const batch = await pending
      expect(validateBatch(batch)).toMatchObject({ compression: type, producerId: 5, baseSequence: 9 })
      const cursor = await openBatch(batch)
      expect(readAll(cursor)).toEqual(input.map((one, offset) => ({ ...one, offset })))
    },
  )

  it('can be built again and again, each time in memory of its own', () => {
    const builder = new BatchBuilder()
    const value = new Uint8Array(100).fill(1)
    const build = (): Uint8Array => {
      for (let i = 0; i < 500; i++) builder.append(i, null, value)
      return builder.build()
    }
    const first = build()
    const copy = first.slice()
    const second = build()
    second.fill(0)
    expect(first).toEqual(copy)
    expect(builder.recordCount).toBe(0)
    expect(() => builder.build()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it.each([-2, 0.5, NaN, Infinity, 2 ** 53])('refuses the timestamp %d', (timestamp) => {
    expect(() => new BatchBuilder().append(timestamp, null, null)).toThrow(
      expect.objectContaining({ code: 'INVALID_TIMESTAMP' }),
    )
  })

  it('gives views, not copies', () => {
    const batch = encodeBatch([{ timestamp: 1, key: Uint8Array.of(1), value: Uint8Array.of(2), headers: [] }])
    const cursor = openBatch(batch) as RecordCursor
    cursor.next()
    expect(cursor.value?.buffer).toBe(batch.buffer)
    expect(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)).toEqual(Uint8Array.of(2))
    expect(cursor.key?.constructor).toBe(Uint8Array)
  })

  it('wraps sequences from 2^31 - 1 to 0', () => {
    expect(incrementSequence(0x7fff_ffff, 1)).toBe(0)
    expect(incrementSequence(0x7fff_fffe, 3)).toBe(1)
    expect(incrementSequence(5, 3)).toBe(8)
  })
})

describe('a hostile batch', () => {
  const allowed = ['CORRUPT_MESSAGE', 'INVALID_RECORD', 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'MESSAGE_TOO_LARGE']
  /** What comes of `batch`: records, or a typed error; anything else fails the test. */
  const outcome = async (batch: Uint8Array): Promise<number | string> => {
    try {
      validateBatch(batch)
      const cursor = await openBatch(batch, { maxDecompressedBytes: 1 << 20 })
      let count = 0
      while (cursor.next()) {
        count++
        const { key, value, headers } = cursor
        expect((key?.length ?? 0) + (value?.length ?? 0) + headers.length).toBeLessThan(1 << 20)
        expect(Number.isSafeInteger(cursor.offset) && Number.isSafeInteger(cursor.timestamp)).toBe(true)
      }
      expect(count).toBe(readHeader(batch).recordCount)
      return count
    } catch (error) {
      if (!OttlaError.is(error) || !allowed.includes(error.code)) throw error
      return error.code
    }
  }
  const encoded = async (
    input: RecordInput[],
    type: (typeof COMPRESSION_TYPES)[number],
  ): Promise<Uint8Array> => {
    const builder = new BatchBuilder()
    for (const { timestamp, key, value, headers } of input) builder.append(timestamp, key, value, headers)
    return (await builder.buildCompressed(type)).slice()
  }
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
  const type = fc.constantFrom('none', 'none', 'none', ...COMPRESSION_TYPES)

  test.prop([fc.array(record, { minLength: 1, maxLength: 12 }), type, change])(
    'with one byte changed fails its CRC, unless that does not cover the byte',
    async (input, codec, { at, byte }) => {
      const batch = await encoded(input, codec)
      const index = 21 + (at % (batch.length - 21))
      fc.pre(batch[index] !== byte)
      batch[index] = byte
      expect(await outcome(batch)).toBe('CORRUPT_MESSAGE')
    },
  )

  test.prop([fc.array(record, { minLength: 1, maxLength: 12 }), type, fc.array(change, { maxLength: 6 })], {
    numRuns: 1500,
  })('with a right CRC gives records or a typed error', async (input, codec, changes) => {
    const batch = await encoded(input, codec)
    // Mostly where the structure is: the header's end and the first records.
    for (const { at, byte } of changes) batch[21 + (at % Math.min(120, batch.length - 21))] = byte
    await outcome(withCrc(batch))
  })

  test.prop([fc.array(record, { minLength: 1, maxLength: 12 }), type, fc.nat(), fc.boolean()], {
    numRuns: 300,
  })('that is cut off gives a typed error', async (input, codec, cut, patched) => {
    const whole = await encoded(input, codec)
    const batch = whole.slice(0, cut % whole.length)
    if (patched && batch.length >= HEADER_BYTES) {
      new DataView(batch.buffer).setInt32(8, batch.length - 12)
      withCrc(batch)
    }
    expect(allowed).toContain(await outcome(batch))
  })

  test.prop([fc.uint8Array({ maxLength: 400 })], { numRuns: 300 })('of random bytes', async (random) => {
    expect(allowed).toContain(await outcome(random))
    try {
      splitBatches([random])
    } catch (error) {
      expect(OttlaError.is(error)).toBe(true)
    }
  })

  const patched = (offset: number, ...values: number[]): Uint8Array => {
    const batch = encodeBatch([
      { timestamp: 5, key: Uint8Array.of(1), value: Uint8Array.of(2), headers: [{ key: 'h', value: null }] },
    ]).slice()
    batch.set(values, offset)
    return withCrc(batch)
  }

  it.each<[string, string, Uint8Array]>([
    ['an unknown codec', 'INVALID_RECORD', patched(22, 7)],
    ['a base offset beyond 2^53', 'INVALID_RECORD', patched(0, 0x00, 0x20, 0, 0, 0, 0, 0, 0)],
    ['a negative base offset', 'INVALID_RECORD', patched(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['a base timestamp beyond 2^53', 'INVALID_RECORD', patched(27, 0x7f)],
    ['a producer id beyond 2^53', 'INVALID_RECORD', patched(43, 0x7f)],
    ['more records than offsets', 'INVALID_RECORD', patched(57, 0, 0, 0, 2)],
    [
      'more records than bytes',
      'INVALID_RECORD',
      (() => {
        const batch = patched(23, 0x7f, 0xff, 0xff, 0xff)
        batch.set([0x7f, 0, 0, 0], 57)
        return withCrc(batch)
      })(),
    ],
    ['a negative number of records', 'INVALID_RECORD', patched(57, 0xff)],
    ['fewer records than bytes', 'INVALID_RECORD', patched(57, 0, 0, 0, 0)],
    ['a negative last offset delta', 'INVALID_RECORD', patched(23, 0xff)],
    ['a transaction without a producer', 'INVALID_RECORD', patched(22, 0x10)],
    ['a producer id without an epoch', 'INVALID_RECORD', patched(43, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['a length of zero', 'CORRUPT_MESSAGE', patched(8, 0, 0, 0, 0)],
    ['a negative length', 'CORRUPT_MESSAGE', patched(8, 0xff)],
    ['a length behind its end', 'CORRUPT_MESSAGE', patched(8, 0, 0, 1, 0)],
    ['format version 0', 'UNSUPPORTED_FOR_MESSAGE_FORMAT', patched(16, 0)],
    ['format version 1', 'UNSUPPORTED_FOR_MESSAGE_FORMAT', patched(16, 1)],
    ['format version 3', 'CORRUPT_MESSAGE', patched(16, 3)],
    ['a record longer than the batch', 'INVALID_RECORD', patched(61, 0x7e)],
    ['a record shorter than it is', 'INVALID_RECORD', patched(61, 12)],
    ['a key longer than its record', 'INVALID_RECORD', patched(65, 0x7e)],
    ['a value longer than its record', 'INVALID_RECORD', patched(67, 0x7e)],
    ['a negative number of headers', 'INVALID_RECORD', patched(69, 1)],
    ['more headers than bytes', 'INVALID_RECORD', patched(69, 0x7e)],
    ['bytes behind the headers', 'INVALID_RECORD', patched(69, 0)],
    ['a header without a key', 'INVALID_RECORD', patched(70, 1)],
    ['a header value behind its record', 'INVALID_RECORD', patched(72, 0x7e)],
  ])('with %s is %s', async (_, code, batch) => {
    expect(await outcome(batch)).toBe(code)
  })

  it('whose offsets do not rise, or leave its range, is INVALID_RECORD', async () => {
    const one: RecordInput = { timestamp: 5, key: null, value: null, headers: [] }
    const batch = encodeBatch([one, one]).slice()
    expect(await outcome(batch)).toBe(2)
    const second = HEADER_BYTES + 7 + 3
    for (const delta of [0x00, 0x01, 0x04]) {
      batch[second] = delta
      expect(await outcome(withCrc(batch))).toBe('INVALID_RECORD')
    }
  })

  it('is opened without work for records that are not there', () => {
    const batch = patched(57, 0x7f, 0xff, 0xff, 0xff)
    expect(() => openBatch(batch)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }))
  })
})
