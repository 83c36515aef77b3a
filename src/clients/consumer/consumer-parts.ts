/** What every consumer is made of, whether a group or the application assigns its partitions. */
import type { Events } from '../../runtime/events.js'
import type { Committer } from './committer.js'
import type { ConsumerEvents } from './consumer-events.js'
import type { ConsumerSensors } from './consumer-metrics.js'
import type { Consumption } from './consumption.js'
import type { ConsumerGroupMetadata } from '../group/consumer-group-metadata.js'
import type { IsolationLevel } from '../offset-lookup.js'

/** The parts of a consumer. */
export interface ConsumerParts {
  /** What errors call it. */
  readonly name: string
  /** undefined when nothing can be committed. */
  readonly groupId: string | undefined
  readonly isolationLevel: IsolationLevel
  readonly clientId: string
  readonly events: Events<ConsumerEvents>
  readonly sensors: ConsumerSensors
  /** Whether a group assigns its partitions. */
  readonly isMember: boolean
  readonly consumption: Consumption
  readonly committer: Committer
  /** Who commits, if there is a group to commit for. */
  groupMetadata(groupId: string): ConsumerGroupMetadata
  /** Gives everything up; nothing is committed any more. */
  leave(reason: string, signal?: AbortSignal): Promise<void>
}
