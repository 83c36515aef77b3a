/** Classic groups as records of `__consumer_offsets`: how they are written, and what is read from them. */
import { groupMetadataValue } from '../../../protocol/coordinator-records.js'
import { decodeVersioned, encodeVersioned } from '../../../protocol/versioned-record.js'
import type { Group } from '../group.js'
import { ClassicGroup } from './classic-group.js'
import { GroupMember, NO_BYTES } from './group-member.js'

/** The version in which they are written: the newest that every Kafka from 4.0 on reads. */
const GROUP_VALUE_VERSION = 3

/** What a group is now, with `assignments`. */
export const groupValue = (group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): Uint8Array =>
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

/** The group that a record tells, with the offsets that were `known` of it. */
export const restoreGroup = (groupId: string, value: Uint8Array, known: Group | undefined): ClassicGroup => {
  const record = decodeVersioned(groupMetadataValue, value)
  const group = new ClassicGroup(groupId, known)
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
