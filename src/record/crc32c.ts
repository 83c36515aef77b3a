/**
 * CRC-32C (Castagnoli), the checksum of a record batch: native where the optional package is there, otherwise
 * slicing by 8 in JavaScript. Which one is chosen once, by `loadNativeCrc32c`.
 */

type NativeCrc32c = (input: Uint8Array) => number

/** Below this many bytes the call into native code costs more than it saves. */
const NATIVE_FROM_BYTES = 256

/** Eight tables of 256 entries: table k holds the CRC of a byte followed by k zero bytes. */
const tables = ((): Int32Array => {
  const all = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    all[byte] = crc
  }
  for (let at = 256; at < all.length; at++) {
    const previous = all[at - 256] ?? 0
    all[at] = (all[previous & 0xff] ?? 0) ^ (previous >>> 8)
  }
  return all
})()

/** CRC-32C of `bytes[start, end)` in JavaScript. */
export const javaScriptCrc32c = (bytes: Uint8Array, start: number, end: number): number => {
  const t = tables
  let crc = -1
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    // Every index is in bounds by the loop's condition: `?? 0` only satisfies the types, and costs nothing.
    const low =
      crc ^
      ((bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24))
    crc =
      (t[0x700 | (low & 0xff)] ?? 0) ^
      (t[0x600 | ((low >>> 8) & 0xff)] ?? 0) ^
      (t[0x500 | ((low >>> 16) & 0xff)] ?? 0) ^
      (t[0x400 | (low >>> 24)] ?? 0) ^
      (t[0x300 | (bytes[at + 4] ?? 0)] ?? 0) ^
      (t[0x200 | (bytes[at + 5] ?? 0)] ?? 0) ^
      (t[0x100 | (bytes[at + 6] ?? 0)] ?? 0) ^
      (t[bytes[at + 7] ?? 0] ?? 0)
  }
  for (; at < end; at++) crc = (t[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

let native: NativeCrc32c | undefined
let loading: Promise<boolean> | undefined

const load = async (): Promise<boolean> => {
  try {
    const module = await import('@node-rs/crc32')
    // A native build that does not compute CRC-32C must not decide what is damaged: the check value of RFC 3720.
    if (module.crc32c(new Uint8Array(32)) === 0x8a9136aa) native = (input) => module.crc32c(input)
  } catch {
    // Not installed, or not built for this platform: JavaScript does it.
  }
  return native !== undefined
}

/**
 * Loads the optional package `@node-rs/crc32`, once; whoever opens Ottla awaits this. Until then, and when the
 * package is missing, CRCs are computed in JavaScript. Resolves to whether native code is used from now on.
 */
export const loadNativeCrc32c = (): Promise<boolean> => (loading ??= load())

/** CRC-32C of `bytes[start, end)`, as an unsigned 32-bit integer. */
export const crc32c = (bytes: Uint8Array, start: number, end: number): number => {
  if (native === undefined || end - start < NATIVE_FROM_BYTES) return javaScriptCrc32c(bytes, start, end)
  return native(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start))
}
