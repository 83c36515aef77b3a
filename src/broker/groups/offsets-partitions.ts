/** The partitions of `__consumer_offsets`: each is loaded when the first of its groups is asked for. */
import type { Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClusterMetadata } from '../metadata/cluster-metadata.js'
import { OFFSETS_TOPIC } from '../metadata/topic-name.js'
import type { Topic } from '../topic.js'
import { offsetsPartitionOf } from './java-hash.js'
import type { GroupState } from './group.js'
import { OffsetsPartition } from './offsets-partition.js'

/** What loading needs of the world. */
export interface OffsetsPartitionsServices {
  readonly clock: Clock
  readonly metadata: ClusterMetadata
  /** `__consumer_offsets`, created when it does not exist. */
  ensureOffsetsTopic(): Promise<Topic>
  /** A partition was loaded; nobody has seen its groups yet. */
  onLoaded(partition: OffsetsPartition): void
}

/** How many groups are in which state. */
export type GroupCount = Readonly<Record<GroupState, number>>

/** All offsets partitions of this broker. */
export class OffsetsPartitions {
  readonly #services: OffsetsPartitionsServices
  /** Loaded partitions, and those being loaded, by index. */
  readonly #loaded = new Map<number, OffsetsPartition>()
  readonly #loading = new Map<number, Promise<OffsetsPartition>>()
  #isClosed = false

  constructor(services: OffsetsPartitionsServices) {
    this.#services = services
  }

  /** Resolves when there is an offsets topic, so that groups can be asked for. */
  async ready(): Promise<void> {
    await this.#topic()
  }

  /** The index of the one that keeps `groupId`. */
  async indexOf(groupId: string): Promise<number> {
    const { partitions } = await this.#topic()
    return offsetsPartitionOf(groupId, partitions.length)
  }

  /** The one that keeps `groupId`. */
  async of(groupId: string): Promise<OffsetsPartition> {
    return this.at(await this.indexOf(groupId))
  }

  /**
   * The one with this index.
   * @throws OttlaError COORDINATOR_NOT_AVAILABLE when there is none, NOT_COORDINATOR when the broker is closing.
   */
  async at(index: number): Promise<OffsetsPartition> {
    return this.#loaded.get(index) ?? this.#load(index)
  }

  /** Those that are loaded. */
  loaded(): IterableIterator<OffsetsPartition> {
    return this.#loaded.values()
  }

  /** How many groups of those that are loaded are in which state. */
  countGroups(): GroupCount {
    const count = {
      Empty: 0,
      PreparingRebalance: 0,
      CompletingRebalance: 0,
      Assigning: 0,
      Reconciling: 0,
      Stable: 0,
      Dead: 0,
    }
    for (const { groups } of this.#loaded.values()) for (const { state } of groups.values()) count[state]++
    return count
  }

  /** All of them; loads what is not loaded yet. None while there is no offsets topic. */
  async all(): Promise<OffsetsPartition[]> {
    const all: OffsetsPartition[] = []
    const { partitions = [] } = this.#services.metadata.topic(OFFSETS_TOPIC) ?? {}
    for (const { index } of partitions) all.push(await this.at(index))
    return all
  }

  /** Forgets what is loaded, and loads nothing any more. */
  close(): void {
    this.#isClosed = true
    this.#loaded.clear()
  }

  async #topic(): Promise<Topic> {
    return this.#services.metadata.topic(OFFSETS_TOPIC) ?? this.#services.ensureOffsetsTopic()
  }

  #load(index: number): Promise<OffsetsPartition> {
    let loading = this.#loading.get(index)
    if (loading === undefined) {
      loading = this.#loadOnce(index).finally(() => this.#loading.delete(index))
      this.#loading.set(index, loading)
    }
    return loading
  }

  async #loadOnce(index: number): Promise<OffsetsPartition> {
    const { clock, metadata } = this.#services
    const partition = metadata.topic(OFFSETS_TOPIC)?.partition(index)
    if (partition === undefined) {
      throw new OttlaError('COORDINATOR_NOT_AVAILABLE', `${OFFSETS_TOPIC} has no partition ${index}.`)
    }
    const log = partition.log ?? (await partition.open())
    const loaded = await OffsetsPartition.load(log, clock, (topic) => metadata.topic(topic)?.id)
    if (this.#isClosed) throw new OttlaError('NOT_COORDINATOR', 'The broker is closing.')
    this.#loaded.set(index, loaded)
    this.#services.onLoaded(loaded)
    return loaded
  }
}
