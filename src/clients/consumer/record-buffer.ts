/** The fetched batches of one partition that are not decoded yet, and the cursor on the first of them. */
import { openBatch, type RecordCursor } from '../../record/decode.js'

/** A queue of batches. Its bound is kept by the fetcher, which leaves out partitions that hold enough. */
export class RecordBuffer {
  readonly #onOpened: () => void
  #batches: Uint8Array[] = []
  #head = 0
  #cursor: RecordCursor | undefined
  #opening: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #sizeBytes = 0

  /** `onOpened` is called when a compressed batch is ready to be decoded, or has turned out to be damaged. */
  constructor(onOpened: () => void) {
    this.#onOpened = onOpened
  }

  /** What the batches take, compressed as they are. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get isEmpty(): boolean {
    return this.#head === this.#batches.length
  }

  /** Appends a whole batch. */
  push(batch: Uint8Array): void {
    this.#batches.push(batch)
    this.#sizeBytes += batch.length
  }

  /** Drops everything. */
  clear(): void {
    this.#batches = []
    this.#head = 0
    this.#cursor = undefined
    this.#opening = undefined
    this.#failure = undefined
    this.#sizeBytes = 0
  }

  /**
   * The cursor on the first batch; undefined when there is none, or while it is being decompressed.
   * @throws what {@link openBatch} throws, for this batch.
   */
  cursor(): RecordCursor | undefined {
    if (this.#cursor !== undefined) return this.#cursor
    if (this.#failure !== undefined) throw this.#failure.error
    const batch = this.#batches[this.#head]
    if (batch === undefined || this.#opening !== undefined) return undefined
    const opened = openBatch(batch)
    if (!(opened instanceof Promise)) return (this.#cursor = opened)
    const opening = opened
      .then(
        (cursor) => {
          if (this.#opening === opening) this.#cursor = cursor
        },
        (error: unknown) => {
          if (this.#opening === opening) this.#failure = { error }
        },
      )
      .then(() => {
        if (this.#opening !== opening) return
        this.#opening = undefined
        this.#onOpened()
      })
    this.#opening = opening
    return undefined
  }

  /** Goes on behind the first batch. */
  finish(): void {
    this.#cursor = undefined
    this.#sizeBytes -= this.#batches[this.#head]?.length ?? 0
    this.#head++
    // Shifting one by one would move the rest each time.
    if (this.#head === this.#batches.length || this.#head >= 64) {
      this.#batches = this.#batches.slice(this.#head)
      this.#head = 0
    }
  }
}
