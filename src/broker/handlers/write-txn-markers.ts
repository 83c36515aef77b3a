/** WriteTxnMarkers: ends transactions in partitions, without asking their coordinator: for an admin who ends a hanging one. */
import type { writeTxnMarkers } from '../../protocol/api/write-txn-markers.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { EndMarker } from '../transactions/markers.js'
import type { Handler } from './handler.js'

export const handleWriteTxnMarkers: Handler<typeof writeTxnMarkers> = async (services, request) => ({
  markers: await Promise.all(
    request.markers.map(async ({ producerId, topics, transactionResult, ...epochs }) => {
      const type = transactionResult ? 'commit' : 'abort'
      const marker: EndMarker = { ...epochs, producerId, type }
      const results = topics.map(async ({ name, partitionIndexes }) => ({
        name,
        partitions: await Promise.all(
          partitionIndexes.map((index) => written(services, name, index, marker)),
        ),
      }))
      return { producerId, topics: await Promise.all(results) }
    }),
  ),
})

const written = async (
  { metadata, transactions }: BrokerServices,
  name: string,
  partitionIndex: number,
  marker: EndMarker,
): Promise<{ partitionIndex: number; errorCode: number }> => {
  try {
    const partition = metadata.topic(name)?.partition(partitionIndex)
    if (partition === undefined) {
      throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no partition ${name}-${partitionIndex}.`)
    }
    await transactions.writeMarker(partition, marker)
    return { partitionIndex, errorCode: 0 }
  } catch (error) {
    return { partitionIndex, errorCode: responseErrorOf(error).errorCode }
  }
}
