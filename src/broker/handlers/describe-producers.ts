/** DescribeProducers: the idempotent producers that partitions remember, and their open transactions (KIP-664). */
import type { describeProducers } from '../../protocol/api/describe-producers.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { NO_ERROR, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type PartitionResponse = ResponseOf<typeof describeProducers>['topics'][number]['partitions'][number]

export const handleDescribeProducers: Handler<typeof describeProducers> = async (services, { topics }) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    topics.map(async ({ name, partitionIndexes }) => ({
      name,
      partitions: await Promise.all(partitionIndexes.map((index) => described(services, name, index))),
    })),
  ),
})

const described = async (
  { metadata }: BrokerServices,
  name: string,
  partitionIndex: number,
): Promise<PartitionResponse> => {
  try {
    const partition = metadata.topic(name)?.partition(partitionIndex)
    if (partition === undefined) {
      throw new OttlaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no partition ${name}-${partitionIndex}.`)
    }
    const log = partition.log ?? (await partition.open())
    const activeProducers = log.producers().map(({ producer, firstOffset }) => {
      const newest = producer.batches.at(-1)
      return {
        producerId: producer.producerId,
        producerEpoch: producer.epoch,
        lastSequence: newest?.lastSequence ?? -1,
        lastTimestamp: newest?.timestamp ?? -1,
        coordinatorEpoch: producer.coordinatorEpoch,
        currentTxnStartOffset: firstOffset ?? -1,
      }
    })
    return { partitionIndex, ...NO_ERROR, activeProducers }
  } catch (error) {
    return { partitionIndex, ...responseErrorOf(error), activeProducers: [] }
  }
}
