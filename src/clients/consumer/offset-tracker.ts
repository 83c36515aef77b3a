/**
 * How far a consumer has come in a partition: what was handed out, what of that is processed, and what of that is
 * committed. Only processed positions are ever committed, and they have no gaps: a partition's messages are handed
 * out in order, one chunk at a time.
 */
import type { Chunk } from './chunk.js'

/** A place in a partition. */
export interface TrackedOffset {
  readonly offset: number
  /** The epoch of the record before it; -1 when unknown. */
  readonly leaderEpoch: number
}

/** The positions of one partition. */
export class OffsetTracker {
  #chunk: Chunk | undefined
  /** Where decoding goes on behind the chunk; -1 while no position is known. */
  #decoded = -1
  #leaderEpoch = -1
  #committed = -1

  /** What is being handed out. */
  get chunk(): Chunk | undefined {
    return this.#chunk
  }

  /** Whether there is a position. */
  get isKnown(): boolean {
    return this.#decoded >= 0
  }

  /** Where decoding goes on. */
  get decoded(): number {
    return this.#decoded
  }

  /** The offset of the next message to be handed out; -1 while none is known. */
  get position(): number {
    const chunk = this.#chunk
    return chunk === undefined ? this.#decoded : this.#offsetAt(chunk, chunk.handedOut)
  }

  /** The offset behind the last processed message, the one that a commit stores; -1 while no position is known. */
  get processed(): number {
    const chunk = this.#chunk
    return chunk === undefined ? this.#decoded : this.#offsetAt(chunk, chunk.processed)
  }

  /** What a commit would store; undefined when that is what it stored last, or when no position is known. */
  toCommit(): TrackedOffset | undefined {
    return this.#due(this.processed, this.#chunk?.processed ?? 0)
  }

  /** As {@link toCommit}, but up to what was handed out, processed or not. */
  handedOutToCommit(): TrackedOffset | undefined {
    return this.#due(this.position, this.#chunk?.handedOut ?? 0)
  }

  /** Goes elsewhere: what was handed out before no longer counts. */
  moveTo(offset: number, leaderEpoch = -1): void {
    this.#dropChunk()
    this.#decoded = offset
    this.#leaderEpoch = leaderEpoch
  }

  /** No position is known any more. */
  forget(): void {
    this.moveTo(-1)
  }

  /** Hands `chunk` out next; decoding goes on at `decoded`. What was handed out before is processed. */
  begin(chunk: Chunk, decoded: number): void {
    this.#leaderEpoch = this.#chunk?.messages.at(-1)?.leaderEpoch ?? this.#leaderEpoch
    this.#chunk = chunk
    this.advanceTo(decoded)
  }

  /** There is nothing to hand out before `decoded`. */
  advanceTo(decoded: number): void {
    this.#decoded = decoded
  }

  /** Whether `offset` is what was committed last. */
  isCommitted(offset: number): boolean {
    return offset === this.#committed
  }

  /** `offset` is committed. */
  committed(offset: number): void {
    this.#committed = offset
  }

  #due(offset: number, count: number): TrackedOffset | undefined {
    if (offset < 0 || this.isCommitted(offset)) return undefined
    return { offset, leaderEpoch: this.#chunk?.messages[count - 1]?.leaderEpoch ?? this.#leaderEpoch }
  }

  /** The offset of the message at `index`, or, behind the last one, where decoding goes on. */
  #offsetAt(chunk: Chunk, index: number): number {
    return chunk.messages[index]?.offset ?? this.#decoded
  }

  #dropChunk(): void {
    // A loop may still hold it; it gets no more messages out of it.
    this.#chunk?.cut()
    this.#chunk = undefined
  }
}
