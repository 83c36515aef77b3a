/**
 * Decoding: a cursor that walks a batch's records where they lie. Nothing is copied; keys, values and headers
 * become views only when they are asked for. Whatever the bytes say, no read leaves the batch and the work is
 * bounded by its size.
 */
import { readUtf8 } from '../runtime/bytes.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { DEFAULT_MAX_DECOMPRESSED_BYTES, decompress } from './compression/codec.js'
import { NO_HEADERS } from './encode.js'
import type { RecordHeader } from './encode.js'
import { HEADER_BYTES, readHeader } from './header.js'
import type { BatchHeader } from './header.js'
import { MIN_RECORD_BYTES } from './validate.js'
import { VarintReader } from './varint.js'

/**
 * Stands on one record after another: `while (cursor.next()) use(cursor.offset, cursor.value)`. The fields are
 * those of the current record and change with the next `next()`; views stay valid as long as the batch's bytes.
 */
export class RecordCursor extends VarintReader {
  /** What the batch's header says. */
  readonly header: BatchHeader
  /** The current record's timestamp in milliseconds; the batch's append time when that is its timestamp type. */
  timestamp = -1
  /** Where the key begins in `bytes`; -1 when it is null. */
  keyStart = -1
  /** Where the key ends; -1 when it is null. */
  keyEnd = -1
  /** Where the value begins in `bytes`; -1 when it is null. */
  valueStart = -1
  /** Where the value ends; -1 when it is null. */
  valueEnd = -1
  /** Where that begins of the current record which does not depend on the batch's base timestamp: its offset delta. */
  bodyStart = -1

  private readonly memory: ArrayBufferLike
  private readonly origin: number
  private readonly isAppendTime: boolean
  private left: number
  private readonly baseOffset: number
  private readonly baseTimestamp: number
  private readonly lastOffsetDelta: number
  private offsetDelta = -1
  private headersAt = 0
  private headerCount = 0
  private recordEnd: number

  /**
   * @param bytes where the records lie uncompressed, from `start` to `end`.
   * @throws OttlaError INVALID_RECORD when there cannot be as many records as the header says.
   */
  constructor(header: BatchHeader, bytes: Uint8Array, start: number, end: number) {
    // A Buffer has another hidden class than a Uint8Array; a plain view keeps every access by index monomorphic.
    super(
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
      start,
      end,
    )
    this.header = header
    this.memory = bytes.buffer
    this.origin = bytes.byteOffset
    this.isAppendTime = header.timestampType === 'LogAppendTime'
    if (this.isAppendTime) this.timestamp = header.maxTimestamp
    this.baseOffset = header.baseOffset
    this.baseTimestamp = header.baseTimestamp
    this.lastOffsetDelta = header.lastOffsetDelta
    this.left = header.recordCount
    this.recordEnd = start
    if (this.left < 0 || this.left * MIN_RECORD_BYTES > end - start) {
      throw this.invalid(`it says that it has ${this.left} records in ${end - start} bytes`)
    }
  }

  /**
   * Goes to the next record; false behind the last one.
   * @throws OttlaError INVALID_RECORD when the record does not fit its bytes, has a timestamp beyond 2^53 or an
   * offset out of the batch's range or order, or when bytes are left behind the last record.
   */
  next(): boolean {
    const start = (this.at = this.recordEnd)
    if (this.left === 0) {
      if (start !== this.limit) throw this.invalid(`${this.limit - start} bytes follow the last record`)
      return false
    }
    const size = this.readVarint()
    const end = this.at + size
    if (size < MIN_RECORD_BYTES - 1 || end > this.limit) {
      throw this.invalid(`it has a record of ${size} bytes where ${this.limit - this.at} are left`)
    }
    this.at++ // attributes: none of their bits has a meaning yet
    const timestampDelta = this.readVarlong()
    if (!this.isAppendTime) {
      const timestamp = this.baseTimestamp + timestampDelta
      if (!(timestamp <= Number.MAX_SAFE_INTEGER && timestamp >= Number.MIN_SAFE_INTEGER)) {
        throw this.invalid('it has a timestamp beyond 2^53')
      }
      this.timestamp = timestamp
    }
    this.bodyStart = this.at
    const offsetDelta = this.readVarint()
    if (offsetDelta <= this.offsetDelta || offsetDelta > this.lastOffsetDelta) {
      throw this.invalid(
        `it has the offset delta ${offsetDelta} after ${this.offsetDelta}, of at most ${this.lastOffsetDelta}`,
      )
    }
    this.offsetDelta = offsetDelta

    // Each varint stops at the batch's end at the latest, and positions only grow: one check behind the last of
    // them holds key, value and header count within the record.
    const keySize = this.readVarint()
    let at = this.at
    this.keyStart = keySize < 0 ? -1 : at
    if (keySize > 0) at += keySize
    this.keyEnd = keySize < 0 ? -1 : at
    this.at = at
    const valueSize = this.readVarint()
    at = this.at
    this.valueStart = valueSize < 0 ? -1 : at
    if (valueSize > 0) at += valueSize
    this.valueEnd = valueSize < 0 ? -1 : at
    this.at = at
    const headerCount = this.readVarint()
    at = this.at
    // A header takes two bytes at least. Without any the record has to end here.
    if (headerCount === 0 ? at !== end : headerCount < 0 || headerCount * 2 > end - at) {
      throw this.invalid(`it has ${headerCount} headers in ${end - at} bytes`)
    }
    this.headerCount = headerCount
    this.headersAt = at
    this.recordEnd = end
    this.left--
    return true
  }

  /** Where the current record ends. */
  get bodyEnd(): number {
    return this.recordEnd
  }

  /** The current record's offset. */
  get offset(): number {
    return this.baseOffset + this.offsetDelta
  }

  /** A view of the current record's key, or null. It keeps the whole batch in memory. */
  get key(): Uint8Array | null {
    const start = this.keyStart
    return start < 0 ? null : new Uint8Array(this.memory, this.origin + start, this.keyEnd - start)
  }

  /** A view of the current record's value, or null. It keeps the whole batch in memory. */
  get value(): Uint8Array | null {
    const start = this.valueStart
    return start < 0 ? null : new Uint8Array(this.memory, this.origin + start, this.valueEnd - start)
  }

  /**
   * The current record's headers, decoded at each access; the values are views.
   * @throws OttlaError INVALID_RECORD when they do not fill what is left of the record.
   */
  get headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return NO_HEADERS
    const headers: RecordHeader[] = []
    const end = this.recordEnd
    this.at = this.headersAt
    for (let count = 0; count < this.headerCount; count++) {
      const keySize = this.readVarint()
      const keyStart = this.at
      this.at += keySize
      if (keySize < 0 || this.at >= end) throw this.invalid(`it has a header key of ${keySize} bytes`)
      const valueSize = this.readVarint()
      const valueStart = this.at
      if (valueSize >= 0) this.at += valueSize
      if (this.at > end) throw this.invalid(`it has a header value of ${valueSize} bytes`)
      headers.push({
        key: readUtf8(this.bytes, keyStart, keyStart + keySize),
        value: valueSize < 0 ? null : new Uint8Array(this.memory, this.origin + valueStart, valueSize),
      })
    }
    if (this.at !== end) throw this.invalid(`${end - this.at} bytes follow the headers of a record`)
    return headers
  }

  private invalid(what: string): OttlaError {
    const { baseOffset, lastOffset } = this.header
    return new OttlaError('INVALID_RECORD', `The batch of offsets ${baseOffset} to ${lastOffset}: ${what}.`)
  }
}

/** How {@link openBatch} treats what it is given. */
export interface OpenBatchOptions {
  /** The most bytes that a compressed batch may have uncompressed; default 128 MiB. */
  readonly maxDecompressedBytes?: number | undefined
}

/**
 * A cursor before the first record of the batch at the start of `bytes`; a promise of one only when the batch is
 * compressed. The CRC is not checked: {@link validateBatch} does that.
 * @throws OttlaError as {@link readHeader} does, and CORRUPT_MESSAGE when the batch is longer than `bytes`.
 * The promise rejects with CORRUPT_MESSAGE for compressed bytes that are damaged, MESSAGE_TOO_LARGE for more than
 * `maxDecompressedBytes`, CODEC_MISSING when the codec's package is not installed.
 */
export const openBatch = (
  bytes: Uint8Array,
  options: OpenBatchOptions = {},
): RecordCursor | Promise<RecordCursor> => {
  const header = readHeader(bytes)
  if (header.sizeBytes > bytes.length) {
    throw new OttlaError(
      'CORRUPT_MESSAGE',
      `The batch says that it has ${header.sizeBytes} bytes, but ${bytes.length} are there.`,
    )
  }
  // What compaction emptied keeps its codec's number, but there is nothing to decompress.
  if (header.compression === 'none' || header.sizeBytes === HEADER_BYTES) {
    return new RecordCursor(header, bytes, HEADER_BYTES, header.sizeBytes)
  }
  return openCompressed(header, bytes, options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES)
}

const openCompressed = async (
  header: BatchHeader,
  bytes: Uint8Array,
  maxDecompressedBytes: number,
): Promise<RecordCursor> => {
  const compressed = new Uint8Array(
    bytes.buffer,
    bytes.byteOffset + HEADER_BYTES,
    header.sizeBytes - HEADER_BYTES,
  )
  const records = await decompress(header.compression, compressed, maxDecompressedBytes)
  return new RecordCursor(header, records, 0, records.length)
}
