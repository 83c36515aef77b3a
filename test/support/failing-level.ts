/** An abstract-level database whose writes fail on demand, and which can be looked into. */
import type { MemoryLevel } from 'memory-level'
import type { LevelDatabase, LevelIterator, LevelOperation } from '../../src/storage/level/database.js'

/** Passes everything on to a database in memory. */
export class FailingLevel implements LevelDatabase {
  /** What was written, as often as it was. */
  readonly batches: { readonly operations: readonly LevelOperation[]; readonly sync: boolean }[] = []
  readonly #inner: MemoryLevel<Uint8Array, Uint8Array>
  #failsNext = false
  /** When set, writes wait for it. */
  gate: Promise<void> | undefined

  constructor(inner: MemoryLevel<Uint8Array, Uint8Array>) {
    this.#inner = inner
  }

  /** The next write fails, as on a full disk; those after it would not. */
  failNextBatch(): void {
    this.#failsNext = true
  }

  open(): Promise<void> {
    return this.#inner.open()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  get(...[key, options]: Parameters<LevelDatabase['get']>): Promise<Uint8Array | undefined> {
    return this.#inner.get(key, options)
  }

  getMany(...[keys, options]: Parameters<LevelDatabase['getMany']>): Promise<(Uint8Array | undefined)[]> {
    return this.#inner.getMany(keys, options)
  }

  iterator(options: Parameters<LevelDatabase['iterator']>[0]): LevelIterator {
    return this.#inner.iterator(options)
  }

  async batch(...[operations, options]: Parameters<LevelDatabase['batch']>): Promise<void> {
    await this.gate
    if (this.#failsNext) {
      this.#failsNext = false
      throw new Error('ENOSPC: no space left on device')
    }
    this.batches.push({ operations, sync: options.sync === true })
    await this.#inner.batch(operations, { keyEncoding: 'view', valueEncoding: 'view' })
  }
}
