/** What a codec is, and the two errors it may give for what it is handed: damage, and more than the bound. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { CompressionType } from '../header.js'

/** A codec as each file of this folder exports one. */
export interface Codec {
  /** `plain` in the form that Kafka's clients write. */
  compress(plain: Uint8Array): Promise<Uint8Array>
  /** The plain bytes; MESSAGE_TOO_LARGE when they would be more than `maxBytes`, CORRUPT_MESSAGE when damaged. */
  decompress(compressed: Uint8Array, maxBytes: number): Promise<Uint8Array>
}

/** The error for compressed bytes that do not follow their format. */
export const damaged = (type: CompressionType, why: string, cause?: unknown): OttlaError =>
  new OttlaError(
    'CORRUPT_MESSAGE',
    `The batch's ${type} data is damaged: ${why}.`,
    cause === undefined ? {} : { cause },
  )

/** The error for records that would have `bytes`, or an unknown number above `maxBytes`, when decompressed. */
export const tooLarge = (type: CompressionType, bytes: number | undefined, maxBytes: number): OttlaError =>
  new OttlaError(
    'MESSAGE_TOO_LARGE',
    `The batch's ${type} data has ${bytes ?? 'more'} bytes uncompressed; at most ${maxBytes} are allowed (maxDecompressedBytes).`,
    { details: { maxDecompressedBytes: maxBytes } },
  )
