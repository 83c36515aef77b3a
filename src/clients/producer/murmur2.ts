/** MurmurHash2 as Kafka's Java producer computes it: every client that uses it sends a key to the same partition. */

const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

/** The 32-bit hash of `bytes`, as a signed integer. */
export const murmur2 = (bytes: Uint8Array): number => {
  const { length } = bytes
  const blocksEnd = length & ~3
  let hash = SEED ^ length
  for (let at = 0; at < blocksEnd; at += 4) {
    let block =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    block = Math.imul(block, M)
    block ^= block >>> R
    hash = Math.imul(hash, M) ^ Math.imul(block, M)
  }
  const rest = length - blocksEnd
  if (rest >= 3) hash ^= (bytes[blocksEnd + 2] ?? 0) << 16
  if (rest >= 2) hash ^= (bytes[blocksEnd + 1] ?? 0) << 8
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[blocksEnd] ?? 0), M)
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  return hash ^ (hash >>> 15)
}
