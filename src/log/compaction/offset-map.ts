/**
 * At which offset each key was last written, for one pass of compaction. Keys are kept as their hash alone, so a key
 * takes the same room however long it is, and the whole is one piece of memory of a size that is known beforehand.
 */
import { KeyHash } from './key-hash.js'

/** Words of a place: four of the hash, two of the offset plus one, low half first; zero is a free place. */
const PLACE_WORDS = 6
/** What a key takes, in bytes; the same as in Kafka's map. */
export const PLACE_BYTES = PLACE_WORDS * 4
const WORD = 0x1_0000_0000

/** How much a map may hold. */
export interface OffsetMapBounds {
  /** `log.cleaner.dedupe.buffer.size`: the memory of its places, in bytes. */
  readonly maxBytes: number
  /** `log.cleaner.io.buffer.load.factor`: the share of its places that may be taken, above 0 and up to 1. */
  readonly loadFactor: number
}

/** The last offset of each key. */
export class OffsetMap {
  readonly #hash: KeyHash
  readonly #places: Uint32Array
  readonly #placeCount: number
  readonly #maxKeys: number
  #size = 0

  /**
   * @param hashKey the key of the hash, new for every pass.
   * @param expectedKeys how many keys there can be; no more room is taken than they need.
   */
  constructor(hashKey: Uint8Array, { maxBytes, loadFactor }: OffsetMapBounds, expectedKeys: number) {
    this.#hash = new KeyHash(hashKey)
    const needed = Math.ceil(expectedKeys / loadFactor) + 1
    this.#placeCount = Math.max(2, Math.min(Math.floor(maxBytes / PLACE_BYTES), needed))
    this.#maxKeys = Math.max(1, Math.min(Math.floor(this.#placeCount * loadFactor), this.#placeCount - 1))
    this.#places = new Uint32Array(this.#placeCount * PLACE_WORDS)
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#size
  }

  /** What it takes in memory. */
  get sizeBytes(): number {
    return this.#places.byteLength
  }

  /** Notes that the key in `bytes[start, end)` was written at `offset`; false when it is new and there is no room. */
  put(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
    const at = this.#find(bytes, start, end)
    const places = this.#places
    if (this.#offsetAt(at) < 0) {
      if (this.#size >= this.#maxKeys) return false
      this.#size++
      places.set(this.#hash.words, at)
    }
    places[at + 4] = (offset + 1) % WORD
    places[at + 5] = Math.floor((offset + 1) / WORD)
    return true
  }

  /** Where the key in `bytes[start, end)` was last written; -1 when it is not known. */
  get(bytes: Uint8Array, start: number, end: number): number {
    return this.#offsetAt(this.#find(bytes, start, end))
  }

  /** Where the key stands, or the free place that is its. One is always free, so the search ends. */
  #find(bytes: Uint8Array, start: number, end: number): number {
    this.#hash.hash(bytes, start, end)
    const { words } = this.#hash
    const places = this.#places
    for (let place = (words[0] ?? 0) % this.#placeCount; ; place = (place + 1) % this.#placeCount) {
      const at = place * PLACE_WORDS
      if (this.#offsetAt(at) < 0) return at
      if (
        places[at] === words[0] &&
        places[at + 1] === words[1] &&
        places[at + 2] === words[2] &&
        places[at + 3] === words[3]
      ) {
        return at
      }
    }
  }

  #offsetAt(at: number): number {
    return (this.#places[at + 5] ?? 0) * WORD + (this.#places[at + 4] ?? 0) - 1
  }
}
