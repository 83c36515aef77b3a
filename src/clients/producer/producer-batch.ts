/** A batch on its way: it gathers records, is encoded once, and is sent until it is acknowledged or has failed. */
import { BatchBuilder, type RecordHeader } from '../../record/encode.js'
import { setProducer, type CompressionType } from '../../record/header.js'
import { deferred, type Deferred } from '../../runtime/abort.js'
import type { Delivery } from './delivery.js'
import type { ProducerIdentity } from './producer-identity.js'

/** Who produces a batch, and where in that producer's sequence for the partition it starts. */
export interface BatchSequence {
  readonly identity: ProducerIdentity
  readonly baseSequence: number
}

/** What became of a batch. */
export type BatchState = 'gathering' | 'waiting' | 'in flight' | 'finished'

/** One batch of one partition. */
export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  /** When its first record came, on the monotonic clock. */
  readonly createdAt: number
  state: BatchState = 'gathering'
  /** How often it was sent. */
  attempts = 0
  /** Its place in the sequence, once it has one. */
  sequence: BatchSequence | undefined
  /** What its records take of bufferMemory. */
  reservedBytes = 0
  readonly #builder: BatchBuilder
  readonly #deliveries: Delivery[] = []
  readonly #indexes: number[] = []
  readonly #timestamps: number[] = []
  #encoded: Uint8Array | undefined
  #finished: Deferred<undefined> | undefined

  constructor(topic: string, partition: number, createdAt: number) {
    this.topic = topic
    this.partition = partition
    this.createdAt = createdAt
    this.#builder = new BatchBuilder()
  }

  get recordCount(): number {
    return this.#deliveries.length
  }

  /** How large it is, or may become when it is encoded. */
  get sizeBytes(): number {
    return this.#encoded?.length ?? this.#builder.sizeBytes
  }

  /** How large it would be with this record. */
  sizeAfter(key: Uint8Array | null, value: Uint8Array | null, headers: readonly RecordHeader[]): number {
    return this.#builder.sizeAfter(key, value, headers)
  }

  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
    delivery: Delivery,
    index: number,
  ): void {
    this.#builder.append(timestamp, key, value, headers)
    this.#deliveries.push(delivery)
    this.#indexes.push(index)
    this.#timestamps.push(timestamp)
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
    return this.#builder.buildCompressed(compression, options).then((encoded) => {
      this.#encoded = encoded
    })
  }

  /** Gives it a new place in the sequence of a new identity, after the old one proved void. */
  restamp(sequence: BatchSequence): void {
    this.sequence = sequence
    if (this.#encoded === undefined) return
    this.#encoded = this.#encoded.slice()
    setProducer(
      this.#encoded,
      sequence.identity.producerId,
      sequence.identity.producerEpoch,
      sequence.baseSequence,
    )
  }

  /** A broker may still be busy with the bytes of a request that timed out, so the next one gets its own. */
  detachBytes(): void {
    this.#encoded = this.#encoded?.slice()
  }

  /** It is stored from `baseOffset` on. */
  succeed(baseOffset: number, logAppendTime: number): void {
    const { topic, partition } = this
    for (let i = 0; i < this.#deliveries.length; i++) {
      const timestamp = logAppendTime >= 0 ? logAppendTime : (this.#timestamps[i] ?? -1)
      const offset = baseOffset < 0 ? -1 : baseOffset + i
      this.#deliveries[i]?.stored(this.#indexes[i] ?? 0, { topic, partition, offset, timestamp })
    }
    this.#finish()
  }

  /** It will not be stored. */
  fail(error: unknown): void {
    let last: Delivery | undefined
    for (const delivery of this.#deliveries) {
      if (delivery !== last) delivery.failed(error)
      last = delivery
    }
    this.#finish()
  }

  /** Resolves when it is stored or has failed. */
  whenFinished(): Promise<unknown> {
    this.#finished ??= deferred<undefined>()
    if (this.state === 'finished') this.#finished.resolve(undefined)
    return this.#finished.promise
  }

  #finish(): void {
    this.state = 'finished'
    this.#finished?.resolve(undefined)
  }

  #batchOptions() {
    if (this.sequence === undefined) return {}
    const { identity, baseSequence } = this.sequence
    return { producerId: identity.producerId, producerEpoch: identity.producerEpoch, baseSequence }
  }
}
