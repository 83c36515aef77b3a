import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { KeyHash } from '../../../src/log/compaction/key-hash.js'
import { OffsetMap, PLACE_BYTES } from '../../../src/log/compaction/offset-map.js'
import { toUtf8 } from '../../../src/runtime/bytes.js'

const HASH_KEY = Uint8Array.from({ length: 16 }, (_, i) => i)
const hex = (hash: KeyHash): string =>
  Buffer.from(hash.words.buffer, hash.words.byteOffset, hash.words.byteLength).toString('hex').toUpperCase()

describe('the hash of keys', () => {
  // What OpenSSL's SIPHASH with 16 bytes gives for the key 00..0f, and 00, 01, 02... as the message.
  it.each([
    [0, 'A3817F04BA25A8E66DF67214C7550293'],
    [1, 'DA87C1D86B99AF44347659119B22FC45'],
    [3, '9C70B60C5267A94E5F33B6B02985ED51'],
    [4, 'F88164C12D9C8FAF7D0F6E7C7BCD5579'],
    [7, 'A1F1EBBED8DBC153C0B84AA61FF08239'],
    [8, '3B62A9BA6258F5610F83E264F31497B4'],
    [9, '264499060AD9BAABC47F8B02BB6D71ED'],
    [15, '5493E99933B0A8117E08EC0F97CFC3D9'],
    [16, '6EE2A4CA67B054BBFD3315BF85230577'],
    [63, '5150D1772F50834A503E069A973FBD7C'],
    [255, '1C9BB67528165F8E468248E3799B0EAB'],
  ])('is SipHash-2-4 with 128 bits: %i bytes', (length, expected) => {
    const hash = new KeyHash(HASH_KEY)
    const bytes = Uint8Array.from({ length: length + 3 }, (_, i) => i - 2)
    hash.hash(bytes, 2, length + 2)
    expect(hex(hash)).toBe(expected)
  })
})

const put = (map: OffsetMap, key: string, offset: number): boolean => {
  const bytes = toUtf8(`<${key}>`)
  return map.put(bytes, 1, bytes.length - 1, offset)
}
const get = (map: OffsetMap, key: string): number => map.get(toUtf8(key), 0, toUtf8(key).length)

describe('the offset map', () => {
  test.prop([
    fc.array(
      fc.tuple(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 })),
      {
        maxLength: 60,
      },
    ),
    fc.integer({ min: 1, max: 40 }),
    fc.double({ min: 0.05, max: 1, noNaN: true }),
  ])('holds what a map of keys holds, until it is full', (entries, places, loadFactor) => {
    const map = new OffsetMap(HASH_KEY, { maxBytes: places * PLACE_BYTES, loadFactor }, 1000)
    const model = new Map<string, number>()
    for (const [key, offset] of entries) {
      const fits = put(map, key, offset)
      if (fits) model.set(key, offset)
      else expect(model.has(key)).toBe(false)
    }
    expect(map.size).toBe(model.size)
    expect(map.sizeBytes).toBeLessThanOrEqual(Math.max(2, places) * PLACE_BYTES)
    expect(map.size).toBeLessThanOrEqual(Math.max(1, Math.floor(Math.max(2, places) * loadFactor)))
    for (const [key] of entries) expect(get(map, key)).toBe(model.get(key) ?? -1)
  })

  it('has room for as many keys as were expected, and takes no more memory than that', () => {
    const map = new OffsetMap(HASH_KEY, { maxBytes: 1 << 30, loadFactor: 0.9 }, 1000)
    for (let i = 0; i < 1000; i++) expect(put(map, `key ${i}`, i)).toBe(true)
    expect(map.sizeBytes).toBeLessThan(1200 * PLACE_BYTES)
  })
})
