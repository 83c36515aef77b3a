/** A storage whose process dies at a write of the test's choice: that write and all after it never happened. */
import type { LogStorage, PartitionStorage } from '../../src/storage/contract.js'
import { keptStorage } from './kept-storage.js'

const WRITES = new Set<PropertyKey>(['append', 'writeBlobs', 'truncateSuffix', 'truncatePrefix', 'replace'])

/** Memory that outlives the broker over it, and what that broker is given. */
export const cutStorage = (): {
  /** What a later broker finds. */
  readonly kept: LogStorage
  /** For the broker that dies. */
  readonly storage: LogStorage
  /** How many writes were let through. */
  readonly writeCount: () => number
  /** Lets `count` more writes through; those after them never end, as those of a process that is gone. */
  readonly dieAfter: (count: number) => void
} => {
  const kept = keptStorage()
  let writes = 0
  let last = Infinity
  const cut = (inner: PartitionStorage): PartitionStorage =>
    new Proxy(inner, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (!WRITES.has(name)) return value.bind(target) as unknown
        return (...args: unknown[]): unknown => {
          if (writes >= last) return new Promise(() => undefined)
          writes++
          return Reflect.apply(value, target, args) as unknown
        }
      },
    })
  return {
    kept,
    storage: { ...kept, failure: undefined, partition: async (id) => cut(await kept.partition(id)) },
    writeCount: () => writes,
    dieAfter: (count) => (last = writes + count),
  }
}
