/** Committed offsets as records of `__consumer_offsets`, and the keys of classic groups. */
import { groupMetadataKey, offsetCommitKey, offsetCommitValue } from '../../protocol/coordinator-records.js'
import { decodeVersioned, encodeVersioned } from '../../protocol/versioned-record.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import type { CommittedOffset } from './committed-offsets.js'

/** The version in which they are written: the newest that every Kafka from 4.0 on reads. */
const OFFSET_VALUE_VERSION = 4
/** The only version of an offset that says until when it is kept. */
const EXPIRING_OFFSET_VALUE_VERSION = 1

/** The key of an offset. */
export const offsetKey = (group: string, topic: string, partition: number): Uint8Array =>
  encodeVersioned(offsetCommitKey, offsetCommitKey.key, { group, topic, partition })

/** The key of a group. */
export const groupKey = (group: string): Uint8Array =>
  encodeVersioned(groupMetadataKey, groupMetadataKey.key, { group })

/** The value of an offset. */
export const offsetValue = (committed: Omit<CommittedOffset, 'logOffset'>): Uint8Array => {
  const { expireTimestamp } = committed
  const version = expireTimestamp === undefined ? OFFSET_VALUE_VERSION : EXPIRING_OFFSET_VALUE_VERSION
  return encodeVersioned(offsetCommitValue, version, { expireTimestamp: -1, ...committed })
}

/** The offset that a record at `logOffset` tells. */
export const restoreOffset = (value: Uint8Array, logOffset: number): CommittedOffset => {
  const { expireTimestamp, topicId, ...rest } = decodeVersioned(offsetCommitValue, value)
  return {
    ...rest,
    ...(expireTimestamp === -1 ? {} : { expireTimestamp }),
    topicId: topicId ?? ZERO_UUID,
    logOffset,
  }
}
