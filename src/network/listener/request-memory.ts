/**
 * What the requests of all connections of a listener take, from the first byte that comes until they are answered. With
 * nothing left, connections are not read from until there is. A request that only comes in frees nothing by itself:
 * where such ones have all of it, the one that asks next may go beyond, so that one of them gets whole; and those whose
 * clients have stopped in the middle end for the sake of those who wait.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Timers } from '../../runtime/timers.js'

/** How long a client may leave its request unfinished while others wait for the memory that it has, in milliseconds. */
const STALL_LIMIT_MS = 5_000

/** A connection. */
export interface MemoryHolder {
  /** How many bytes have come over it so far. */
  readonly receivedBytes: number
  /** There is room again. */
  resume(): void
  /** Its request has not come in in time, and others wait. */
  stalled(error: OttlaError): void
}

/** The memory of the requests of one listener. */
export class RequestMemory {
  readonly #limitBytes: number
  readonly #timers: Timers
  /** Of requests that come in, and of those that are worked on. */
  #usedBytes = 0
  readonly #comingIn = new Map<MemoryHolder, number>()
  #comingInBytes = 0
  readonly #heldBack = new Set<MemoryHolder>()
  /** Who may go beyond the limit, as long as its request comes in. */
  #beyond: MemoryHolder | undefined
  #isWatching = false

  constructor(limitBytes: number, timers: Timers) {
    this.#limitBytes = limitBytes
    this.#timers = timers
  }

  /** Takes so much more for the request that `holder` sends; false, and `holder` will be resumed, when it has to wait. */
  take(holder: MemoryHolder, bytes: number): boolean {
    if (!this.#hasRoomFor(holder)) {
      this.#heldBack.add(holder)
      this.#watch()
      return false
    }
    if (this.#usedBytes >= this.#limitBytes) this.#beyond = holder
    // The one that reaches the limit may exceed it: else one larger than the limit would never come in.
    this.#usedBytes += bytes
    this.#comingInBytes += bytes
    this.#comingIn.set(holder, (this.#comingIn.get(holder) ?? 0) + bytes)
    return true
  }

  /** The request of `holder` has come in; what it took is kept until it is released. */
  whole(holder: MemoryHolder): void {
    this.#comingInBytes -= this.#comingIn.get(holder) ?? 0
    this.#comingIn.delete(holder)
    if (this.#beyond === holder) this.#beyond = undefined
  }

  /** `holder` sends no more: what its unfinished request took is free. */
  gone(holder: MemoryHolder): void {
    const bytes = this.#comingIn.get(holder) ?? 0
    this.whole(holder)
    this.#heldBack.delete(holder)
    this.release(bytes)
  }

  /** Gives back what a request took. */
  release(bytes: number): void {
    this.#usedBytes -= bytes
    for (const holder of this.#heldBack) {
      if (!this.#hasRoomFor(holder)) return
      this.#heldBack.delete(holder)
      holder.resume()
    }
  }

  #hasRoomFor(holder: MemoryHolder): boolean {
    if (this.#usedBytes < this.#limitBytes) return true
    return this.#usedBytes === this.#comingInBytes && (this.#beyond ?? holder) === holder
  }

  /** One timer while anybody waits, and none else. */
  #watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    const received = [...this.#comingIn.keys()].map((holder) => [holder, holder.receivedBytes] as const)
    this.#timers.schedule(STALL_LIMIT_MS, () => {
      this.#isWatching = false
      for (const [holder, before] of received) {
        const bytes = this.#comingIn.get(holder)
        // Whoever waits itself, or sends on, is not to blame.
        if (bytes === undefined || this.#heldBack.has(holder) || holder.receivedBytes > before) continue
        holder.stalled(
          new OttlaError(
            'REQUEST_TIMED_OUT',
            `Nothing more of a request that ${bytes} bytes are held for has come for ${STALL_LIMIT_MS} ms, while others wait because of queuedMaxRequestBytes (${this.#limitBytes}); expected the rest of it.`,
          ),
        )
      }
      if (this.#heldBack.size > 0) this.#watch()
    })
  }
}
