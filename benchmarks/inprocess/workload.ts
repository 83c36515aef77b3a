/** The workload that every subject of `inprocess` gets: the same values, the same partitions, the same batches. */

/** What was chosen. */
export interface InprocessSettings extends Record<string, number> {
  readonly valueBytes: number
  readonly partitions: number
  /** Records handed over at once: one `send`, one transaction, one LevelDB batch. */
  readonly recordsPerBatch: number
  /** The producer's batchSize: room for one batch of that many records. */
  readonly batchBytes: number
  /** Sends that may be unanswered at a time, where the subject can overlap them at all. */
  readonly batchesInFlight: number
  readonly records: number
  readonly recordsPerTransaction: number
  readonly latencyRecords: number
}

/** The values of one batch; every batch carries the same, so that making them costs nobody anything. */
export const makeValues = ({ valueBytes, recordsPerBatch }: InprocessSettings): Uint8Array[] =>
  Array.from({ length: recordsPerBatch }, (_, index) =>
    Buffer.from(Uint8Array.from({ length: valueBytes }, (__, at) => (index * 31 + at * 7) & 0xff)),
  )

/** How many batches the workload is. */
export const batchCountOf = ({ records, recordsPerBatch }: InprocessSettings): number =>
  Math.ceil(records / recordsPerBatch)

/** Records a second, `work` being all of the workload. */
export const perSecond = async (
  settings: InprocessSettings,
  work: () => Promise<void> | void,
): Promise<number> => {
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  return (batchCountOf(settings) * settings.recordsPerBatch) / seconds
}

/** What a reader does with a record: looks at its offset and at its bytes. Counts, so that none can be missing. */
export class Reader {
  readonly #expectedRecords: number
  readonly #valueBytes: number
  #records = 0
  #bytes = 0
  #offsets = 0

  constructor(settings: InprocessSettings) {
    this.#expectedRecords = batchCountOf(settings) * settings.recordsPerBatch
    this.#valueBytes = settings.valueBytes
  }

  /** True once every record was seen. */
  get isDone(): boolean {
    return this.#records >= this.#expectedRecords
  }

  see(offset: number, value: Uint8Array): void {
    this.#records++
    this.#offsets += offset
    this.#bytes += value.length
  }

  /** @throws when not exactly the expected records were seen. */
  check(): void {
    const expectedBytes = this.#expectedRecords * this.#valueBytes
    if (this.#records !== this.#expectedRecords || this.#bytes !== expectedBytes || this.#offsets < 0) {
      throw new Error(`read ${this.#records} records of ${this.#expectedRecords}, ${this.#bytes} bytes`)
    }
  }
}
