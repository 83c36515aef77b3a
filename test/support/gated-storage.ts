/** A storage that makes appends wait, so that a test decides what happens while one is on its way. */
import type { LogStorage, PartitionStorage } from '../../src/storage/contract.js'
import { keptStorage } from './kept-storage.js'

/** A storage whose appends, to all topics or to one, wait while the test holds them. */
export const gatedStorage = () => {
  const inner = keptStorage()
  let isHeld = (_topicId: string): boolean => false
  let waiting: (() => void)[] = []
  const gated = (partition: PartitionStorage): PartitionStorage =>
    new Proxy(partition, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'append' || !isHeld(target.id.topicId)) return value.bind(target) as unknown
        return (...args: unknown[]): unknown =>
          new Promise<void>((resolve) => waiting.push(resolve)).then(
            () => Reflect.apply(value, target, args) as unknown,
          )
      },
    })
  const storage: LogStorage = { ...inner, partition: async (id) => gated(await inner.partition(id)) }
  return {
    storage,
    hold: (topicId?: string) => (isHeld = (held) => topicId === undefined || held === topicId),
    release: () => {
      isHeld = () => false
      for (const go of waiting.splice(0)) go()
      waiting = []
    },
  }
}
