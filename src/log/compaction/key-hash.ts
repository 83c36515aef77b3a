/**
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): a keyed hash, so nobody who does not know the key can make
 * two record keys collide, and by chance it does not happen. Numbers of 64 bits are pairs of 32, low half first.
 */

/** How many bytes the key of the hash has. */
export const HASH_KEY_BYTES = 16

/** Hashes byte ranges under one key. */
export class KeyHash {
  /** The last hash, as four words; overwritten by the next. */
  readonly words = new Uint32Array(4)
  readonly #initial = new Int32Array(8)
  readonly #state = new Int32Array(8)

  /** @param key {@link HASH_KEY_BYTES} unpredictable bytes. */
  constructor(key: Uint8Array) {
    const initial = this.#initial
    // "somepseudorandomlygeneratedbytes", as the definition has it.
    initial.set([
      0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
    ])
    for (let word = 0; word < 8; word++) initial[word] = (initial[word] ?? 0) ^ wordAt(key, (word % 4) * 4)
    initial[2] = (initial[2] ?? 0) ^ 0xee // what tells the variant with 128 bits from that with 64
  }

  /** Hashes `bytes[start, end)` into {@link words}. */
  hash(bytes: Uint8Array, start: number, end: number): void {
    const state = this.#state
    state.set(this.#initial)
    const length = end - start
    let at = start
    for (; end - at >= 8; at += 8) this.#mix(wordAt(bytes, at), wordAt(bytes, at + 4))
    let low = 0
    let high = length << 24
    for (let place = 0; at < end; at++, place++) {
      if (place < 4) low |= (bytes[at] ?? 0) << (8 * place)
      else high |= (bytes[at] ?? 0) << (8 * (place - 4))
    }
    this.#mix(low, high)
    state[4] = (state[4] ?? 0) ^ 0xee
    this.#rounds(4)
    this.#fold(0)
    state[2] = (state[2] ?? 0) ^ 0xdd
    this.#rounds(4)
    this.#fold(2)
  }

  #mix(low: number, high: number): void {
    const state = this.#state
    state[6] = (state[6] ?? 0) ^ low
    state[7] = (state[7] ?? 0) ^ high
    this.#rounds(2)
    state[0] = (state[0] ?? 0) ^ low
    state[1] = (state[1] ?? 0) ^ high
  }

  #fold(to: number): void {
    const state = this.#state
    for (let half = 0; half < 2; half++) {
      const a = (state[half] ?? 0) ^ (state[half + 2] ?? 0)
      this.words[to + half] = a ^ (state[half + 4] ?? 0) ^ (state[half + 6] ?? 0)
    }
  }

  #rounds(count: number): void {
    const state = this.#state
    let a = state[0] ?? 0
    let aHigh = state[1] ?? 0
    let b = state[2] ?? 0
    let bHigh = state[3] ?? 0
    let c = state[4] ?? 0
    let cHigh = state[5] ?? 0
    let d = state[6] ?? 0
    let dHigh = state[7] ?? 0
    for (let round = 0; round < count; round++) {
      // a += b; b = rotate(b, 13) ^ a; a = rotate(a, 32)
      let sum = (a >>> 0) + (b >>> 0)
      aHigh = (aHigh + bHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
      a = sum | 0
      let low = ((b << 13) | (bHigh >>> 19)) ^ a
      bHigh = ((bHigh << 13) | (b >>> 19)) ^ aHigh
      b = low
      low = aHigh
      aHigh = a
      a = low
      // c += d; d = rotate(d, 16) ^ c
      sum = (c >>> 0) + (d >>> 0)
      cHigh = (cHigh + dHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
      c = sum | 0
      low = ((d << 16) | (dHigh >>> 16)) ^ c
      dHigh = ((dHigh << 16) | (d >>> 16)) ^ cHigh
      d = low
      // a += d; d = rotate(d, 21) ^ a
      sum = (a >>> 0) + (d >>> 0)
      aHigh = (aHigh + dHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
      a = sum | 0
      low = ((d << 21) | (dHigh >>> 11)) ^ a
      dHigh = ((dHigh << 21) | (d >>> 11)) ^ aHigh
      d = low
      // c += b; b = rotate(b, 17) ^ c; c = rotate(c, 32)
      sum = (c >>> 0) + (b >>> 0)
      cHigh = (cHigh + bHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
      c = sum | 0
      low = ((b << 17) | (bHigh >>> 15)) ^ c
      bHigh = ((bHigh << 17) | (b >>> 15)) ^ cHigh
      b = low
      low = cHigh
      cHigh = c
      c = low
    }
    state[0] = a
    state[1] = aHigh
    state[2] = b
    state[3] = bHigh
    state[4] = c
    state[5] = cHigh
    state[6] = d
    state[7] = dHigh
  }
}

/** Four bytes, the lowest first. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
