/** Admin requests about groups. */
import { deleteGroups as deleteGroupsApi } from '../../protocol/api/delete-groups.js'
import { describeGroups as describeGroupsApi } from '../../protocol/api/describe-groups.js'
import { listGroups as listGroupsApi } from '../../protocol/api/list-groups.js'
import { offsetDelete } from '../../protocol/api/offset-delete.js'
import { offsetFetch } from '../../protocol/api/offset-fetch.js'
import { decodeAssignment } from '../../protocol/consumer-protocol.js'
import { errorFromKafkaCode, type OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import type { AdminOptions } from './admin-options.js'
import { groupByTopic } from './group-by-topic.js'
import { Outcomes } from './outcomes.js'

/** A group in the list of groups. */
export interface GroupListing {
  /** The group's name. */
  readonly groupId: string
  /** `consumer` for a group of consumers. */
  readonly protocolType: string
  /** Empty, PreparingRebalance, CompletingRebalance, Stable or Dead. */
  readonly state: string
}

/** A member of a group. */
export interface GroupMember {
  /** The id that the coordinator gave it. */
  readonly memberId: string
  /** The name of a static member (KIP-345); null for others. */
  readonly groupInstanceId: string | null
  /** What the member's client calls itself. */
  readonly clientId: string
  /** Where it is: an address, or `in-process`. */
  readonly clientHost: string
  /** The partitions that are its own in this generation. */
  readonly assignment: readonly TopicPartition[]
}

/** A group with its members. */
export interface GroupDescription extends GroupListing {
  /** The assignor that the group has agreed on. */
  readonly protocol: string
  /** Its members in this generation, with their partitions. */
  readonly members: readonly GroupMember[]
}

/** How far a group has come in a partition. */
export interface GroupOffset extends TopicPartition {
  /** The offset of the next record to be processed. */
  readonly offset: number
  /** What was committed along with it. */
  readonly metadata: string
}

export const listGroups = async (
  { cluster }: ClientContext,
  { signal }: AdminOptions,
): Promise<readonly GroupListing[]> => {
  const channel = await cluster.any({ signal })
  const { errorCode, groups } = await channel.send(
    listGroupsApi,
    { statesFilter: [], typesFilter: [] },
    { signal },
  )
  if (errorCode !== 0) throw errorFromKafkaCode(errorCode)
  return groups.map(({ groupId, protocolType, groupState }) => ({ groupId, protocolType, state: groupState }))
}

export const describeGroups = async (
  { cluster }: ClientContext,
  groupIds: readonly string[],
  { signal }: AdminOptions,
): Promise<readonly GroupDescription[]> => {
  const outcomes = new Outcomes<GroupDescription>(groupIds)
  const describe = (groupId: string) => describeGroup(cluster, groupId, signal)
  await Promise.all(groupIds.map((groupId) => outcomes.attempt(groupId, () => describe(groupId))))
  return outcomes.results()
}

const describeGroup = async (
  cluster: ClientContext['cluster'],
  groupId: string,
  signal: AbortSignal | undefined,
): Promise<GroupDescription> => {
  const coordinator = await cluster.coordinator(groupId, { signal })
  const request = { groups: [groupId], includeAuthorizedOperations: false }
  const { groups } = await coordinator.send(describeGroupsApi, request, { signal })
  const [group] = groups
  if (group === undefined || group.errorCode === GROUP_ID_NOT_FOUND) {
    return { groupId, protocolType: '', state: 'Dead', protocol: '', members: [] }
  }
  if (group.errorCode !== 0) throw groupError(groupId, group.errorCode, group.errorMessage)
  const { protocolType, protocolData, groupState, members } = group
  return {
    groupId,
    protocolType,
    state: groupState,
    protocol: protocolData,
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      assignment: memberAssignment.length === 0 ? [] : partitionsOf(memberAssignment),
    })),
  }
}

const GROUP_ID_NOT_FOUND = 69

const partitionsOf = (assignment: Uint8Array): TopicPartition[] =>
  decodeAssignment(assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )

export const listGroupOffsets = async (
  { cluster }: ClientContext,
  groupId: string,
  { signal }: AdminOptions,
): Promise<readonly GroupOffset[]> => {
  const coordinator = await cluster.coordinator(groupId, { signal })
  const request = {
    groupId: '',
    topics: null,
    groups: [{ groupId, memberId: null, memberEpoch: -1, topics: null }],
    requireStable: false,
  }
  const { groups } = await coordinator.send(offsetFetch, request, { signal })
  const [group] = groups
  if (group === undefined) return []
  if (group.errorCode !== 0) throw errorFromKafkaCode(group.errorCode)
  const named = await namesOf(cluster, group.topics, signal)
  return group.topics.flatMap(({ name, topicId, partitions }) =>
    partitions
      .filter(({ committedOffset }) => committedOffset >= 0)
      .map(({ partitionIndex, committedOffset, metadata }) => ({
        topic: name === '' ? (named.get(topicId) ?? topicId) : name,
        partition: partitionIndex,
        offset: committedOffset,
        metadata: metadata ?? '',
      })),
  )
}

export const deleteGroups = async (
  { cluster }: ClientContext,
  groupIds: readonly string[],
  { signal }: AdminOptions,
): Promise<void> => {
  const outcomes = new Outcomes<string>(groupIds)
  const remove = async (groupId: string): Promise<string> => {
    const coordinator = await cluster.coordinator(groupId, { signal })
    const { results } = await coordinator.send(deleteGroupsApi, { groupsNames: [groupId] }, { signal })
    for (const { errorCode } of results) if (errorCode !== 0) throw groupError(groupId, errorCode)
    return groupId
  }
  await Promise.all([...new Set(groupIds)].map((id) => outcomes.attempt(id, () => remove(id))))
  outcomes.results()
}

export const deleteGroupOffsets = async (
  { cluster }: ClientContext,
  groupId: string,
  partitions: readonly TopicPartition[],
  { signal }: AdminOptions,
): Promise<void> => {
  const coordinator = await cluster.coordinator(groupId, { signal })
  const request = {
    groupId,
    topics: groupByTopic(partitions, ({ partition }) => ({ partitionIndex: partition })),
  }
  const { errorCode, topics } = await coordinator.send(offsetDelete, request, { signal })
  if (errorCode !== 0) throw groupError(groupId, errorCode)
  const outcomes = new Outcomes<TopicPartition>(partitions.map(partitionName))
  for (const { name: topic, partitions: results } of topics) {
    for (const { partitionIndex: partition, errorCode: partitionError } of results) {
      const name = partitionName({ topic, partition })
      if (partitionError === 0) outcomes.succeed(name, { topic, partition })
      else outcomes.fail(name, groupPartitionError(groupId, { topic, partition }, partitionError))
    }
  }
  outcomes.results()
}

const groupPartitionError = (groupId: string, of: TopicPartition, errorCode: number): OttlaError => {
  const { message } = errorFromKafkaCode(errorCode)
  const { topic, partition } = of
  return errorFromKafkaCode(errorCode, `Group ${groupId}, partition ${partitionName(of)}: ${message}`, {
    details: { groupId, topic, partition },
  })
}

const groupError = (groupId: string, errorCode: number, message?: string | null): OttlaError => {
  const meaning = message ?? errorFromKafkaCode(errorCode).message
  return errorFromKafkaCode(errorCode, `Group ${groupId}: ${meaning}`, { details: { groupId } })
}

/** From version 10 on the answer names topics by id alone. */
const namesOf = async (
  cluster: ClientContext['cluster'],
  topics: readonly { readonly name: string }[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> => {
  if (topics.every(({ name }) => name !== '')) return new Map()
  return new Map((await cluster.topics({ signal })).map(({ topicId, name }) => [topicId, name]))
}
