/** What a log remembers of idempotent producers: enough to know a retry, a gap and a zombie (KIP-98, P1 to P5). */
import { incrementSequence, type BatchHeader } from '../record/header.js'
import { OttlaError } from '../runtime/errors/ottla-error.js'

/** A batch that a producer appended. */
export interface ProducedBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  /** Its largest timestamp, or the time of the append when the log keeps that. */
  readonly timestamp: number
}

/** One producer. */
export interface ProducerEntry {
  readonly producerId: number
  epoch: number
  /** The epoch of the coordinator that wrote its newest marker; -1 without one. */
  coordinatorEpoch: number
  /** When it last appended, by the broker's clock. */
  lastAppendMs: number
  /** Its newest batches in this epoch, oldest first; at most {@link BATCHES_TO_RETAIN}. */
  batches: ProducedBatch[]
}

/** How many batches of a producer are remembered: as many as Kafka's clients may have in flight. */
export const BATCHES_TO_RETAIN = 5

/** The most producers that are remembered beside those in a transaction; beyond it the longest idle is forgotten. */
export const MAX_PRODUCERS = 10_000

/** What the check of a batch needs of its header. */
export type ProducedHeader = Pick<
  BatchHeader,
  'producerId' | 'producerEpoch' | 'baseSequence' | 'lastSequence' | 'isControl'
>

/** Who has a transaction open, as {@link TransactionIndex} knows it. */
export interface OpenTransactions {
  isOpen(producerId: number): boolean
}

/** The producers of one log, the one that is idle longest first. */
export class ProducerState {
  readonly #name: string
  readonly #maxProducers: number
  readonly #producers = new Map<number, ProducerEntry>()

  constructor(name: string, entries: Iterable<ProducerEntry> = [], maxProducers = MAX_PRODUCERS) {
    this.#name = name
    this.#maxProducers = maxProducers
    for (const entry of entries) {
      this.#producers.set(entry.producerId, { ...entry, batches: [...entry.batches] })
    }
  }

  /** How many are remembered. */
  get size(): number {
    return this.#producers.size
  }

  /** Longest idle first. */
  entries(): ProducerEntry[] {
    return [...this.#producers.values()]
  }

  /**
   * Whether a batch may follow; if it is a retry of one that is remembered, that one.
   * @param checkSequence false for what a coordinator writes: it has an epoch, but no sequence.
   * @param isEpochBumped whether the producer has a new epoch for each transaction, so that it starts at 0 here.
   * @throws OttlaError INVALID_PRODUCER_EPOCH for a lower epoch than was seen, OUT_OF_ORDER_SEQUENCE_NUMBER for a
   * gap, and for a new epoch that does not start at 0.
   */
  check(header: ProducedHeader, checkSequence: boolean, isEpochBumped = false): ProducedBatch | undefined {
    const { producerId, producerEpoch, baseSequence, lastSequence } = header
    const entry = this.#producers.get(producerId)
    if (entry === undefined) {
      // What is unknown may have expired or been deleted with its data: it is accepted at any sequence.
      if (isEpochBumped && checkSequence && baseSequence !== 0) throw this.#outOfOrder(header, 0)
      return undefined
    }
    if (producerEpoch < entry.epoch) {
      throw new OttlaError(
        'INVALID_PRODUCER_EPOCH',
        `${this.#name}: producer ${producerId} appends with epoch ${producerEpoch}; expected at least ${entry.epoch}, which was seen.`,
        { details: { producerId, producerEpoch, expected: entry.epoch } },
      )
    }
    if (!checkSequence) return undefined
    if (producerEpoch > entry.epoch) {
      if (baseSequence !== 0) throw this.#outOfOrder(header, 0)
      return undefined
    }
    const { batches } = entry
    for (let i = batches.length - 1; i >= 0; i--) {
      const batch = batches[i]
      if (batch?.baseSequence === baseSequence && batch.lastSequence === lastSequence) return batch
    }
    const last = batches.at(-1)
    const expected = last === undefined ? 0 : incrementSequence(last.lastSequence, 1)
    if (baseSequence !== expected) throw this.#outOfOrder(header, expected)
    return undefined
  }

  /**
   * Whether a coordinator of this epoch may still end the producer's transactions.
   * @throws OttlaError TRANSACTION_COORDINATOR_FENCED for a lower epoch than was seen.
   */
  checkCoordinator(producerId: number, coordinatorEpoch: number): void {
    const seen = this.#producers.get(producerId)?.coordinatorEpoch ?? -1
    if (coordinatorEpoch >= seen) return
    throw new OttlaError(
      'TRANSACTION_COORDINATOR_FENCED',
      `${this.#name}: a coordinator of epoch ${coordinatorEpoch} ends a transaction of producer ${producerId}; expected at least ${seen}, which was seen.`,
      { details: { producerId, coordinatorEpoch, expected: seen } },
    )
  }

  /** Takes a batch in, as it stands in the log; a marker with the epoch of who wrote it. */
  apply(
    header: ProducedHeader,
    baseOffset: number,
    lastOffset: number,
    timestamp: number,
    nowMs: number,
    coordinatorEpoch = -1,
  ): void {
    const { producerId, producerEpoch, baseSequence, lastSequence } = header
    let entry = this.#producers.get(producerId)
    if (entry === undefined) {
      entry = { producerId, epoch: producerEpoch, coordinatorEpoch, lastAppendMs: nowMs, batches: [] }
    } else {
      if (entry.epoch !== producerEpoch) {
        entry.epoch = producerEpoch
        entry.batches = []
      }
      entry.lastAppendMs = nowMs
      entry.coordinatorEpoch = Math.max(entry.coordinatorEpoch, coordinatorEpoch)
      this.#producers.delete(producerId)
    }
    this.#producers.set(producerId, entry)
    if (!header.isControl && baseSequence >= 0) {
      if (entry.batches.length === BATCHES_TO_RETAIN) entry.batches.shift()
      entry.batches.push({ baseSequence, lastSequence, baseOffset, lastOffset, timestamp })
    }
  }

  /**
   * Forgets who has been idle for `expirationMs`, except in a transaction: its marker is checked against the entry.
   * Tells whether there was anyone.
   */
  expire(nowMs: number, expirationMs: number, transactions: OpenTransactions): boolean {
    const before = this.#producers.size
    for (const { producerId, lastAppendMs } of this.#producers.values()) {
      if (nowMs - lastAppendMs < expirationMs || transactions.isOpen(producerId)) continue
      this.#producers.delete(producerId)
    }
    return this.#producers.size < before
  }

  /** Forgets the longest idle producers beyond the bound, except those in a transaction. */
  forgetIdlest(transactions: OpenTransactions): void {
    if (this.#producers.size <= this.#maxProducers) return
    for (const producerId of this.#producers.keys()) {
      if (transactions.isOpen(producerId)) continue
      this.#producers.delete(producerId)
      if (this.#producers.size <= this.#maxProducers) return
    }
  }

  /**
   * Takes over what `current`, which has gone on since, knows of the time before `endOffset` and this does not: batches
   * that are deleted or compacted away by now, and which coordinators were seen.
   */
  adoptEarlier(current: ProducerState, endOffset: number): void {
    for (const entry of current.entries()) {
      const { producerId, epoch, coordinatorEpoch } = entry
      const earlier = entry.batches.filter((batch) => batch.lastOffset < endOffset)
      const known = this.#producers.get(producerId)
      if (known === undefined) {
        if (earlier.length > 0) this.#producers.set(producerId, { ...entry, batches: earlier })
        continue
      }
      known.coordinatorEpoch = Math.max(known.coordinatorEpoch, coordinatorEpoch)
      if (known.epoch !== epoch) continue
      const byOffset = new Map([...earlier, ...known.batches].map((batch) => [batch.baseOffset, batch]))
      const batches = [...byOffset.values()].sort((a, b) => a.baseOffset - b.baseOffset)
      known.batches = batches.slice(-BATCHES_TO_RETAIN)
    }
  }

  #outOfOrder(header: ProducedHeader, expected: number): OttlaError {
    const { producerId, producerEpoch, baseSequence } = header
    return new OttlaError(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      `${this.#name}: producer ${producerId} (epoch ${producerEpoch}) appends sequence ${baseSequence}; expected ${expected}.`,
      { details: { producerId, producerEpoch, baseSequence, expected } },
    )
  }
}
