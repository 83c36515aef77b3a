/**
 * LZ4 in its frame format, with the header checksum of the specification (KIP-57). The block headers bound what a
 * frame can hold before anything is decompressed.
 */
import type { Codec } from './bounded-codec.js'
import { damaged, tooLarge } from './bounded-codec.js'
import { optionalPackage } from './optional-package.js'

const library = optionalPackage('lz4', 'lz4-napi', () => import('lz4-napi'))

const MAGIC = 0x184d2204
const STORED_BLOCK = 0x8000_0000
/** Flags of the frame descriptor. */
const FLAG = { dictionary: 0x01, contentChecksum: 0x04, contentSize: 0x08, blockChecksums: 0x10 } as const
/** The shortest match; a match's length counts from it. */
const MIN_MATCH_BYTES = 4

const readUint32 = (bytes: Uint8Array, at: number): number => {
  if (at + 4 > bytes.length) throw damaged('lz4', `it ends at byte ${bytes.length}, within a frame`)
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  )
}

/** The length that a token's four bits begin: 15 goes on in bytes of which the first below 255 is the last. */
const readLength = (bytes: Uint8Array, start: number, end: number, nibble: number): [number, number] => {
  let length = nibble
  let at = start
  if (nibble === 15) {
    let byte = 255
    while (byte === 255 && at < end) {
      byte = bytes[at++] ?? 0
      length += byte
    }
  }
  return [length, at]
}

/** How many bytes the block in `bytes[start, end)` holds, from the lengths of its literals and matches. */
const plainBytesOf = (bytes: Uint8Array, start: number, end: number): number => {
  let total = 0
  for (let at = start; at < end;) {
    const token = bytes[at++] ?? 0
    const [literals, from] = readLength(bytes, at, end, token >> 4)
    total += literals
    at = from + literals
    if (at >= end) break // the last sequence has no match
    const [match, next] = readLength(bytes, at + 2, end, token & 15)
    total += match + MIN_MATCH_BYTES
    at = next
  }
  return total
}

/**
 * How many bytes the frame holds: exactly, which looks into each block, or at most, from the blocks' headers.
 * The blocks have to fill the frame.
 */
const frameBytesOf = (bytes: Uint8Array, exact: boolean): number => {
  if (readUint32(bytes, 0) !== MAGIC) throw damaged('lz4', 'it does not start with a frame')
  const flags = bytes[4] ?? 0
  const maxBlockBytes = 2 ** (8 + 2 * (((bytes[5] ?? 0) >> 4) & 7))
  if (flags >> 6 !== 1 || maxBlockBytes < 65536)
    throw damaged('lz4', 'its frame descriptor is not of version 1')
  if (flags & FLAG.dictionary) throw damaged('lz4', 'it needs a dictionary, which Kafka does not have')
  let at = 7 + (flags & FLAG.contentSize ? 8 : 0)
  let total = 0
  for (;;) {
    const field = readUint32(bytes, at)
    at += 4
    if (field === 0) break
    const size = field % STORED_BLOCK
    if (size > maxBlockBytes) throw damaged('lz4', `a block of ${size} bytes is larger than its frame allows`)
    const end = Math.min(at + size, bytes.length)
    if (field >= STORED_BLOCK) total += size
    else total += exact ? plainBytesOf(bytes, at, end) : maxBlockBytes
    at += size + (flags & FLAG.blockChecksums ? 4 : 0)
  }
  if (flags & FLAG.contentChecksum) at += 4
  if (at !== bytes.length) throw damaged('lz4', `its frame ends at byte ${at} of ${bytes.length}`)
  return total
}

/** The lz4 codec. */
export const lz4: Codec = {
  async compress(plain) {
    const { compressFrame } = await library()
    return compressFrame(plain)
  },

  async decompress(compressed, maxBytes) {
    const { decompressFrame } = await library()
    // Nearly all are far below the limit, and the headers show it; only one that may pass it is looked into.
    if (frameBytesOf(compressed, false) > maxBytes) {
      const bytes = frameBytesOf(compressed, true)
      if (bytes > maxBytes) throw tooLarge('lz4', bytes, maxBytes)
    }
    return decompressFrame(compressed)
  },
}
