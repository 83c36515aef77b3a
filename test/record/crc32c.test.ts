/** CRC-32C against the published vectors, and native code against JavaScript. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { crc32c, javaScriptCrc32c, loadNativeCrc32c } from '../../src/record/crc32c.js'

/** RFC 3720, B.4, and the check value of the catalogue of CRC algorithms. */
const VECTORS: [string, Uint8Array, number][] = [
  ['32 bytes of zeroes', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 bytes of incrementing 00..1f', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['32 bytes of decrementing 1f..00', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  [
    'an iSCSI SCSI Read (10) command',
    Uint8Array.from([
      0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0,
      0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
    ]),
    0xd9963a56,
  ],
  ['123456789', new TextEncoder().encode('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
]

/** One bit at a time, from the definition. */
const bitwise = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

describe('CRC-32C', () => {
  it.each(VECTORS)('in JavaScript of %s', (_, bytes, expected) => {
    expect(javaScriptCrc32c(bytes, 0, bytes.length)).toBe(expected)
  })

  it.each(VECTORS)('as chosen, of %s', async (_, bytes, expected) => {
    expect(crc32c(bytes, 0, bytes.length)).toBe(expected)
    await loadNativeCrc32c()
    expect(crc32c(bytes, 0, bytes.length)).toBe(expected)
  })

  it('is native once the optional package is loaded, which happens once', async () => {
    expect(await loadNativeCrc32c()).toBe(true)
    expect(loadNativeCrc32c()).toBe(loadNativeCrc32c())
  })

  test.prop([fc.uint8Array({ maxLength: 2000, size: 'max' }), fc.nat(40), fc.nat(40)])(
    'of any range is the same natively, in JavaScript and from the definition',
    async (bytes, skip, cut) => {
      await loadNativeCrc32c()
      const start = Math.min(skip, bytes.length)
      const end = Math.max(start, bytes.length - cut)
      const expected = bitwise(bytes.subarray(start, end))
      expect(javaScriptCrc32c(bytes, start, end)).toBe(expected)
      expect(crc32c(bytes, start, end)).toBe(expected)
    },
  )
})
