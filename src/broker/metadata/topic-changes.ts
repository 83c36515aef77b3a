/** Creating and deleting topics, and adding partitions: Kafka's checks, then one durable change of the metadata. */
import type { PartitionLogs } from '../../log/partition-logs.js'
import type { Events } from '../../runtime/events.js'
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import type { Random } from '../../runtime/random.js'
import { randomUuid, ZERO_UUID, type Uuid } from '../../runtime/uuid.js'
import type { BrokerEvents } from '../broker-events.js'
import type { BrokerConfigs } from '../configs/broker-configs.js'
import type { TopicLogConfigs } from '../configs/topic-log-configs.js'
import type { Topic } from '../topic.js'
import { RESOURCE_TYPES, type ClusterMetadata } from './cluster-metadata.js'
import type { MetadataChange } from './metadata-log.js'
import { checkTopicName, collisionKey, METADATA_TOPIC } from './topic-name.js'

/** The most partitions that one topic may have: Kafka's limit of one change in KRaft. */
export const MAX_PARTITIONS_PER_TOPIC = 10_000

/** A topic to create. */
export interface NewTopic {
  readonly name: string
  /** -1: the broker's `num.partitions`, or as many as `assignments` has. */
  readonly numPartitions: number
  /** 1, or -1 for the default. */
  readonly replicationFactor: number
  /** The brokers of each partition; every partition can only be on this one. */
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[]
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

/** What topic changes work with. */
export interface TopicChangesServices {
  readonly nodeId: number
  readonly metadata: ClusterMetadata
  readonly logs: PartitionLogs
  readonly configs: BrokerConfigs
  readonly topicConfigs: TopicLogConfigs
  readonly random: Random
  readonly events: Events<BrokerEvents>
}

/** Changes topics. */
export class TopicChanges {
  readonly #services: TopicChangesServices

  constructor(services: TopicChangesServices) {
    this.#services = services
  }

  /**
   * Creates a topic, or only checks whether that could be done.
   * @throws OttlaError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS,
   * INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, INVALID_REQUEST.
   */
  create(wanted: NewTopic, options: { readonly validateOnly?: boolean } = {}): Promise<Topic | undefined> {
    const { metadata, random, events } = this.#services
    return metadata.exclusive(async () => {
      const { numPartitions, configs } = this.#check(wanted)
      if (options.validateOnly === true) return undefined
      const topicId = randomUuid(random)
      const changes: MetadataChange[] = [{ type: 'topic', record: { name: wanted.name, topicId } }]
      for (const [name, value] of configs) {
        const record = { resourceType: RESOURCE_TYPES.TOPIC, resourceName: wanted.name, name, value }
        changes.push({ type: 'config', record })
      }
      for (let index = 0; index < numPartitions; index++) changes.push(this.#partition(topicId, index))
      await metadata.commit(changes)
      events.emit('topicCreated', { topic: wanted.name, partitions: numPartitions })
      return metadata.topic(wanted.name)
    })
  }

  /** The topic, created with defaults when it does not exist. */
  async ensure(wanted: NewTopic): Promise<Topic> {
    const { metadata } = this.#services
    try {
      return metadata.topic(wanted.name) ?? (await this.create(wanted)) ?? raise(missing(wanted.name))
    } catch (error) {
      if (!OttlaError.is(error, 'TOPIC_ALREADY_EXISTS')) throw error
      return metadata.topic(wanted.name) ?? raise(error)
    }
  }

  /**
   * Deletes a topic and its records; whoever waits for it is woken.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION for an internal topic.
   */
  delete(name: string, topicId: Uuid = ZERO_UUID): Promise<void> {
    const { metadata, logs, events } = this.#services
    return metadata.exclusive(async () => {
      const topic = metadata.topic(name)
      if (topic === undefined || (topicId !== ZERO_UUID && topic.id !== topicId)) throw missing(name)
      if (topic.isInternal) {
        throw new OttlaError(
          'INVALID_TOPIC_EXCEPTION',
          `Topic ${name} is internal: the broker keeps its own state there, so it cannot be deleted.`,
        )
      }
      await metadata.commit([{ type: 'removeTopic', record: { topicId: topic.id } }])
      for (const partition of topic.partitions) {
        await logs.delete(partition.id)
        partition.wake()
      }
      events.emit('topicDeleted', { topic: name })
    })
  }

  /**
   * Gives a topic `count` partitions in all, or only checks whether that could be done.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT.
   */
  addPartitions(
    name: string,
    count: number,
    assignments: readonly { readonly brokerIds: readonly number[] }[] | null,
    options: { readonly validateOnly: boolean },
  ): Promise<void> {
    const { metadata, events } = this.#services
    return metadata.exclusive(async () => {
      const topic = metadata.topic(name) ?? raise(missing(name))
      const present = topic.partitions.length
      if (count <= present) {
        throw new OttlaError(
          'INVALID_PARTITIONS',
          count === present
            ? `Topic ${name} has ${present} partitions already.`
            : `Topic ${name} has ${present} partitions, which is more than ${count}; partitions are never taken away.`,
        )
      }
      this.#checkCount(name, count)
      if (assignments !== null && assignments.length !== count - present) {
        throw new OttlaError(
          'INVALID_REPLICA_ASSIGNMENT',
          `Topic ${name} gains ${count - present} partitions, but ${assignments.length} assignments were given.`,
        )
      }
      for (const { brokerIds } of assignments ?? []) this.#checkBrokers(name, brokerIds)
      if (options.validateOnly) return
      const changes: MetadataChange[] = []
      for (let index = present; index < count; index++) changes.push(this.#partition(topic.id, index))
      await metadata.commit(changes)
      events.emit('partitionsAdded', { topic: name, partitions: count })
    })
  }

  #check(wanted: NewTopic): { numPartitions: number; configs: [name: string, value: string][] } {
    const { metadata, configs: brokerConfigs } = this.#services
    const { name, replicationFactor, assignments } = wanted
    checkTopicName(name)
    if (name === METADATA_TOPIC) {
      throw new OttlaError('INVALID_REQUEST', `Creation of internal topic ${METADATA_TOPIC} is prohibited.`)
    }
    if (metadata.topic(name)) {
      throw new OttlaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`, { details: { name } })
    }
    for (const topic of metadata.topics()) {
      if (collisionKey(topic.name) !== collisionKey(name)) continue
      throw new OttlaError(
        'INVALID_TOPIC_EXCEPTION',
        `Topic '${name}' collides with existing topic: ${topic.name}.`,
      )
    }
    if (replicationFactor !== 1 && replicationFactor !== -1) {
      throw new OttlaError(
        'INVALID_REPLICATION_FACTOR',
        `The replication factor of topic ${show(name)} is ${replicationFactor}; expected 1, as there is one broker, or -1 for the default.`,
      )
    }
    if (assignments.length > 0) this.#checkAssignments(wanted)
    else this.#checkCount(name, wanted.numPartitions)
    const numPartitions =
      assignments.length > 0
        ? assignments.length
        : wanted.numPartitions === -1
          ? brokerConfigs['num.partitions']
          : wanted.numPartitions
    const configs = wanted.configs.map(({ name: config, value }): [string, string] => {
      if (value !== null) return [config, value]
      throw new OttlaError(
        'INVALID_CONFIG',
        `The topic config ${config} of ${show(name)} is null; expected a value.`,
      )
    })
    this.#services.topicConfigs.check(new Map(configs))
    return { numPartitions, configs }
  }

  #checkCount(name: string, count: number): void {
    if (count === -1 || (count >= 1 && count <= MAX_PARTITIONS_PER_TOPIC)) return
    throw new OttlaError(
      'INVALID_PARTITIONS',
      `The number of partitions of topic ${show(name)} is ${count}; expected from 1 to ${MAX_PARTITIONS_PER_TOPIC}, or -1 for the default.`,
    )
  }

  #checkAssignments({ name, numPartitions, replicationFactor, assignments }: NewTopic): void {
    if (numPartitions !== -1 || replicationFactor !== -1) {
      throw new OttlaError(
        'INVALID_REQUEST',
        `Topic ${show(name)} has replica assignments; its number of partitions and replication factor must then be -1.`,
      )
    }
    this.#checkCount(name, assignments.length)
    const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
    for (let index = 0; index < assignments.length; index++) {
      if (indexes.has(index)) continue
      throw new OttlaError(
        'INVALID_REPLICA_ASSIGNMENT',
        `Topic ${show(name)} must have assignments for the partitions 0 to ${assignments.length - 1}; ${index} is missing.`,
      )
    }
    for (const { brokerIds } of assignments) this.#checkBrokers(name, brokerIds)
  }

  #checkBrokers(name: string, brokerIds: readonly number[]): void {
    const { nodeId } = this.#services
    if (brokerIds.length === 1 && brokerIds[0] === nodeId) return
    throw new OttlaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `A partition of topic ${show(name)} is assigned to the brokers ${show(brokerIds)}; expected [${nodeId}], the only one.`,
    )
  }

  #partition(topicId: Uuid, partitionId: number): MetadataChange {
    const replicas = [this.#services.nodeId]
    return {
      type: 'partition',
      record: {
        partitionId,
        topicId,
        replicas,
        isr: replicas,
        removingReplicas: [],
        addingReplicas: [],
        leader: this.#services.nodeId,
        leaderEpoch: 0,
        partitionEpoch: 0,
        directories: [],
      },
    }
  }
}

const missing = (name: string): OttlaError =>
  new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic named ${show(name)}.`, {
    details: { name },
  })

const raise = (error: OttlaError): never => {
  throw error
}
