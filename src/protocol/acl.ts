/** Kafka's numbers for what access control entries speak of, by the names that its Admin has for them (KIP-11, KIP-290). */

/** What is accessed. A cluster has one name, `kafka-cluster`. */
export type AclResourceType = 'TOPIC' | 'GROUP' | 'CLUSTER' | 'TRANSACTIONAL_ID' | 'DELEGATION_TOKEN' | 'USER'

/** What is done to it. */
export type AclOperation =
  | 'ALL'
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE'
  | 'CREATE_TOKENS'
  | 'DESCRIBE_TOKENS'

/** Whether an entry's name is the whole name of a resource, or how it begins. */
export type AclPatternType = 'LITERAL' | 'PREFIXED'

/** Whether it is allowed, or denied. */
export type AclPermissionType = 'DENY' | 'ALLOW'

/** Their numbers. */
export const ACL_RESOURCE_TYPES: Readonly<Record<AclResourceType, number>> = {
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
}

/** Their numbers. */
export const ACL_OPERATIONS: Readonly<Record<AclOperation, number>> = {
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
}

/** Their numbers. */
export const ACL_PATTERN_TYPES: Readonly<Record<AclPatternType, number>> = { LITERAL: 3, PREFIXED: 4 }

/** Their numbers. */
export const ACL_PERMISSION_TYPES: Readonly<Record<AclPermissionType, number>> = { DENY: 2, ALLOW: 3 }

/** In a filter: any type, operation or permission. */
export const ACL_ANY = 1
/** In a filter: all entries that concern the resource with the filter's name. */
export const ACL_MATCH = 2

/** The name of every principal, host and resource in an entry that is for all of them. */
export const ACL_WILDCARD = '*'
/** The name of the only resource of the type CLUSTER. */
export const CLUSTER_NAME = 'kafka-cluster'
