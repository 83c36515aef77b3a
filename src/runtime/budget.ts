/** A named bound on what may be held at once: bytes in a buffer, requests in flight, entries in a queue. */
import { onAbort } from './abort.js'
import { OttlaError } from './errors/ottla-error.js'

interface Waiter {
  readonly amount: number
  readonly admit: () => void
}

/**
 * A counting semaphore with a name. Waiters are served first come, first served, so a large request is not
 * starved by small ones.
 */
export class Budget {
  /** What errors and metrics call this bound, e.g. `bufferMemory`. */
  readonly name: string
  /** The most that may be held at once. */
  readonly limit: number
  #used = 0
  readonly #waiters: Waiter[] = []

  constructor(name: string, limit: number) {
    this.name = name
    this.limit = limit
  }

  /** What is held now. */
  get used(): number {
    return this.#used
  }

  /** Takes `amount` if it fits now and nobody waits before; false otherwise. More than the limit fits when nothing is held. */
  tryAcquire(amount: number): boolean {
    if (this.#waiters.length > 0 || !this.#fits(amount)) return false
    this.#used += amount
    return true
  }

  /** Waits until `amount` fits, then takes it. Rejects with the signal's reason when that aborts first. */
  async acquire(amount: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.tryAcquire(amount)) return
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        this.#admitWaiters()
        reject(signal?.reason as Error)
      }
      const waiter: Waiter = {
        amount,
        admit: () => {
          off?.()
          resolve()
        },
      }
      this.#waiters.push(waiter)
      const off = signal && onAbort(signal, giveUp)
    })
  }

  /** Gives `amount` back, which admits those who wait. */
  release(amount: number): void {
    if (amount > this.#used) {
      throw new OttlaError(
        'INTERNAL_ERROR',
        `${this.name}: ${amount} given back, but only ${this.#used} taken.`,
      )
    }
    this.#used -= amount
    this.#admitWaiters()
  }

  #fits(amount: number): boolean {
    return this.#used === 0 || this.#used + amount <= this.limit
  }

  #admitWaiters(): void {
    for (
      let first = this.#waiters[0];
      first !== undefined && this.#fits(first.amount);
      first = this.#waiters[0]
    ) {
      this.#waiters.shift()
      this.#used += first.amount
      first.admit()
    }
  }
}
