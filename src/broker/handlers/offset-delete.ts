/**
 * OffsetDelete: removes committed offsets of topics that the group's members do not subscribe to; durable when it is
 * answered. An offset that was never committed is as good as deleted.
 */
import type { offsetDelete } from '../../protocol/api/offset-delete.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleOffsetDelete: Handler<typeof offsetDelete> = async (services, request) => {
  const known = request.topics.map(({ name, partitions }) => {
    const topic = services.metadata.topic(name)
    const indexes = partitions.map(({ partitionIndex }) => partitionIndex)
    return { name, partitions: indexes.filter((index) => topic?.partition(index) !== undefined) }
  })
  try {
    const subscribed = await services.groups.deleteOffsets(request.groupId, known)
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const isKnown = services.metadata.topic(name)?.partition(partitionIndex) !== undefined
        if (!isKnown) return { partitionIndex, errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION') }
        return { partitionIndex, errorCode: subscribed.has(name) ? codeOf('GROUP_SUBSCRIBED_TO_TOPIC') : 0 }
      }),
    }))
    return { errorCode: 0, throttleTimeMs: 0, topics }
  } catch (error) {
    return { errorCode: responseErrorOf(error).errorCode, throttleTimeMs: 0, topics: [] }
  }
}
