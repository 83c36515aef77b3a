/**
 * DeleteRecords (KIP-107): raises the log start offset of partitions, durable when it is answered. timeoutMs is not
 * needed.
 */
import type { deleteRecords } from '../../protocol/api/delete-records.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Result = ResponseOf<typeof deleteRecords>['topics'][number]

export const handleDeleteRecords: Handler<typeof deleteRecords> = async (services, request) => {
  const topics: Result[] = []
  for (const { name, partitions } of request.topics) {
    const results: Result['partitions'][number][] = []
    for (const { partitionIndex, offset } of partitions) {
      try {
        const lowWatermark = await deleteBefore(services, name, partitionIndex, offset)
        results.push({ partitionIndex, lowWatermark, errorCode: 0 })
      } catch (error) {
        const { errorCode } = responseErrorOf(error)
        if (errorCode === codeOf('KAFKA_STORAGE_ERROR') && OttlaError.is(error)) services.reportFailure(error)
        results.push({ partitionIndex, lowWatermark: -1, errorCode })
      }
    }
    topics.push({ name, partitions: results })
  }
  return { throttleTimeMs: 0, topics }
}

const deleteBefore = async (
  { metadata }: BrokerServices,
  name: string,
  index: number,
  offset: number,
): Promise<number> => {
  const topic = metadata.topic(name)
  const partition = topic?.partition(index)
  if (topic === undefined || partition === undefined) {
    throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no partition ${name}-${index}.`)
  }
  if (topic.isInternal) {
    throw new OttlaError(
      'INVALID_TOPIC_EXCEPTION',
      `Topic ${name} is internal: the broker keeps its own state there.`,
    )
  }
  if (!topic.logConfig.deletesOld) {
    throw new OttlaError(
      'POLICY_VIOLATION',
      `The cleanup.policy of topic ${name} does not have delete, so its records are not deleted.`,
    )
  }
  const log = partition.log ?? (await partition.open())
  return log.deleteRecordsBefore(offset)
}
