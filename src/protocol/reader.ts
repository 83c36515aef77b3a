/**
 * Reads the protocol's primitives. What it reads comes from anyone: every length is held against the bytes that are
 * left before anything is allocated, and whatever does not fit is a MALFORMED_MESSAGE.
 */
import { readUtf8 } from '../runtime/bytes.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { uuidFromBytes, type Uuid } from '../runtime/uuid.js'

const TWO_32 = 0x1_0000_0000

/**
 * How many array elements one message may hold in all, whatever its size: a small element decodes to ten times its
 * bytes. The Metadata of half a million partitions stays below.
 */
const MAX_ELEMENTS = 4_000_000

/** A decoder's input. */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number
  #end: number
  #elementsLeft = MAX_ELEMENTS

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
    this.#end = bytes.length
  }

  /** Where the next read starts. */
  get at(): number {
    return this.#at
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#end - this.#at
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1))
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2))
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4))
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  int64(): number {
    const at = this.#take(8)
    const value = this.#view.getInt32(at) * TWO_32 + this.#view.getUint32(at + 4)
    if (!Number.isSafeInteger(value)) throw malformed(`the int64 at byte ${at} is beyond 2^53`)
    return value
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8))
  }

  unsignedVarint(): number {
    const start = this.#at
    let value = 0
    for (let scale = 1, count = 0; count < 5; count++, scale *= 128) {
      const byte = this.#view.getUint8(this.#take(1))
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value >= TWO_32) break
        return value
      }
    }
    throw malformed(`the varint at byte ${start} is longer than 32 bits`)
  }

  uuid(): Uuid {
    return uuidFromBytes(this.#bytes, this.#take(16))
  }

  string(compact: boolean): string | null {
    const length = compact ? this.unsignedVarint() - 1 : this.int16()
    if (length < 0) return null
    if (length > 0x7fff)
      throw malformed(`the string at byte ${this.#at} claims ${length} bytes; at most 32767 are allowed`)
    const start = this.#take(length)
    return readUtf8(this.#bytes, start, start + length)
  }

  /** The length of a bytes or records field; null when it says so. */
  length(compact: boolean): number | null {
    const length = compact ? this.unsignedVarint() - 1 : this.int32()
    if (length === -1) return null
    if (length < 0 || length > this.remaining) {
      throw malformed(
        `the length ${length} at byte ${this.#at} exceeds the ${this.remaining} bytes that are left`,
      )
    }
    return length
  }

  /** The count of an array whose elements take at least `minBytes` each; null when it says so. */
  count(compact: boolean, minBytes: number): number | null {
    const count = compact ? this.unsignedVarint() - 1 : this.int32()
    if (count === -1) return null
    if (count < 0 || count * Math.max(minBytes, 1) > this.remaining) {
      throw malformed(
        `the array of ${count} elements at byte ${this.#at} exceeds the ${this.remaining} bytes that are left`,
      )
    }
    if (count > this.#elementsLeft) {
      throw malformed(`with the array at byte ${this.#at} it has more than ${MAX_ELEMENTS} elements`)
    }
    this.#elementsLeft -= count
    return count
  }

  /** A view of the next `length` bytes. */
  view(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Has `read` read the next `length` bytes, all of them and none behind. */
  within<T>(length: number, read: (reader: this) => T): T {
    const outerEnd = this.#end
    const end = this.#take(length) + length
    this.#at = end - length
    this.#end = end
    const value = read(this)
    if (this.#at !== end) throw malformed(`${end - this.#at} bytes too many stand before byte ${end}`)
    this.#end = outerEnd
    return value
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    this.#take(length)
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#end - at) {
      throw malformed(`${length} bytes were expected at byte ${at}, and ${this.#end - at} are left`)
    }
    this.#at = at + length
    return at
  }
}

/** An error for bytes that do not follow the protocol. */
export const malformed = (what: string): OttlaError<'MALFORMED_MESSAGE'> =>
  new OttlaError('MALFORMED_MESSAGE', `The message does not follow the protocol: ${what}.`)
