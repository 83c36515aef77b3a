/**
 * LZ4 in its frame format, with the header checksum of the specification (KIP-57). The block headers bound what a
 * frame can hold before anything is decompressed.
 */
import type { Codec } from './codec.js'
import { damaged, tooLarge } from './codec.js'
import { optionalPackage } from './optional-package.js'

const library = optionalPackage('lz4', 'lz4-napi', () => import('lz4-napi'))

const MAGIC = 0x184d2204
const STORED_BLOCK = 0x8000_0000
/** Flags of the frame descriptor. */
const FLAG = { dictionary: 0x01, contentChecksum: 0x04, contentSize: 0x08, blockChecksums: 0x10 } as const
/** No block holds more than this for each of its bytes: the format adds at most 255 for each byte of a length. */
const MAX_RATIO = 255

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

/** The most bytes that the frame holds, by walking its block headers. */
const boundOf = (bytes: Uint8Array, maxBytes: number): number => {
  if (readUint32(bytes, 0) !== MAGIC) throw damaged('lz4', 'it does not start with a frame')
  const flags = bytes[4] ?? 0
  const maxBlockBytes = 2 ** (8 + 2 * (((bytes[5] ?? 0) >> 4) & 7))
  if (flags >> 6 !== 1 || maxBlockBytes < 65536)
    throw damaged('lz4', 'its frame descriptor is not of version 1')
  if (flags & FLAG.dictionary) throw damaged('lz4', 'it needs a dictionary, which Kafka does not have')
  let at = 7 + (flags & FLAG.contentSize ? 8 : 0)
  let bound = 0
  for (;;) {
    const field = readUint32(bytes, at)
    at += 4
    if (field === 0) break
    const size = field % STORED_BLOCK
    bound += field >= STORED_BLOCK ? size : Math.min(maxBlockBytes, size * MAX_RATIO)
    if (size > maxBlockBytes) throw damaged('lz4', `a block of ${size} bytes is larger than its frame allows`)
    if (bound > maxBytes) throw tooLarge('lz4', bound, maxBytes)
    at += size + (flags & FLAG.blockChecksums ? 4 : 0)
  }
  if (flags & FLAG.contentChecksum) at += 4
  if (at !== bytes.length) throw damaged('lz4', `its frame ends at byte ${at} of ${bytes.length}`)
  return bound
}

/** The lz4 codec. */
export const lz4: Codec = {
  async compress(plain) {
    const { compressFrame } = await library()
    return compressFrame(plain)
  },

  async decompress(compressed, maxBytes) {
    const { decompressFrame } = await library()
    boundOf(compressed, maxBytes)
    return decompressFrame(compressed)
  },
}
