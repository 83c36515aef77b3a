/**
 * Bytes and text. The core speaks Uint8Array; where the platform has Buffer its native routines are used, which
 * are several times faster on short strings. The choice is made once, when this file loads.
 */

interface NativeBytes extends Uint8Array {
  utf8Slice(start: number, end: number): string
  utf8Write(text: string, at: number, length: number): number
}
interface NativeBuffer {
  readonly prototype: NativeBytes
  byteLength(text: string): number
  allocUnsafeSlow(size: number): Uint8Array
  from(text: string, encoding: 'utf8'): Uint8Array
}

const native = (globalThis as { Buffer?: NativeBuffer }).Buffer
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** The UTF-8 text in `bytes[start, end)`; malformed sequences become U+FFFD. */
export const readUtf8: (bytes: Uint8Array, start: number, end: number) => string = native
  ? (bytes, start, end) => native.prototype.utf8Slice.call(bytes, start, end)
  : (bytes, start, end) => decoder.decode(bytes.subarray(start, end))

/** Writes `text` as UTF-8 at `at` and returns the bytes written; the caller has made sure that it fits. */
export const writeUtf8: (target: Uint8Array, text: string, at: number) => number = native
  ? (target, text, at) => native.prototype.utf8Write.call(target, text, at, target.length - at)
  : (target, text, at) => encoder.encodeInto(text, target.subarray(at)).written

/** How many bytes `text` takes as UTF-8. */
export const utf8Length: (text: string) => number = native
  ? (text) => native.byteLength(text)
  : (text) => encoder.encode(text).length

/** `text` as fresh UTF-8 bytes. */
export const toUtf8: (text: string) => Uint8Array = native
  ? (text) => native.from(text, 'utf8')
  : (text) => encoder.encode(text)

/** Up to here the engine keeps the bytes in one piece with the object that they belong to, which costs next to nothing. */
const INLINE_BYTES = 64

/** Memory of its own, NOT zeroed: the caller writes every byte before anyone reads one. */
export const allocateBytes: (size: number) => Uint8Array = native
  ? (size) => (size <= INLINE_BYTES ? new Uint8Array(size) : native.allocUnsafeSlow(size))
  : (size) => new Uint8Array(size)

/** One contiguous copy of `parts`. */
export const concatBytes = (parts: readonly Uint8Array[]): Uint8Array => {
  let size = 0
  for (const part of parts) size += part.length
  const whole = allocateBytes(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
