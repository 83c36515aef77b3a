/**
 * The records of `__consumer_offsets`, as Kafka's group coordinator writes them. Key and value each start with an
 * int16: in the key it says which record it is, in the value which version. A null value removes what the key names.
 */
import { array, bytes, defineRecord, int32, int64, string, uuid } from './schema.js'

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
