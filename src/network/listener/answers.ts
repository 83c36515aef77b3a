/**
 * The answers of one connection: they go out in the order of the requests, whenever each of them is there, and wait when
 * the client does not read.
 */
import type { Connection } from '../../runtime/sockets.js'

/** How many requests of one connection may be unanswered before no other of it begins. */
const MAX_IN_FLIGHT_REQUESTS = 16
/** How many bytes of answers may wait for a client that does not read before no request of it begins. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

/** The place of one request in the order of answers. */
export interface Slot {
  readonly sizeBytes: number
  /** undefined until it is answered; no pieces for a request that wants no answer. */
  answer: readonly Uint8Array[] | undefined
  answerBytes: number
  /** For how long nothing else could be done because of it, so far. */
  busyMs: number
  /** The broker works on it, and holds its bytes until it is done, also for a client that is gone. */
  isWorkedOn: boolean
}

/** The answers of one connection. */
export class Answers {
  readonly #connection: Connection
  readonly #slots: Slot[] = []
  #answerBytes = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Whether so many requests are unanswered that no other begins. */
  get areTooMany(): boolean {
    return this.#slots.length >= MAX_IN_FLIGHT_REQUESTS
  }

  /** Whether so much waits for the client to read it that no request of it begins. */
  get areUnread(): boolean {
    return this.#answerBytes + this.#connection.bufferedBytes > MAX_ANSWER_BYTES
  }

  /** The requests that are not answered. */
  get unanswered(): readonly Slot[] {
    return this.#slots.filter(({ answer }) => answer === undefined)
  }

  /** A place behind all others, for a request of that size. */
  place(sizeBytes: number): Slot {
    const slot: Slot = { sizeBytes, answer: undefined, answerBytes: 0, busyMs: 0, isWorkedOn: false }
    this.#slots.push(slot)
    return slot
  }

  /** Fills a place. */
  fill(slot: Slot, pieces: readonly Uint8Array[]): void {
    slot.answer = pieces
    for (const piece of pieces) slot.answerBytes += piece.length
    this.#answerBytes += slot.answerBytes
    this.flush()
  }

  /** Writes what is there and has its turn, unless the client has too much to read. */
  flush(): void {
    for (let first = this.#slots[0]; first?.answer !== undefined; first = this.#slots[0]) {
      if (this.#connection.bufferedBytes > MAX_ANSWER_BYTES) return
      this.#slots.shift()
      this.#answerBytes -= first.answerBytes
      if (first.answer.length > 0) this.#connection.write(first.answer)
    }
  }

  /** Nobody is there to read them any more. */
  clear(): void {
    this.#slots.length = 0
  }
}
