/**
 * Snappy: blocks behind one another in the framing of xerial's snappy-java, which is what Kafka's Java client
 * reads and writes; on read also one raw block, as some other clients write it.
 */
import { concatBytes } from '../../runtime/bytes.js'
import { readInt32, writeInt32 } from '../header.js'
import type { Codec } from './bounded-codec.js'
import { damaged, tooLarge } from './bounded-codec.js'
import { optionalPackage } from './optional-package.js'

const library = optionalPackage('snappy', 'snappy', () => import('snappy'))

/** 0x82 SNAPPY 0x00, then the version and the oldest version that can read it, both 1. */
const XERIAL_HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1)
const XERIAL_MAGIC_BYTES = 8
/** The block size of snappy-java. */
const BLOCK_BYTES = 32 * 1024
/** No snappy block holds more than this for each of its bytes: a copy of 64 bytes takes 2, and more room is idle. */
const MAX_RATIO = 64
/** Blocks that are worked on at once: what is in flight off the event loop is bounded. */
const BLOCKS_AT_ONCE = 16

interface Block {
  readonly start: number
  readonly end: number
  readonly plainBytes: number
}

const isXerial = (bytes: Uint8Array): boolean => {
  if (bytes.length < XERIAL_HEADER.length) return false
  for (let at = 0; at < XERIAL_MAGIC_BYTES; at++) if (bytes[at] !== XERIAL_HEADER[at]) return false
  return true
}

/** The uncompressed length that a raw block starts with: an unsigned varint of at most 32 bits. */
const plainBytesOf = (bytes: Uint8Array, start: number, end: number): number => {
  let length = 0
  for (let count = 0; count < 5 && start + count < end; count++) {
    const byte = bytes[start + count] ?? 0
    length += (byte & 0x7f) * 2 ** (7 * count)
    if (byte < 0x80) {
      if (length > (end - start) * MAX_RATIO) break
      return length
    }
  }
  throw damaged('snappy', `the block at byte ${start} has a length that cannot be`)
}

const blocksOf = (bytes: Uint8Array, maxBytes: number): Block[] => {
  const blocks: Block[] = []
  let total = 0
  const add = (start: number, end: number): void => {
    const plainBytes = plainBytesOf(bytes, start, end)
    total += plainBytes
    if (total > maxBytes) throw tooLarge('snappy', total, maxBytes)
    blocks.push({ start, end, plainBytes })
  }
  if (!isXerial(bytes)) {
    add(0, bytes.length)
    return blocks
  }
  let at = XERIAL_HEADER.length
  while (at < bytes.length) {
    // Streams written one behind the other start with the header again.
    if (isXerial(bytes.subarray(at))) {
      at += XERIAL_HEADER.length
      continue
    }
    const start = at + 4
    const size = start <= bytes.length ? readInt32(bytes, at) : -1
    if (size <= 0 || size > bytes.length - start)
      throw damaged('snappy', `the block at byte ${at} is cut off`)
    add(start, start + size)
    at = start + size
  }
  return blocks
}

/** The snappy codec. */
export const snappy: Codec = {
  async compress(plain) {
    const { compress } = await library()
    const parts: Uint8Array[] = [XERIAL_HEADER]
    for (let at = 0; at < plain.length;) {
      const pending: Promise<Uint8Array>[] = []
      for (; at < plain.length && pending.length < BLOCKS_AT_ONCE; at += BLOCK_BYTES) {
        pending.push(compress(plain.subarray(at, at + BLOCK_BYTES)))
      }
      for (const block of await Promise.all(pending)) {
        const size = new Uint8Array(4)
        writeInt32(size, block.length, 0)
        parts.push(size, block)
      }
    }
    return concatBytes(parts)
  },

  async decompress(compressed, maxBytes) {
    const { uncompress } = await library()
    const blocks = blocksOf(compressed, maxBytes)
    const parts: Uint8Array[] = []
    for (let next = 0; next < blocks.length; next += BLOCKS_AT_ONCE) {
      const group = blocks.slice(next, next + BLOCKS_AT_ONCE)
      const plain = await Promise.all(
        group.map(({ start, end }) => uncompress(compressed.subarray(start, end), { asBuffer: true })),
      )
      for (const part of plain) {
        if (typeof part === 'string') throw damaged('snappy', 'the library answered with text')
        parts.push(part)
      }
    }
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : concatBytes(parts)
  },
}
