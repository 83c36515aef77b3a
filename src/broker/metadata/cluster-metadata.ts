/**
 * The cluster's metadata: topics, partitions, configs, producer id blocks, credentials, ACLs,
 * quotas. It is what replaying the metadata log
 * gives; a change is written there first and applied here when it is durable.
 */
import type { Clock } from '../../runtime/clock.js'
import { randomUuid, type Uuid } from '../../runtime/uuid.js'
import type { Random } from '../../runtime/random.js'
import type { PartitionLogs } from '../../log/partition-logs.js'
import type { TopicLogConfigs } from '../configs/topic-log-configs.js'
import { Acls } from '../authorizer/acls.js'
import { ScramCredentials } from '../credentials/scram-credentials.js'
import { ClientQuotas } from '../quotas/client-quotas.js'
import { isInternalTopic } from './topic-name.js'
import { Partition, Topic, type PartitionServices } from '../topic.js'
import { MetadataLog, type MetadataChange } from './metadata-log.js'

/** Resource types of ConfigRecord and DescribeConfigs. */
export const RESOURCE_TYPES = { TOPIC: 2, BROKER: 4 } as const

/** The name under which the cluster's id is kept; KRaft has it in a file beside the log, and here the log is all there is. */
const CLUSTER_ID = 'cluster.id'

/** What the metadata is opened with. */
export interface ClusterMetadataOptions {
  readonly logs: PartitionLogs
  readonly clock: Clock
  readonly random: Random
  readonly topicConfigs: TopicLogConfigs
}

/** The cluster's metadata. */
export class ClusterMetadata {
  readonly acls = new Acls()
  readonly scramCredentials = new ScramCredentials()
  readonly clientQuotas = new ClientQuotas()
  readonly #log: MetadataLog
  readonly #services: PartitionServices
  readonly #topicConfigs: TopicLogConfigs
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<Uuid, Topic>()
  #clusterId = ''
  #nextProducerId = 0
  #last: Promise<unknown> = Promise.resolve()

  private constructor(log: MetadataLog, options: ClusterMetadataOptions) {
    this.#log = log
    this.#services = options
    this.#topicConfigs = options.topicConfigs
  }

  /** Replays the metadata log; the first time it also gives the cluster its id. */
  static async open(options: ClusterMetadataOptions): Promise<ClusterMetadata> {
    const metadata = new ClusterMetadata(await MetadataLog.open(options), options)
    await metadata.#log.replay((change) => metadata.#apply(change))
    if (metadata.#clusterId === '') {
      const value = randomUuid(options.random)
      const config = { resourceType: RESOURCE_TYPES.BROKER, resourceName: '', name: CLUSTER_ID, value }
      await metadata.commit([{ type: 'config', record: config }])
    }
    return metadata
  }

  get clusterId(): string {
    return this.#clusterId
  }

  /** Where the next block of producer ids starts. */
  get nextProducerId(): number {
    return this.#nextProducerId
  }

  topic(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  topicById(id: Uuid): Topic | undefined {
    return this.#byId.get(id)
  }

  topics(): Iterable<Topic> {
    return this.#byName.values()
  }

  /** Runs `action` when all changes before it are done: what it checks still holds when it commits. */
  exclusive<T>(action: () => Promise<T>): Promise<T> {
    const run = this.#last.then(action)
    this.#last = run.catch(() => undefined)
    return run
  }

  /** Makes `changes` durable as one unit, then applies them. */
  async commit(changes: readonly MetadataChange[]): Promise<void> {
    await this.#log.append(changes)
    for (const change of changes) this.#apply(change)
  }

  #apply(change: MetadataChange): void {
    switch (change.type) {
      case 'topic': {
        const { name, topicId } = change.record
        const topic = new Topic(name, topicId, this.#topicConfigs.logConfigOf([], isInternalTopic(name)))
        this.#byName.set(name, topic)
        this.#byId.set(topicId, topic)
        break
      }
      case 'partition': {
        const { topicId, partitionId, leaderEpoch } = change.record
        const topic = this.#byId.get(topicId)
        if (topic)
          topic.partitions[partitionId] = new Partition(topic, partitionId, leaderEpoch, this.#services)
        break
      }
      case 'config': {
        const { resourceType, resourceName, name, value } = change.record
        if (resourceType === RESOURCE_TYPES.BROKER && name === CLUSTER_ID) this.#clusterId = value ?? ''
        if (resourceType === RESOURCE_TYPES.TOPIC) this.#setTopicConfig(resourceName, name, value)
        break
      }
      case 'removeTopic': {
        const topic = this.#byId.get(change.record.topicId)
        this.#byId.delete(change.record.topicId)
        if (topic) this.#byName.delete(topic.name)
        break
      }
      case 'producerIds':
        this.#nextProducerId = change.record.nextProducerId
        break
      case 'clientQuota':
        this.clientQuotas.apply(change.record)
        break
      case 'acl':
        this.acls.add(change.record)
        break
      case 'removeAcl':
        this.acls.remove(change.record.id)
        break
      case 'userScramCredential':
        this.scramCredentials.set(change.record)
        break
      case 'removeUserScramCredential':
        this.scramCredentials.remove(change.record)
        break
    }
  }

  #setTopicConfig(topicName: string, name: string, value: string | null): void {
    const topic = this.#byName.get(topicName)
    if (topic === undefined) return
    if (value === null) topic.configs.delete(name)
    else topic.configs.set(name, value)
    topic.logConfig = this.#topicConfigs.logConfigOf(topic.configs, topic.isInternal)
    for (const { id } of topic.partitions) this.#services.logs.updateConfig(id, topic.logConfig)
  }
}
