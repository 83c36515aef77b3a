/**
 * The codecs by Kafka's names. Each is loaded when it is first used; what comes out is bounded before or while it
 * is decompressed, and large inputs are worked on off the event loop.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { CompressionType } from '../header.js'
import { damaged, tooLarge, type Codec } from './bounded-codec.js'

/** The most bytes that a batch's records may have uncompressed, where nothing else is asked for: 128 MiB. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

const codecOf = async (type: Exclude<CompressionType, 'none'>): Promise<Codec> => {
  switch (type) {
    case 'gzip':
      return (await import('./gzip.js')).gzip
    case 'snappy':
      return (await import('./snappy.js')).snappy
    case 'lz4':
      return (await import('./lz4.js')).lz4
    case 'zstd':
      return (await import('./zstd.js')).zstd
  }
}

/**
 * Compresses what follows a batch's header.
 * @throws OttlaError CODEC_MISSING when the codec's package is not installed.
 */
export const compress = async (type: CompressionType, plain: Uint8Array): Promise<Uint8Array> => {
  if (type === 'none') return plain
  return (await codecOf(type)).compress(plain)
}

/**
 * Decompresses what follows a batch's header.
 * @throws OttlaError CORRUPT_MESSAGE for damaged bytes; MESSAGE_TOO_LARGE for more than `maxBytes`; CODEC_MISSING
 * when the codec's package is not installed.
 */
export const decompress = async (
  type: CompressionType,
  compressed: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> => {
  if (type === 'none') return compressed
  const codec = await codecOf(type)
  let plain: Uint8Array
  try {
    plain = await codec.decompress(compressed, maxBytes)
  } catch (error) {
    if (OttlaError.is(error)) throw error
    throw damaged(type, 'it does not decompress', error)
  }
  if (plain.length > maxBytes) throw tooLarge(type, plain.length, maxBytes)
  return plain
}
