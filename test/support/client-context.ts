/** What clients under test work with: a network of the test's choice, time in its hands, chance that repeats. */
import { ClientIds } from '../../src/clients/client-ids.js'
import { Cluster } from '../../src/clients/cluster.js'
import type { ClientContext } from '../../src/clients/context.js'
import { bytes } from '../../src/clients/serdes/bytes.js'
import type { Serde } from '../../src/clients/serdes/serde.js'
import { Topic } from '../../src/clients/topic.js'
import type { Network } from '../../src/protocol/channel.js'
import type { Clock } from '../../src/runtime/clock.js'
import { SILENT } from '../../src/runtime/logger.js'
import { Timers } from '../../src/runtime/timers.js'
import { SeededRandom } from './seeded-random.js'

/** The context of clients that reach `network`. */
export const contextOver = (network: Network, clock: Clock): ClientContext => {
  const timers = new Timers(clock)
  const random = new SeededRandom(1)
  const cluster = new Cluster({ network, clock, timers, random })
  return { network, cluster, clock, timers, random, clientIds: new ClientIds('test'), logger: SILENT }
}

/** A topic's handle, which reads nothing. */
export const topicHandle = <K = Uint8Array, V = Uint8Array>(
  name: string,
  options: { id?: string; partitionCount?: number; key?: Serde<K>; value?: Serde<V> } = {},
): Topic<K, V> =>
  new Topic<K, V>(
    {
      name,
      id: options.id ?? '',
      partitionCount: options.partitionCount ?? 1,
      key: options.key ?? (bytes as unknown as Serde<K>),
      value: options.value ?? (bytes as unknown as Serde<V>),
    },
    () => {
      throw new Error('This handle reads nothing.')
    },
  )

/** A turn of the event loop: every promise that can settle has. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
