/**
 * OffsetFetch: the committed offsets of groups, -1 where nothing was committed; with requireStable an error where a
 * transaction that is still open has committed one (KIP-447). Who tells a member id and epoch must be that member.
 */
import type { offsetFetch } from '../../protocol/api/offset-fetch.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import { isOfTopic } from '../groups/committed-offsets.js'
import type { Group } from '../groups/group.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import { findTopic, type BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type WantedTopic = NonNullable<RequestOf<typeof offsetFetch>['groups'][number]['topics']>[number]
type GroupResponse = ResponseOf<typeof offsetFetch>['groups'][number]
type TopicResponse = GroupResponse['topics'][number]

/** The first version that asks for several groups. */
const SEVERAL_SINCE = 8
/** The first version that names topics by id. */
const TOPIC_IDS_SINCE = 10

export const handleOffsetFetch: Handler<typeof offsetFetch> = async (services, request, context) => {
  const isById = context.apiVersion >= TOPIC_IDS_SINCE
  const { requireStable } = request
  if (context.apiVersion >= SEVERAL_SINCE) {
    const groups: GroupResponse[] = []
    for (const { groupId, topics, memberId, memberEpoch } of request.groups)
      groups.push(await answer(services, groupId, topics, { isById, requireStable, memberId, memberEpoch }))
    return { throttleTimeMs: 0, topics: [], errorCode: 0, groups }
  }
  const wanted = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
  const { topics, errorCode } = await answer(services, request.groupId, wanted, {
    isById,
    requireStable,
    memberId: null,
    memberEpoch: -1,
  })
  const named = topics.map(({ name, partitions }) => ({ name, partitions }))
  return { throttleTimeMs: 0, topics: named, errorCode, groups: [] }
}

interface FetchKind {
  readonly isById: boolean
  readonly requireStable: boolean
  /** Who asks; null for nobody in particular. */
  readonly memberId: string | null
  readonly memberEpoch: number
}

const NOTHING = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '' }

const answer = async (
  services: BrokerServices,
  groupId: string,
  wanted: readonly WantedTopic[] | null,
  how: FetchKind,
): Promise<GroupResponse> => {
  if (groupId === '') return { groupId, topics: [], errorCode: codeOf('INVALID_GROUP_ID') }
  try {
    const group = await services.groups.find(groupId)
    group?.checkFetch(how.memberId, how.memberEpoch)
    return {
      groupId,
      topics: topicsOf(services, group, wanted ?? everything(services, group), how),
      errorCode: 0,
    }
  } catch (error) {
    return { groupId, topics: [], errorCode: responseErrorOf(error).errorCode }
  }
}

/** What a group has committed, as if it had been asked for. */
const everything = ({ metadata }: BrokerServices, group: Group | undefined): WantedTopic[] =>
  (group?.offsets.topics() ?? []).map((name) => ({
    name,
    topicId: metadata.topic(name)?.id ?? ZERO_UUID,
    partitionIndexes: group?.offsets.partitions(name) ?? [],
  }))

const topicsOf = (
  services: BrokerServices,
  group: Group | undefined,
  wanted: readonly WantedTopic[],
  { isById, requireStable }: FetchKind,
): TopicResponse[] =>
  wanted.map(({ name, topicId, partitionIndexes }) => {
    const topic = findTopic(services, name, topicId, isById)
    const errorCode = topic === undefined && isById ? codeOf('UNKNOWN_TOPIC_ID') : 0
    const partitions = partitionIndexes.map((partitionIndex) => {
      if (requireStable && topic && group?.pendingOffsets.has(topic.name, partitionIndex) === true) {
        return { ...NOTHING, partitionIndex, errorCode: codeOf('UNSTABLE_OFFSET_COMMIT') }
      }
      const found = topic && group?.offsets.get(topic.name, partitionIndex)
      // One that was on its way when its topic was deleted says nothing of the topic that has the name now.
      const committed = topic && found && isOfTopic(found, topic.id) ? found : undefined
      return {
        partitionIndex,
        committedOffset: committed?.offset ?? -1,
        committedLeaderEpoch: committed?.leaderEpoch ?? -1,
        metadata: committed?.metadata ?? '',
        errorCode,
      }
    })
    return { name, topicId, partitions }
  })
