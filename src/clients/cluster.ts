/**
 * What the clients know of the cluster: which topics there are, which broker leads a partition and which coordinates a
 * group. Kept until it proves wrong or grows old; there is no timer, age is looked at when somebody asks.
 */
import { findCoordinator } from '../protocol/api/find-coordinator.js'
import { metadata } from '../protocol/api/metadata.js'
import type { BrokerAddress, Channel, Network } from '../protocol/channel.js'
import { abortable } from '../runtime/abort.js'
import type { Clock } from '../runtime/clock.js'
import { errorFromKafkaCode, OttlaError } from '../runtime/errors/ottla-error.js'
import { SILENT, type Logger } from '../runtime/logger.js'
import type { Random } from '../runtime/random.js'
import type { Timers } from '../runtime/timers.js'
import { ZERO_UUID, type Uuid } from '../runtime/uuid.js'
import { withRetries } from './retry.js'

/** How long metadata is believed without asking again: Kafka's `metadata.max.age.ms`. */
export const METADATA_MAX_AGE_MS = 300_000

/** What is known of a partition. */
export interface PartitionMetadata {
  /** The partition's index in the topic, from 0. */
  readonly partition: number
  /** The node that leads it; -1 when none does at the moment. */
  readonly leaderId: number
  /** Rises with every change of the leader. */
  readonly leaderEpoch: number
  /** The nodes that keep it. */
  readonly replicas: readonly number[]
  /** Those of them that have all that is committed. */
  readonly inSyncReplicas: readonly number[]
}

/** What is known of a topic. */
export interface TopicMetadata {
  /** The topic's name. */
  readonly name: string
  /** The topic's id; one that is deleted and created again has another. */
  readonly topicId: Uuid
  /** Whether it is the broker's own, such as `__consumer_offsets`. */
  readonly isInternal: boolean
  /** By index. */
  readonly partitions: readonly PartitionMetadata[]
}

/** What is known of the cluster. */
export interface ClusterMetadata {
  /** Made when the log was created, and kept. */
  readonly clusterId: string | null
  /** The node that carries out changes to topics. */
  readonly controllerId: number
  /** All nodes. */
  readonly brokers: readonly BrokerAddress[]
}

/** The way to the leader of a partition. */
export interface Leader {
  readonly nodeId: number
  readonly channel: Channel
  readonly topicId: Uuid
  readonly leaderEpoch: number
}

/** How a question is asked. */
export interface AskOptions {
  readonly signal?: AbortSignal | undefined
}

interface Known<T> {
  readonly value: T
  readonly at: number
}

/** What a coordinator looks after, and the number of that in requests. */
const COORDINATOR_KEY_TYPES = { group: 0, transaction: 1 } as const
/** What a coordinator looks after. */
export type CoordinatorType = keyof typeof COORDINATOR_KEY_TYPES

/** Which coordinator is asked for. */
export interface CoordinatorOptions extends AskOptions {
  /** What `key` names; default a group. */
  readonly type?: CoordinatorType
}

/** The clients' shared picture of the cluster. */
export class Cluster {
  readonly #network: Network
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #random: Random
  readonly #logger: Logger
  readonly #topics = new Map<string, Known<TopicMetadata>>()
  readonly #asking = new Map<string, Promise<TopicMetadata>>()
  readonly #brokers = new Map<number, BrokerAddress>()
  readonly #channels = new Map<number, Channel>()
  readonly #coordinators = new Map<string, BrokerAddress>()

  constructor(options: {
    readonly network: Network
    readonly clock: Clock
    readonly timers: Timers
    readonly random: Random
    /** Where log lines go; default nowhere. */
    readonly logger?: Logger | undefined
  }) {
    this.#network = options.network
    this.#clock = options.clock
    this.#timers = options.timers
    this.#random = options.random
    this.#logger = options.logger ?? SILENT
  }

  /**
   * What is known of the topic, asked for if it is unknown or old. Topics are never created by asking.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION.
   */
  async topic(name: string, options: AskOptions = {}): Promise<TopicMetadata> {
    const known = this.#fresh(name)
    if (known !== undefined) return known
    // Whoever asks for the same topic meanwhile shares the answer; each waits on a signal of its own.
    let asking = this.#asking.get(name)
    if (asking === undefined) {
      asking = this.#ask(name).finally(() => this.#asking.delete(name))
      asking.catch(() => undefined)
      this.#asking.set(name, asking)
    }
    return abortable(asking, options.signal)
  }

  /** Every topic there is, asked anew. */
  async topics(options: AskOptions = {}): Promise<readonly TopicMetadata[]> {
    return (await this.#request(null, options)).topics
  }

  /** The brokers and the controller, asked anew. */
  async describe(options: AskOptions = {}): Promise<ClusterMetadata> {
    return (await this.#request([], options)).cluster
  }

  /** The way to the partition's leader if it is known; undefined says that {@link leader} has to find it. */
  knownLeader(topic: string, partition: number): Leader | undefined {
    const known = this.#fresh(topic)
    const leader = known?.partitions[partition]
    if (known === undefined || leader === undefined) return undefined
    const channel = this.#channels.get(leader.leaderId)
    if (channel === undefined) return undefined
    return { nodeId: leader.leaderId, channel, topicId: known.topicId, leaderEpoch: leader.leaderEpoch }
  }

  /** How many partitions the topic has, if that is known; without asking. */
  knownPartitionCount(topic: string): number | undefined {
    return this.#fresh(topic)?.partitions.length
  }

  /**
   * The way to the partition's leader.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE.
   */
  async leader(topic: string, partition: number, options: AskOptions = {}): Promise<Leader> {
    const known = this.knownLeader(topic, partition)
    if (known !== undefined) return known
    const { topicId, partitions } = await this.topic(topic, options)
    const leader = partitions[partition]
    if (leader === undefined) {
      throw new OttlaError(
        'UNKNOWN_TOPIC_OR_PARTITION',
        `Topic ${topic} has no partition ${partition}; it has ${partitions.length}, from 0 to ${partitions.length - 1}.`,
        { details: { topic, partition } },
      )
    }
    // Also one that is not among the brokers: it has just gone, and another will be elected.
    if (leader.leaderId < 0 || !this.#brokers.has(leader.leaderId)) {
      this.invalidate(topic)
      throw new OttlaError(
        'LEADER_NOT_AVAILABLE',
        `Partition ${topic}-${partition} has no leader at the moment.`,
      )
    }
    const channel = await this.#channelTo(leader.leaderId, options)
    return { nodeId: leader.leaderId, channel, topicId, leaderEpoch: leader.leaderEpoch }
  }

  /** Forgets what is known of the topic, and the channels to its leaders, because it proved wrong. */
  invalidate(topic: string): void {
    for (const { leaderId } of this.#topics.get(topic)?.value.partitions ?? []) {
      this.#channels.delete(leaderId)
    }
    this.#topics.delete(topic)
  }

  /** The way to the controller, which carries out changes to topics and configs. */
  async controller(options: AskOptions = {}): Promise<Channel> {
    const { controllerId } = await this.describe(options)
    return this.#brokers.has(controllerId)
      ? this.#channelTo(controllerId, options)
      : this.#network.bootstrap(options.signal)
  }

  /** A way to any broker. */
  any(options: AskOptions = {}): Promise<Channel> {
    return this.#network.bootstrap(options.signal)
  }

  /** The way to the coordinator of a group or a transactional id. */
  async coordinator(key: string, options: CoordinatorOptions = {}): Promise<Channel> {
    const { type = 'group' } = options
    const name = `${type} ${key}`
    let address = this.#coordinators.get(name)
    if (address === undefined) {
      address = await withRetries(() => this.#findCoordinator(type, key, options), this.#retry(options))
      this.#coordinators.set(name, address)
    }
    return this.#network.to(address, options.signal)
  }

  /** Forgets the coordinator of a group or a transactional id, because it has moved or cannot be reached. */
  invalidateCoordinator(key: string, type: CoordinatorType = 'group'): void {
    this.#coordinators.delete(`${type} ${key}`)
  }

  #fresh(name: string): TopicMetadata | undefined {
    const known = this.#topics.get(name)
    if (known === undefined) return undefined
    return this.#clock.monotonic() - known.at <= METADATA_MAX_AGE_MS ? known.value : undefined
  }

  async #ask(name: string): Promise<TopicMetadata> {
    // A topic that does not exist is an answer, though Kafka counts the error as retriable: a name may be mistyped.
    const topic = await withRetries(async () => {
      const { topics } = await this.#request([name], {})
      return topics.find((candidate) => candidate.name === name)
    }, this.#retry({}))
    if (topic === undefined) throw unknownTopic(name)
    return topic
  }

  async #request(
    names: readonly string[] | null,
    options: AskOptions,
  ): Promise<{ readonly topics: readonly TopicMetadata[]; readonly cluster: ClusterMetadata }> {
    const channel = await this.#network.bootstrap(options.signal)
    const response = await channel.send(
      metadata,
      {
        topics: names === null ? null : names.map((name) => ({ topicId: ZERO_UUID, name })),
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      },
      options,
    )
    for (const { nodeId, host, port } of response.brokers) this.#learnBroker({ nodeId, host, port })
    const topics: TopicMetadata[] = []
    for (const topic of response.topics) {
      if (topic.errorCode !== 0 || topic.name === null) {
        // Asked for by name, an error is the answer; in the list of all, a topic without a leader is still listed.
        const error = errorFromKafkaCode(topic.errorCode)
        if (names !== null && error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') {
          throw errorFromKafkaCode(topic.errorCode, `Topic ${topic.name}: ${error.message}`, {
            details: { topic: topic.name },
          })
        }
        continue
      }
      const value: TopicMetadata = {
        name: topic.name,
        topicId: topic.topicId,
        isInternal: topic.isInternal,
        partitions: topic.partitions
          .map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes }) => ({
            partition: partitionIndex,
            leaderId,
            leaderEpoch,
            replicas: replicaNodes,
            inSyncReplicas: isrNodes,
          }))
          .sort((a, b) => a.partition - b.partition),
      }
      this.#topics.set(topic.name, { value, at: this.#clock.monotonic() })
      topics.push(value)
    }
    return {
      topics,
      cluster: {
        clusterId: response.clusterId,
        controllerId: response.controllerId,
        brokers: response.brokers,
      },
    }
  }

  async #findCoordinator(type: CoordinatorType, name: string, options: AskOptions): Promise<BrokerAddress> {
    const channel = await this.#network.bootstrap(options.signal)
    const request = { key: '', keyType: COORDINATOR_KEY_TYPES[type], coordinatorKeys: [name] }
    const { coordinators } = await channel.send(findCoordinator, request, options)
    const [found] = coordinators
    if (found === undefined)
      throw new OttlaError('COORDINATOR_NOT_AVAILABLE', `No coordinator was named for ${type} ${name}.`)
    if (found.errorCode !== 0) throw errorFromKafkaCode(found.errorCode, found.errorMessage)
    return { nodeId: found.nodeId, host: found.host, port: found.port }
  }

  #learnBroker(address: BrokerAddress): void {
    const known = this.#brokers.get(address.nodeId)
    if (known !== undefined && (known.host !== address.host || known.port !== address.port)) {
      this.#channels.delete(address.nodeId)
    }
    this.#brokers.set(address.nodeId, address)
  }

  async #channelTo(nodeId: number, options: AskOptions): Promise<Channel> {
    const address = this.#brokers.get(nodeId)
    if (address === undefined)
      throw new OttlaError('BROKER_NOT_AVAILABLE', `Broker ${nodeId} is not among those that are known.`)
    const channel = await this.#network.to(address, options.signal)
    this.#channels.set(nodeId, channel)
    return channel
  }

  #retry({ signal }: AskOptions) {
    return { timers: this.#timers, random: this.#random, logger: this.#logger, signal }
  }
}

const unknownTopic = (name: string): OttlaError =>
  new OttlaError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `There is no topic named ${name}. Create it first, with createTopic or admin.createTopics.`,
    { details: { topic: name } },
  )
