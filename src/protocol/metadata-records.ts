/**
 * The records of the metadata log, as KRaft writes them. Which record it is and in which version stands in a frame
 * before the message; the message itself is always in the flexible encoding.
 */
import {
  array,
  bool,
  bytes,
  defineRecord,
  float64,
  int16,
  int32,
  int64,
  int8,
  string,
  uuid,
} from './schema.js'

/** A topic exists under this name and id. */
export const topicRecord = defineRecord({
  key: 2,
  name: 'TopicRecord',
  versions: [0, 0],
  flexible: 0,
  fields: { name: string(), topicId: uuid() },
})

/** A partition exists, with these replicas and this leader. */
export const partitionRecord = defineRecord({
  key: 3,
  name: 'PartitionRecord',
  versions: [0, 2],
  flexible: 0,
  fields: {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    replicas: array(int32()),
    isr: array(int32()),
    removingReplicas: array(int32()),
    addingReplicas: array(int32()),
    leader: int32({ default: -1 }),
    leaderRecoveryState: int8({ tag: 0 }),
    leaderEpoch: int32({ default: -1 }),
    partitionEpoch: int32({ default: -1 }),
    directories: array(uuid(), { since: 1 }),
    eligibleLeaderReplicas: array(int32(), { since: 2, nullable: 2, tag: 1, default: null }),
    lastKnownElr: array(int32(), { since: 2, nullable: 2, tag: 2, default: null }),
  },
})

/** A setting of a topic (resource type 2) or broker (4) was set, or with a null value removed. */
export const configRecord = defineRecord({
  key: 4,
  name: 'ConfigRecord',
  versions: [0, 0],
  flexible: 0,
  fields: { resourceType: int8(), resourceName: string(), name: string(), value: string({ nullable: 0 }) },
})

/** A partition has changed; what is left out stays. */
export const partitionChangeRecord = defineRecord({
  key: 5,
  name: 'PartitionChangeRecord',
  versions: [0, 2],
  flexible: 0,
  fields: {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    isr: array(int32(), { nullable: 0, tag: 0, default: null }),
    leader: int32({ tag: 1, default: -2 }),
    replicas: array(int32(), { nullable: 0, tag: 2, default: null }),
    removingReplicas: array(int32(), { nullable: 0, tag: 3, default: null }),
    addingReplicas: array(int32(), { nullable: 0, tag: 4, default: null }),
    leaderRecoveryState: int8({ tag: 5, default: -1 }),
    directories: array(uuid(), { since: 1, nullable: 1, tag: 8, default: null }),
    eligibleLeaderReplicas: array(int32(), { since: 2, nullable: 2, tag: 6, default: null }),
    lastKnownElr: array(int32(), { since: 2, nullable: 2, tag: 7, default: null }),
  },
})

/** A topic and all its partitions are gone. */
export const removeTopicRecord = defineRecord({
  key: 9,
  name: 'RemoveTopicRecord',
  versions: [0, 0],
  flexible: 0,
  fields: { topicId: uuid() },
})

/** A user has these SCRAM credentials of this mechanism (1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512). */
export const userScramCredentialRecord = defineRecord({
  key: 11,
  name: 'UserScramCredentialRecord',
  versions: [0, 0],
  flexible: 0,
  fields: {
    name: string(),
    mechanism: int8(),
    salt: bytes(),
    storedKey: bytes(),
    serverKey: bytes(),
    iterations: int32(),
  },
})

/** A feature is finalized at this level. */
export const featureLevelRecord = defineRecord({
  key: 12,
  name: 'FeatureLevelRecord',
  versions: [0, 0],
  flexible: 0,
  fields: { name: string(), featureLevel: int16() },
})

/** A quota of a user, a client id or both was set to this value, or removed; a name of null is the default. */
export const clientQuotaRecord = defineRecord({
  key: 14,
  name: 'ClientQuotaRecord',
  versions: [0, 0],
  flexible: 0,
  fields: {
    entity: array({ entityType: string(), entityName: string({ nullable: 0 }) }),
    key: string(),
    value: float64(),
    remove: bool(),
  },
})

/** A broker took a block of producer ids; the next one starts at `nextProducerId`. */
export const producerIdsRecord = defineRecord({
  key: 15,
  name: 'ProducerIdsRecord',
  versions: [0, 0],
  flexible: 0,
  fields: { brokerId: int32(), brokerEpoch: int64({ default: -1 }), nextProducerId: int64() },
})

/** A user has no SCRAM credentials of this mechanism any more. */
export const removeUserScramCredentialRecord = defineRecord({
  key: 22,
  name: 'RemoveUserScramCredentialRecord',
  versions: [0, 0],
  flexible: 0,
  fields: { name: string(), mechanism: int8() },
})

/** There is this access control entry. */
export const accessControlEntryRecord = defineRecord({
  key: 18,
  name: 'AccessControlEntryRecord',
  versions: [0, 0],
  flexible: 0,
  fields: {
    id: uuid(),
    resourceType: int8(),
    resourceName: string(),
    patternType: int8(),
    principal: string(),
    host: string(),
    operation: int8(),
    permissionType: int8(),
  },
})

/** There is no such access control entry any more. */
export const removeAccessControlEntryRecord = defineRecord({
  key: 19,
  name: 'RemoveAccessControlEntryRecord',
  versions: [0, 0],
  flexible: 0,
  fields: { id: uuid() },
})
