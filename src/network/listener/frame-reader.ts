/**
 * Puts frames together from what a socket delivers: a size of four bytes, then that many bytes. A size is held against
 * the limit before anything is allocated for it, and memory grows, and is asked for, only as bytes really come.
 */
import { allocateBytes } from '../../runtime/bytes.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'

const SIZE_BYTES = 4
const EMPTY = new Uint8Array(0)
/** What a frame gets at first: who announces much and sends little costs little. */
const FIRST_ALLOCATION_BYTES = 1024

/** The frames of one connection: bytes are pushed in, frames are taken out when there is room for them. */
export class FrameReader {
  /** The largest frame, in bytes; a change holds for frames whose size was not read yet. */
  maxFrameBytes: number
  /** What came and was not looked at yet; one piece of a socket's as a rule. */
  readonly #pieces: Uint8Array[] = []
  #at = 0
  #size = 0
  #sizeBytesRead = 0
  #frame: Uint8Array = EMPTY
  #filled = 0
  readonly #admit: (moreBytes: number) => boolean

  /**
   * @param maxFrameBytes the largest frame, in bytes.
   * @param admit takes so much more memory for the frame that is coming in, or says that there is no room; then nothing
   * is read, and it is asked again at the next call. A frame has taken its size when it is whole.
   */
  constructor(maxFrameBytes: number, admit: (moreBytes: number) => boolean = () => true) {
    this.maxFrameBytes = maxFrameBytes
    this.#admit = admit
  }

  /** Takes in what came; the piece stays the caller's and must not change before it was read. */
  push(piece: Uint8Array): void {
    if (piece.length > 0) this.#pieces.push(piece)
  }

  /**
   * The next frame without its size, in memory of its own; undefined until more comes.
   * @throws OttlaError INVALID_REQUEST for a size that is negative or beyond the limit; the stream is of no use then.
   */
  next(): Uint8Array | undefined {
    for (;;) {
      if (this.#sizeBytesRead === SIZE_BYTES && this.#filled === this.#size) return this.#take()
      const piece = this.#pieces[0]
      if (piece === undefined) return undefined
      if (this.#sizeBytesRead < SIZE_BYTES) this.#readSize(piece)
      else if (!this.#readFrame(piece)) return undefined
      if (this.#at === piece.length) {
        this.#pieces.shift()
        this.#at = 0
      }
    }
  }

  #readSize(piece: Uint8Array): void {
    this.#size = (this.#size << 8) | (piece[this.#at++] ?? 0)
    if (++this.#sizeBytesRead < SIZE_BYTES) return
    if (this.#size >= 0 && this.#size <= this.maxFrameBytes) return
    throw new OttlaError(
      'INVALID_REQUEST',
      `A frame says that it has ${this.#size} bytes; expected 0 to ${this.maxFrameBytes}.`,
      { details: { sizeBytes: this.#size, maxFrameBytes: this.maxFrameBytes } },
    )
  }

  #readFrame(piece: Uint8Array): boolean {
    const count = Math.min(this.#size - this.#filled, piece.length - this.#at)
    if (!this.#reserve(this.#filled + count)) return false
    this.#frame.set(piece.subarray(this.#at, this.#at + count), this.#filled)
    this.#filled += count
    this.#at += count
    return true
  }

  #reserve(least: number): boolean {
    if (this.#frame.length >= least) return true
    const wanted = Math.min(Math.max(least, this.#frame.length * 2, FIRST_ALLOCATION_BYTES), this.#size)
    if (!this.#admit(wanted - this.#frame.length)) return false
    const grown = allocateBytes(wanted)
    grown.set(this.#frame.subarray(0, this.#filled))
    this.#frame = grown
    return true
  }

  #take(): Uint8Array {
    const frame = this.#frame
    this.#frame = EMPTY
    this.#filled = 0
    this.#size = 0
    this.#sizeBytesRead = 0
    return frame
  }
}
