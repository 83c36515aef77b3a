/** Frames come whole out of whatever pieces a socket delivers, and a size that cannot be is refused before memory is. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { FrameReader } from '../../../src/network/listener/frame-reader.js'

const withSize = (frame: Uint8Array): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(frame.length)
  return Buffer.concat([size, frame])
}

const sizeOnly = (size: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(size)
  return bytes
}

describe('frames', () => {
  test.prop([
    fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 97 })),
  ])('are what was sent, however it is cut', (frames, cuts) => {
    const stream = Buffer.concat(frames.map(withSize))
    const found: Uint8Array[] = []
    const reader = new FrameReader(1000)
    for (let at = 0, turn = 0; at < stream.length; turn++) {
      const count = cuts[turn % Math.max(cuts.length, 1)] ?? stream.length
      const piece = Buffer.from(stream.subarray(at, at + count))
      reader.push(piece)
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) found.push(frame)
      // A frame has memory of its own: what the socket does with its piece later changes nothing.
      piece.fill(0xee)
      at += count
    }
    expect(found.map((frame) => Buffer.from(frame).toString('hex'))).toEqual(
      frames.map((frame) => Buffer.from(frame).toString('hex')),
    )
  })

  it.each([-1, -0x8000_0000, 1001, 0x7fff_ffff])('of %i bytes are refused', (size) => {
    const reader = new FrameReader(1000)
    reader.push(sizeOnly(size))
    expect(() => reader.next()).toThrow(
      expect.objectContaining({
        code: 'INVALID_REQUEST',
        message: expect.stringContaining('expected 0 to 1000'),
      }),
    )
  })

  it('take memory only as bytes come', () => {
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 100 }, () => new FrameReader(100_000_000))
    for (const reader of readers) {
      reader.push(Buffer.concat([sizeOnly(100_000_000), Buffer.alloc(10)]))
      expect(reader.next()).toBeUndefined()
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000)
  })
})
