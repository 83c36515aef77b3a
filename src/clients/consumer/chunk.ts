/** Decoded messages of one partition, and how far a loop has come with them. */
import type { Message } from '../message.js'
import type { PartitionState } from './partition-state.js'

/**
 * A run of messages of one partition. A loop takes it, hands its messages out in order, and gives it back; while it
 * is taken, nobody else hands out messages of that partition.
 */
export class Chunk {
  readonly state: PartitionState
  readonly messages: readonly Message[]
  /** How many messages were handed out. */
  handedOut = 0
  /** How many are processed without a gap: where the next one to be committed stands. */
  processed = 0
  /** How many may be handed out now; less than there are when the partition was paused, moved or revoked meanwhile. */
  end: number
  /** Those behind the gap that are processed too. */
  readonly #ahead = new Set<number>()

  constructor(state: PartitionState, messages: readonly Message[]) {
    this.state = state
    this.messages = messages
    this.end = messages.length
  }

  /** Whether all messages are handed out. */
  get isExhausted(): boolean {
    return this.handedOut >= this.messages.length
  }

  /** Whether it was not cut. */
  get isOpen(): boolean {
    return this.end === this.messages.length
  }

  /** The message at `index` is processed, whatever is with those before it. */
  finish(index: number): void {
    this.#ahead.add(index)
    while (this.#ahead.delete(this.processed)) this.processed++
  }

  /** Whether the message at `index` is processed. */
  isFinished(index: number): boolean {
    return index < this.processed || this.#ahead.has(index)
  }

  /** Lets no more messages out. */
  cut(): void {
    this.end = this.handedOut
  }

  /** Lets the rest out again. */
  reopen(): void {
    this.end = this.messages.length
  }

  /** Takes back what was handed out and is not processed: it will be handed out again. */
  takeBack(): void {
    this.handedOut = this.processed
    this.cut()
  }
}
