/**
 * The cryptography that passwords take: hashes, keyed hashes, key derivation, and a comparison that says nothing by
 * its duration. It is the platform's (Web Crypto), asynchronous throughout: a derivation of 16,384 rounds takes
 * milliseconds, and runs on a thread of the platform's meanwhile.
 */

/** A hash of the SHA-2 family. */
export type HashName = 'SHA-256' | 'SHA-512'

/** The hash of `bytes`. */
export const hashOf = async (hash: HashName, bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest(hash, own(bytes)))

/** HMAC (RFC 2104) of `bytes` under `key`, which is not empty. */
export const hmacOf = async (hash: HashName, key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> => {
  const imported = await crypto.subtle.importKey('raw', own(key), { name: 'HMAC', hash }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, own(bytes)))
}

/** PBKDF2 (RFC 8018) with HMAC: as many bytes as `hash` has. */
export const pbkdf2 = async (
  hash: HashName,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Promise<Uint8Array> => {
  const imported = await crypto.subtle.importKey('raw', own(password), 'PBKDF2', false, ['deriveBits'])
  const bits = hash === 'SHA-256' ? 256 : 512
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: 'PBKDF2', hash, salt: own(salt), iterations }, imported, bits),
  )
}

/** Whether both are the same. It takes as long wherever they differ; only their lengths may be told by it. */
export const timingSafeEqual = (left: Uint8Array, right: Uint8Array): boolean => {
  if (left.length !== right.length) return false
  let difference = 0
  for (let at = 0; at < left.length; at++) difference |= (left[at] ?? 0) ^ (right[at] ?? 0)
  return difference === 0
}

/** Web Crypto takes no memory that others may share. */
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
