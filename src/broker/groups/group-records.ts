/** Groups and committed offsets as records of `__consumer_offsets`: how they are written, and what is read from them. */
import {
  groupMetadataKey,
  groupMetadataValue,
  offsetCommitKey,
  offsetCommitValue,
} from '../../protocol/coordinator-records.js'
import { decodeVersioned, encodeVersioned } from '../../protocol/versioned-record.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import type { CommittedOffset } from './committed-offsets.js'
import { Group } from './group.js'
import { GroupMember, NO_BYTES } from './group-member.js'

/** The versions in which records are written: the newest that every Kafka from 4.0 on reads. */
const OFFSET_VALUE_VERSION = 4
const GROUP_VALUE_VERSION = 3
/** The only version of an offset that says until when it is kept. */
const EXPIRING_OFFSET_VALUE_VERSION = 1

/** A record to be written: null removes what the key names. */
export interface CoordinatorRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

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

/** What a group is now, with `assignments`. */
export const groupValue = (group: Group, assignments: ReadonlyMap<string, Uint8Array>): Uint8Array =>
  encodeVersioned(groupMetadataValue, GROUP_VALUE_VERSION, {
    protocolType: group.protocolType ?? '',
    generation: group.generation,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: group.stateTimestamp,
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.terms.rebalanceTimeoutMs,
      sessionTimeout: member.terms.sessionTimeoutMs,
      subscription: member.metadataFor(group.protocolName),
      assignment: assignments.get(member.memberId) ?? NO_BYTES,
    })),
  })

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

/** The group that a record tells, with the offsets that were `known` of it. */
export const restoreGroup = (groupId: string, value: Uint8Array, known: Group | undefined): Group => {
  const record = decodeVersioned(groupMetadataValue, value)
  const group = new Group(groupId, known?.offsets, known?.pendingOffsets)
  group.generation = record.generation
  group.protocolType = record.protocolType === '' ? null : record.protocolType
  group.protocolName = record.protocol
  group.leaderId = record.leader
  const members = record.members.map((member) => {
    const restored = new GroupMember(
      { ...member, protocolType: record.protocolType },
      {
        protocols: [{ name: record.protocol ?? '', metadata: Uint8Array.from(member.subscription) }],
        sessionTimeoutMs: member.sessionTimeout,
        rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
      },
    )
    restored.assignment = Uint8Array.from(member.assignment)
    return restored
  })
  group.restore(members, record.currentStateTimestamp)
  return group
}
