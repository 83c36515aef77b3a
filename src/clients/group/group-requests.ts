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
import type { AssignableMember, Assignor, LastAssignment } from './assignor.js'
import { flattenPartitions, groupPartitions } from './partitions-by-topic.js'

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

/** What a member has when it joins. */
export interface Holding {
  /** Its id; empty when it has none. */
  readonly memberId: string
  /** What it has not given up. */
  readonly owned: readonly TopicPartition[]
  /** The generation in which it joined last; -1 when its membership has ended since. */
  readonly generation: number
  /** What its assignors may know of. */
  readonly last: LastAssignment
}

export const sendJoin = (
  channel: Channel,
  terms: JoinTerms,
  { memberId, owned, generation, last }: Holding,
  reason: string,
  signal: AbortSignal,
): Promise<ResponseOf<typeof joinGroup>> => {
  const subscription = {
    topics: [...terms.topics].sort(),
    ownedPartitions: groupPartitions(owned),
    generationId: generation,
    rackId: null,
  }
  return channel.send(
    joinGroup,
    {
      groupId: terms.groupId,
      sessionTimeoutMs: terms.sessionTimeoutMs,
      rebalanceTimeoutMs: terms.rebalanceTimeoutMs,
      memberId,
      groupInstanceId: terms.groupInstanceId ?? null,
      protocolType: PROTOCOL_TYPE,
      protocols: terms.partitionAssigners.map((assignor) => ({
        name: assignor.name,
        metadata: encodeSubscription({ ...subscription, userData: assignor.userData?.(last) ?? null }),
      })),
      reason,
    },
    { signal },
  )
}

/** The members of a generation, as the answer to its leader's join tells them. */
export const membersOf = ({ members }: ResponseOf<typeof joinGroup>): AssignableMember[] =>
  members.map(({ memberId, groupInstanceId, metadata }) => {
    const { topics, ownedPartitions, generationId, userData } = decodeSubscription(metadata)
    return {
      memberId,
      groupInstanceId,
      topics,
      ownedPartitions: flattenPartitions(ownedPartitions),
      generation: generationId,
      userData,
    }
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
        assignment: encodeAssignment({ assignedPartitions: groupPartitions(partitions), userData: null }),
      })),
    },
    { signal },
  )

/** The partitions in the answer to a sync. */
export const assignmentOf = ({ assignment }: ResponseOf<typeof syncGroup>): TopicPartition[] =>
  assignment.length === 0 ? [] : flattenPartitions(decodeAssignment(assignment).assignedPartitions)

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
