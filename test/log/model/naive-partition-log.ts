/**
 * A partition's log as anyone would write it down: arrays, and the whole history at hand. It knows no storage, no
 * checkpoint and no recovery, so whatever a log says after any of them must still be what this says.
 */
import assert from 'node:assert/strict'
import type { ProducerEntry } from '../../../src/log/producer-state.js'
import { crc32c } from '../../../src/record/crc32c.js'
import { readHeader, type BatchHeader } from '../../../src/record/header.js'
import { recordsIn } from '../compaction/expected-batch.js'
import { NaiveLog, type NaiveBatch, type NaiveTransaction } from '../compaction/naive-compactor.js'

/** A batch with all that its header says. */
export interface ModelBatch extends NaiveBatch {
  readonly leaderEpoch: number
  readonly lastSequence: number
  readonly coordinatorEpoch: number
  readonly sizeBytes: number
  /** As the producer sent it. */
  readonly sent: Uint8Array
}

/** A producer, as a log that forgets nothing too early remembers it. */
export interface ModelProducer {
  epoch: number
  coordinatorEpoch: number
  /** The newest five in this epoch. */
  batches: ModelBatch[]
  /** When it last appended; after a crash the log may hold it for as late as the opening. */
  idleSince: number
  idleSinceAtMost: number
}

/** An aborted transaction, as consumers are told of it. */
export interface ModelAborted {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
}

/** What an append comes to. */
export type ModelAnswer =
  | { readonly kind: 'new'; readonly baseOffset: number }
  | { readonly kind: 'retry'; readonly baseOffset: number }
  | { readonly kind: 'refused'; readonly code: string }

const RETAINED = 5
const WRAP = 2 ** 31

export const sequenceAfter = (sequence: number, count: number): number => (sequence + count) % WRAP

/** What is stored of a batch that was sent: three fields that the CRC does not cover, and the time of the append. */
const asStored = (sent: Uint8Array, base: number, leaderEpoch: number, appendTime: number): Uint8Array => {
  const bytes = sent.slice()
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, BigInt(base))
  view.setInt32(12, leaderEpoch)
  if (appendTime >= 0) {
    view.setInt16(21, view.getInt16(21) | 8)
    view.setBigInt64(35, BigInt(appendTime))
    view.setUint32(17, crc32c(bytes, 21, bytes.length))
  }
  return bytes
}

export class NaivePartitionLog extends NaiveLog {
  declare batches: ModelBatch[]
  declare readonly history: ModelBatch[]
  end = 0
  leaderEpoch = 0
  epochs: { epoch: number; start: number }[] = []
  segment = { base: 0, size: 0 }
  known = new Map<number, ModelProducer>()
  open = new Map<number, { transaction: NaiveTransaction; first: number }>()
  aborted: ModelAborted[] = []
  /** The markers of aborted transactions of which compaction left nothing: a log need not tell of them any more. */
  voided = new Set<number>()
  /** Who was forgotten for being idle: a crash may bring back what no checkpoint says is gone. */
  expired = new Map<number, ModelProducer>()
  /** Since a truncation that {@link adopt} has not followed: whose batches were known, of those who have something left. */
  remembered: Map<number, Set<number>> | undefined

  constructor(
    readonly segmentBytes: number,
    readonly isAppendTime: boolean,
  ) {
    super()
  }

  clone(): NaivePartitionLog {
    const { segmentBytes, isAppendTime, ...state } = this
    return Object.assign(new NaivePartitionLog(segmentBytes, isAppendTime), structuredClone(state))
  }

  get lastStableOffset(): number {
    return Math.max(this.start, Math.min(this.end, ...[...this.open.values()].map(({ first }) => first)))
  }

  get sizeBytes(): number {
    return this.batches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  /** What a log must answer to a batch, which it does not append yet. */
  answer(sent: Uint8Array, coordinatorEpoch = -1): ModelAnswer {
    const header = readHeader(sent)
    const { producerId, producerEpoch, baseSequence, lastSequence, isControl, isTransactional } = header
    const fresh: ModelAnswer = { kind: 'new', baseOffset: this.end }
    const known = this.known.get(producerId)
    if (producerId < 0 || known === undefined) return fresh
    if (producerEpoch < known.epoch) return { kind: 'refused', code: 'INVALID_PRODUCER_EPOCH' }
    if (isControl) {
      return coordinatorEpoch < known.coordinatorEpoch
        ? { kind: 'refused', code: 'TRANSACTION_COORDINATOR_FENCED' }
        : fresh
    }
    const ofEpoch = producerEpoch === known.epoch ? known.batches : []
    const retried = ofEpoch.find(
      (batch) => batch.sequence === baseSequence && batch.lastSequence === lastSequence,
    )
    if (retried !== undefined) return { kind: 'retry', baseOffset: retried.base }
    const last = ofEpoch.at(-1)
    const expected = last === undefined ? 0 : sequenceAfter(last.lastSequence, 1)
    if (baseSequence !== expected) return { kind: 'refused', code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
    if (this.open.has(producerId) && !isTransactional) return { kind: 'refused', code: 'INVALID_TXN_STATE' }
    return fresh
  }

  /** Appends what {@link answer} calls new. */
  async take(sent: Uint8Array, now: number, coordinatorEpoch = -1): Promise<ModelBatch> {
    const original = asStored(sent, this.end, this.leaderEpoch, this.isAppendTime ? now : -1)
    const header = readHeader(original)
    const batch: ModelBatch = {
      base: header.baseOffset,
      last: header.lastOffset,
      producer: header.producerId,
      epoch: header.producerEpoch,
      sequence: header.baseSequence,
      lastSequence: header.lastSequence,
      isControl: header.isControl,
      transaction: this.#transactionOf(header),
      original,
      sent: sent.slice(),
      horizon: -1,
      maxTimestamp: header.maxTimestamp,
      leaderEpoch: this.leaderEpoch,
      coordinatorEpoch,
      sizeBytes: original.length,
      records: await recordsIn(original),
    }
    if (this.segment.size > 0 && this.segment.size + batch.sizeBytes > this.segmentBytes) {
      this.segment = { base: batch.base, size: 0 }
    }
    this.segment = { ...this.segment, size: this.segment.size + batch.sizeBytes }
    if (this.leaderEpoch > (this.epochs.at(-1)?.epoch ?? -1)) {
      // An epoch of which nothing is left that anyone could read leaves no trace.
      this.epochs = this.epochs.filter(({ start }) => start < batch.base)
      this.epochs.push({ epoch: this.leaderEpoch, start: batch.base })
    }
    this.batches.push(batch)
    this.history.push(batch)
    this.end = batch.last + 1
    if (batch.producer >= 0) {
      this.#know(batch, now)
      this.#settle(batch, isAbort(original))
    }
    return batch
  }

  #transactionOf({ producerId, isTransactional, isControl }: BatchHeader): NaiveTransaction | undefined {
    if (!isTransactional) return undefined
    const open = this.open.get(producerId)
    if (open !== undefined) return open.transaction
    const transaction: NaiveTransaction = { outcome: 'open' }
    if (!isControl) this.open.set(producerId, { transaction, first: this.end })
    return transaction
  }

  #know(batch: ModelBatch, now: number): void {
    const before = this.known.get(batch.producer)
    this.expired.delete(batch.producer)
    const ofEpoch = before?.epoch === batch.epoch ? before.batches : []
    this.known.set(batch.producer, {
      epoch: batch.epoch,
      coordinatorEpoch: Math.max(before?.coordinatorEpoch ?? -1, batch.coordinatorEpoch),
      batches: batch.isControl ? ofEpoch : [...ofEpoch, batch].slice(-RETAINED),
      idleSince: now,
      idleSinceAtMost: now,
    })
  }

  #settle({ producer, isControl, last, transaction }: ModelBatch, isAborted: boolean): void {
    if (!isControl) return
    const open = this.open.get(producer)
    if (transaction !== undefined) transaction.outcome = isAborted ? 'abort' : 'commit'
    this.open.delete(producer)
    if (isAborted && open !== undefined) {
      this.aborted.push({ producerId: producer, firstOffset: open.first, lastOffset: last })
    }
  }

  /**
   * Whether a log can know what it must after truncation: not of a transaction that lost its beginning to a deletion
   * or to compaction and loses its end now. What is compacted was committed, and is never truncated.
   */
  canTruncate(offset: number): boolean {
    return (
      offset >= this.cleanedTo &&
      offset >= this.start &&
      this.aborted.concat(this.committed).every((one) => {
        return !(one.firstOffset < Math.max(this.start, this.cleanedTo) && one.lastOffset >= offset)
      })
    )
  }

  /** The transactions that were committed. */
  get committed(): ModelAborted[] {
    return this.history
      .filter(({ isControl, transaction }) => isControl && transaction?.outcome === 'commit')
      .map(({ producer, last, transaction }) => {
        const first = this.history.find((batch) => batch.transaction === transaction)
        return { producerId: producer, firstOffset: first?.base ?? last, lastOffset: last }
      })
  }

  override truncateTo(offset: number): void {
    if (offset >= this.end) return
    const gone = this.history.filter(({ last }) => last >= offset)
    const kept = this.history.filter(({ last }) => last < offset)
    this.history.splice(0, this.history.length, ...kept)
    this.batches = this.batches.filter(({ last }) => last < offset)
    this.end = Math.max(this.start, (this.batches.at(-1)?.last ?? -1) + 1)
    this.cleanedTo = Math.min(this.cleanedTo, this.end)
    this.epochs = this.epochs.filter(({ start }) => start < this.end)
    this.segment = { base: this.end, size: 0 }
    for (const { isControl, transaction } of gone) {
      if (isControl && transaction !== undefined) transaction.outcome = 'open'
    }
    this.aborted = this.aborted.filter(({ lastOffset }) => lastOffset < offset)
    this.open = new Map()
    for (const { producer, transaction, base } of kept) {
      if (transaction?.outcome === 'open' && !this.open.has(producer)) {
        this.open.set(producer, { transaction, first: base })
      }
    }
    const before = this.known
    this.known = new Map()
    for (const batch of kept) if (batch.producer >= 0) this.#know(batch, 0)
    this.remembered = new Map(
      [...this.known.keys()].flatMap((id) => {
        const producer = before.get(id)
        return producer === undefined ? [] : [[id, new Set(producer.batches.map(({ base }) => base))]]
      }),
    )
  }

  /**
   * Takes over what the log made of its producers when it was truncated, if it is nothing but the truth, and all of it
   * as far as the batches that tell it are there: what lies in batches that were deleted or compacted, it need not know.
   */
  adopt(entries: readonly ProducerEntry[]): void {
    const truth = this.known
    this.known = new Map()
    for (const { producerId, epoch, coordinatorEpoch, lastAppendMs, batches } of entries) {
      const told = truth.get(producerId)
      assert.ok(told, `producer ${producerId} has nothing in the history`)
      assert.ok(epoch <= told.epoch, `producer ${producerId} has an epoch that was truncated`)
      const ofEpoch = this.history.filter((one) => one.producer === producerId && one.epoch === epoch)
      const matching = batches.map((batch) => {
        const one = ofEpoch.find(({ base }) => base === batch.baseOffset)
        assert.deepEqual(
          [batch.lastOffset, batch.baseSequence, batch.lastSequence],
          [one?.last, one?.sequence, one?.lastSequence],
        )
        return one!
      })
      this.known.set(producerId, {
        epoch,
        coordinatorEpoch,
        batches: matching,
        idleSince: lastAppendMs,
        idleSinceAtMost: lastAppendMs,
      })
    }
    for (const [producerId, before] of this.remembered ?? []) {
      const told = truth.get(producerId)
      const stored = this.batches.filter((one) => one.producer === producerId && one.epoch === told?.epoch)
      if (told === undefined || stored.length === 0) continue
      const found = this.known.get(producerId)
      assert.ok(found, `producer ${producerId} is forgotten by a truncation`)
      assert.equal(found.epoch, told.epoch, `producer ${producerId}: its epoch after a truncation`)
      // That a coordinator wrote a marker which was truncated may stay known: no older one may write any more.
      assert.ok(found.coordinatorEpoch >= told.coordinatorEpoch, `producer ${producerId}: its coordinator`)
      const isStored = ({ base }: ModelBatch): boolean =>
        before.has(base) || stored.some((one) => one.base === base)
      assert.deepEqual(
        found.batches.filter(isStored).map(({ base }) => base),
        told.batches.filter(isStored).map(({ base }) => base),
        `producer ${producerId}: its batches after a truncation`,
      )
    }
    this.remembered = undefined
    this.expired = new Map()
  }

  override deleteBefore(offset: number): void {
    if (offset <= this.start) return
    super.deleteBefore(offset)
    const last = this.epochs.filter(({ start }) => start <= offset).at(-1)
    this.epochs = this.epochs.filter(({ start }) => start > offset)
    if (last !== undefined) this.epochs.unshift({ epoch: last.epoch, start: offset })
  }

  /** Drops what is older than `ms`, or beyond `bytes`; -1 for no limit. */
  retain(now: number, ms: number, bytes: number): void {
    for (;;) {
      const [first] = this.batches
      if (first === undefined) return
      const timed = this.batches.findIndex(({ maxTimestamp }) => maxTimestamp >= 0)
      const expired = ms >= 0 && timed >= 0 && this.batches[timed]!.maxTimestamp < now - ms
      const surplus = bytes >= 0 && this.sizeBytes - first.sizeBytes >= bytes
      if (!expired && !surplus) return
      this.deleteBefore((expired ? this.batches[timed]! : first).last + 1)
    }
  }

  /** Forgets producers that are idle for `expirationMs`. Answers those of which it may be so or not. */
  expire(now: number, expirationMs: number): number[] {
    const perhaps: number[] = []
    for (const [id, producer] of this.known) {
      if (now - producer.idleSince < expirationMs || this.open.has(id)) continue
      this.expired.set(id, producer)
      this.known.delete(id)
      if (now - producer.idleSinceAtMost < expirationMs) perhaps.push(id)
    }
    return perhaps
  }

  /** A log knows these, of those that may have been forgotten. */
  recall(ids: ReadonlySet<number>): void {
    for (const [id, producer] of this.expired) {
      if (!ids.has(id)) continue
      this.known.set(id, producer)
      this.expired.delete(id)
    }
  }

  /** Compacts as the naive compactor does, which is told whose last batch must stay. */
  compactBelow(limit: number, options: { now: number; maxKeys: number; deleteRetentionMs: number }): void {
    this.producers = new Map(
      [...this.known].map(([id, { epoch, batches }]) => [id, { epoch, lastOffset: batches.at(-1)?.last }]),
    )
    const before = this.batches
    this.compact({ ...options, limit, isAppendTime: this.isAppendTime })
    this.batches = this.batches.map((batch) => {
      if (batch.original !== undefined) return batch
      return { ...batch, sizeBytes: -1 }
    })
    for (const { isControl, transaction, last } of before) {
      const isVoid = !before.some((one) => one.transaction === transaction && !one.isControl)
      if (isControl && last < this.cleanedTo && isVoid) this.voided.add(last)
    }
  }

  /** Where the largest epoch that is at most `epoch` ends, by Kafka's rules; -1 and -1 when unknown. */
  epochEnd(epoch: number): { epoch: number; endOffset: number } {
    const latest = this.epochs.at(-1)?.epoch ?? -1
    if (epoch < 0 || epoch > latest) return { epoch: -1, endOffset: -1 }
    if (epoch === latest) return { epoch, endOffset: this.end }
    const next = this.epochs.find((entry) => entry.epoch > epoch)!
    const floor = this.epochs.filter((entry) => entry.epoch <= epoch).at(-1)
    return { epoch: floor?.epoch ?? epoch, endOffset: next.start }
  }

  /** The batches that a read gets: whole ones, the first however large it is. */
  readable(from: number, maxBytes: number, limit: number): ModelBatch[] {
    let bytes = 0
    return this.batches
      .filter(({ last }) => last >= from && last < limit)
      .filter(({ sizeBytes }, place) => (bytes += sizeBytes) <= maxBytes || place === 0)
  }

  /** The aborted transactions with offsets in `[from, to)`. */
  abortedIn(from: number, to: number): ModelAborted[] {
    return this.aborted.filter(({ firstOffset, lastOffset }) => firstOffset < to && lastOffset >= from)
  }
}

const isAbort = (bytes: Uint8Array): boolean => {
  // A marker's key is a version and a type, 0 for an abort; its record has a length, attributes and two deltas before it.
  const header = readHeader(bytes)
  return header.isControl && bytes[61 + 1 + 1 + 1 + 1 + 1 + 3] === 0
}
