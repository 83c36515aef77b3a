/** What a caller of `send` waits for: the metadata of its record, or of all its records, which may lie in many batches. */

/** Where a record was stored. */
export interface RecordMetadata {
  /** The topic's name. */
  readonly topic: string
  /** The partition that it went to. */
  readonly partition: number
  /** Its place in the partition; -1 with acks 0, which does not tell. */
  readonly offset: number
  /** Milliseconds since the epoch: the record's own timestamp, or the broker's where the topic keeps that. */
  readonly timestamp: number
}

/** Told what becomes of the records of one `send`. */
export interface Recipient {
  /** The next record is in a batch; `metadata` gets its offset when that is stored. */
  added(metadata: RecordMetadata): void
  /** As many more of its records are stored. */
  stored(count: number): void
  /** A record will not be stored; what else becomes of the send changes nothing any more. */
  failed(error: unknown): void
}

/** The outcome of sending one record. */
export class RecordDelivery implements Recipient {
  readonly #resolve: (metadata: RecordMetadata) => void
  readonly #reject: (error: unknown) => void
  #metadata: RecordMetadata | undefined

  constructor(resolve: (metadata: RecordMetadata) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  added(metadata: RecordMetadata): void {
    this.#metadata = metadata
  }

  stored(): void {
    if (this.#metadata !== undefined) this.#resolve(this.#metadata)
  }

  failed(error: unknown): void {
    this.#reject(error)
  }
}

/** The outcome of sending several records: known when all are stored, or one has failed. */
export class ArrayDelivery implements Recipient {
  readonly #resolve: (metadata: readonly RecordMetadata[]) => void
  readonly #reject: (error: unknown) => void
  readonly #metadata: RecordMetadata[] = []
  #missingCount: number

  constructor(
    count: number,
    resolve: (metadata: readonly RecordMetadata[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#missingCount = count
    this.#resolve = resolve
    this.#reject = reject
  }

  added(metadata: RecordMetadata): void {
    this.#metadata.push(metadata)
  }

  stored(count: number): void {
    this.#missingCount -= count
    if (this.#missingCount === 0) this.#resolve(this.#metadata)
  }

  failed(error: unknown): void {
    this.#reject(error)
  }
}
