/** An abstract-level database whose writes fail or wait on demand, and which tells what was asked of it. */
import { MemoryLevel } from 'memory-level'
import {
  VIEWS,
  type LevelDatabase,
  type LevelIterator,
  type LevelKeyIterator,
} from '../../src/storage/level/database.js'

type Batch = Parameters<LevelDatabase['batch']>

/** A database in memory that lives as long as this object does, whether open or closed. */
export class FailingLevel implements LevelDatabase {
  /** What was written. */
  readonly batches: { readonly operations: Batch[0]; readonly sync: boolean }[] = []
  /** How often something was looked up or walked through, and how many bytes of values came back. */
  readonly reads = { calls: 0, bytes: 0 }
  /** What the database holds, to be looked at and damaged. */
  readonly inner = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' })
  /** When set, writes wait for it. */
  gate: Promise<void> | undefined
  /** Called before each step of a walk or a look-up of several keys; the read goes on when it resolves. */
  beforeRead: () => Promise<void> = () => Promise.resolve()
  #goodBatches = Infinity

  /** Lets `count` more writes through; the one after them fails, as on a full disk, and those behind it would not. */
  failAfter(count: number): void {
    this.#goodBatches = count
  }

  /** The first letter of each key, with how many there are. */
  async kinds(): Promise<Record<string, number>> {
    await this.inner.open()
    const kinds: Record<string, number> = {}
    for await (const key of this.inner.keys(VIEWS)) {
      const kind = String.fromCharCode(key[0]!)
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
    return kinds
  }

  open(): Promise<void> {
    return this.inner.open()
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  async get(...[key, options]: Parameters<LevelDatabase['get']>): Promise<Uint8Array | undefined> {
    return this.#count(await this.inner.get(key, options))
  }

  async getMany(
    ...[keys, options]: Parameters<LevelDatabase['getMany']>
  ): Promise<(Uint8Array | undefined)[]> {
    await this.beforeRead()
    return (await this.inner.getMany(keys, options)).map((value) => this.#count(value))
  }

  iterator(options: Parameters<LevelDatabase['iterator']>[0]): LevelIterator {
    const iterator = this.inner.iterator(options)
    return {
      nextv: async (size) => {
        await this.beforeRead()
        const entries = await iterator.nextv(size)
        this.reads.calls++
        for (const [, value] of entries) this.reads.bytes += value.length
        return entries
      },
      close: () => iterator.close(),
    }
  }

  keys(options: Parameters<LevelDatabase['keys']>[0]): LevelKeyIterator {
    this.reads.calls++
    return this.inner.keys(options)
  }

  async batch(...[operations, options]: Batch): Promise<void> {
    await this.gate
    if (this.#goodBatches-- === 0) throw new Error('ENOSPC: no space left on device')
    this.batches.push({ operations, sync: options.sync === true })
    await this.inner.batch(operations, VIEWS)
  }

  #count(value: Uint8Array | undefined): Uint8Array | undefined {
    this.reads.calls++
    this.reads.bytes += value?.length ?? 0
    return value
  }
}
