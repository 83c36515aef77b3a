/** A batch on its way: it gathers records, is encoded once, and is sent until it is acknowledged or has failed. */
import { openBatch } from '../../record/decode.js'
import { BatchBuilder, type RecordHeader } from '../../record/encode.js'
import { incrementSequence, setProducer, type CompressionType } from '../../record/header.js'
import { deferred, type Deferred } from '../../runtime/abort.js'
import type { RecordMetadata, Recipient } from './delivery.js'
import type { ProducerIdentity } from './producer-identity.js'

/** Who produces a batch, and where in that producer's sequence for the partition it starts. */
export interface BatchSequence {
  readonly identity: ProducerIdentity
  readonly baseSequence: number
}

/** What became of a batch. */
export type BatchState = 'gathering' | 'waiting' | 'in flight' | 'finished'

type Pending = { -readonly [name in keyof RecordMetadata]: RecordMetadata[name] }

/** One batch of one partition. */
export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  /** When its first record came, on the monotonic clock. */
  readonly createdAt: number
  state: BatchState = 'gathering'
  /** How often it was sent. */
  attempts = 0
  /** How many batches of the partition were sent before it was. */
  ordinal = 0
  /** Its place in the sequence, once it has one. */
  sequence: BatchSequence | undefined
  /** How large it is once encoded, as a share of what it is uncompressed. */
  compressionRatio = 1
  /** What its records take of bufferMemory. */
  reservedBytes = 0
  readonly #builder: BatchBuilder
  readonly #records: Pending[] = []
  /** Whose the records are, in runs: the records of one send that follow one another share an entry. */
  readonly #recipients: Recipient[] = []
  readonly #runLengths: number[] = []
  #encoded: Uint8Array | undefined
  #finished: Deferred<undefined> | undefined

  /** @param capacityBytes what it will probably need. */
  constructor(topic: string, partition: number, createdAt: number, capacityBytes: number) {
    this.topic = topic
    this.partition = partition
    this.createdAt = createdAt
    this.#builder = new BatchBuilder({ capacityBytes })
  }

  get recordCount(): number {
    return this.#records.length
  }

  /** How large it is, or may become when it is encoded. */
  get sizeBytes(): number {
    return this.#encoded?.length ?? this.#builder.sizeBytes
  }

  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
    recipient: Recipient,
  ): void {
    this.#builder.append(timestamp, key, value, headers)
    const metadata = { topic: this.topic, partition: this.partition, offset: -1, timestamp }
    this.#belongsTo(recipient, metadata)
    recipient.added(metadata)
  }

  /** Its bytes, once it was encoded. */
  get encoded(): Uint8Array | undefined {
    return this.#encoded
  }

  /** Encodes it, at once or (compressed) soon; no record can be added any more. */
  encode(compression: CompressionType): Promise<void> | undefined {
    const options = this.#batchOptions()
    if (compression === 'none') {
      this.#encoded = this.#builder.build(options)
      return undefined
    }
    const plainBytes = this.#builder.sizeBytes
    return this.#builder.buildCompressed(compression, options).then((encoded) => {
      this.#encoded = encoded
      this.compressionRatio = encoded.length / plainBytes
    })
  }

  /** Gives it a place in a sequence; a new one, if it was encoded with one that proved void. */
  follow(sequence: BatchSequence): void {
    this.sequence = sequence
    if (this.#encoded === undefined) return
    const { identity, baseSequence } = sequence
    setProducer(this.#encoded, identity.producerId, identity.producerEpoch, baseSequence)
  }

  /** Before it is sent again: the bytes that were sent are the broker's, which may have stored them as they are. */
  detachBytes(): void {
    this.#encoded = this.#encoded?.slice()
  }

  /**
   * Two batches with half of its records each, for a broker that finds it too large. They share its place in the
   * sequence, so that what comes after them keeps its own.
   */
  async split(compression: CompressionType): Promise<readonly [ProducerBatch, ProducerBatch]> {
    const firstCount = this.recordCount >> 1
    const first = this.#part(firstCount, 0)
    const second = this.#part(this.recordCount - firstCount, firstCount)
    const cursor = await openBatch(this.#encoded ?? new Uint8Array(0))
    const recipients = this.#recipients.flatMap((recipient, run) =>
      new Array<Recipient>(this.#runLengths[run] ?? 0).fill(recipient),
    )
    for (let index = 0; cursor.next(); index++) {
      const half = index < firstCount ? first : second
      half.#builder.append(cursor.timestamp, cursor.key, cursor.value, cursor.headers)
      const [metadata, recipient] = [this.#records[index], recipients[index]]
      if (metadata !== undefined && recipient !== undefined) half.#belongsTo(recipient, metadata)
    }
    first.reservedBytes = this.reservedBytes >> 1
    second.reservedBytes = this.reservedBytes - first.reservedBytes
    await first.encode(compression)
    await second.encode(compression)
    return [first, second]
  }

  /** It is stored from `baseOffset` on. */
  succeed(baseOffset: number, logAppendTime: number): void {
    this.state = 'finished'
    const records = this.#records
    if (baseOffset >= 0) {
      let offset = baseOffset
      for (const record of records) record.offset = offset++
    }
    if (logAppendTime >= 0) for (const record of records) record.timestamp = logAppendTime
    for (let run = 0; run < this.#recipients.length; run++) {
      this.#recipients[run]?.stored(this.#runLengths[run] ?? 0)
    }
    this.#finished?.resolve(undefined)
  }

  /** It will not be stored. */
  fail(error: unknown): void {
    this.state = 'finished'
    for (const recipient of this.#recipients) recipient.failed(error)
    this.#finished?.resolve(undefined)
  }

  /** It is replaced by the halves it was split into, on which those who wait for it wait from now on. */
  replacedBy(halves: readonly ProducerBatch[]): void {
    this.state = 'finished'
    const finished = this.#finished
    if (finished === undefined) return
    void Promise.all(halves.map((half) => half.whenFinished())).then(() => finished.resolve(undefined))
  }

  /** Resolves when it is stored or has failed. */
  whenFinished(): Promise<unknown> {
    this.#finished ??= deferred<undefined>()
    if (this.state === 'finished') this.#finished.resolve(undefined)
    return this.#finished.promise
  }

  #belongsTo(recipient: Recipient, metadata: Pending): void {
    this.#records.push(metadata)
    const last = this.#recipients.length - 1
    if (last >= 0 && this.#recipients[last] === recipient)
      this.#runLengths[last] = (this.#runLengths[last] ?? 0) + 1
    else {
      this.#recipients.push(recipient)
      this.#runLengths.push(1)
    }
  }

  #part(recordCount: number, startsAt: number): ProducerBatch {
    const share = Math.ceil((this.sizeBytes * recordCount) / this.recordCount)
    const part = new ProducerBatch(this.topic, this.partition, this.createdAt, share)
    part.attempts = this.attempts
    part.ordinal = this.ordinal
    part.state = 'waiting'
    if (this.sequence !== undefined) {
      const { identity, baseSequence } = this.sequence
      part.sequence = { identity, baseSequence: incrementSequence(baseSequence, startsAt) }
    }
    return part
  }

  #batchOptions() {
    if (this.sequence === undefined) return {}
    const { identity, baseSequence } = this.sequence
    return { ...identity, baseSequence }
  }
}
