/**
 * All that is durable of a consumer group, as its records tell it. What happens to a group happens to a copy, which
 * takes the place of what was there when the difference is in the log (consumer-records.ts).
 */
import type { Uuid } from '../../../runtime/uuid.js'
import type { ClusterMetadata } from '../../metadata/cluster-metadata.js'
import { isReconciledTo, type ConsumerMember } from './consumer-member.js'
import type { Partitions } from './partitions.js'

/** The topics that there are. */
export type Topics = Pick<ClusterMetadata, 'topic' | 'topicById' | 'topics'>

/** The topics that a regular expression meant when it was looked at last. */
export interface ResolvedRegex {
  /** In order. */
  readonly topics: readonly string[]
  /** When it was looked at, in milliseconds since the epoch. */
  readonly timestamp: number
}

/** Kafka's states of a consumer group that is not dead. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** The epoch of a group in which nothing has happened yet. */
export const FIRST_EPOCH = 1

/** What is durable of a group; its values never change, its maps only in a copy that nobody else has. */
export class ConsumerState {
  /** Rises with every change of members, subscriptions and topics; 1 before the first. */
  epoch = FIRST_EPOCH
  /** Of the topics that members subscribe to, to notice when one comes, grows or goes. */
  metadataHash = 0
  /** The epoch that {@link targets} are for. */
  assignmentEpoch = 0
  /** When the targets were computed, in milliseconds since the epoch; 0 when they never were. */
  assignmentTimestamp = 0
  readonly members: Map<string, ConsumerMember>
  /** What each member is to have. */
  readonly targets: Map<string, Partitions>
  /** By the expression. */
  readonly regexes: Map<string, ResolvedRegex>

  constructor(from?: ConsumerState) {
    this.members = new Map(from?.members)
    this.targets = new Map(from?.targets)
    this.regexes = new Map(from?.regexes)
    if (from === undefined) return
    this.epoch = from.epoch
    this.metadataHash = from.metadataHash
    this.assignmentEpoch = from.assignmentEpoch
    this.assignmentTimestamp = from.assignmentTimestamp
  }

  get name(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    for (const { current } of this.members.values()) {
      if (!isReconciledTo(current, this.assignmentEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  /** The static member of this name. */
  staticMember(instanceId: string): ConsumerMember | undefined {
    for (const member of this.members.values()) {
      if (member.subscription.instanceId === instanceId) return member
    }
    return undefined
  }

  /** How many members subscribe with `regex`. */
  countOfRegex(regex: string): number {
    let count = 0
    for (const { subscription } of this.members.values()) {
      if (subscription.subscribedTopicRegex === regex) count++
    }
    return count
  }

  /** The names of the topics that `member` subscribes to, whether they exist or not. */
  topicNamesOf({ subscription }: ConsumerMember): ReadonlySet<string> {
    const { subscribedTopicNames, subscribedTopicRegex } = subscription
    const resolved = this.regexes.get(subscribedTopicRegex ?? '')?.topics ?? []
    return new Set([...subscribedTopicNames, ...resolved])
  }

  /** The ids of the topics that `member` subscribes to, of those that exist. */
  topicIdsOf(member: ConsumerMember, topics: Topics): ReadonlySet<Uuid> {
    const ids = new Set<Uuid>()
    for (const name of this.topicNamesOf(member)) {
      const topic = topics.topic(name)
      if (topic !== undefined) ids.add(topic.id)
    }
    return ids
  }

  /** The names of all topics that members subscribe to. */
  subscribedTopicNames(): ReadonlySet<string> {
    const names = new Set<string>()
    for (const member of this.members.values()) for (const name of this.topicNamesOf(member)) names.add(name)
    return names
  }

  /** The partitions that members have or have not given up yet. */
  owned(): Map<Uuid, Set<number>> {
    const owned = new Map<Uuid, Set<number>>()
    for (const { current } of this.members.values()) {
      for (const partitions of [current.assigned, current.pendingRevocation]) {
        for (const [topicId, of] of partitions) {
          const taken = owned.get(topicId) ?? new Set<number>()
          owned.set(topicId, taken)
          for (const partition of of.keys()) taken.add(partition)
        }
      }
    }
    return owned
  }
}

/** What becomes another number when a topic that the group subscribes to comes, grows or goes; 0 without any. */
export const metadataHashOf = (state: ConsumerState, topics: Topics): number => {
  let [high, low] = [0, 0]
  for (const name of [...state.subscribedTopicNames()].sort()) {
    const topic = topics.topic(name)
    if (topic === undefined) continue
    const text = `${topic.id} ${name} ${topic.partitions.length} `
    for (let index = 0; index < text.length; index++) {
      low = Math.imul(low ^ text.charCodeAt(index), 0x01000193) >>> 0
      high = (Math.imul(high, 31) + text.charCodeAt(index)) >>> 0
    }
  }
  // What fits into a number: 21 bits of one and 32 of the other.
  return (high & 0x1fffff) * 0x100000000 + low
}
