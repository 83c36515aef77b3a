/** What is wrong with a partition that was fetched, in words that name it. */
import type { fetch } from '../../protocol/api/fetch.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { PartitionState } from './partition-state.js'

type PartitionResponse = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]

/** `error` with the place at which it came up. */
export const describe = (state: PartitionState, error: OttlaError): OttlaError =>
  new OttlaError(error.code, `Partition ${state.name} at offset ${state.fetchOffset}: ${error.message}`, {
    cause: error.cause ?? error,
    details: { ...error.details, topic: state.topic, partition: state.partition, offset: state.fetchOffset },
  })

/** The error of a position that the log does not have. */
export const isNotThere = (
  { name, topic, partition, fetchOffset: offset }: PartitionState,
  { logStartOffset, highWatermark }: PartitionResponse,
): OttlaError => {
  // A broker need not tell the range.
  const range = logStartOffset < 0 ? '' : ` Its log starts at ${logStartOffset} and ends at ${highWatermark}.`
  return new OttlaError('OFFSET_OUT_OF_RANGE', `Partition ${name} has no offset ${offset}.${range}`, {
    details: { topic, partition, offset, logStartOffset, highWatermark },
  })
}
