/** The requests by which a member joins, keeps its place in, and leaves a classic group. */
import { heartbeat } from '../../protocol/api/heartbeat.js'
import { joinGroup } from '../../protocol/api/join-group.js'
import { leaveGroup } from '../../protocol/api/leave-group.js'
import { syncGroup } from '../../protocol/api/sync-group.js'
import type { Channel } from '../../protocol/channel.js'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../protocol/consumer-protocol.js'
import type { ResponseOf } from '../../protocol/schema.js'
import type { TopicPartition } from '../message.js'
import type { AssignableMember, Assignor } from './assignor.js'

/** The protocol type of consumer groups. */
const PROTOCOL_TYPE = 'consumer'

/** What a member says of itself when it joins. */
export interface JoinTerms {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly partitionAssigners: readonly Assignor[]
  /** The name of a static member (KIP-345); undefined for others. */
  readonly groupInstanceId?: string | undefined
}

/** A member of a generation. */
export interface MemberOfGeneration {
  readonly groupId: string
  readonly memberId: string
  readonly generation: number
  readonly groupInstanceId: string | null
}

export const sendJoin = (
  channel: Channel,
  terms: JoinTerms,
  memberId: string,
  reason: string,
  signal: AbortSignal,
): Promise<ResponseOf<typeof joinGroup>> => {
  // Eager: everything is given up before joining, so nothing is owned.
  const metadata = encodeSubscription({
    topics: [...terms.topics].sort(),
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
  })
  return channel.send(
    joinGroup,
    {
      groupId: terms.groupId,
      sessionTimeoutMs: terms.sessionTimeoutMs,
      rebalanceTimeoutMs: terms.rebalanceTimeoutMs,
      memberId,
      groupInstanceId: terms.groupInstanceId ?? null,
      protocolType: PROTOCOL_TYPE,
      protocols: terms.partitionAssigners.map(({ name }) => ({ name, metadata })),
      reason,
    },
    { signal },
  )
}

/** The members of a generation, as the answer to its leader's join tells them. */
export const membersOf = ({ members }: ResponseOf<typeof joinGroup>): AssignableMember[] =>
  members.map(({ memberId, metadata }) => {
    const { topics, ownedPartitions } = decodeSubscription(metadata)
    return { memberId, topics, ownedPartitions: flatten(ownedPartitions) }
  })

export const sendSync = (
  channel: Channel,
  { groupId, memberId, generation, groupInstanceId }: MemberOfGeneration,
  protocolName: string | null,
  assignments: ReadonlyMap<string, readonly TopicPartition[]>,
  signal: AbortSignal,
): Promise<ResponseOf<typeof syncGroup>> =>
  channel.send(
    syncGroup,
    {
      groupId,
      generationId: generation,
      memberId,
      groupInstanceId,
      protocolType: PROTOCOL_TYPE,
      protocolName,
      assignments: [...assignments].map(([member, partitions]) => ({
        memberId: member,
        assignment: encodeAssignment({ assignedPartitions: byTopic(partitions), userData: null }),
      })),
    },
    { signal },
  )

/** The partitions in the answer to a sync. */
export const assignmentOf = ({ assignment }: ResponseOf<typeof syncGroup>): TopicPartition[] =>
  assignment.length === 0 ? [] : flatten(decodeAssignment(assignment).assignedPartitions)

/** Kafka's code in the answer; 0 when all is well. */
export const sendHeartbeat = async (
  channel: Channel,
  { groupId, memberId, generation, groupInstanceId }: MemberOfGeneration,
  signal: AbortSignal,
): Promise<number> => {
  const request = { groupId, generationId: generation, memberId, groupInstanceId }
  return (await channel.send(heartbeat, request, { signal })).errorCode
}

export const sendLeave = async (
  channel: Channel,
  groupId: string,
  memberId: string,
  reason: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const members = [{ memberId, groupInstanceId: null, reason }]
  await channel.send(leaveGroup, { groupId, memberId, members }, { signal })
}

interface TopicWithPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

const flatten = (topics: readonly TopicWithPartitions[]): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))

const byTopic = (partitions: readonly TopicPartition[]): TopicWithPartitions[] => {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [partition])
    else known.push(partition)
  }
  return [...topics].map(([topic, indexes]) => ({ topic, partitions: indexes }))
}
