/** A partition that takes note of what is appended to it, and with which options. */
import type { PartitionStorage } from '../../src/storage/contract.js'

type AppendCall = Parameters<PartitionStorage['append']>

/** `inner`, with every append that reaches it in `appends`, and every flush of blobs in `flushes`. */
export const recordedPartition = (
  inner: PartitionStorage,
): {
  readonly storage: PartitionStorage
  readonly appends: { readonly batches: AppendCall[0]; readonly options: AppendCall[1] }[]
  readonly flushes: string[]
} => {
  const appends: { readonly batches: AppendCall[0]; readonly options: AppendCall[1] }[] = []
  const flushes: string[] = []
  const storage = new Proxy(inner, {
    get(target, name) {
      if (name === 'append') {
        return (...[batches, options]: AppendCall) => {
          appends.push({ batches, options })
          // Memory has no disk: what was asked is recorded, and what it can give is asked of it.
          return target.append(batches, { ...options, durability: 'os' })
        }
      }
      if (name === 'writeBlobs') {
        return (...[blobs, durability]: Parameters<PartitionStorage['writeBlobs']>) => {
          flushes.push(durability)
          return target.writeBlobs(blobs, 'os')
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { storage, appends, flushes }
}
