/**
 * Writes the protocol's primitives into memory that grows. Record bytes are not copied: they are laid between the
 * pieces, which `finish` hands out in order for a socket to write one after another.
 */
import { invalidArgument, type OttlaError } from '../runtime/errors/ottla-error.js'
import { allocateBytes, concatBytes, utf8Length, writeUtf8 } from '../runtime/bytes.js'
import { uuidToBytes, type Uuid } from '../runtime/uuid.js'

const INITIAL_BYTES = 256
/** What a writer may have grown to, and still be kept for the next encoding. */
const MAX_KEPT_BYTES = 64 * 1024
const TWO_32 = 0x1_0000_0000

/** An encoder's output. */
export class Writer {
  #bytes = allocateBytes(INITIAL_BYTES)
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength)
  /** Where the piece that is being written starts and where it goes on. */
  #pieceStart = 0
  #at = 0
  #pieces: Uint8Array[] = []
  #piecesBytes = 0

  /** How many bytes were written so far, all pieces together. */
  get sizeBytes(): number {
    return this.#piecesBytes + this.#at - this.#pieceStart
  }

  /** Hands out what was written as pieces that follow one another; the writer starts afresh. */
  finish(): Uint8Array[] {
    this.#closePiece()
    const pieces = this.#pieces
    this.#pieces = []
    this.#piecesBytes = 0
    return pieces
  }

  /** Starts afresh over the same memory: what `finish` has handed out is overwritten. */
  rewind(): void {
    this.finish()
    this.#pieceStart = 0
    this.#at = 0
  }

  /** How much memory it has. */
  get capacityBytes(): number {
    return this.#bytes.length
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw outOfRange('int8', value)
    this.#reserve(1)
    this.#view.setInt8(this.#at, value)
    this.#at += 1
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw outOfRange('int16', value)
    this.#reserve(2)
    this.#view.setInt16(this.#at, value)
    this.#at += 2
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw outOfRange('uint16', value)
    this.#reserve(2)
    this.#view.setUint16(this.#at, value)
    this.#at += 2
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw outOfRange('int32', value)
    this.#reserve(4)
    this.#view.setInt32(this.#at, value)
    this.#at += 4
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw outOfRange('uint32', value)
    this.#reserve(4)
    this.#view.setUint32(this.#at, value)
    this.#at += 4
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw outOfRange('int64', value)
    this.#reserve(8)
    this.#view.setInt32(this.#at, Math.floor(value / TWO_32))
    this.#view.setUint32(this.#at + 4, value % TWO_32 < 0 ? (value % TWO_32) + TWO_32 : value % TWO_32)
    this.#at += 8
  }

  float64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#at, value)
    this.#at += 8
  }

  /** A number from 0 to 2^32 - 1 in groups of seven bits. */
  unsignedVarint(value: number): void {
    this.#reserve(5)
    while (value > 0x7f) {
      this.#bytes[this.#at++] = (value & 0x7f) | 0x80
      value = Math.floor(value / 128)
    }
    this.#bytes[this.#at++] = value
  }

  uuid(value: Uuid): void {
    this.#reserve(16)
    uuidToBytes(value, this.#bytes, this.#at)
    this.#at += 16
  }

  /** The characters alone, whose length in bytes is known. */
  utf8(value: string, length: number): void {
    this.#reserve(length)
    writeUtf8(this.#bytes, value, this.#at)
    this.#at += length
  }

  /** A string with a compact length (flexible versions) or an int16 one. */
  string(value: string | null, compact: boolean): void {
    if (value === null) {
      if (compact) this.unsignedVarint(0)
      else this.int16(-1)
      return
    }
    const length = utf8Length(value)
    if (length > 0x7fff) throw invalidArgument('A string field', value, 'at most 32767 bytes of UTF-8')
    if (compact) this.unsignedVarint(length + 1)
    else this.int16(length)
    this.utf8(value, length)
  }

  /** A length or count: compact (plus one, 0 for null) or int32 (-1 for null). */
  length(value: number | null, compact: boolean): void {
    if (compact) this.unsignedVarint(value === null ? 0 : value + 1)
    else this.int32(value ?? -1)
  }

  /** A copy of `value`, without a length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  /** `value` itself as a piece of its own, without a copy. */
  attach(value: Uint8Array): void {
    if (value.length === 0) return
    this.#closePiece()
    this.#pieces.push(value)
    this.#piecesBytes += value.length
  }

  #closePiece(): void {
    if (this.#at === this.#pieceStart) return
    this.#pieces.push(this.#bytes.subarray(this.#pieceStart, this.#at))
    this.#piecesBytes += this.#at - this.#pieceStart
    this.#pieceStart = this.#at
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const written = this.#at - this.#pieceStart
    const grown = allocateBytes(Math.max(written * 2, written + length, INITIAL_BYTES))
    grown.set(this.#bytes.subarray(this.#pieceStart, this.#at))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer, grown.byteOffset, grown.byteLength)
    this.#pieceStart = 0
    this.#at = written
  }
}

/** Writers whose memory serves again; there are as many as encodings lie within one another. */
const idle: Writer[] = []

/** The bytes that `write` writes, in memory of their own and of the right size. */
export const encoded = (write: (writer: Writer) => void): Uint8Array => {
  const writer = idle.pop() ?? new Writer()
  // One that is left in the middle by an error is not used again.
  write(writer)
  const bytes = concatBytes(writer.finish())
  writer.rewind()
  if (writer.capacityBytes <= MAX_KEPT_BYTES) idle.push(writer)
  return bytes
}

const outOfRange = (kind: string, value: number): OttlaError =>
  invalidArgument(
    `A field of type ${kind}`,
    value,
    kind === 'int64' ? 'a safe integer' : 'an integer in its range',
  )
