/** Waiting that can be called off: every wait in Ottla goes through one of these. */

/** A promise with its handles outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
}

/** Makes a Deferred. */
export const deferred = <T>(): Deferred<T> => {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}

interface AbortListeners {
  readonly listeners: Set<() => void>
  readonly fire: () => void
}

const listenersOf = new WeakMap<AbortSignal, AbortListeners>()

/**
 * Calls `listener` once, when `signal` aborts; what is returned takes it off again. However many wait, the signal has
 * one listener: an application that hands one signal to a dozen calls would be warned of a leak otherwise.
 */
export const onAbort = (signal: AbortSignal, listener: () => void): (() => void) => {
  let known = listenersOf.get(signal)
  if (known === undefined) {
    const listeners = new Set<() => void>()
    known = { listeners, fire: () => listeners.forEach((waiting) => waiting()) }
    listenersOf.set(signal, known)
    signal.addEventListener('abort', known.fire, { once: true })
  }
  const { listeners, fire } = known
  listeners.add(listener)
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return
    // A signal that somebody listens to is never collected.
    signal.removeEventListener('abort', fire)
    listenersOf.delete(signal)
  }
}

/**
 * Settles as `promise` does, or rejects with the signal's reason if that aborts first. The listener is taken off
 * again either way, so a long-lived signal does not collect them.
 */
export const abortable = <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    if (signal.aborted) {
      promise.catch(() => undefined)
      giveUp()
      return
    }
    const off = onAbort(signal, giveUp)
    promise.then(resolve, reject).finally(off)
  })
}

/** One signal for several; undefined ones are left out. */
export const anySignal = (...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined => {
  const present = signals.filter((signal) => signal !== undefined)
  return present.length > 1 ? AbortSignal.any(present) : present[0]
}
