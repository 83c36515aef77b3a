/**
 * Authorized operations (KIP-430): what a client may do with a resource, as the bit field that Metadata,
 * DescribeCluster, DescribeGroups and DescribeTopicPartitions carry. As in Kafka without an authorizer that is
 * everything that can be done with it.
 */

/** What stands in the field when the client did not ask. */
export const OPERATIONS_NOT_ASKED_FOR = -0x80000000

/** Codes of Kafka's AclOperation; each is the number of its bit. */
const READ = 3
const WRITE = 4
const CREATE = 5
const DELETE = 6
const ALTER = 7
const DESCRIBE = 8
const CLUSTER_ACTION = 9
const DESCRIBE_CONFIGS = 10
const ALTER_CONFIGS = 11
const IDEMPOTENT_WRITE = 12

const bitsOf = (...operations: readonly number[]): number =>
  operations.reduce((bits, operation) => bits | (1 << operation), 0)

/** What there is to be done with a topic. */
export const TOPIC_OPERATIONS = bitsOf(
  READ,
  WRITE,
  CREATE,
  DELETE,
  ALTER,
  DESCRIBE,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
)

/** What there is to be done with a group. */
export const GROUP_OPERATIONS = bitsOf(READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS)

/** What there is to be done with the cluster. */
export const CLUSTER_OPERATIONS = bitsOf(
  CREATE,
  ALTER,
  DESCRIBE,
  CLUSTER_ACTION,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
  IDEMPOTENT_WRITE,
)
