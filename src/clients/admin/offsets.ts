/** Admin requests about the offsets of partitions. */
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import { EARLIEST, LATEST, lookUpOffsets, type FoundOffset, type IsolationLevel } from '../offset-lookup.js'
import { withRetries } from '../retry.js'
import type { AdminOptions } from './admin-options.js'

/** Which offset is asked for. */
export type OffsetSpec = 'earliest' | 'latest' | 'max-timestamp' | Date

/** The offset of a partition that was asked for. */
export type ListedOffset = FoundOffset

/** How offsets are looked for. */
export interface ListOffsetsOptions extends AdminOptions {
  /**
   * Which end `latest` is: `read_uncommitted`, the default, is that of all records, `read_committed` that of those
   * before the first open transaction.
   */
  readonly isolationLevel?: IsolationLevel
}

/** The timestamp that asks for the record with the largest timestamp (KIP-734). */
const MAX_TIMESTAMP = -3

/** What Kafka's OffsetSpec has besides, for topics whose old records lie in remote storage (KIP-405). */
const TIERED = ['earliest-local', 'latest-tiered', 'earliest-pending-upload'] as const

const SPECIAL = { latest: LATEST, earliest: EARLIEST, 'max-timestamp': MAX_TIMESTAMP } as const

export const listOffsets = async (
  context: ClientContext,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  { isolationLevel = 'read_uncommitted', signal }: ListOffsetsOptions,
): Promise<readonly ListedOffset[]> => {
  const timestamp = timestampOf(spec)
  const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }))
  return withRetries(() => lookUpOffsets(context, queries, { isolationLevel, signal }), {
    ...context,
    signal,
  })
}

const timestampOf = (spec: OffsetSpec): number => {
  // A time before 1970 would stand for something else.
  if (spec instanceof Date && spec.getTime() >= 0) return spec.getTime()
  if (typeof spec === 'string' && Object.hasOwn(SPECIAL, spec)) return SPECIAL[spec]
  const expected = "'earliest', 'latest', 'max-timestamp' or a Date from 1970 on"
  const isTiered = (TIERED as readonly unknown[]).includes(spec)
  throw invalidArgument(
    'The offset to list',
    spec,
    isTiered ? `${expected}, as nothing is kept in tiers` : expected,
  )
}
