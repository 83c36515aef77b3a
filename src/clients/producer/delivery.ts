/** What a caller of `send` waits for: the metadata of its record, or of all its records, which may lie in many batches. */

/** Where a record was stored. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** Its place in the partition; -1 with acks 0, which does not tell. */
  readonly offset: number
  /** Milliseconds since the epoch: the record's own timestamp, or the broker's where the topic keeps that. */
  readonly timestamp: number
}

/** Gathers the metadata of the records of one `send`, and settles when it has them all or one has failed. */
export class Delivery {
  readonly #resolve: (results: RecordMetadata[]) => void
  readonly #reject: (error: unknown) => void
  readonly #results: RecordMetadata[]
  #missingCount: number

  constructor(count: number, resolve: (results: RecordMetadata[]) => void, reject: (error: unknown) => void) {
    this.#results = new Array<RecordMetadata>(count)
    this.#missingCount = count
    this.#resolve = resolve
    this.#reject = reject
  }

  /** The record at `index` of the send is stored. */
  stored(index: number, metadata: RecordMetadata): void {
    this.#results[index] = metadata
    if (--this.#missingCount === 0) this.#resolve(this.#results)
  }

  /** A record of the send will not be stored; what else becomes of the send changes nothing any more. */
  failed(error: unknown): void {
    this.#reject(error)
  }
}
