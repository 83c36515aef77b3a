/**
 * OffsetCommit: durable when it is answered. Versions 2 to 4 may say how long the offsets are to be kept; otherwise
 * groups/offset-expiry.ts decides.
 */
import type { offsetCommit } from '../../protocol/api/offset-commit.js'
import type { ErrorCode } from '../../runtime/errors/error-table.js'
import type { OffsetToCommit } from '../groups/offsets-partition.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import { findTopic } from '../services.js'
import type { Handler } from './handler.js'

/** The first version that names topics by id. */
const TOPIC_IDS_SINCE = 10

export const handleOffsetCommit: Handler<typeof offsetCommit> = async (services, request, context) => {
  const isById = context.apiVersion >= TOPIC_IDS_SINCE
  const maxMetadata = services.configs['offset.metadata.max.bytes']
  const { retentionTimeMs } = request
  const expiry = retentionTimeMs < 0 ? {} : { expireTimestamp: services.clock.now() + retentionTimeMs }
  const offsets: OffsetToCommit[] = []
  const topics = request.topics.map(({ name, topicId, partitions }) => {
    const topic = findTopic(services, name, topicId, isById)
    const answers = partitions.map((wanted) => {
      const { partitionIndex } = wanted
      const metadata = wanted.committedMetadata ?? ''
      let problem: ErrorCode | undefined
      if (topic === undefined && isById) problem = 'UNKNOWN_TOPIC_ID'
      else if (topic?.partition(partitionIndex) === undefined) problem = 'UNKNOWN_TOPIC_OR_PARTITION'
      else if (metadata.length > maxMetadata) problem = 'OFFSET_METADATA_TOO_LARGE'
      else {
        const { committedOffset: offset, committedLeaderEpoch: leaderEpoch } = wanted
        const committed = { offset, leaderEpoch, metadata, topicId: topic.id, ...expiry }
        offsets.push({ topic: topic.name, partition: partitionIndex, committed })
      }
      return { partitionIndex, errorCode: problem === undefined ? 0 : codeOf(problem) }
    })
    return { name, topicId, partitions: answers }
  })
  let failure = 0
  try {
    const { groupId, memberId, generationIdOrMemberEpoch: generation, groupInstanceId } = request
    await services.groups.commit({ groupId, memberId, generation, groupInstanceId }, offsets, context)
  } catch (error) {
    failure = responseErrorOf(error).errorCode
  }
  return {
    throttleTimeMs: 0,
    topics: failure === 0 ? topics : topics.map((topic) => withError(topic, failure)),
  }
}

interface AnsweredTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

/** What was fine by itself failed with the rest. */
const withError = (topic: AnsweredTopic, failure: number): AnsweredTopic => ({
  ...topic,
  partitions: topic.partitions.map(({ partitionIndex, errorCode }) => ({
    partitionIndex,
    errorCode: errorCode === 0 ? failure : errorCode,
  })),
})
