/**
 * The records of `__consumer_offsets`, as Kafka's group coordinator writes them. Key and value each start with an
 * int16: in the key it says which record it is, in the value which version. A null value removes what the key names.
 */
import { array, bytes, defineRecord, int32, int64, int8, string, struct, uuid } from './schema.js'

/** Names the offset that a group committed for a partition. */
export const offsetCommitKey = defineRecord({
  key: 1,
  name: 'OffsetCommitKey',
  versions: [1, 1],
  flexible: 1000,
  fields: { group: string(), topic: string(), partition: int32() },
})

/** A committed offset. */
export const offsetCommitValue = defineRecord({
  key: 1,
  name: 'OffsetCommitValue',
  versions: [0, 4],
  flexible: 4,
  fields: {
    offset: int64(),
    leaderEpoch: int32({ since: 3, default: -1, ignorable: true }),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64({ since: 1, until: 1, default: -1, ignorable: true }),
    topicId: uuid({ since: 4, tag: 0, ignorable: true }),
  },
})

/** Names a classic group. */
export const groupMetadataKey = defineRecord({
  key: 2,
  name: 'GroupMetadataKey',
  versions: [2, 2],
  flexible: 1000,
  fields: { group: string() },
})

/** A classic group: its generation, its protocol and its members with their assignments. */
export const groupMetadataValue = defineRecord({
  key: 2,
  name: 'GroupMetadataValue',
  versions: [0, 4],
  flexible: 4,
  fields: {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullable: 0 }),
    leader: string({ nullable: 0 }),
    currentStateTimestamp: int64({ since: 2, default: -1, ignorable: true }),
    members: array({
      memberId: string(),
      groupInstanceId: string({ since: 3, nullable: 3, default: null, ignorable: true }),
      clientId: string(),
      clientHost: string(),
      rebalanceTimeout: int32({ since: 1, default: -1, ignorable: true }),
      sessionTimeout: int32(),
      subscription: bytes(),
      assignment: bytes(),
    }),
  },
})

/** Names a consumer group (KIP-848). */
export const consumerGroupMetadataKey = defineRecord({
  key: 3,
  name: 'ConsumerGroupMetadataKey',
  versions: [3, 3],
  flexible: 1000,
  fields: { groupId: string() },
})

/** The epoch of a consumer group, and the hash of the topics that it was for (KIP-1101). */
export const consumerGroupMetadataValue = defineRecord({
  key: 3,
  name: 'ConsumerGroupMetadataValue',
  versions: [0, 0],
  flexible: 0,
  fields: { epoch: int32(), metadataHash: int64({ tag: 0, default: 0 }) },
})

/** Names what a member of a consumer group told. */
export const consumerGroupMemberMetadataKey = defineRecord({
  key: 5,
  name: 'ConsumerGroupMemberMetadataKey',
  versions: [5, 5],
  flexible: 1000,
  fields: { groupId: string(), memberId: string() },
})

/** What a member of a consumer group told; with classic metadata when it speaks the classic protocol. */
export const consumerGroupMemberMetadataValue = defineRecord({
  key: 5,
  name: 'ConsumerGroupMemberMetadataValue',
  versions: [0, 0],
  flexible: 0,
  fields: {
    instanceId: string({ nullable: 0 }),
    rackId: string({ nullable: 0 }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: string({ nullable: 0 }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    serverAssignor: string({ nullable: 0 }),
    classicMemberMetadata: struct(
      {
        sessionTimeoutMs: int32(),
        supportedProtocols: array({ name: string(), metadata: bytes() }),
      },
      { tag: 0, nullable: 0, default: null },
    ),
  },
})

/** Names the epoch of what members are to have. */
export const consumerGroupTargetAssignmentMetadataKey = defineRecord({
  key: 6,
  name: 'ConsumerGroupTargetAssignmentMetadataKey',
  versions: [6, 6],
  flexible: 1000,
  fields: { groupId: string() },
})

/** The epoch of what members are to have, and when it was decided (KIP-1263). */
export const consumerGroupTargetAssignmentMetadataValue = defineRecord({
  key: 6,
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  versions: [0, 0],
  flexible: 0,
  fields: { assignmentEpoch: int32(), assignmentTimestamp: int64({ tag: 0, default: 0, ignorable: true }) },
})

/** Names what a member is to have. */
export const consumerGroupTargetAssignmentMemberKey = defineRecord({
  key: 7,
  name: 'ConsumerGroupTargetAssignmentMemberKey',
  versions: [7, 7],
  flexible: 1000,
  fields: { groupId: string(), memberId: string() },
})

/** What a member is to have. */
export const consumerGroupTargetAssignmentMemberValue = defineRecord({
  key: 7,
  name: 'ConsumerGroupTargetAssignmentMemberValue',
  versions: [0, 0],
  flexible: 0,
  fields: { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
})

/** Names what a member has. */
export const consumerGroupCurrentMemberAssignmentKey = defineRecord({
  key: 8,
  name: 'ConsumerGroupCurrentMemberAssignmentKey',
  versions: [8, 8],
  flexible: 1000,
  fields: { groupId: string(), memberId: string() },
})

const epochPartitions = {
  topicId: uuid(),
  partitions: array(int32()),
  /** As long as `partitions`; without it all are of the member's epoch. */
  assignmentEpochs: array(int32(), { tag: 0, nullable: 0, default: null }),
}

/** What a member has, and what it was told to give up. */
export const consumerGroupCurrentMemberAssignmentValue = defineRecord({
  key: 8,
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  versions: [0, 0],
  flexible: 0,
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(epochPartitions),
    partitionsPendingRevocation: array(epochPartitions),
  },
})

/** Names a regular expression that members subscribe with. */
export const consumerGroupRegularExpressionKey = defineRecord({
  key: 16,
  name: 'ConsumerGroupRegularExpressionKey',
  versions: [16, 16],
  flexible: 1000,
  fields: { groupId: string(), regularExpression: string() },
})

/** The topics that a regular expression meant, in which version of the metadata, and when it was looked at. */
export const consumerGroupRegularExpressionValue = defineRecord({
  key: 16,
  name: 'ConsumerGroupRegularExpressionValue',
  versions: [0, 0],
  flexible: 0,
  fields: { topics: array(string()), version: int64(), timestamp: int64() },
})
