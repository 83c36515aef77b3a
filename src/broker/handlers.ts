/** The table of all APIs that this broker answers, each with its handler. */
import { addOffsetsToTxn } from '../protocol/api/add-offsets-to-txn.js'
import { addPartitionsToTxn } from '../protocol/api/add-partitions-to-txn.js'
import { alterClientQuotas } from '../protocol/api/alter-client-quotas.js'
import { alterConfigs } from '../protocol/api/alter-configs.js'
import { alterUserScramCredentials } from '../protocol/api/alter-user-scram-credentials.js'
import { apiVersions } from '../protocol/api/api-versions.js'
import { consumerGroupDescribe } from '../protocol/api/consumer-group-describe.js'
import { consumerGroupHeartbeat } from '../protocol/api/consumer-group-heartbeat.js'
import { createAcls } from '../protocol/api/create-acls.js'
import { createPartitions } from '../protocol/api/create-partitions.js'
import { createTopics } from '../protocol/api/create-topics.js'
import { deleteAcls } from '../protocol/api/delete-acls.js'
import { deleteGroups } from '../protocol/api/delete-groups.js'
import { deleteRecords } from '../protocol/api/delete-records.js'
import { deleteTopics } from '../protocol/api/delete-topics.js'
import { describeAcls } from '../protocol/api/describe-acls.js'
import { describeClientQuotas } from '../protocol/api/describe-client-quotas.js'
import { describeCluster } from '../protocol/api/describe-cluster.js'
import { describeConfigs } from '../protocol/api/describe-configs.js'
import { describeGroups } from '../protocol/api/describe-groups.js'
import { describeLogDirs } from '../protocol/api/describe-log-dirs.js'
import { describeProducers } from '../protocol/api/describe-producers.js'
import { describeTopicPartitions } from '../protocol/api/describe-topic-partitions.js'
import { describeTransactions } from '../protocol/api/describe-transactions.js'
import { describeUserScramCredentials } from '../protocol/api/describe-user-scram-credentials.js'
import { endTxn } from '../protocol/api/end-txn.js'
import { fetch } from '../protocol/api/fetch.js'
import { findCoordinator } from '../protocol/api/find-coordinator.js'
import { heartbeat } from '../protocol/api/heartbeat.js'
import { incrementalAlterConfigs } from '../protocol/api/incremental-alter-configs.js'
import { initProducerId } from '../protocol/api/init-producer-id.js'
import { joinGroup } from '../protocol/api/join-group.js'
import { leaveGroup } from '../protocol/api/leave-group.js'
import { listConfigResources } from '../protocol/api/list-config-resources.js'
import { listGroups } from '../protocol/api/list-groups.js'
import { listOffsets } from '../protocol/api/list-offsets.js'
import { listTransactions } from '../protocol/api/list-transactions.js'
import { metadata } from '../protocol/api/metadata.js'
import { offsetCommit } from '../protocol/api/offset-commit.js'
import { offsetDelete } from '../protocol/api/offset-delete.js'
import { offsetFetch } from '../protocol/api/offset-fetch.js'
import { offsetForLeaderEpoch } from '../protocol/api/offset-for-leader-epoch.js'
import { produce } from '../protocol/api/produce.js'
import { saslAuthenticate } from '../protocol/api/sasl-authenticate.js'
import { saslHandshake } from '../protocol/api/sasl-handshake.js'
import { syncGroup } from '../protocol/api/sync-group.js'
import { txnOffsetCommit } from '../protocol/api/txn-offset-commit.js'
import { writeTxnMarkers } from '../protocol/api/write-txn-markers.js'
import type { Api } from '../protocol/schema.js'
import { handleAddOffsetsToTxn } from './handlers/add-offsets-to-txn.js'
import { handleAddPartitionsToTxn } from './handlers/add-partitions-to-txn.js'
import { handleAlterClientQuotas } from './handlers/alter-client-quotas.js'
import { handleAlterConfigs } from './handlers/alter-configs.js'
import { handleAlterUserScramCredentials } from './handlers/alter-user-scram-credentials.js'
import { handleApiVersions } from './handlers/api-versions.js'
import { handleConsumerGroupDescribe } from './handlers/consumer-group-describe.js'
import { handleConsumerGroupHeartbeat } from './handlers/consumer-group-heartbeat.js'
import { handleCreateAcls } from './handlers/create-acls.js'
import { handleCreatePartitions } from './handlers/create-partitions.js'
import { handleCreateTopics } from './handlers/create-topics.js'
import { handleDeleteAcls } from './handlers/delete-acls.js'
import { handleDeleteGroups } from './handlers/delete-groups.js'
import { handleDeleteRecords } from './handlers/delete-records.js'
import { handleDeleteTopics } from './handlers/delete-topics.js'
import { handleDescribeAcls } from './handlers/describe-acls.js'
import { handleDescribeClientQuotas } from './handlers/describe-client-quotas.js'
import { handleDescribeCluster } from './handlers/describe-cluster.js'
import { handleDescribeConfigs } from './handlers/describe-configs.js'
import { handleDescribeGroups } from './handlers/describe-groups.js'
import { handleDescribeLogDirs } from './handlers/describe-log-dirs.js'
import { handleDescribeProducers } from './handlers/describe-producers.js'
import { handleDescribeTopicPartitions } from './handlers/describe-topic-partitions.js'
import { handleDescribeTransactions } from './handlers/describe-transactions.js'
import { handleDescribeUserScramCredentials } from './handlers/describe-user-scram-credentials.js'
import { handleEndTxn } from './handlers/end-txn.js'
import { handleFetch } from './handlers/fetch.js'
import { handleFindCoordinator } from './handlers/find-coordinator.js'
import { bind, type BoundHandler } from './handlers/handler.js'
import { handleHeartbeat } from './handlers/heartbeat.js'
import { handleIncrementalAlterConfigs } from './handlers/incremental-alter-configs.js'
import { handleInitProducerId } from './handlers/init-producer-id.js'
import { handleJoinGroup } from './handlers/join-group.js'
import { handleLeaveGroup } from './handlers/leave-group.js'
import { handleListConfigResources } from './handlers/list-config-resources.js'
import { handleListGroups } from './handlers/list-groups.js'
import { handleListOffsets } from './handlers/list-offsets.js'
import { handleListTransactions } from './handlers/list-transactions.js'
import { handleMetadata } from './handlers/metadata.js'
import { handleOffsetCommit } from './handlers/offset-commit.js'
import { handleOffsetDelete } from './handlers/offset-delete.js'
import { handleOffsetFetch } from './handlers/offset-fetch.js'
import { handleOffsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.js'
import { handleProduce } from './handlers/produce.js'
import { handleSaslAuthenticate, handleSaslHandshake } from './handlers/sasl.js'
import { handleSyncGroup } from './handlers/sync-group.js'
import { handleTxnOffsetCommit } from './handlers/txn-offset-commit.js'
import { handleWriteTxnMarkers } from './handlers/write-txn-markers.js'

const bound: readonly BoundHandler[] = [
  bind(produce, handleProduce),
  bind(fetch, handleFetch),
  bind(listOffsets, handleListOffsets),
  bind(metadata, handleMetadata),
  bind(offsetCommit, handleOffsetCommit),
  bind(offsetFetch, handleOffsetFetch),
  bind(findCoordinator, handleFindCoordinator),
  bind(joinGroup, handleJoinGroup),
  bind(heartbeat, handleHeartbeat),
  bind(leaveGroup, handleLeaveGroup),
  bind(syncGroup, handleSyncGroup),
  bind(describeGroups, handleDescribeGroups),
  bind(listGroups, handleListGroups),
  bind(saslHandshake, handleSaslHandshake),
  bind(
    apiVersions,
    handleApiVersions(() => apis),
  ),
  bind(createTopics, handleCreateTopics),
  bind(deleteTopics, handleDeleteTopics),
  bind(deleteRecords, handleDeleteRecords),
  bind(initProducerId, handleInitProducerId),
  bind(offsetForLeaderEpoch, handleOffsetForLeaderEpoch),
  bind(addPartitionsToTxn, handleAddPartitionsToTxn),
  bind(addOffsetsToTxn, handleAddOffsetsToTxn),
  bind(endTxn, handleEndTxn),
  bind(writeTxnMarkers, handleWriteTxnMarkers),
  bind(txnOffsetCommit, handleTxnOffsetCommit),
  bind(describeAcls, handleDescribeAcls),
  bind(createAcls, handleCreateAcls),
  bind(deleteAcls, handleDeleteAcls),
  bind(describeConfigs, handleDescribeConfigs),
  bind(alterConfigs, handleAlterConfigs),
  bind(describeLogDirs, handleDescribeLogDirs),
  bind(saslAuthenticate, handleSaslAuthenticate),
  bind(createPartitions, handleCreatePartitions),
  bind(deleteGroups, handleDeleteGroups),
  bind(incrementalAlterConfigs, handleIncrementalAlterConfigs),
  bind(offsetDelete, handleOffsetDelete),
  bind(describeClientQuotas, handleDescribeClientQuotas),
  bind(alterClientQuotas, handleAlterClientQuotas),
  bind(describeUserScramCredentials, handleDescribeUserScramCredentials),
  bind(alterUserScramCredentials, handleAlterUserScramCredentials),
  bind(describeCluster, handleDescribeCluster),
  bind(describeProducers, handleDescribeProducers),
  bind(describeTransactions, handleDescribeTransactions),
  bind(listTransactions, handleListTransactions),
  bind(consumerGroupHeartbeat, handleConsumerGroupHeartbeat),
  bind(consumerGroupDescribe, handleConsumerGroupDescribe),
  bind(listConfigResources, handleListConfigResources),
  bind(describeTopicPartitions, handleDescribeTopicPartitions),
]

const apis: readonly Api[] = bound.map(({ api }) => api)

/** API key to handler. */
export const HANDLERS: ReadonlyMap<number, BoundHandler> = new Map(
  bound.map((handler) => [handler.api.key, handler]),
)
