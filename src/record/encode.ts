/**
 * Encoding: records are written one after another straight into the bytes that become the batch, behind a gap
 * for its header; building fills in the header and the CRC. No record is held as an object.
 */
import { allocateBytes, utf8Length, writeUtf8 } from '../runtime/bytes.js'
import { OttlaError, show } from '../runtime/errors/ottla-error.js'
import { compress } from './compression/codec.js'
import { ATTRIBUTE, COMPRESSION_TYPES, HEADER_BYTES, writeHeader } from './header.js'
import type { CompressionType } from './header.js'
import { MAX_VARINT_BYTES, MAX_VARLONG_BYTES, sizeOfVarint, writeVarint, writeVarlong } from './varint.js'

/** A header of a record. */
export interface RecordHeader {
  /** The header's name; names may repeat in a record. */
  readonly key: string
  /** Bytes as they are; null is a value of its own. */
  readonly value: Uint8Array | null
}

/** A record to be encoded. */
export interface RecordInput {
  /** Milliseconds since the Unix epoch; -1 for none. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** What a batch says of itself besides its records. */
export interface BatchOptions {
  /** Default 0: a broker assigns the offset. */
  readonly baseOffset?: number | undefined
  /** Default -1: a broker sets the epoch. */
  readonly leaderEpoch?: number | undefined
  /** Default -1: not idempotent. */
  readonly producerId?: number | undefined
  /** Default -1. */
  readonly producerEpoch?: number | undefined
  /** Default -1. */
  readonly baseSequence?: number | undefined
  /** Default false. */
  readonly isTransactional?: boolean | undefined
  /** Default false. Control records are made by control.ts. */
  readonly isControl?: boolean | undefined
}

/** The shared list for records without headers. */
export const NO_HEADERS: readonly RecordHeader[] = Object.freeze([])

const EMPTY = new Uint8Array(0)
const DEFAULT_CAPACITY_BYTES = 4096
/** How much of a built batch's size the next one starts with, at most. */
const MAX_REMEMBERED_BYTES = 1 << 20
/** A batch's length is an int32; so is the number of its records. */
const MAX_BATCH_BYTES = 0x7fff_ffff
/** Length, attributes, timestamp delta, offset delta, the lengths of key and value, the number of headers. */
const MAX_RECORD_OVERHEAD = MAX_VARINT_BYTES + 1 + MAX_VARLONG_BYTES + 4 * MAX_VARINT_BYTES
/** The same in a usual record: the deltas and the value's length take one byte or two. */
const USUAL_RECORD_OVERHEAD = 8
/** Up to here a loop copies faster than a call of `set`. */
const COPY_BY_LOOP_BYTES = 16

/** Memory of its own as a plain Uint8Array: a Buffer has another hidden class, which slows every access by index. */
const allocate = (size: number): Uint8Array => {
  const memory = allocateBytes(size)
  return new Uint8Array(memory.buffer, memory.byteOffset, size)
}

/**
 * Collects records into one batch. After `build` the bytes belong to the caller and the builder is empty again;
 * it then starts with the size that the last batch needed.
 */
export class BatchBuilder {
  private readonly leastCapacity: number
  private capacity: number
  private bytes: Uint8Array = EMPTY
  private at = HEADER_BYTES
  private count = 0
  private baseTimestamp = -1
  private maxTimestamp = -1

  /** @param options.capacityBytes how many bytes are reserved when the first record comes; default 4,096. */
  constructor(options: { readonly capacityBytes?: number | undefined } = {}) {
    this.leastCapacity = Math.max(options.capacityBytes ?? DEFAULT_CAPACITY_BYTES, HEADER_BYTES)
    this.capacity = this.leastCapacity
  }

  /** How many records were appended since the last build. */
  get recordCount(): number {
    return this.count
  }

  /** The size of the batch that an uncompressed build would give now, in bytes. */
  get sizeBytes(): number {
    return this.at
  }

  /** An upper bound of the uncompressed size with one more record like this, in bytes. */
  sizeAfter(
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): number {
    let size = this.at + MAX_RECORD_OVERHEAD
    if (key !== null) size += key.length
    if (value !== null) size += value.length
    return size + mostOfHeaders(headers)
  }

  /**
   * Appends a record. `timestamp` is in milliseconds since the Unix epoch, -1 for none.
   * @throws OttlaError INVALID_TIMESTAMP when that is no whole number from -1 to 2^53 - 1; RECORD_LIST_TOO_LARGE
   * when the batch would outgrow 2 GiB.
   */
  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): void {
    // `%` would be slow here; Math.floor is one instruction.
    if (!(timestamp >= -1 && timestamp <= Number.MAX_SAFE_INTEGER) || Math.floor(timestamp) !== timestamp) {
      throw new OttlaError(
        'INVALID_TIMESTAMP',
        `The record's timestamp is ${show(timestamp)}; expected whole milliseconds from -1 to 2^53 - 1.`,
      )
    }
    const start = this.at
    const dataLength = (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
    let most = start + MAX_RECORD_OVERHEAD + dataLength
    if (headers.length > 0) most += mostOfHeaders(headers)
    if (most > this.bytes.length) this.grow(most)
    const count = this.count
    if (count === 0) this.baseTimestamp = timestamp

    // The length stands in front of what it counts. Its place is as wide as a record of this size nearly always needs;
    // to move the few others is cheaper than to add up the size of every field first.
    const bytes = this.bytes
    const bodyStart = start + sizeOfVarint(dataLength + USUAL_RECORD_OVERHEAD)
    let at = bodyStart
    bytes[at++] = 0
    at = writeVarlong(bytes, timestamp - this.baseTimestamp, at)
    at = writeVarint(bytes, count, at)
    at = writeNullable(bytes, key, at)
    at = writeNullable(bytes, value, at)
    if (headers.length > 0) at = writeHeaders(bytes, headers, at)
    else bytes[at++] = 0
    const bodySize = at - bodyStart
    const shift = start + sizeOfVarint(bodySize) - bodyStart
    if (shift !== 0) {
      bytes.copyWithin(bodyStart + shift, bodyStart, at)
      at += shift
    }
    writeVarint(bytes, bodySize, start)
    this.at = at
    this.count = count + 1
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp
  }

  /**
   * The batch, uncompressed. Its bytes belong to the caller, who may patch and keep them.
   * @throws OttlaError INVALID_ARGUMENT when no record was appended.
   */
  build(options: BatchOptions = {}): Uint8Array {
    this.checkNotEmpty()
    const size = this.at
    let batch: Uint8Array
    // A view pins all of its memory: with much slack a copy of the right size is cheaper to keep.
    if (this.bytes.length - size > size >> 2) {
      batch = allocate(size)
      batch.set(new Uint8Array(this.bytes.buffer, this.bytes.byteOffset, size))
    } else {
      batch = new Uint8Array(this.bytes.buffer, this.bytes.byteOffset, size)
    }
    fillHeader(batch, options, 'none', this.count, this.baseTimestamp, this.maxTimestamp)
    this.reset()
    return batch
  }

  /**
   * The batch with its records compressed; the builder is empty at once and may be used while this is pending.
   * @throws OttlaError CODEC_MISSING when the codec's package is not installed; INVALID_ARGUMENT when no record
   * was appended.
   */
  async buildCompressed(type: CompressionType, options: BatchOptions = {}): Promise<Uint8Array> {
    if (type === 'none') return this.build(options)
    this.checkNotEmpty()
    const { count, baseTimestamp, maxTimestamp } = this
    const plain = new Uint8Array(
      this.bytes.buffer,
      this.bytes.byteOffset + HEADER_BYTES,
      this.at - HEADER_BYTES,
    )
    this.reset()
    const records = await compress(type, plain)
    const batch = allocate(HEADER_BYTES + records.length)
    batch.set(records, HEADER_BYTES)
    fillHeader(batch, options, type, count, baseTimestamp, maxTimestamp)
    return batch
  }

  private checkNotEmpty(): void {
    if (this.count > 0) return
    throw new OttlaError('INVALID_ARGUMENT', 'The batch has no record; append one before it is built.')
  }

  private reset(): void {
    // Batches of one partition are alike: the next starts with what this one needed and an eighth.
    const wanted = Math.min(this.at + (this.at >> 3), MAX_REMEMBERED_BYTES)
    this.capacity = Math.max(wanted, this.leastCapacity)
    this.bytes = EMPTY
    this.at = HEADER_BYTES
    this.count = 0
    this.baseTimestamp = -1
    this.maxTimestamp = -1
  }

  private grow(least: number): void {
    if (least > MAX_BATCH_BYTES) {
      throw new OttlaError(
        'RECORD_LIST_TOO_LARGE',
        `The batch would have up to ${least} bytes; expected at most ${MAX_BATCH_BYTES}.`,
      )
    }
    const size = Math.min(Math.max(least, this.bytes.length * 2, this.capacity), MAX_BATCH_BYTES)
    const grown = allocate(size)
    if (this.count > 0) {
      grown.set(new Uint8Array(this.bytes.buffer, this.bytes.byteOffset, this.at))
    }
    this.bytes = grown
  }
}

const fillHeader = (
  batch: Uint8Array,
  options: BatchOptions,
  compression: CompressionType,
  recordCount: number,
  baseTimestamp: number,
  maxTimestamp: number,
): void =>
  writeHeader(batch, batch.length, {
    baseOffset: options.baseOffset ?? 0,
    leaderEpoch: options.leaderEpoch ?? -1,
    attributes:
      COMPRESSION_TYPES.indexOf(compression) |
      (options.isTransactional === true ? ATTRIBUTE.transactional : 0) |
      (options.isControl === true ? ATTRIBUTE.control : 0),
    lastOffsetDelta: recordCount - 1,
    baseTimestamp,
    maxTimestamp,
    producerId: options.producerId ?? -1,
    producerEpoch: options.producerEpoch ?? -1,
    baseSequence: options.baseSequence ?? -1,
    recordCount,
  })

const writeNullable = (target: Uint8Array, data: Uint8Array | null, at: number): number => {
  if (data === null) {
    target[at] = 1 // the varint of -1
    return at + 1
  }
  const length = data.length
  at = writeVarint(target, length, at)
  if (length > COPY_BY_LOOP_BYTES) target.set(data, at)
  else for (let i = 0; i < length; i++) target[at + i] = data[i] ?? 0
  return at + length
}

const mostOf = ({ key, value, headers }: RecordInput): number =>
  MAX_RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0) + mostOfHeaders(headers)

/** An upper bound: a character takes at most three bytes. */
const mostOfHeaders = (headers: readonly RecordHeader[]): number => {
  let size = 0
  for (const { key, value } of headers) {
    size += 2 * MAX_VARINT_BYTES + 3 * key.length + (value?.length ?? 0)
  }
  return size
}

const writeHeaders = (target: Uint8Array, headers: readonly RecordHeader[], at: number): number => {
  at = writeVarint(target, headers.length, at)
  for (const { key, value } of headers) {
    at = writeVarint(target, utf8Length(key), at)
    at += writeUtf8(target, key, at)
    at = writeNullable(target, value, at)
  }
  return at
}

/**
 * One uncompressed batch of `records`.
 * @throws OttlaError as {@link BatchBuilder.append} and {@link BatchBuilder.build} do.
 */
export const encodeBatch = (records: readonly RecordInput[], options: BatchOptions = {}): Uint8Array => {
  let capacityBytes = HEADER_BYTES
  for (const record of records) capacityBytes += mostOf(record)
  const builder = new BatchBuilder({ capacityBytes })
  for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers)
  return builder.build(options)
}
