/** Who may do what with groups and what they commit: for each API what Kafka's KafkaApis checks, and how it refuses. */
import { deleteGroups } from '../../protocol/api/delete-groups.js'
import { describeGroups } from '../../protocol/api/describe-groups.js'
import { findCoordinator } from '../../protocol/api/find-coordinator.js'
import { heartbeat } from '../../protocol/api/heartbeat.js'
import { joinGroup } from '../../protocol/api/join-group.js'
import { leaveGroup } from '../../protocol/api/leave-group.js'
import { listGroups } from '../../protocol/api/list-groups.js'
import { offsetCommit } from '../../protocol/api/offset-commit.js'
import { offsetDelete } from '../../protocol/api/offset-delete.js'
import { offsetFetch } from '../../protocol/api/offset-fetch.js'
import { syncGroup } from '../../protocol/api/sync-group.js'
import { codeOf } from '../response-errors.js'
import type { Access } from './access.js'
import { each, guard, shown, whole, type Check, type Guard } from './check.js'

const REFUSED = codeOf('GROUP_AUTHORIZATION_FAILED')
const TOPIC_REFUSED = codeOf('TOPIC_AUTHORIZATION_FAILED')
const MESSAGE = 'Group authorization failed.'
const NOTHING = new Uint8Array(0)
/** What stands where a response has a list of coordinators instead of one. */
const NO_COORDINATOR = { throttleTimeMs: 0, errorCode: 0, errorMessage: null, nodeId: 0, host: '', port: 0 }
/** The key types of FindCoordinator. */
const KEY_TYPES = { GROUP: 0, TRANSACTION: 1 } as const

const groupOf = ({ groupId }: { readonly groupId: string }): string => groupId

/** As for a group that there is none of: what is not to be described has nothing committed either. */
const offsetsOfGroups: Check<typeof offsetFetch> = {
  needs: [{ operation: 'DESCRIBE', resourceType: 'GROUP' }],
  run: (access, request) => {
    const mayDescribe = ({ groupId }: { readonly groupId: string }): boolean =>
      access.may('DESCRIBE', 'GROUP', groupId)
    if (request.groups.length === 0 && !mayDescribe(request))
      return { answer: { throttleTimeMs: 0, topics: [], errorCode: REFUSED, groups: [] } }
    const refused = request.groups.filter((group) => !mayDescribe(group))
    if (refused.length === 0) return { request }
    const groups = refused.map(({ groupId }) => ({ groupId, topics: [], errorCode: REFUSED }))
    const kept = request.groups.filter(mayDescribe)
    // Without groups a request is one of the older kind, with one group of its own.
    if (kept.length === 0) return { answer: { throttleTimeMs: 0, topics: [], errorCode: 0, groups } }
    return {
      request: { ...request, groups: kept },
      complete: (response) => ({ ...response, groups: [...response.groups, ...groups] }),
    }
  },
}

interface OffsetPartitions {
  readonly name: string
  readonly topicId?: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

/** Who asks for a topic is told that it may not see it; who asks for all does not see it. */
const offsetsOfTopics: Check<typeof offsetFetch> = shown(
  offsetFetch,
  [{ operation: 'DESCRIBE', resourceType: 'TOPIC' }],
  (access, response, request) => {
    const isSeen = (topic: OffsetPartitions): boolean => {
      const name = access.topicName(topic)
      return name === undefined || access.may('DESCRIBE', 'TOPIC', name)
    }
    const visible = <T extends OffsetPartitions>(topics: readonly T[], isAll: boolean): T[] =>
      topics.flatMap((topic) => {
        if (isSeen(topic)) return [topic]
        if (isAll) return []
        const partitions = topic.partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          committedOffset: -1,
          committedLeaderEpoch: -1,
          metadata: '',
          errorCode: TOPIC_REFUSED,
        }))
        return [{ ...topic, partitions }]
      })
    const wholeGroups = new Set(
      request.groups.filter(({ topics }) => topics === null).map(({ groupId }) => groupId),
    )
    return {
      ...response,
      topics: visible(response.topics, request.topics === null),
      groups: response.groups.map((group) => ({
        ...group,
        topics: visible(group.topics, wholeGroups.has(group.groupId)),
      })),
    }
  },
)

const mayFind = (access: Access, keyType: number, key: string): boolean => {
  if (keyType === KEY_TYPES.GROUP) return access.may('DESCRIBE', 'GROUP', key)
  if (keyType === KEY_TYPES.TRANSACTION) return access.may('DESCRIBE', 'TRANSACTIONAL_ID', key)
  return access.may('CLUSTER_ACTION', 'CLUSTER')
}

const refusalToFind = (keyType: number): { readonly errorCode: number; readonly errorMessage: string } => {
  if (keyType === KEY_TYPES.GROUP) return { errorCode: REFUSED, errorMessage: MESSAGE }
  if (keyType === KEY_TYPES.TRANSACTION)
    return {
      errorCode: codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'),
      errorMessage: 'Transactional Id authorization failed.',
    }
  return { errorCode: codeOf('CLUSTER_AUTHORIZATION_FAILED'), errorMessage: 'Cluster authorization failed.' }
}

const coordinators: Check<typeof findCoordinator> = {
  needs: [
    { operation: 'DESCRIBE', resourceType: 'GROUP' },
    { operation: 'DESCRIBE', resourceType: 'TRANSACTIONAL_ID' },
  ],
  run: (access, request) => {
    const { keyType, key, coordinatorKeys } = request
    const nowhere = { nodeId: -1, host: '', port: -1 }
    const refusal = { ...refusalToFind(keyType), ...nowhere }
    if (coordinatorKeys.length === 0)
      return mayFind(access, keyType, key)
        ? { request }
        : { answer: { throttleTimeMs: 0, ...refusal, coordinators: [] } }
    const allowed: string[] = []
    const refused: string[] = []
    for (const each of coordinatorKeys) (mayFind(access, keyType, each) ? allowed : refused).push(each)
    const coordinators = refused.map((each) => ({ key: each, ...refusal }))
    // Not even the topic of the groups is made for who may find none of them.
    if (allowed.length === 0) return { answer: { ...NO_COORDINATOR, coordinators } }
    return {
      request: { ...request, coordinatorKeys: allowed },
      complete: (response) => ({ ...response, coordinators: [...response.coordinators, ...coordinators] }),
    }
  },
}

/** The APIs that are about groups. */
export const GROUP_GUARDS: readonly Guard[] = [
  guard(
    offsetCommit,
    whole(offsetCommit, 'READ', 'GROUP', groupOf, ({ topics }) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: REFUSED })),
      })),
    })),
    each(offsetCommit, 'READ', 'TOPIC', {
      of: ({ topics }) => topics,
      name: (topic, access) => access.topicName(topic),
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        topics: [
          ...response.topics,
          ...refused.map(({ name, topicId, partitions }) => ({
            name,
            topicId,
            partitions: partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              errorCode: TOPIC_REFUSED,
            })),
          })),
        ],
      }),
    }),
  ),
  guard(offsetFetch, offsetsOfGroups, offsetsOfTopics),
  guard(findCoordinator, coordinators),
  guard(
    joinGroup,
    whole(joinGroup, 'READ', 'GROUP', groupOf, ({ memberId }) => ({
      throttleTimeMs: 0,
      errorCode: REFUSED,
      generationId: -1,
      protocolType: null,
      protocolName: '',
      leader: '',
      skipAssignment: false,
      memberId,
      members: [],
    })),
  ),
  guard(
    syncGroup,
    whole(syncGroup, 'READ', 'GROUP', groupOf, () => ({
      throttleTimeMs: 0,
      errorCode: REFUSED,
      protocolType: null,
      protocolName: null,
      assignment: NOTHING,
    })),
  ),
  guard(
    heartbeat,
    whole(heartbeat, 'READ', 'GROUP', groupOf, () => ({ throttleTimeMs: 0, errorCode: REFUSED })),
  ),
  guard(
    leaveGroup,
    whole(leaveGroup, 'READ', 'GROUP', groupOf, () => ({
      throttleTimeMs: 0,
      errorCode: REFUSED,
      members: [],
    })),
  ),
  guard(
    describeGroups,
    shown(describeGroups, [], (access, response) => ({
      ...response,
      groups: response.groups.map((group) => ({
        ...group,
        authorizedOperations: access.operations(group.authorizedOperations, 'GROUP', group.groupId),
      })),
    })),
    each(describeGroups, 'DESCRIBE', 'GROUP', {
      of: ({ groups }) => groups,
      name: (groupId) => groupId,
      keep: (request, groups) => ({ ...request, groups }),
      add: (response, refused) => ({
        ...response,
        groups: [
          ...response.groups,
          ...refused.map((groupId) => ({
            errorCode: REFUSED,
            errorMessage: null,
            groupId,
            groupState: '',
            protocolType: '',
            protocolData: '',
            members: [],
            authorizedOperations: -0x80000000,
          })),
        ],
      }),
    }),
  ),
  guard(
    listGroups,
    shown(listGroups, [{ operation: 'DESCRIBE', resourceType: 'GROUP' }], (access, response) => ({
      ...response,
      groups: access.may('DESCRIBE', 'CLUSTER')
        ? response.groups
        : response.groups.filter(({ groupId }) => access.may('DESCRIBE', 'GROUP', groupId)),
    })),
  ),
  guard(
    deleteGroups,
    each(deleteGroups, 'DELETE', 'GROUP', {
      of: ({ groupsNames }) => groupsNames,
      name: (groupId) => groupId,
      keep: (request, groupsNames) => ({ ...request, groupsNames }),
      add: (response, refused) => ({
        ...response,
        results: [...response.results, ...refused.map((groupId) => ({ groupId, errorCode: REFUSED }))],
      }),
    }),
  ),
  guard(
    offsetDelete,
    whole(offsetDelete, 'DELETE', 'GROUP', groupOf, () => ({
      errorCode: REFUSED,
      throttleTimeMs: 0,
      topics: [],
    })),
    each(offsetDelete, 'READ', 'TOPIC', {
      of: ({ topics }) => topics,
      name: ({ name }) => name,
      keep: (request, topics) => ({ ...request, topics }),
      add: (response, refused) => ({
        ...response,
        topics: [
          ...response.topics,
          ...refused.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              errorCode: TOPIC_REFUSED,
            })),
          })),
        ],
      }),
    }),
  ),
]
