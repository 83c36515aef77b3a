/** Typed events on eventemitter3: a map from event name to listener arguments, and an emitter that keeps to it. */
import { EventEmitter } from 'eventemitter3'

/** Event name to the arguments its listeners receive. */
export type EventMap = Record<string, readonly unknown[]>

type Listeners<E extends EventMap> = { [K in keyof E]: (...args: [...E[K]]) => void }

/** Subscribes to the events of `E`. */
export interface EventSource<E extends EventMap> {
  /** Calls `listener` at every `event` from now on. */
  on<K extends keyof E & string>(event: K, listener: (...args: [...E[K]]) => void): void
  /** Calls `listener` at the next `event` only. */
  once<K extends keyof E & string>(event: K, listener: (...args: [...E[K]]) => void): void
  /** Takes `listener` off `event`. */
  off<K extends keyof E & string>(event: K, listener: (...args: [...E[K]]) => void): void
}

/**
 * Emits the events of `E`. A listener that throws harms neither the emitter nor the other listeners: its error
 * is rethrown on its own microtask, where the process reports it as uncaught.
 */
export class Events<E extends EventMap> implements EventSource<E> {
  readonly #emitter = new EventEmitter<Listeners<E>>()
  /** The events that may have listeners for one call only. */
  readonly #onceEvents = new Set<string>()

  on<K extends keyof E & string>(event: K, listener: (...args: [...E[K]]) => void): void {
    this.#raw.on(event, listener as Listener)
  }

  once<K extends keyof E & string>(event: K, listener: (...args: [...E[K]]) => void): void {
    this.#raw.once(event, listener as Listener)
    this.#onceEvents.add(event)
  }

  off<K extends keyof E & string>(event: K, listener: (...args: [...E[K]]) => void): void {
    this.#raw.off(event, listener as Listener)
  }

  /** Calls every listener of `event`, in the order in which they subscribed. */
  emit<K extends keyof E & string>(event: K, ...args: [...E[K]]): void {
    if (this.#raw.listenerCount(event) === 0) return
    const hasOnce = this.#onceEvents.delete(event)
    // Not the emitter's own emit: that stops at the first listener that throws.
    const listeners: Listener[] = this.#raw.listeners(event)
    if (hasOnce) for (const listener of listeners) this.#raw.off(event, listener, undefined, true)
    for (const listener of listeners) {
      try {
        listener(...args)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  /** Whether anyone listens to `event`: lets a hot path skip building what nobody will read. */
  has(event: keyof E & string): boolean {
    return this.#raw.listenerCount(event) > 0
  }

  get #raw(): EventEmitter {
    return this.#emitter as unknown as EventEmitter
  }
}

type Listener = (...args: unknown[]) => void
