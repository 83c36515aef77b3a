/** Admin requests about groups. */
import { deleteGroups as deleteGroupsApi } from '../../protocol/api/delete-groups.js'
import { describeGroups as describeGroupsApi } from '../../protocol/api/describe-groups.js'
import { listGroups as listGroupsApi } from '../../protocol/api/list-groups.js'
import { decodeAssignment } from '../../protocol/consumer-protocol.js'
import type { Channel } from '../../protocol/channel.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { errorFromKafkaCode, invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import type { AdminOptions } from './admin-options.js'
import { askCoordinator } from './coordinator.js'
import { groupError } from './group-error.js'
import { Outcomes } from './outcomes.js'

const GROUP_STATES = [
  'Empty',
  'PreparingRebalance',
  'CompletingRebalance',
  'Assigning',
  'Reconciling',
  'Stable',
  'Dead',
] as const
const GROUP_TYPES = ['classic', 'consumer', 'share', 'streams'] as const

/**
 * Where a group stands: nobody is in it, its members join or wait for their partitions (in a consumer group it is still
 * to be decided who gets what, or members are on their way to that), all have what they are to have, or it is gone.
 */
export type GroupState = (typeof GROUP_STATES)[number]

/** By which protocol a group shares its work (KIP-848). */
export type GroupType = (typeof GROUP_TYPES)[number]

/** Which groups are meant; nothing said is all of them. */
export interface ListGroupsOptions extends AdminOptions {
  /** Those in one of these states (KIP-518). */
  readonly states?: readonly GroupState[]
  /** Those of one of these types (KIP-848). */
  readonly types?: readonly GroupType[]
  /** Those with one of these protocols: `consumer`, `connect`, or `''` for a group that has never had members. */
  readonly protocolTypes?: readonly string[]
}

/** A group. */
interface Group {
  /** The group's name. */
  readonly groupId: string
  /** `consumer` for a group of consumers. */
  readonly protocolType: string
  /** One of {@link GroupState}. */
  readonly state: string
}

/** A group in the list of groups. */
export interface GroupListing extends Group {
  /** One of {@link GroupType}. */
  readonly type: string
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
  /** The partitions that are its own in this generation; none where the members are no consumers. */
  readonly assignment: readonly TopicPartition[]
}

/** A group with its members. */
export interface GroupDescription extends Group {
  /** The assignor that the group has agreed on. */
  readonly protocol: string
  /** Its members in this generation, with their partitions. */
  readonly members: readonly GroupMember[]
}

export const listGroups = async (
  { cluster }: ClientContext,
  { states = [], types = [], protocolTypes = [], signal }: ListGroupsOptions,
): Promise<readonly GroupListing[]> => {
  for (const state of states) checkOneOf('The state', state, GROUP_STATES)
  for (const type of types) checkOneOf('The type', type, GROUP_TYPES)
  const channel = await cluster.any({ signal })
  const request = { statesFilter: states, typesFilter: types }
  const { errorCode, groups } = await channel.send(listGroupsApi, request, { signal })
  if (errorCode !== 0) throw errorFromKafkaCode(errorCode)
  // As in Kafka the broker is not asked for the protocol.
  return groups
    .filter(({ protocolType }) => protocolTypes.length === 0 || protocolTypes.includes(protocolType))
    .map(({ groupId, protocolType, groupState, groupType }) => ({
      groupId,
      type: groupType,
      protocolType,
      state: groupState,
    }))
}

/** Callers without types may say anything, and the broker would find no group in a state that there is not. */
const checkOneOf = (what: string, value: string, known: readonly string[]): void => {
  if (!known.includes(value)) throw invalidArgument(what, value, `one of ${known.join(', ')}`)
}

export const describeGroups = async (
  context: ClientContext,
  groupIds: readonly string[],
  { signal }: AdminOptions,
): Promise<readonly GroupDescription[]> => {
  const outcomes = new Outcomes<GroupDescription>(groupIds)
  const describe = (groupId: string) => describeGroup(context, groupId, signal)
  await Promise.all(groupIds.map((groupId) => outcomes.attempt(groupId, () => describe(groupId))))
  return outcomes.results()
}

const describeGroup = async (
  context: ClientContext,
  groupId: string,
  signal: AbortSignal | undefined,
): Promise<GroupDescription> => {
  const group = await askForGroup(context, groupId, signal)
  if (group === undefined) return { groupId, protocolType: '', state: 'Dead', protocol: '', members: [] }
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
      assignment: protocolType === CONSUMERS ? partitionsOf(memberAssignment) : [],
    })),
  }
}

type DescribedGroup = ResponseOf<typeof describeGroupsApi>['groups'][number]

const GROUP_ID_NOT_FOUND = 69
/** What consumers call their protocol. Other clients share out other things than partitions. */
const CONSUMERS = 'consumer'

/** undefined for one that does not exist. */
export const askForGroup = (
  context: ClientContext,
  groupId: string,
  signal: AbortSignal | undefined,
): Promise<DescribedGroup | undefined> => {
  const request = { groups: [groupId], includeAuthorizedOperations: false }
  const ask = async (coordinator: Channel): Promise<DescribedGroup | undefined> => {
    const { groups } = await coordinator.send(describeGroupsApi, request, { signal })
    const [group] = groups
    if (group === undefined || group.errorCode === GROUP_ID_NOT_FOUND) return undefined
    if (group.errorCode !== 0) throw groupError(groupId, group.errorCode, group.errorMessage)
    return group
  }
  return askCoordinator(context, { of: groupId, ask, signal })
}

const partitionsOf = (assignment: Uint8Array): TopicPartition[] =>
  // A member has none before its generation's leader has said so.
  assignment.length === 0
    ? []
    : decodeAssignment(assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition })),
      )

export const deleteGroups = async (
  context: ClientContext,
  groupIds: readonly string[],
  { signal }: AdminOptions,
): Promise<void> => {
  const outcomes = new Outcomes<string>(groupIds)
  const remove = (groupId: string): Promise<string> => {
    const ask = async (coordinator: Channel): Promise<string> => {
      const { results } = await coordinator.send(deleteGroupsApi, { groupsNames: [groupId] }, { signal })
      for (const { errorCode } of results) if (errorCode !== 0) throw groupError(groupId, errorCode)
      return groupId
    }
    return askCoordinator(context, { of: groupId, ask, signal })
  }
  await Promise.all([...new Set(groupIds)].map((id) => outcomes.attempt(id, () => remove(id))))
  outcomes.results()
}
