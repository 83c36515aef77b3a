/**
 * Variable-length zigzag integers as Kafka writes them inside records: varint (32 bits, at most 5 bytes) and
 * varlong (64 bits, at most 10 bytes). Varlongs are numbers, exact up to 2^53, without BigInt.
 */
import { OttlaError } from '../runtime/errors/ottla-error.js'

/** The most bytes a varint takes. */
export const MAX_VARINT_BYTES = 5
/** The most bytes a varlong takes. */
export const MAX_VARLONG_BYTES = 10

/** How many bytes `value`, a 32-bit integer, takes as a varint. */
export const sizeOfVarint = (value: number): number => {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x20_0000) return 3
  return zigzag < 0x1000_0000 ? 4 : 5
}

/** Writes `value`, a 32-bit integer, at `at`; returns the position behind it. */
export const writeVarint = (target: Uint8Array, value: number, at: number): number => {
  const zigzag = (value << 1) ^ (value >> 31)
  // One and two bytes are nearly all there is; without a loop they are inlined where they are used.
  if (zigzag >>> 7 === 0) {
    target[at] = zigzag
    return at + 1
  }
  if (zigzag >>> 14 === 0) {
    target[at] = zigzag | 0x80
    target[at + 1] = zigzag >>> 7
    return at + 2
  }
  return writeLongVarint(target, zigzag, at)
}

const writeLongVarint = (target: Uint8Array, zigzag: number, at: number): number => {
  let rest = zigzag >>> 0
  while (rest > 0x7f) {
    target[at++] = rest | 0x80
    rest >>>= 7
  }
  target[at++] = rest
  return at
}

/** Writes `value`, a safe integer, at `at`; returns the position behind it. */
export const writeVarlong = (target: Uint8Array, value: number, at: number): number => {
  if (value >= -0x4000_0000 && value < 0x4000_0000) return writeVarint(target, value, at)
  // Doubling could leave the safe integers, so the sign joins the lowest six bits and the rest is shifted apart.
  const magnitude = value < 0 ? -value - 1 : value
  let low = (magnitude % 0x40) * 2 + (value < 0 ? 1 : 0)
  let rest = Math.floor(magnitude / 0x40)
  while (rest > 0) {
    target[at++] = low | 0x80
    low = rest % 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[at++] = low
  return at
}

/**
 * A position in bytes from which variable-length integers are read. Reading stops at `limit`, whatever the bytes
 * behind it say.
 */
export class VarintReader {
  /** What is read from. */
  readonly bytes: Uint8Array
  /** Where the next read starts. */
  protected at: number
  /** The position that no read goes past. */
  protected readonly limit: number

  constructor(bytes: Uint8Array, at: number, limit: number) {
    this.bytes = bytes
    this.at = at
    this.limit = limit
  }

  /**
   * Reads a varint.
   * @throws OttlaError INVALID_RECORD when it ends behind the limit, has more than 5 bytes or more than 32 bits.
   */
  protected readVarint(): number {
    const at = this.at
    // One and two bytes are nearly all there is; without a loop they are inlined where they are used.
    if (at + 1 < this.limit) {
      const first = this.bytes[at] ?? 0
      if (first < 0x80) {
        this.at = at + 1
        return (first >>> 1) ^ -(first & 1)
      }
      const second = this.bytes[at + 1] ?? 0
      if (second < 0x80) {
        this.at = at + 2
        return (((first & 0x7f) >>> 1) | (second << 6)) ^ -(first & 1)
      }
    }
    return this.readLongVarint()
  }

  private readLongVarint(): number {
    const bytes = this.bytes
    let zigzag = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= this.limit) throw this.outOfBytes('a varint')
      const byte = bytes[this.at++] ?? 0
      zigzag |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
    }
    throw new OttlaError('INVALID_RECORD', `The varint that ends at byte ${this.at} has more than 32 bits.`)
  }

  /**
   * Reads a varlong.
   * @throws OttlaError INVALID_RECORD when it ends behind the limit, has more than 10 bytes or is beyond 2^53.
   */
  protected readVarlong(): number {
    const at = this.at
    if (at + 1 < this.limit) {
      const first = this.bytes[at] ?? 0
      const second = first < 0x80 ? 0 : (this.bytes[at + 1] ?? 0)
      if (second < 0x80) {
        this.at = first < 0x80 ? at + 1 : at + 2
        return (((first & 0x7f) >>> 1) | (second << 6)) ^ -(first & 1)
      }
    }
    return this.readLongVarlong()
  }

  private readLongVarlong(): number {
    const bytes = this.bytes
    let magnitude = 0
    let scale = 1
    let negative = false
    for (let count = 0; count < MAX_VARLONG_BYTES; count++) {
      if (this.at >= this.limit) throw this.outOfBytes('a varlong')
      const byte = bytes[this.at++] ?? 0
      if (count === 0) {
        negative = (byte & 1) === 1
        magnitude = (byte & 0x7f) >>> 1
        scale = 0x40
      } else {
        magnitude += (byte & 0x7f) * scale
        scale *= 0x80
      }
      if (byte < 0x80) {
        if (magnitude > Number.MAX_SAFE_INTEGER) break
        return negative ? -magnitude - 1 : magnitude
      }
    }
    throw new OttlaError('INVALID_RECORD', `The varlong that ends at byte ${this.at} is beyond 2^53.`)
  }

  private outOfBytes(what: string): OttlaError {
    return new OttlaError('INVALID_RECORD', `Byte ${this.limit} is the end, but ${what} goes on behind it.`)
  }
}
