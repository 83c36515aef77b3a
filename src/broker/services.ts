/** What handlers work with: the parts of a broker. */
import type { Clock } from '../runtime/clock.js'
import type { DiskBudget } from '../log/disk-budget.js'
import type { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Random } from '../runtime/random.js'
import type { LogStorage } from '../storage/contract.js'
import type { Uuid } from '../runtime/uuid.js'
import { ZERO_UUID } from '../runtime/uuid.js'
import type { BrokerConfigs, GivenConfigs } from './configs/broker-configs.js'
import type { TopicLogConfigs } from './configs/topic-log-configs.js'
import type { FetchSessions } from './fetch-sessions.js'
import type { FetchWaiters } from './fetch-waiters.js'
import type { GroupCoordinator } from './groups/group-coordinator.js'
import type { ClusterMetadata } from './metadata/cluster-metadata.js'
import type { ConfigChanges } from './metadata/config-changes.js'
import type { TopicChanges } from './metadata/topic-changes.js'
import type { BrokerSensors } from './metrics/broker-metrics.js'
import type { ProducerIds } from './producer-ids.js'
import type { Topic } from './topic.js'
import type { TransactionCoordinator } from './transactions/transaction-coordinator.js'

/** The parts of a broker. */
export interface BrokerServices {
  readonly nodeId: number
  /** Where clients that are not in this process reach it. */
  readonly address: { readonly host: string; readonly port: number }
  /** Where all of it is kept. */
  readonly storage: LogStorage
  /** What all logs may take together; undefined without a limit. */
  readonly diskBudget: DiskBudget | undefined
  readonly clock: Clock
  readonly random: Random
  readonly configs: BrokerConfigs
  /** The configs that the application set. */
  readonly givenConfigs: GivenConfigs
  readonly metadata: ClusterMetadata
  readonly topicConfigs: TopicLogConfigs
  readonly topicChanges: TopicChanges
  readonly configChanges: ConfigChanges
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly producerIds: ProducerIds
  readonly fetchSessions: FetchSessions
  readonly fetchWaiters: FetchWaiters
  readonly sensors: BrokerSensors
  /** Tells the application once that the storage is gone. */
  reportFailure(error: OttlaError): void
}

/** How a request names a topic: by name in older versions of its API, by id in newer ones. */
export const findTopic = (
  { metadata }: Pick<BrokerServices, 'metadata'>,
  name: string,
  topicId: Uuid,
  isById: boolean,
): Topic | undefined => {
  if (!isById) return metadata.topic(name)
  return topicId === ZERO_UUID ? undefined : metadata.topicById(topicId)
}
