/**
 * The error table: every error Ottla knows, once. The ErrorCode type, OttlaError's properties and docs/errors.md
 * follow from it. Names, numbers and retriability of the protocol's errors are Kafka's.
 */

/** What the table says of one error. */
export interface ErrorEntry {
  /** Kafka's protocol code; -1 for errors that only Ottla has. */
  readonly kafkaCode: number
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retriable: boolean
  /** What happened, in a sentence. */
  readonly meaning: string
}

const kafka = (kafkaCode: number, retriable: boolean, meaning: string): ErrorEntry => ({
  kafkaCode,
  retriable,
  meaning,
})
const own = (retriable: boolean, meaning: string): ErrorEntry => ({ kafkaCode: -1, retriable, meaning })

/** Name to kafkaCode, retriable and meaning. */
export const ERRORS = {
  // Errors of Kafka's protocol.
  UNKNOWN_SERVER_ERROR: kafka(
    -1,
    false,
    'The broker failed in a way that it has no code for; its log says more.',
  ),
  OFFSET_OUT_OF_RANGE: kafka(
    1,
    false,
    'The offset lies before the log start offset or behind the end of the partition.',
  ),
  CORRUPT_MESSAGE: kafka(
    2,
    true,
    'A record batch fails its CRC or its length does not match its contents; sending it again may help.',
  ),
  UNKNOWN_TOPIC_OR_PARTITION: kafka(
    3,
    true,
    'The broker does not host such a topic or partition, or does not know of it yet.',
  ),
  INVALID_FETCH_SIZE: kafka(4, false, 'A fetch asks for a number of bytes that cannot be.'),
  LEADER_NOT_AVAILABLE: kafka(
    5,
    true,
    'The partition has no leader at the moment; an election usually ends that soon.',
  ),
  NOT_LEADER_OR_FOLLOWER: kafka(
    6,
    true,
    'The broker asked is not the leader of the partition, or for a fetch holds no replica of it; refresh the metadata.',
  ),
  REQUEST_TIMED_OUT: kafka(
    7,
    true,
    'The broker could not finish the request within the time that the request allows.',
  ),
  BROKER_NOT_AVAILABLE: kafka(8, false, 'The broker that would have to answer is not running.'),
  REPLICA_NOT_AVAILABLE: kafka(
    9,
    true,
    'The replica asked for is missing on this broker, for instance while it is being moved.',
  ),
  MESSAGE_TOO_LARGE: kafka(
    10,
    false,
    'A record batch is larger than the topic takes; raise max.message.bytes or send less at once.',
  ),
  STALE_CONTROLLER_EPOCH: kafka(11, false, 'The request comes from a controller that was replaced since.'),
  OFFSET_METADATA_TOO_LARGE: kafka(
    12,
    false,
    'The text committed along with an offset is longer than the broker stores.',
  ),
  NETWORK_EXCEPTION: kafka(
    13,
    true,
    'The connection broke before the answer was there; whether the request took effect is unknown.',
  ),
  COORDINATOR_LOAD_IN_PROGRESS: kafka(
    14,
    true,
    'The coordinator is still reading its log after a start or a move; ask again shortly.',
  ),
  COORDINATOR_NOT_AVAILABLE: kafka(
    15,
    true,
    'There is no coordinator for the group or transaction at the moment; look it up again.',
  ),
  NOT_COORDINATOR: kafka(
    16,
    true,
    'The broker asked does not coordinate this group or transaction; look the coordinator up again.',
  ),
  INVALID_TOPIC_EXCEPTION: kafka(
    17,
    false,
    "The topic's name is not allowed, or the topic is internal and closed to this request.",
  ),
  RECORD_LIST_TOO_LARGE: kafka(18, false, 'The batch would not fit into a segment of the log.'),
  NOT_ENOUGH_REPLICAS: kafka(
    19,
    true,
    'Fewer replicas are in sync than min.insync.replicas asks for, so nothing was written.',
  ),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: kafka(
    20,
    true,
    'The records were written, but then fewer replicas were in sync than min.insync.replicas asks for; sending again may duplicate.',
  ),
  INVALID_REQUIRED_ACKS: kafka(21, false, 'acks has a value other than -1 (all), 0 and 1.'),
  ILLEGAL_GENERATION: kafka(
    22,
    false,
    'The member speaks for a generation of the group that is not the present one; it has to join again.',
  ),
  INCONSISTENT_GROUP_PROTOCOL: kafka(
    23,
    false,
    'The member shares no protocol type or assignor with the rest of the group.',
  ),
  INVALID_GROUP_ID: kafka(24, false, 'The group id is empty or otherwise unusable.'),
  UNKNOWN_MEMBER_ID: kafka(
    25,
    false,
    'The group has no such member, perhaps because its session expired; it has to join again.',
  ),
  INVALID_SESSION_TIMEOUT: kafka(
    26,
    false,
    'The session timeout lies outside of what the broker allows (group.min.session.timeout.ms to group.max.session.timeout.ms).',
  ),
  REBALANCE_IN_PROGRESS: kafka(
    27,
    false,
    'The group is rebalancing; the member has to join again before it goes on.',
  ),
  INVALID_COMMIT_OFFSET_SIZE: kafka(28, false, 'The offset commit is larger than the broker stores.'),
  TOPIC_AUTHORIZATION_FAILED: kafka(29, false, 'The client is not allowed to do this with the topic.'),
  GROUP_AUTHORIZATION_FAILED: kafka(30, false, 'The client is not allowed to do this with the group.'),
  CLUSTER_AUTHORIZATION_FAILED: kafka(31, false, 'The client is not allowed to do this to the cluster.'),
  INVALID_TIMESTAMP: kafka(
    32,
    false,
    "A record's timestamp is farther from the broker's clock than the topic allows.",
  ),
  UNSUPPORTED_SASL_MECHANISM: kafka(
    33,
    false,
    'The broker does not offer the SASL mechanism that the client chose.',
  ),
  ILLEGAL_SASL_STATE: kafka(
    34,
    false,
    'A request came that does not belong to this step of the SASL exchange.',
  ),
  UNSUPPORTED_VERSION: kafka(
    35,
    false,
    'The other side does not speak this API in this version, or the version cannot express what was asked.',
  ),
  TOPIC_ALREADY_EXISTS: kafka(36, false, 'There is a topic with this name already.'),
  INVALID_PARTITIONS: kafka(
    37,
    false,
    'The number of partitions is below one, or not above the present one.',
  ),
  INVALID_REPLICATION_FACTOR: kafka(
    38,
    false,
    'The replication factor is below one or above the number of brokers.',
  ),
  INVALID_REPLICA_ASSIGNMENT: kafka(
    39,
    false,
    'The assignment of replicas to brokers contradicts itself or names unknown brokers.',
  ),
  INVALID_CONFIG: kafka(40, false, 'A configuration has an unknown name or a value that it cannot take.'),
  NOT_CONTROLLER: kafka(41, true, 'The broker asked is not the active controller; refresh the metadata.'),
  INVALID_REQUEST: kafka(
    42,
    false,
    'The request contradicts itself or lacks something; the message says what.',
  ),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: kafka(
    43,
    false,
    'The format of the stored or sent messages is too old for what was asked.',
  ),
  POLICY_VIOLATION: kafka(44, false, "A policy that the cluster's owner installed forbids the request."),
  OUT_OF_ORDER_SEQUENCE_NUMBER: kafka(
    45,
    false,
    "A producer's sequence number leaves a gap behind the last batch of its that was stored.",
  ),
  DUPLICATE_SEQUENCE_NUMBER: kafka(
    46,
    false,
    'The batch was stored before, too long ago to tell at which offset.',
  ),
  INVALID_PRODUCER_EPOCH: kafka(
    47,
    false,
    "The producer's epoch is older than the one the partition knows: another instance took over.",
  ),
  INVALID_TXN_STATE: kafka(48, false, 'The transaction is not in a state in which this can be done.'),
  INVALID_PRODUCER_ID_MAPPING: kafka(49, false, 'The transactional id now belongs to another producer id.'),
  INVALID_TRANSACTION_TIMEOUT: kafka(
    50,
    false,
    'The transaction timeout is not positive or above transaction.max.timeout.ms.',
  ),
  CONCURRENT_TRANSACTIONS: kafka(
    51,
    true,
    "The producer's previous transaction is still being completed; try again shortly.",
  ),
  TRANSACTION_COORDINATOR_FENCED: kafka(
    52,
    false,
    'A transaction marker comes from a coordinator that was replaced since.',
  ),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: kafka(
    53,
    false,
    'The client is not allowed to use the transactional id.',
  ),
  SECURITY_DISABLED: kafka(
    54,
    false,
    'The broker runs without the security feature that the request is about.',
  ),
  OPERATION_NOT_ATTEMPTED: kafka(
    55,
    false,
    'This part of the request was left alone because another part failed.',
  ),
  KAFKA_STORAGE_ERROR: kafka(56, true, 'The broker could not read from or write to its storage.'),
  LOG_DIR_NOT_FOUND: kafka(57, false, 'The broker has no such log directory.'),
  SASL_AUTHENTICATION_FAILED: kafka(58, false, 'The credentials were refused.'),
  UNKNOWN_PRODUCER_ID: kafka(
    59,
    false,
    'The partition holds nothing of this producer any more, so its sequence cannot be continued.',
  ),
  REASSIGNMENT_IN_PROGRESS: kafka(60, false, "The partition's replicas are being moved at the moment."),
  DELEGATION_TOKEN_AUTH_DISABLED: kafka(61, false, 'The broker is not set up for delegation tokens.'),
  DELEGATION_TOKEN_NOT_FOUND: kafka(62, false, 'There is no such delegation token.'),
  DELEGATION_TOKEN_OWNER_MISMATCH: kafka(63, false, 'The delegation token belongs to somebody else.'),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: kafka(
    64,
    false,
    'Delegation tokens are not handed out over this kind of connection.',
  ),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: kafka(
    65,
    false,
    'The client is not allowed to do this with the delegation token.',
  ),
  DELEGATION_TOKEN_EXPIRED: kafka(66, false, 'The delegation token is past its time.'),
  INVALID_PRINCIPAL_TYPE: kafka(67, false, 'The kind of principal named is not supported.'),
  NON_EMPTY_GROUP: kafka(68, false, 'The group still has members; it can be deleted when they have left.'),
  GROUP_ID_NOT_FOUND: kafka(69, false, 'There is no group with this id.'),
  FETCH_SESSION_ID_NOT_FOUND: kafka(
    70,
    true,
    'The broker has dropped the fetch session; the next fetch opens a new one.',
  ),
  INVALID_FETCH_SESSION_EPOCH: kafka(
    71,
    true,
    'The fetch is not the next one of its session; the client starts a new session.',
  ),
  LISTENER_NOT_FOUND: kafka(
    72,
    true,
    'The leader cannot be reached through the listener on which the metadata was asked for.',
  ),
  TOPIC_DELETION_DISABLED: kafka(73, false, 'The broker is configured not to delete topics.'),
  FENCED_LEADER_EPOCH: kafka(
    74,
    true,
    "The request's leader epoch is older than the broker's; refresh the metadata.",
  ),
  UNKNOWN_LEADER_EPOCH: kafka(
    75,
    true,
    "The request's leader epoch is newer than what the broker has heard of; try again shortly.",
  ),
  UNSUPPORTED_COMPRESSION_TYPE: kafka(
    76,
    false,
    "The client's version of the request cannot carry the compression of the records.",
  ),
  STALE_BROKER_EPOCH: kafka(
    77,
    false,
    'The request comes from a registration of the broker that was replaced since.',
  ),
  OFFSET_NOT_AVAILABLE: kafka(
    78,
    true,
    'A new leader does not know its high watermark yet; ask again shortly.',
  ),
  MEMBER_ID_REQUIRED: kafka(79, false, 'A new member was told its id and has to join again with it.'),
  PREFERRED_LEADER_NOT_AVAILABLE: kafka(
    80,
    true,
    'The first replica of the partition cannot lead at the moment.',
  ),
  GROUP_MAX_SIZE_REACHED: kafka(81, false, 'The group has as many members as group.max.size allows.'),
  FENCED_INSTANCE_ID: kafka(82, false, 'Another member has joined under the same group.instance.id.'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: kafka(
    83,
    true,
    'None of the replicas that may lead the partition is alive.',
  ),
  ELECTION_NOT_NEEDED: kafka(
    84,
    true,
    'The partition has the leader already that the election would choose.',
  ),
  NO_REASSIGNMENT_IN_PROGRESS: kafka(
    85,
    false,
    "There is no move of the partition's replicas that could be cancelled.",
  ),
  GROUP_SUBSCRIBED_TO_TOPIC: kafka(
    86,
    false,
    'Offsets cannot be deleted while a member of the group still subscribes to the topic.',
  ),
  INVALID_RECORD: kafka(
    87,
    false,
    'A record breaks a rule of its topic or of the format, so its batch was refused.',
  ),
  UNSTABLE_OFFSET_COMMIT: kafka(
    88,
    true,
    'A transaction with offsets of the group is still open; ask again when it has ended.',
  ),
  THROTTLING_QUOTA_EXCEEDED: kafka(89, true, 'The client has used up its quota; wait before trying again.'),
  PRODUCER_FENCED: kafka(
    90,
    false,
    'A newer instance of the producer has taken over its transactional id; this one has to stop.',
  ),
  RESOURCE_NOT_FOUND: kafka(91, false, 'What the request names does not exist.'),
  DUPLICATE_RESOURCE: kafka(
    92,
    false,
    'The request names the same thing twice, or a thing that exists already.',
  ),
  UNACCEPTABLE_CREDENTIAL: kafka(
    93,
    false,
    'The credential does not meet the rules, for instance with too few iterations.',
  ),
  INCONSISTENT_VOTER_SET: kafka(94, false, 'Two sides of a controller election disagree on who may vote.'),
  INVALID_UPDATE_VERSION: kafka(95, false, 'The version given for an update is not valid.'),
  FEATURE_UPDATE_FAILED: kafka(
    96,
    false,
    'A feature of the cluster could not be set to the level asked for.',
  ),
  PRINCIPAL_DESERIALIZATION_FAILURE: kafka(
    97,
    false,
    'A forwarded request names its principal in a form that cannot be read.',
  ),
  SNAPSHOT_NOT_FOUND: kafka(
    98,
    false,
    'The snapshot of the metadata log is gone; a newer one has taken its place.',
  ),
  POSITION_OUT_OF_RANGE: kafka(99, false, 'A fetch of a snapshot starts behind its end.'),
  UNKNOWN_TOPIC_ID: kafka(
    100,
    true,
    'The broker knows no topic with this id: it was deleted, re-created or not heard of yet.',
  ),
  DUPLICATE_BROKER_REGISTRATION: kafka(101, false, 'A running broker has the same node id already.'),
  BROKER_ID_NOT_REGISTERED: kafka(102, false, 'No broker is registered under this node id.'),
  INCONSISTENT_TOPIC_ID: kafka(103, true, 'The topic id of the request is not the one that the log carries.'),
  INCONSISTENT_CLUSTER_ID: kafka(104, false, 'The request is meant for another cluster.'),
  TRANSACTIONAL_ID_NOT_FOUND: kafka(105, false, 'The coordinator knows no such transactional id.'),
  FETCH_SESSION_TOPIC_ID_ERROR: kafka(
    106,
    true,
    'The fetch session mixes topics named by id with topics named by name; the client starts a new session.',
  ),
  INELIGIBLE_REPLICA: kafka(
    107,
    false,
    'The replica may not join the in-sync replicas at the moment, because it is fenced or shutting down.',
  ),
  NEW_LEADER_ELECTED: kafka(
    108,
    false,
    'The change has moved the leadership to another replica; refresh the metadata.',
  ),
  OFFSET_MOVED_TO_TIERED_STORAGE: kafka(109, false, 'The records at this offset lie in remote storage only.'),
  FENCED_MEMBER_EPOCH: kafka(
    110,
    false,
    "The coordinator has fenced the member's epoch; it gives up its partitions and joins again.",
  ),
  UNRELEASED_INSTANCE_ID: kafka(
    111,
    false,
    'The group.instance.id is still in use by a member that has not left.',
  ),
  UNSUPPORTED_ASSIGNOR: kafka(
    112,
    false,
    'The coordinator does not have the assignor that the member asks for.',
  ),
  STALE_MEMBER_EPOCH: kafka(
    113,
    false,
    "The member's epoch is behind; with the one of its next heartbeat it can try again.",
  ),
  MISMATCHED_ENDPOINT_TYPE: kafka(
    114,
    false,
    'The request was meant for a broker and reached a controller, or the other way round.',
  ),
  UNSUPPORTED_ENDPOINT_TYPE: kafka(
    115,
    false,
    'The kind of endpoint that the request asks for is not known.',
  ),
  UNKNOWN_CONTROLLER_ID: kafka(116, false, 'There is no controller with this id.'),
  UNKNOWN_SUBSCRIPTION_ID: kafka(
    117,
    false,
    "The client's telemetry subscription is out of date; it has to ask for the present one.",
  ),
  TELEMETRY_TOO_LARGE: kafka(118, false, 'The metrics pushed are larger than the broker takes.'),
  INVALID_REGISTRATION: kafka(119, false, 'The controller refuses the registration of the broker.'),
  TRANSACTION_ABORTABLE: kafka(
    120,
    false,
    'The transaction can only be aborted; the producer can go on with a new one.',
  ),
  INVALID_RECORD_STATE: kafka(121, false, 'The record is not in a state that allows this acknowledgement.'),
  SHARE_SESSION_NOT_FOUND: kafka(
    122,
    true,
    'The broker has dropped the share session; the next fetch opens a new one.',
  ),
  INVALID_SHARE_SESSION_EPOCH: kafka(
    123,
    true,
    'The request is not the next one of its share session; the client starts a new session.',
  ),
  FENCED_STATE_EPOCH: kafka(124, false, "The share coordinator has a newer epoch of the group's state."),
  INVALID_VOTER_KEY: kafka(
    125,
    false,
    "The voter's id and directory do not match those of the replica that was asked.",
  ),
  DUPLICATE_VOTER: kafka(126, false, 'The replica is one of the voters already.'),
  VOTER_NOT_FOUND: kafka(127, false, 'The replica is none of the voters.'),
  INVALID_REGULAR_EXPRESSION: kafka(128, false, "The subscription's regular expression does not parse."),
  REBOOTSTRAP_REQUIRED: kafka(
    129,
    false,
    'What the client knows of the cluster is of no use any more; it has to start again from its bootstrap servers.',
  ),
  STREAMS_INVALID_TOPOLOGY: kafka(
    130,
    false,
    'The coordinator refuses the topology of the streams application.',
  ),
  STREAMS_INVALID_TOPOLOGY_EPOCH: kafka(
    131,
    false,
    "The epoch of the streams application's topology is not valid.",
  ),
  STREAMS_TOPOLOGY_FENCED: kafka(132, false, 'The member runs an older topology than its streams group.'),
  SHARE_SESSION_LIMIT_REACHED: kafka(
    133,
    true,
    'The broker has as many share sessions as it allows; try again later.',
  ),

  // Errors that only Ottla has.
  INVALID_ARGUMENT: own(false, 'An argument or option has a value that cannot be used.'),
  UNKNOWN_OPTION: own(false, 'An option has a name that does not exist.'),
  ITEMS_FAILED: own(
    false,
    'Of the items that a call named some failed; `details.failed` has why for each, `details.succeeded` the others.',
  ),
  RESOURCE_CLOSED: own(false, 'What was called has been closed.'),
  TOPIC_MISMATCH: own(false, 'A topic exists already, but not as it was asked for.'),
  POLL_TIMED_OUT: own(
    true,
    'A consumer was not asked for messages within maxPollIntervalMs and left its group.',
  ),
  SERIALIZATION_FAILED: own(false, "A key or value does not fit the topic's serde."),
  DESERIALIZATION_FAILED: own(false, "A stored key or value cannot be decoded by the topic's serde."),
  NO_OFFSET_FOR_PARTITION: own(false, 'The group has no committed offset, and autoOffsetReset is none.'),
  DELIVERY_TIMED_OUT: own(false, 'A record was not acknowledged within deliveryTimeoutMs.'),
  TRANSACTION_ABORTED: own(
    false,
    'A record was not sent, or is not to be seen, because its transaction was aborted.',
  ),
  BUFFER_EXHAUSTED: own(true, 'The producer had no room for the record within maxBlockMs.'),
  STORAGE_LOCKED: own(false, 'Another owner holds the storage folder.'),
  STORAGE_FAILED: own(
    false,
    'The storage failed a write and refuses everything until it was closed and reopened.',
  ),
  STORAGE_CORRUPT: own(false, 'Stored data is damaged or missing below the acknowledged end.'),
  STORAGE_NOT_EMPTY: own(
    false,
    'The storage holds something already: a log is copied into an empty one only, and a folder has one kind of storage.',
  ),
  COPY_INCOMPLETE: own(
    false,
    'The storage is the target of a copy that was not finished; remove it and copy again.',
  ),
  NOT_DAMAGED: own(false, 'There is nothing to repair: no batch is damaged or missing.'),
  DISK_BUDGET_EXCEEDED: own(
    false,
    'The disk budget (maxDiskBytes) is used up, and nothing may be dropped to make room.',
  ),
  CODEC_MISSING: own(false, 'A compression codec needs a package that is not installed.'),
  MALFORMED_MESSAGE: own(false, 'Bytes do not follow the protocol.'),
  INTERNAL_ERROR: own(false, 'A bug in Ottla: something that cannot happen did.'),
} as const satisfies Record<string, ErrorEntry>

/** The stable name of an error. */
export type ErrorCode = keyof typeof ERRORS
