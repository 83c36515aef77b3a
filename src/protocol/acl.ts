/** Kafka's numbers for what access control entries speak of, by the names that its Admin has for them (KIP-11, KIP-290). */

/** What is accessed. A cluster has one name, {@link CLUSTER_NAME}. */
export const ACL_RESOURCE_TYPES = {
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
} as const

/** What is done to it. */
export const ACL_OPERATIONS = {
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
} as const

/** Whether an entry's name is the whole name of a resource, or how it begins. */
export const ACL_PATTERN_TYPES = { LITERAL: 3, PREFIXED: 4 } as const

/** Whether it is allowed, or denied. */
export const ACL_PERMISSION_TYPES = { DENY: 2, ALLOW: 3 } as const

/** In a filter: any type, operation or permission. */
export const ACL_ANY = 1
/** In a filter: all entries that concern the resource with the filter's name. */
export const ACL_MATCH = 2

/** The name of every principal, host and resource in an entry that is for all of them. */
export const ACL_WILDCARD = '*'
/** The name of the only resource of the type CLUSTER. */
export const CLUSTER_NAME = 'kafka-cluster'

/** What is accessed. */
export type AclResourceType = keyof typeof ACL_RESOURCE_TYPES
/** What is done to it. */
export type AclOperation = keyof typeof ACL_OPERATIONS
/** Whether an entry's name is the whole name of a resource, or how it begins. */
export type AclPatternType = keyof typeof ACL_PATTERN_TYPES
/** Whether it is allowed, or denied. */
export type AclPermissionType = keyof typeof ACL_PERMISSION_TYPES
