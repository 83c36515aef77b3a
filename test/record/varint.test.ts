/** Varints and varlongs against a BigInt model of Kafka's ByteUtils, and against hostile bytes. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { sizeOfVarint, VarintReader, writeVarint, writeVarlong } from '../../src/record/varint.js'

class Reader extends VarintReader {
  constructor(bytes: Uint8Array, limit = bytes.length) {
    super(bytes, 0, limit)
  }
  varint = (): number => this.readVarint()
  varlong = (): number => this.readVarlong()
  get position(): number {
    return this.at
  }
}

/** The definition: zigzag, then seven bits a byte, the lowest first. */
const modelOf = (value: number): number[] => {
  let zigzag = BigInt(value) * 2n
  if (value < 0) zigzag = -zigzag - 1n
  const bytes: number[] = []
  do {
    const low = Number(zigzag & 0x7fn)
    zigzag >>= 7n
    bytes.push(zigzag > 0n ? low | 0x80 : low)
  } while (zigzag > 0n)
  return bytes
}

const written = (write: typeof writeVarint, value: number): number[] => {
  const target = new Uint8Array(16)
  return [...target.subarray(0, write(target, value, 0))]
}

const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const edges = [0x3f, 0x40, 0x1fff, 0x2000, 0xfffff, 0x100000, 0x7ffffff, 0x8000000, 0x3fffffff, 0x40000000]

describe('varint', () => {
  it.each([...edges, 1, 0x7fff_ffff].flatMap((n) => [n, -n, -n - 1, n - 1]))(
    'follows the definition at %d',
    (value) => {
      expect(written(writeVarint, value)).toEqual(modelOf(value))
      expect(sizeOfVarint(value)).toBe(modelOf(value).length)
      expect(new Reader(Uint8Array.from(modelOf(value))).varint()).toBe(value)
    },
  )

  test.prop([int32])('is what the model writes, and is read back', (value) => {
    expect(written(writeVarint, value)).toEqual(modelOf(value))
    expect(sizeOfVarint(value)).toBe(modelOf(value).length)
    const reader = new Reader(Uint8Array.from([...modelOf(value), 0xff]))
    expect(reader.varint()).toBe(value)
    expect(reader.position).toBe(modelOf(value).length)
  })

  it.each([
    ['no byte', []],
    ['a cut-off one', [0x80]],
    ['a longer cut-off one', [0xff, 0xff, 0xff]],
    ['six bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
    ['33 bits', [0xff, 0xff, 0xff, 0xff, 0x1f]],
  ])('refuses %s', (_, bytes) => {
    expect(() => new Reader(Uint8Array.from(bytes)).varint()).toThrow(
      expect.objectContaining({ code: 'INVALID_RECORD' }),
    )
  })

  it('does not read behind its limit', () => {
    expect(() => new Reader(Uint8Array.of(0x80, 0x01), 1).varint()).toThrow(/goes on behind it/)
  })
})

describe('varlong', () => {
  const safe = fc.oneof(int32, fc.maxSafeInteger(), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }))

  it.each([...edges, 2 ** 31, 2 ** 32, 2 ** 45, 2 ** 52, Number.MAX_SAFE_INTEGER].flatMap((n) => [n, -n]))(
    'follows the definition at %d',
    (value) => {
      expect(written(writeVarlong, value)).toEqual(modelOf(value))
      expect(new Reader(Uint8Array.from(modelOf(value))).varlong()).toBe(value)
    },
  )

  test.prop([safe])('is what the model writes, and is read back', (value) => {
    expect(written(writeVarlong, value)).toEqual(modelOf(value))
    const reader = new Reader(Uint8Array.from([...modelOf(value), 0xff]))
    expect(reader.varlong()).toBe(value)
    expect(reader.position).toBe(modelOf(value).length)
  })

  it.each([
    ['no byte', []],
    ['a cut-off one', [0x80, 0x80]],
    ['eleven bytes', [...Array<number>(10).fill(0x80), 0]],
    ['2^54', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]],
    ['the largest int64', [0xfe, ...Array<number>(8).fill(0xff), 0x01]],
  ])('refuses %s', (_, bytes) => {
    expect(() => new Reader(Uint8Array.from(bytes)).varlong()).toThrow(
      expect.objectContaining({ code: 'INVALID_RECORD' }),
    )
  })
})
