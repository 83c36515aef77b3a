/** Base64 (RFC 4648, section 4), for the short texts of a handshake. */

/** `bytes` as text, padded. */
export const toBase64 = (bytes: Uint8Array): string => {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The bytes that `text` spells; undefined when it is not exactly base64. */
export const fromBase64 = (text: string): Uint8Array | undefined =>
  BASE64.test(text) ? Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) : undefined
