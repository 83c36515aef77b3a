/** Consumer groups as records of `__consumer_offsets`: what is written of a change, and what is read again. */
import * as records from '../../../protocol/coordinator-records.js'
import type { RecordOf, RecordSchema } from '../../../protocol/schema.js'
import { decodeVersioned, encodeVersioned, leadingVersion } from '../../../protocol/versioned-record.js'
import type { Uuid } from '../../../runtime/uuid.js'
import type { CoordinatorRecord } from '../coordinator-record.js'
import {
  NOTHING_TOLD,
  NOTHING_YET,
  type ConsumerMember,
  type CurrentAssignment,
  type MemberState,
  type MemberSubscription,
} from './consumer-member.js'
import type { ConsumerState } from './consumer-state.js'
import {
  fromTopicPartitions,
  toTopicPartitions,
  type EpochPartitions,
  type Partitions,
} from './partitions.js'

/** Kafka's number of each state is its place here. */
const STATES: readonly MemberState[] = ['STABLE', 'UNREVOKED_PARTITIONS', 'UNRELEASED_PARTITIONS']

/** What makes `after` of `before` in the log: first who is gone, then what members told, are to have, and have. */
export const recordsOfChange = (
  groupId: string,
  before: ConsumerState,
  after: ConsumerState,
): CoordinatorRecord[] => {
  const written: CoordinatorRecord[] = []
  for (const memberId of before.members.keys()) {
    if (!after.members.has(memberId)) written.push(...memberTombstones(groupId, memberId))
  }
  for (const { memberId, subscription } of after.members.values()) {
    if (before.members.get(memberId)?.subscription !== subscription) {
      written.push(subscriptionRecord(groupId, memberId, subscription))
    }
  }
  for (const regex of before.regexes.keys()) {
    if (!after.regexes.has(regex)) written.push(regexTombstone(groupId, regex))
  }
  for (const [regex, resolved] of after.regexes) {
    if (before.regexes.get(regex) === resolved) continue
    const key = { groupId, regularExpression: regex }
    const value = { ...resolved, version: 0 }
    written.push({
      key: keyOf(records.consumerGroupRegularExpressionKey, key),
      value: encodeVersioned(records.consumerGroupRegularExpressionValue, 0, value),
    })
  }
  if (before.epoch !== after.epoch || before.metadataHash !== after.metadataHash) {
    const { epoch, metadataHash } = after
    written.push({
      key: keyOf(records.consumerGroupMetadataKey, { groupId }),
      value: encodeVersioned(records.consumerGroupMetadataValue, 0, { epoch, metadataHash }),
    })
  }
  for (const [memberId, target] of after.targets) {
    if (before.targets.get(memberId) !== target) written.push(targetRecord(groupId, memberId, target))
  }
  if (before.assignmentEpoch !== after.assignmentEpoch) {
    const { assignmentEpoch, assignmentTimestamp } = after
    written.push({
      key: keyOf(records.consumerGroupTargetAssignmentMetadataKey, { groupId }),
      value: encodeVersioned(records.consumerGroupTargetAssignmentMetadataValue, 0, {
        assignmentEpoch,
        assignmentTimestamp,
      }),
    })
  }
  for (const { memberId, current } of after.members.values()) {
    const known = before.members.get(memberId)?.current ?? NOTHING_YET
    if (known !== current) written.push(currentRecord(groupId, memberId, current))
  }
  return written
}

/** What removes the whole group. */
export const tombstonesOf = (groupId: string, { members, regexes }: ConsumerState): CoordinatorRecord[] => [
  ...[...members.keys()].flatMap((memberId) => memberTombstones(groupId, memberId)),
  ...[...regexes.keys()].map((regex) => regexTombstone(groupId, regex)),
  { key: keyOf(records.consumerGroupTargetAssignmentMetadataKey, { groupId }), value: null },
  { key: keyOf(records.consumerGroupMetadataKey, { groupId }), value: null },
]

const keyOf = <S extends RecordSchema>(schema: S, value: RecordOf<S>): Uint8Array =>
  encodeVersioned(schema, schema.key, value)

const memberTombstones = (groupId: string, memberId: string): CoordinatorRecord[] =>
  [
    records.consumerGroupCurrentMemberAssignmentKey,
    records.consumerGroupTargetAssignmentMemberKey,
    records.consumerGroupMemberMetadataKey,
  ].map((schema) => ({ key: keyOf(schema, { groupId, memberId }), value: null }))

const regexTombstone = (groupId: string, regularExpression: string): CoordinatorRecord => ({
  key: keyOf(records.consumerGroupRegularExpressionKey, { groupId, regularExpression }),
  value: null,
})

const subscriptionRecord = (
  groupId: string,
  memberId: string,
  { classic, ...subscription }: MemberSubscription,
): CoordinatorRecord => ({
  key: keyOf(records.consumerGroupMemberMetadataKey, { groupId, memberId }),
  value: encodeVersioned(records.consumerGroupMemberMetadataValue, 0, {
    ...subscription,
    classicMemberMetadata: classic,
  }),
})

const targetRecord = (groupId: string, memberId: string, target: Partitions): CoordinatorRecord => ({
  key: keyOf(records.consumerGroupTargetAssignmentMemberKey, { groupId, memberId }),
  value: encodeVersioned(records.consumerGroupTargetAssignmentMemberValue, 0, {
    topicPartitions: toTopicPartitions(target),
  }),
})

const currentRecord = (
  groupId: string,
  memberId: string,
  { state, memberEpoch, previousMemberEpoch, assigned, pendingRevocation }: CurrentAssignment,
): CoordinatorRecord => ({
  key: keyOf(records.consumerGroupCurrentMemberAssignmentKey, { groupId, memberId }),
  value: encodeVersioned(records.consumerGroupCurrentMemberAssignmentValue, 0, {
    memberEpoch,
    previousMemberEpoch,
    state: STATES.indexOf(state),
    assignedPartitions: withEpochs(assigned),
    partitionsPendingRevocation: withEpochs(pendingRevocation),
  }),
})

type TopicEpochs = RecordOf<
  typeof records.consumerGroupCurrentMemberAssignmentValue
>['assignedPartitions'][number]

const withEpochs = (partitions: EpochPartitions): TopicEpochs[] =>
  [...partitions].map(([topicId, of]) => {
    const inOrder = [...of].sort(([left], [right]) => left - right)
    return {
      topicId,
      partitions: inOrder.map(([partition]) => partition),
      assignmentEpochs: inOrder.map(([, epoch]) => epoch),
    }
  })

const epochsOf = (topics: readonly TopicEpochs[], memberEpoch: number): EpochPartitions =>
  new Map<Uuid, ReadonlyMap<number, number>>(
    topics.map(({ topicId, partitions, assignmentEpochs }) => [
      topicId,
      new Map(partitions.map((partition, index) => [partition, assignmentEpochs?.[index] ?? memberEpoch])),
    ]),
  )

/** The groups that a log tells of, while it is read. */
export interface RestoredGroups {
  /** The state of the group; undefined when there is none and `isNew` does not want one. */
  state(groupId: string, isNew: boolean): ConsumerState | undefined
  /** The group is gone. */
  delete(groupId: string): void
}

/** Applies a record to the group that it is about; false when it is about something else. */
export const replayConsumerRecord = (
  groups: RestoredGroups,
  key: Uint8Array,
  value: Uint8Array | null,
): boolean => {
  switch (leadingVersion(key)) {
    case records.consumerGroupMetadataKey.key:
      replayGroup(groups, decodeVersioned(records.consumerGroupMetadataKey, key).groupId, value)
      return true
    case records.consumerGroupMemberMetadataKey.key: {
      const { groupId, memberId } = decodeVersioned(records.consumerGroupMemberMetadataKey, key)
      replaySubscription(groups.state(groupId, value !== null), memberId, value)
      return true
    }
    case records.consumerGroupTargetAssignmentMetadataKey.key: {
      const { groupId } = decodeVersioned(records.consumerGroupTargetAssignmentMetadataKey, key)
      replayTargetEpoch(groups.state(groupId, false), value)
      return true
    }
    case records.consumerGroupTargetAssignmentMemberKey.key: {
      const { groupId, memberId } = decodeVersioned(records.consumerGroupTargetAssignmentMemberKey, key)
      replayTarget(groups.state(groupId, false), memberId, value)
      return true
    }
    case records.consumerGroupCurrentMemberAssignmentKey.key: {
      const { groupId, memberId } = decodeVersioned(records.consumerGroupCurrentMemberAssignmentKey, key)
      replayCurrent(groups.state(groupId, false), memberId, value)
      return true
    }
    case records.consumerGroupRegularExpressionKey.key: {
      const { groupId, regularExpression } = decodeVersioned(records.consumerGroupRegularExpressionKey, key)
      replayRegex(groups.state(groupId, false), regularExpression, value)
      return true
    }
    default:
      return false
  }
}

const replayGroup = (groups: RestoredGroups, groupId: string, value: Uint8Array | null): void => {
  if (value === null) {
    groups.delete(groupId)
    return
  }
  const { epoch, metadataHash = 0 } = decodeVersioned(records.consumerGroupMetadataValue, value)
  const state = groups.state(groupId, true)
  if (state !== undefined) Object.assign(state, { epoch, metadataHash })
}

const replaySubscription = (
  state: ConsumerState | undefined,
  memberId: string,
  value: Uint8Array | null,
): void => {
  if (state === undefined) return
  if (value === null) {
    state.members.delete(memberId)
    return
  }
  const { classicMemberMetadata = null, ...told } = decodeVersioned(
    records.consumerGroupMemberMetadataValue,
    value,
  )
  const classic =
    classicMemberMetadata === null
      ? null
      : {
          ...classicMemberMetadata,
          supportedProtocols: classicMemberMetadata.supportedProtocols.map(({ name, metadata }) => ({
            name,
            metadata: Uint8Array.from(metadata),
          })),
        }
  replayMember(state, memberId, { subscription: { ...told, classic } })
}

const replayTargetEpoch = (state: ConsumerState | undefined, value: Uint8Array | null): void => {
  if (state === undefined || value === null) return
  const decoded = decodeVersioned(records.consumerGroupTargetAssignmentMetadataValue, value)
  state.assignmentEpoch = decoded.assignmentEpoch
  state.assignmentTimestamp = decoded.assignmentTimestamp ?? 0
}

const replayTarget = (state: ConsumerState | undefined, memberId: string, value: Uint8Array | null): void => {
  if (value === null) {
    state?.targets.delete(memberId)
    return
  }
  const { topicPartitions } = decodeVersioned(records.consumerGroupTargetAssignmentMemberValue, value)
  state?.targets.set(memberId, fromTopicPartitions(topicPartitions))
}

const replayCurrent = (
  state: ConsumerState | undefined,
  memberId: string,
  value: Uint8Array | null,
): void => {
  // What a member had goes with the member itself, whose record follows.
  if (state === undefined || value === null) return
  const { state: number, ...decoded } = decodeVersioned(
    records.consumerGroupCurrentMemberAssignmentValue,
    value,
  )
  const { memberEpoch, previousMemberEpoch } = decoded
  replayMember(state, memberId, {
    current: {
      state: STATES[number] ?? 'STABLE',
      memberEpoch,
      previousMemberEpoch,
      assigned: epochsOf(decoded.assignedPartitions, memberEpoch),
      pendingRevocation: epochsOf(decoded.partitionsPendingRevocation, memberEpoch),
    },
  })
}

const replayRegex = (state: ConsumerState | undefined, regex: string, value: Uint8Array | null): void => {
  if (value === null) {
    state?.regexes.delete(regex)
    return
  }
  const { topics, timestamp } = decodeVersioned(records.consumerGroupRegularExpressionValue, value)
  state?.regexes.set(regex, { topics, timestamp })
}

const replayMember = (state: ConsumerState, memberId: string, change: Partial<ConsumerMember>): void => {
  const known = state.members.get(memberId) ?? { memberId, subscription: NOTHING_TOLD, current: NOTHING_YET }
  state.members.set(memberId, { ...known, ...change })
}
