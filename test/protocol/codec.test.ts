/** What a version cannot say, and what a hostile message may not cost. */
import { describe, expect, it } from 'vitest'
import { codecOf } from '../../src/protocol/codec.js'
import { Reader } from '../../src/protocol/reader.js'
import {
  array,
  bool,
  bytes,
  defineApi,
  float64,
  int16,
  int32,
  int64,
  int8,
  records,
  string,
  struct,
  uint16,
  uint32,
  uuid,
} from '../../src/protocol/schema.js'
import { Writer } from '../../src/protocol/writer.js'
import { fromHex, toHex } from '../support/protocol-fixture.js'

const code = (name: string): unknown => expect.objectContaining({ code: name })

const sample = defineApi({
  key: 999,
  name: 'Sample',
  versions: [0, 3],
  flexible: 2,
  request: {
    always: int32(),
    later: string({ since: 1, default: 'x' }),
    hint: int16({ since: 1, ignorable: true, default: -1 }),
    moved: int8({ since: 1, tag: 4, taggedSince: 3 }),
    nullableInside: struct({ one: int8() }, { since: 1, nullable: 1, default: null }),
    tagged: array(string(), { since: 2, tag: 1 }),
    other: int64({ since: 2, tag: 0, default: -1 }),
  },
  response: {
    numbers: array(int32()),
    strings: array(string()),
    bytes: bytes(),
    records: records(),
    uuid: uuid(),
    u16: uint16(),
    u32: uint32(),
    f64: float64(),
    flag: bool(),
  },
})

const base = { always: 1, later: 'x', hint: -1, moved: 0, nullableInside: null }
const encode = (
  version: number,
  request: Parameters<
    ReturnType<typeof codecOf<(typeof sample)['request'], (typeof sample)['response']>>['request']['write']
  >[1],
): string => {
  const writer = new Writer()
  codecOf(sample, version).request.write(writer, request)
  return toHex(writer.finish())
}
const decode = (version: number, hex: string) =>
  codecOf(sample, version).request.read(new Reader(fromHex(hex.replaceAll(' ', ''))))

describe('a version that lacks a field', () => {
  it('drops a default, and a value that may be ignored', () => {
    expect(encode(0, base)).toBe('00000001')
    expect(encode(0, { ...base, hint: 5 })).toBe('00000001')
  })

  it('refuses a value that must not be lost', () => {
    expect(() => encode(0, { ...base, later: 'y' })).toThrow(code('UNSUPPORTED_VERSION'))
    expect(() => encode(1, { ...base, tagged: ['a'] })).toThrow(code('UNSUPPORTED_VERSION'))
    expect(encode(1, { ...base, tagged: [] })).toBe(encode(1, base))
  })

  it('decodes the default', () => {
    expect(decode(0, '00000001')).toEqual({ ...base, moved: undefined })
  })

  it('is refused itself when it was never declared', () => {
    expect(() => codecOf(sample, 4)).toThrow(code('UNSUPPORTED_VERSION'))
    expect(() => codecOf(sample, -1)).toThrow(code('UNSUPPORTED_VERSION'))
  })

  it('keeps its codec', () => {
    expect(codecOf(sample, 1)).toBe(codecOf(sample, 1))
  })
})

describe('tagged fields', () => {
  it('stand in the order of their tags, and only when they say something', () => {
    const message = { ...base, moved: 9, tagged: ['a'], other: 2 }
    expect(encode(3, message)).toBe(
      '00000001' +
        '0278' +
        'ffff' +
        'ff' +
        '03' +
        '0008' +
        '0000000000000002' +
        '0103' +
        '020261' +
        '0401' +
        '09',
    )
    expect(decode(3, encode(3, message))).toEqual(message)
    expect(encode(3, { ...base, other: -1 })).toBe('00000001' + '0278' + 'ffff' + 'ff' + '00')
  })

  it('were plain ones before, where the declaration says so', () => {
    expect(encode(2, { ...base, moved: 9 })).toBe('00000001' + '0278' + 'ffff' + '09' + 'ff' + '00')
  })

  it('that are left out where they were plain get the default', () => {
    expect(encode(2, { ...base, moved: undefined })).toBe('00000001' + '0278' + 'ffff' + '00' + 'ff' + '00')
  })

  it('that nobody knows are passed over', () => {
    expect(decode(3, '00000001 0278 ffff ff 01 7f 03 aabbcc')).toEqual({ ...base, moved: undefined })
  })

  it.each([
    ['out of order', '02 01 01 01 00 08 0000000000000002'],
    ['twice', '02 01 01 01 01 01 01'],
    ['longer than their value', '01 04 02 0900'],
    ['shorter than their value', '01 00 07 00000000000000'],
    ['longer than what is left', '01 7f ffffffff0f'],
    ['more than there are bytes', 'ffffffff0f'],
  ])('are malformed when %s', (_what, tags) => {
    expect(() => decode(3, `00000001 0278 ffff ff ${tags}`)).toThrow(code('MALFORMED_MESSAGE'))
  })
})

describe('malformed bytes', () => {
  it.each([
    ['an int64 beyond 2^53', 3, '00000001 0278 ffff ff 01 00 08 0020000000000000'],
    ['a null that is not allowed', 1, '00000001 ffff'],
    ['a string longer than what is left', 1, '00000001 7fff 61'],
    ['a compact string longer than a string may be', 3, '00000001 ffffffff0f'],
    ['a varint of six bytes', 3, '00000001 ffffffffff01'],
    ['a varint of more than 32 bits', 3, '00000001 ffffffff1f'],
  ])('%s', (_what, version, hex) => {
    expect(() => decode(version, hex)).toThrow(code('MALFORMED_MESSAGE'))
  })

  const read = (version: number, hex: string): unknown =>
    codecOf(sample, version).response.read(new Reader(fromHex(hex.replaceAll(' ', ''))))

  it.each([
    ['a count of more elements than bytes', 0, '7fffffff 00000000'],
    ['a count whose elements take more bytes than are left', 0, '00000002 00000001 000000'],
    ['a negative count', 0, 'fffffffe'],
    ['a compact count', 3, 'ffffffff0f'],
    ['bytes longer than what is left', 0, '00000000 00000000 7fffffff'],
    ['records longer than what is left', 0, '00000000 00000000 00000000 00000001'],
  ])('%s is refused before anything is read or allocated', (_what, version, hex) => {
    expect(() => read(version, hex)).toThrow(code('MALFORMED_MESSAGE'))
    expect(() => read(version, hex)).toThrow(/exceeds the \d+ bytes that are left/)
  })

  it('has a bound on its elements, however many bytes come', () => {
    const hostile = new Uint8Array(5_000_010)
    // A compact array of five million one-byte strings, all empty.
    hostile.set([0x01, 0xc1, 0x96, 0xb1, 0x02])
    hostile.fill(1, 5)
    const read = () => codecOf(sample, 3).response.read(new Reader(hostile))
    expect(read).toThrow(code('MALFORMED_MESSAGE'))
    expect(read).toThrow('more than 4000000 elements')
  })
})

describe('values that do not fit', () => {
  it.each([
    ['int32', { ...base, always: 2 ** 31 }],
    ['int32, a fraction', { ...base, always: 0.5 }],
    ['int16', { ...base, hint: 0x8000 }],
    ['int8', { ...base, moved: -129 }],
    ['int64', { ...base, other: 2 ** 53 }],
    ['string', { ...base, later: 'x'.repeat(0x8000) }],
  ])('%s', (_what, request) => {
    expect(() => encode(3, request)).toThrow(code('INVALID_ARGUMENT'))
  })
})

describe('the writer', () => {
  it('grows, and keeps what was written', () => {
    const writer = new Writer()
    for (let i = 0; i < 1000; i++) writer.int32(i)
    writer.attach(Uint8Array.of(0xaa))
    for (let i = 0; i < 1000; i++) writer.int32(i)
    const numbers = Array.from({ length: 1000 }, (_, i) => i.toString(16).padStart(8, '0')).join('')
    expect(writer.sizeBytes).toBe(8001)
    expect(toHex(writer.finish())).toBe(`${numbers}aa${numbers}`)
    expect(writer.sizeBytes).toBe(0)
    writer.int8(1)
    expect(toHex(writer.finish())).toBe('01')
  })

  it.each([
    [0, '0000000000000000'],
    [1, '0000000000000001'],
    [-1, 'ffffffffffffffff'],
    [-(2 ** 32), 'ffffffff00000000'],
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, 'ffe0000000000001'],
  ])('writes and reads the int64 %i', (value, hex) => {
    const writer = new Writer()
    writer.int64(value)
    expect(toHex(writer.finish())).toBe(hex)
    expect(new Reader(fromHex(hex)).int64()).toBe(value)
  })

  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [0xffff_ffff, 'ffffffff0f'],
  ])('writes and reads the unsigned varint %i', (value, hex) => {
    const writer = new Writer()
    writer.unsignedVarint(value)
    expect(toHex(writer.finish())).toBe(hex)
    expect(new Reader(fromHex(hex)).unsignedVarint()).toBe(value)
  })
})
