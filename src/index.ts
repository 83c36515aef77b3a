/** Everything that `ottla` exports, by hand. */
export { Ottla } from './ottla.js'
export type {
  Configs,
  CreateTopicOptions,
  OttlaOptions,
  RepairOptions,
  TopicOptions,
} from './ottla-options.js'
export type {
  BrokerEvents,
  CompactionEvent,
  CompactionFailedEvent,
  DiskBudgetEvent,
  GroupEvent,
  LogRecoveredEvent,
  PartitionOfflineEvent,
  RetentionEvent,
  SegmentRolledEvent,
  TopicEvent,
  TransactionTimedOutEvent,
} from './broker/broker-events.js'

// Looking after a log
export { copyLog } from './log/maintenance/copy-log.js'
export type { LogProgress, LogWorkOptions } from './log/maintenance/progress.js'
export type { PartitionRepair } from './log/maintenance/repair-partition.js'
export type { LogProblem, LogReport, PartitionReport, ProblemCode } from './log/maintenance/verify-report.js'

export type { LogInspection, PartitionInspection } from './broker/inspection.js'
export type { EpochEntry } from './log/epoch-cache.js'
export type { LastDropped } from './log/log-base.js'
export type { DroppedRecords, DropReason, LogRecovery, RolledSegment } from './log/log-events.js'
export type { LastCompaction } from './log/compaction/compaction-state.js'

// Topics and what is in them
export { Partition, Topic } from './clients/topic.js'
export type {
  AnyTopic,
  MessageOf,
  PartitionPosition,
  PartitionReader,
  ReadOptions,
  TopicDefinition,
} from './clients/topic.js'
export type { HeadersInput, Message, RecordHeader, TopicPartition } from './clients/message.js'

// Serdes
export { bytes } from './clients/serdes/bytes.js'
export { json } from './clients/serdes/json.js'
export { nullable } from './clients/serdes/nullable.js'
export { float32, float64, int16, int32, int64 } from './clients/serdes/numbers.js'
export { string } from './clients/serdes/string.js'
export type { Serde } from './clients/serdes/serde.js'
export type {
  SchemaFailure,
  SchemaIssue,
  SchemaPathSegment,
  SchemaResult,
  SchemaSuccess,
  StandardSchema,
} from './clients/serdes/standard-schema.js'

// Clients
export type { ClusterMetadata, PartitionMetadata, TopicMetadata } from './clients/cluster.js'
export type { BrokerAddress } from './protocol/channel.js'
export type { FoundOffset } from './clients/offset-lookup.js'
export { Producer } from './clients/producer/producer.js'
export type { FlushOptions, SendOptions } from './clients/producer/producer.js'
export { Transaction } from './clients/producer/transaction.js'
export type { TransactionOptions } from './clients/producer/transaction.js'
export type { ProducerMetrics } from './clients/producer/producer-metrics.js'
export type { ProducerOptions } from './clients/producer/producer-options.js'
export type { ProducerRecord } from './clients/producer/encode-record.js'
export type { RecordMetadata } from './clients/producer/delivery.js'
export type { Partitioner, PartitionerInput } from './clients/producer/partitioner.js'
export { Consumer } from './clients/consumer/consumer.js'
export type { PartitionOffset, TimeInPartition } from './clients/consumer/consumer.js'
export type { ConsumerMetrics } from './clients/consumer/consumer-metrics.js'
export type { ConsumerEvents } from './clients/consumer/consumer-events.js'
export type {
  AssignablePartition,
  ConsumerOptions,
  GroupConsumerOptions,
  ReadingOptions,
} from './clients/consumer/consumer-options.js'
export type { AutoOffsetReset, ResetByDuration } from './clients/consumer/auto-offset-reset.js'
export type { OffsetStore, StoredOffset } from './clients/consumer/offset-store.js'
export type { RebalanceListener, Revocation } from './clients/consumer/rebalance-callbacks.js'
export type { MessageBatch } from './clients/consumer/message-batch.js'
export type { FailureOptions } from './clients/consumer/failure-policy.js'
export type { EachBatchOptions, EachMessageOptions, RunOptions, RunSettings } from './clients/consumer/run.js'
export { ConsumerGroup } from './clients/group/consumer-group.js'
export type { ConsumerGroupOptions, GroupQueryOptions, JoinOptions } from './clients/group/consumer-group.js'
export type { CommittedOffset, OffsetToCommit } from './clients/group/group-offsets.js'
export { rangeAssignor } from './clients/group/range-assignor.js'
export { roundRobinAssignor } from './clients/group/round-robin-assignor.js'
export { cooperativeStickyAssignor } from './clients/group/cooperative-sticky-assignor.js'
export { stickyAssignor } from './clients/group/sticky-assignor.js'
export type {
  Assignable,
  AssignableMember,
  Assignor,
  LastAssignment,
  RebalanceProtocol,
} from './clients/group/assignor.js'
export { Admin } from './clients/admin/admin.js'
export type { AclBinding, AclBindingFilter, NewAclBinding } from './clients/admin/acls.js'
export type { AdminOptions, ChangeOptions } from './clients/admin/admin-options.js'
export type {
  ClusterDescription,
  DescribeClusterOptions,
  FeatureMetadata,
  FinalizedFeature,
  SupportedFeature,
} from './clients/admin/cluster.js'
export type {
  ConfigChanges,
  ConfigEntry,
  ConfigResource,
  ConfigSource,
  ConfigSynonym,
  DescribeConfigsOptions,
} from './clients/admin/configs.js'
export type { MemberToRemove, RemoveMembersOptions } from './clients/admin/group-members.js'
export type { GroupOffset, GroupOffsetToSet } from './clients/admin/group-offsets.js'
export type {
  GroupDescription,
  GroupListing,
  GroupMember,
  GroupState,
  GroupType,
  ListGroupsOptions,
} from './clients/admin/groups.js'
export type { ConsumerGroupDescription, ConsumerGroupMember } from './clients/admin/consumer-groups.js'
export type { LogDirDescription, ReplicaInfo } from './clients/admin/log-dirs.js'
export type { AbortTransactionSpec, PartitionProducers, ProducerState } from './clients/admin/producers.js'
export type {
  ClientQuotaAlteration,
  ClientQuotaEntity,
  ClientQuotaFilter,
  ClientQuotaFilterComponent,
  ClientQuotaKey,
  ClientQuotaOp,
  ClientQuotasDescription,
} from './clients/admin/quotas.js'
export type { DeletedRecords, RecordsToDelete } from './clients/admin/records.js'
export type {
  ScramCredentialInfo,
  UserScramCredentialAlteration,
  UserScramCredentialDeletion,
  UserScramCredentialsDescription,
  UserScramCredentialUpsertion,
} from './clients/admin/scram.js'
export type { ListedOffset, ListOffsetsOptions, OffsetSpec } from './clients/admin/offsets.js'
export type {
  CreatedTopic,
  CreatePartitionsOptions,
  NewTopic,
  TopicDescription,
} from './clients/admin/topics.js'
export type {
  ListTransactionsOptions,
  TransactionDescription,
  TransactionListing,
  TransactionState,
} from './clients/admin/transactions.js'

// The listener
export type {
  ClientRefusedEvent,
  Listener,
  ListenerAddress,
  ListenerEvents,
} from './network/listener/listener.js'
export type {
  AdvertisedOptions,
  AuthorizerOptions,
  ListenerOptions,
} from './network/listener/listener-options.js'
export type { SaslClient } from './network/listener/sasl/exchange.js'
export type { BearerIdentity, BearerToken, BearerVerifier } from './network/listener/sasl/oauthbearer.js'
export type { PlainCredentials, PlainVerifier } from './network/listener/sasl/plain.js'
export type { SaslOptions } from './network/listener/sasl/sasl-options.js'
export type { AclOperation, AclPatternType, AclPermissionType, AclResourceType } from './protocol/acl.js'
export type { ScramMechanism } from './protocol/scram.js'
export type { TlsOptions } from './runtime/sockets.js'

// Errors
export { OttlaError } from './runtime/errors/ottla-error.js'
export type { ErrorDetails, ItemsFailedDetails, OttlaErrorOptions } from './runtime/errors/ottla-error.js'
export type { ErrorCode } from './runtime/errors/error-table.js'

// Seams
export type { Clock, ScheduledTimer } from './runtime/clock.js'
export type { Random } from './runtime/random.js'
export type { EventMap, EventSource } from './runtime/events.js'
export type { Resource } from './runtime/lifecycle.js'

// Observability
export type {
  BrokerMetrics,
  GroupCountMetrics,
  LogMetrics,
  PartitionCountMetrics,
} from './broker/metrics/broker-metrics.js'
export type { RequestMetrics } from './broker/metrics/request-sensors.js'
export type { TrafficMetrics } from './broker/metrics/traffic.js'
export type {
  ContextApi,
  PropagationApi,
  TraceApi,
  TraceLink,
  TraceSpan,
  TraceSpanOptions,
  TraceTracer,
  Tracing,
} from './clients/tracing/tracing.js'
export type { Logger } from './runtime/logger.js'
export type { HistogramSnapshot } from './runtime/metrics/histogram.js'
export type { Meter, Metric, Metrics, MetricValue } from './runtime/metrics/metrics.js'

export type { Uuid } from './runtime/uuid.js'
export type { TimestampType } from './record/header.js'
export type { DiskPolicy } from './log/disk-budget.js'
export type { Durability, LogStorage, StorageVolume } from './storage/contract.js'
