/** Admin requests about the offsets of partitions. */
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import { EARLIEST, LATEST, lookUpOffsets, type FoundOffset } from '../offset-lookup.js'
import { withRetries } from '../retry.js'
import type { AdminOptions } from './admin-options.js'

/** Which offset is asked for. */
export type OffsetSpec = 'earliest' | 'latest' | 'max-timestamp' | Date

/** The offset of a partition that was asked for. */
export type ListedOffset = FoundOffset

/** The timestamp that asks for the record with the largest timestamp (KIP-734). */
const MAX_TIMESTAMP = -3

const SPECIAL = { latest: LATEST, earliest: EARLIEST, 'max-timestamp': MAX_TIMESTAMP } as const

export const listOffsets = (
  context: ClientContext,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  { signal }: AdminOptions,
): Promise<readonly ListedOffset[]> => {
  const timestamp = timestampOf(spec)
  const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }))
  return withRetries(() => lookUpOffsets(context, queries, { isolationLevel: 'read_uncommitted', signal }), {
    ...context,
    signal,
  })
}

const timestampOf = (spec: OffsetSpec): number => {
  if (spec instanceof Date && Number.isFinite(spec.getTime())) return spec.getTime()
  if (typeof spec === 'string' && Object.hasOwn(SPECIAL, spec)) return SPECIAL[spec]
  throw invalidArgument('The offset to list', spec, "'earliest', 'latest', 'max-timestamp' or a Date")
}
