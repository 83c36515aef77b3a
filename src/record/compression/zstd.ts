/**
 * Zstandard (RFC 8878): by Node's own zlib from Node 22.15 on, before that by the package
 * `@toondepauw/node-zstd`, for which the block headers bound what a frame can hold before it is decompressed.
 */
import type { Codec } from './bounded-codec.js'
import { damaged, tooLarge } from './bounded-codec.js'
import { isOutputTooLarge, nodeZstd, zlibResult } from './node-zlib.js'
import { optionalPackage } from './optional-package.js'

/** What is used of the package; it types its inputs as Buffer, but takes any Uint8Array. */
interface ZstdPackage {
  readonly Encoder: new (level: number) => { encode(plain: Uint8Array): Promise<Uint8Array> }
  readonly Decoder: new () => { decode(compressed: Uint8Array): Promise<Uint8Array> }
}

const library = optionalPackage<ZstdPackage>(
  'zstd',
  '@toondepauw/node-zstd',
  () => import('@toondepauw/node-zstd'),
)

/** The level that Kafka's clients take when none is configured. */
const LEVEL = 3
const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const MAX_BLOCK_BYTES = 128 * 1024
/** Block types of a block header. */
const BLOCK = { raw: 0, runLength: 1, reserved: 3 } as const
/** Bytes of the dictionary id and of the content size by their flags. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const

const readLittleEndian = (bytes: Uint8Array, at: number, count: number): number => {
  if (at + count > bytes.length) throw damaged('zstd', `it ends at byte ${bytes.length}, within a frame`)
  let value = 0
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}

/**
 * Refuses frames that hold more than `maxBytes`, by their block headers. A compressed block counts as full, except
 * the last of its frame: writers fill a block before they start the next.
 */
const checkFrames = (bytes: Uint8Array, maxBytes: number): void => {
  let bound = 0
  let at = 0
  while (at < bytes.length) {
    const magic = readLittleEndian(bytes, at, 4)
    if (magic - (magic % 16) === SKIPPABLE_MAGIC) {
      at += 8 + readLittleEndian(bytes, at + 4, 4)
      continue
    }
    if (magic !== MAGIC) throw damaged('zstd', `no frame starts at byte ${at}`)
    const descriptor = readLittleEndian(bytes, at + 4, 1)
    const singleSegment = (descriptor & 0x20) !== 0
    at += 5 + (singleSegment ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0)
    at += (descriptor >> 6 === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[descriptor >> 6]) ?? 0
    let last = false
    while (!last) {
      const field = readLittleEndian(bytes, at, 3)
      const type = (field >> 1) & 3
      const size = field >> 3
      last = (field & 1) === 1
      at += 3
      if (type === BLOCK.reserved) throw damaged('zstd', `the block at byte ${at} is of no known type`)
      if (type === BLOCK.raw || type === BLOCK.runLength) bound += size
      else if (!last) bound += MAX_BLOCK_BYTES
      if (bound > maxBytes) throw tooLarge('zstd', undefined, maxBytes)
      at += type === BLOCK.runLength ? 1 : size
    }
    if (descriptor & 4) at += 4 // the content's checksum
  }
  if (at !== bytes.length) throw damaged('zstd', `its last frame ends at byte ${at} of ${bytes.length}`)
}

/** The zstd codec. */
export const zstd: Codec = {
  async compress(plain) {
    const node = await nodeZstd()
    if (node !== undefined) return zlibResult((callback) => node.zstdCompress(plain, callback))
    const { Encoder } = await library()
    return new Encoder(LEVEL).encode(plain)
  },

  async decompress(compressed, maxBytes) {
    const node = await nodeZstd()
    if (node === undefined) {
      const { Decoder } = await library()
      checkFrames(compressed, maxBytes)
      return new Decoder().decode(compressed)
    }
    try {
      return await zlibResult((callback) =>
        node.zstdDecompress(compressed, { maxOutputLength: maxBytes }, callback),
      )
    } catch (error) {
      if (isOutputTooLarge(error)) throw tooLarge('zstd', undefined, maxBytes)
      throw error
    }
  },
}
