/** The declared APIs, by the name of their fixture file. */
import { alterClientQuotas } from '../../src/protocol/api/alter-client-quotas.js'
import { alterConfigs } from '../../src/protocol/api/alter-configs.js'
import { alterUserScramCredentials } from '../../src/protocol/api/alter-user-scram-credentials.js'
import { apiVersions } from '../../src/protocol/api/api-versions.js'
import { consumerGroupDescribe } from '../../src/protocol/api/consumer-group-describe.js'
import { consumerGroupHeartbeat } from '../../src/protocol/api/consumer-group-heartbeat.js'
import { createAcls } from '../../src/protocol/api/create-acls.js'
import { createPartitions } from '../../src/protocol/api/create-partitions.js'
import { createTopics } from '../../src/protocol/api/create-topics.js'
import { deleteAcls } from '../../src/protocol/api/delete-acls.js'
import { deleteGroups } from '../../src/protocol/api/delete-groups.js'
import { deleteRecords } from '../../src/protocol/api/delete-records.js'
import { deleteTopics } from '../../src/protocol/api/delete-topics.js'
import { describeAcls } from '../../src/protocol/api/describe-acls.js'
import { describeClientQuotas } from '../../src/protocol/api/describe-client-quotas.js'
import { describeCluster } from '../../src/protocol/api/describe-cluster.js'
import { describeConfigs } from '../../src/protocol/api/describe-configs.js'
import { describeGroups } from '../../src/protocol/api/describe-groups.js'
import { describeLogDirs } from '../../src/protocol/api/describe-log-dirs.js'
import { describeTopicPartitions } from '../../src/protocol/api/describe-topic-partitions.js'
import { describeUserScramCredentials } from '../../src/protocol/api/describe-user-scram-credentials.js'
import { fetch } from '../../src/protocol/api/fetch.js'
import { findCoordinator } from '../../src/protocol/api/find-coordinator.js'
import { heartbeat } from '../../src/protocol/api/heartbeat.js'
import { incrementalAlterConfigs } from '../../src/protocol/api/incremental-alter-configs.js'
import { initProducerId } from '../../src/protocol/api/init-producer-id.js'
import { joinGroup } from '../../src/protocol/api/join-group.js'
import { leaveGroup } from '../../src/protocol/api/leave-group.js'
import { listConfigResources } from '../../src/protocol/api/list-config-resources.js'
import { listGroups } from '../../src/protocol/api/list-groups.js'
import { listOffsets } from '../../src/protocol/api/list-offsets.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import { offsetCommit } from '../../src/protocol/api/offset-commit.js'
import { offsetDelete } from '../../src/protocol/api/offset-delete.js'
import { offsetFetch } from '../../src/protocol/api/offset-fetch.js'
import { offsetForLeaderEpoch } from '../../src/protocol/api/offset-for-leader-epoch.js'
import { produce } from '../../src/protocol/api/produce.js'
import { saslAuthenticate } from '../../src/protocol/api/sasl-authenticate.js'
import { saslHandshake } from '../../src/protocol/api/sasl-handshake.js'
import { syncGroup } from '../../src/protocol/api/sync-group.js'
import type { Api } from '../../src/protocol/schema.js'

/** Fixture name to declaration. */
export const PROTOCOL_APIS = {
  'alter-client-quotas': alterClientQuotas,
  'alter-configs': alterConfigs,
  'alter-user-scram-credentials': alterUserScramCredentials,
  'api-versions': apiVersions,
  'consumer-group-describe': consumerGroupDescribe,
  'consumer-group-heartbeat': consumerGroupHeartbeat,
  'create-acls': createAcls,
  'create-partitions': createPartitions,
  'create-topics': createTopics,
  'delete-acls': deleteAcls,
  'delete-groups': deleteGroups,
  'delete-records': deleteRecords,
  'delete-topics': deleteTopics,
  'describe-acls': describeAcls,
  'describe-client-quotas': describeClientQuotas,
  'describe-cluster': describeCluster,
  'describe-configs': describeConfigs,
  'describe-groups': describeGroups,
  'describe-log-dirs': describeLogDirs,
  'describe-topic-partitions': describeTopicPartitions,
  'describe-user-scram-credentials': describeUserScramCredentials,
  fetch,
  'find-coordinator': findCoordinator,
  heartbeat,
  'incremental-alter-configs': incrementalAlterConfigs,
  'init-producer-id': initProducerId,
  'join-group': joinGroup,
  'leave-group': leaveGroup,
  'list-config-resources': listConfigResources,
  'list-groups': listGroups,
  'list-offsets': listOffsets,
  metadata,
  'offset-commit': offsetCommit,
  'offset-delete': offsetDelete,
  'offset-fetch': offsetFetch,
  'offset-for-leader-epoch': offsetForLeaderEpoch,
  produce,
  'sasl-authenticate': saslAuthenticate,
  'sasl-handshake': saslHandshake,
  'sync-group': syncGroup,
} as const satisfies Record<string, Api>
