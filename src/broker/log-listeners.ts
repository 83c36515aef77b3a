/** What logs tell, passed on as events of the broker. */
import type { LogListeners } from '../log/log-events.js'
import type { Events } from '../runtime/events.js'
import type { PartitionId } from '../storage/contract.js'
import type { BrokerEvents } from './broker-events.js'

interface NamedPartition {
  readonly topic: string
  readonly partition: number
}

/** Passes on what logs tell, with the names of their topics; of one that has none, nobody is told. */
export const logListeners = (
  topicOf: (id: PartitionId) => string | undefined,
  events: Events<BrokerEvents>,
): LogListeners => {
  const named = ({ partition, ...id }: PartitionId, tell: (place: NamedPartition) => void): void => {
    const topic = topicOf({ partition, ...id })
    if (topic !== undefined) tell({ topic, partition })
  }
  return {
    onFailed: (id, error) => named(id, (place) => events.emit('partitionOffline', { ...place, error })),
    onDropped: (id, dropped) => named(id, (place) => events.emit('recordsDropped', { ...place, ...dropped })),
    onRolled: (id, rolled) => named(id, (place) => events.emit('segmentRolled', { ...place, ...rolled })),
    onRecovered: (id, recovery) =>
      named(id, (place) => events.emit('logRecovered', { ...place, ...recovery })),
  }
}
