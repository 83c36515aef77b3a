/** The codecs: what they bound, what they refuse, and what is said when one is missing. */
import { gzipSync } from 'node:zlib'
import { fc, test } from '@fast-check/vitest'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import { describe, expect, it } from 'vitest'
import { compress, decompress, DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../src/record/compression/codec.js'
import { optionalPackage } from '../../src/record/compression/optional-package.js'

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const failsWith = (code: string) => expect.objectContaining({ code }) as Error
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b)

describe.each(CODECS)('%s', (type) => {
  test.prop([fc.uint8Array({ maxLength: 500 }), fc.nat(400)], { numRuns: 40 })(
    'round trip',
    async (seed, times) => {
      const plain = new Uint8Array(Buffer.concat(Array<Uint8Array>(times).fill(seed)))
      expect(sameBytes(await decompress(type, await compress(type, plain), 1 << 20), plain)).toBe(true)
    },
  )

  it('gives exactly as much as is allowed, and not a byte more', async () => {
    const plain = new Uint8Array(Buffer.alloc(128 * 1024, 'abcdefgh'))
    const compressed = await compress(type, plain)
    expect((await decompress(type, compressed, plain.length)).length).toBe(plain.length)
    await expect(decompress(type, compressed, plain.length - 1)).rejects.toThrow(
      failsWith('MESSAGE_TOO_LARGE'),
    )
  })

  it('stops before a bomb goes off', async () => {
    const bomb = await compress(type, new Uint8Array(64 << 20))
    const before = process.memoryUsage().arrayBuffers
    await expect(decompress(type, bomb, 1 << 20)).rejects.toThrow(failsWith('MESSAGE_TOO_LARGE'))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20)
  })

  it('is bounded before a library sees it', async () => {
    // What a library would refuse as damaged is too large first. zlib bounds gzip while it works.
    const damagedAt = { gzip: undefined, snappy: 30, lz4: 6, zstd: 4 }[type]
    if (damagedAt === undefined) return
    const bomb = (await compress(type, new Uint8Array(8 << 20))).slice()
    bomb[damagedAt] = (bomb[damagedAt] ?? 0) ^ 0x08
    await expect(decompress(type, bomb, 16 << 20)).rejects.toThrow(failsWith('CORRUPT_MESSAGE'))
    await expect(decompress(type, bomb, 1 << 20)).rejects.toThrow(failsWith('MESSAGE_TOO_LARGE'))
  })

  it('that is cut off or empty is damaged', async () => {
    const compressed = await compress(type, new TextEncoder().encode('what is there '.repeat(50)))
    for (const cut of [0, 1, 3, 5, 8, compressed.length >> 1, compressed.length - 1]) {
      if (type === 'zstd' && cut === 0) continue
      await expect(decompress(type, compressed.subarray(0, cut), 1 << 20)).rejects.toThrow(
        failsWith('CORRUPT_MESSAGE'),
      )
    }
  })

  test.prop([fc.uint8Array({ maxLength: 200 })], { numRuns: 100 })(
    'of random bytes is refused',
    async (random) => {
      await decompress(type, random, 1 << 20).then(
        (plain) => expect(plain.length).toBeLessThanOrEqual(1 << 20),
        (error: unknown) =>
          expect(['CORRUPT_MESSAGE', 'MESSAGE_TOO_LARGE']).toContain((error as { code: string }).code),
      )
    },
  )

  it('takes a view into a larger buffer', async () => {
    const around = new Uint8Array(300).fill(9)
    around.fill(5, 100, 200)
    const plain = around.subarray(100, 200)
    const compressed = await compress(type, plain)
    const within = new Uint8Array(compressed.length + 20)
    within.set(compressed, 10)
    const back = await decompress(type, within.subarray(10, 10 + compressed.length), 1000)
    expect(sameBytes(back, plain)).toBe(true)
  })
})

describe('forms of other writers', () => {
  const plain = new TextEncoder().encode('one and the same thing, '.repeat(9000))

  it('a raw snappy block without framing', async () => {
    expect(sameBytes(await decompress('snappy', compressSync(plain), 1 << 20), plain)).toBe(true)
  })

  it('snappy streams one behind the other', async () => {
    const one = await compress('snappy', plain)
    expect(
      sameBytes(
        await decompress('snappy', Buffer.concat([one, one]), 1 << 20),
        Buffer.concat([plain, plain]),
      ),
    ).toBe(true)
  })

  it('a snappy block that lies about its length', async () => {
    const lie = Uint8Array.of(0xff, 0xff, 0xff, 0x3f, 0x00, 0x41)
    await expect(decompress('snappy', lie, DEFAULT_MAX_DECOMPRESSED_BYTES)).rejects.toThrow(
      /a length that cannot be/,
    )
  })

  it('gzip members one behind the other', async () => {
    const both = Buffer.concat([gzipSync(plain), gzipSync(plain)])
    expect((await decompress('gzip', both, 1 << 20)).length).toBe(plain.length * 2)
  })

  it('lz4 frames with checksums of content and blocks', async () => {
    const frame = compressFrameSync(Buffer.from(plain), { contentChecksum: true, blockChecksums: true })
    expect(sameBytes(await decompress('lz4', frame, 1 << 20), plain)).toBe(true)
    frame[20] = (frame[20] ?? 0) ^ 1
    await expect(decompress('lz4', frame, 1 << 20)).rejects.toThrow(failsWith('CORRUPT_MESSAGE'))
  })

  it('lz4 with a wrong header checksum', async () => {
    const frame = (await compress('lz4', plain)).slice()
    frame[6] = (frame[6] ?? 0) ^ 1
    await expect(decompress('lz4', frame, 1 << 20)).rejects.toThrow(failsWith('CORRUPT_MESSAGE'))
  })
})

describe('an optional package', () => {
  it('that is missing is named with the command that installs it', async () => {
    const cause = new Error("Cannot find package 'snappy'")
    const missing = optionalPackage('snappy', 'snappy', () => Promise.reject(cause))
    await expect(missing()).rejects.toThrow(failsWith('CODEC_MISSING'))
    await expect(missing()).rejects.toThrow(/npm install snappy/)
  })

  it('is loaded once, and found when it was installed meanwhile', async () => {
    let loads = 0
    const flaky = optionalPackage('x', 'x', () =>
      ++loads === 1 ? Promise.reject(new Error('no')) : Promise.resolve(7),
    )
    await expect(flaky()).rejects.toThrow(failsWith('CODEC_MISSING'))
    expect([await flaky(), await flaky(), loads]).toEqual([7, 7, 2])
  })
})
