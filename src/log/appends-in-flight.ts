/** Appends that were handed to the storage and wait for it. They are acknowledged in the order of their offsets. */
import type { AppendResult } from './append-and-read.js'

/** One append on its way. */
export interface PendingAppend {
  readonly result: AppendResult
  /** Settles when the append is acknowledged or has failed. */
  readonly promise: Promise<AppendResult>
  readonly resolve: (result: AppendResult) => void
  readonly reject: (reason: unknown) => void
  /** Whether the storage has it. Acknowledged is it only when all before it are stored as well. */
  stored: boolean
}

const ignore = (): void => undefined

/** The appends of one log that are on their way, by offset. What bounds them is the budget of those who append. */
export class AppendsInFlight {
  #pending: PendingAppend[] = []
  #head = 0

  /** Adds the append that will be answered with `result`. */
  add(result: AppendResult): PendingAppend {
    let resolve: (result: AppendResult) => void = ignore
    let reject: (reason: unknown) => void = ignore
    const promise = new Promise<AppendResult>((onResolve, onReject) => {
      resolve = onResolve
      reject = onReject
    })
    const pending: PendingAppend = { result, promise, resolve, reject, stored: false }
    this.#pending.push(pending)
    return pending
  }

  /** The append that holds `offset`; undefined when it is acknowledged. */
  find(offset: number): PendingAppend | undefined {
    for (let i = this.#head; i < this.#pending.length; i++) {
      const pending = this.#pending[i]
      if (pending !== undefined && pending.result.lastOffset >= offset) return pending
    }
    return undefined
  }

  /** One past the last offset up to which all are stored; -1 when the first is not. */
  storedEnd(): number {
    let end = -1
    for (let i = this.#head; this.#pending[i]?.stored === true; i++) {
      end = (this.#pending[i]?.result.lastOffset ?? end) + 1
    }
    return end
  }

  /** Answers those that are stored, up to the first that is not. */
  acknowledge(): void {
    for (;;) {
      const first = this.#pending[this.#head]
      if (first?.stored !== true) break
      this.#head++
      first.resolve(first.result)
    }
    if (this.#head === this.#pending.length) {
      this.#pending.length = 0
      this.#head = 0
    } else if (this.#head > 512) {
      this.#pending = this.#pending.slice(this.#head)
      this.#head = 0
    }
  }

  /** Refuses all of them. */
  rejectAll(reason: unknown): void {
    const pending = this.#pending.slice(this.#head)
    this.#pending = []
    this.#head = 0
    for (const { reject } of pending) reject(reason)
  }

  /** Resolves when none of those that are on their way now is any more, however it ended. */
  async drained(): Promise<void> {
    await this.#pending.at(-1)?.promise.catch(ignore)
  }
}
