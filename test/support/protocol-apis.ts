/** The declared APIs, by the name of their fixture file. */
import { alterConfigs } from '../../src/protocol/api/alter-configs.js'
import { apiVersions } from '../../src/protocol/api/api-versions.js'
import { createPartitions } from '../../src/protocol/api/create-partitions.js'
import { createTopics } from '../../src/protocol/api/create-topics.js'
import { deleteRecords } from '../../src/protocol/api/delete-records.js'
import { deleteTopics } from '../../src/protocol/api/delete-topics.js'
import { describeConfigs } from '../../src/protocol/api/describe-configs.js'
import { describeGroups } from '../../src/protocol/api/describe-groups.js'
import { fetch } from '../../src/protocol/api/fetch.js'
import { findCoordinator } from '../../src/protocol/api/find-coordinator.js'
import { heartbeat } from '../../src/protocol/api/heartbeat.js'
import { incrementalAlterConfigs } from '../../src/protocol/api/incremental-alter-configs.js'
import { initProducerId } from '../../src/protocol/api/init-producer-id.js'
import { joinGroup } from '../../src/protocol/api/join-group.js'
import { leaveGroup } from '../../src/protocol/api/leave-group.js'
import { listGroups } from '../../src/protocol/api/list-groups.js'
import { listOffsets } from '../../src/protocol/api/list-offsets.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import { offsetCommit } from '../../src/protocol/api/offset-commit.js'
import { offsetFetch } from '../../src/protocol/api/offset-fetch.js'
import { produce } from '../../src/protocol/api/produce.js'
import { syncGroup } from '../../src/protocol/api/sync-group.js'
import type { Api } from '../../src/protocol/schema.js'

/** Fixture name to declaration. */
export const PROTOCOL_APIS = {
  'alter-configs': alterConfigs,
  'api-versions': apiVersions,
  'create-partitions': createPartitions,
  'create-topics': createTopics,
  'delete-records': deleteRecords,
  'delete-topics': deleteTopics,
  'describe-configs': describeConfigs,
  'describe-groups': describeGroups,
  fetch,
  'find-coordinator': findCoordinator,
  heartbeat,
  'incremental-alter-configs': incrementalAlterConfigs,
  'init-producer-id': initProducerId,
  'join-group': joinGroup,
  'leave-group': leaveGroup,
  'list-groups': listGroups,
  'list-offsets': listOffsets,
  metadata,
  'offset-commit': offsetCommit,
  'offset-fetch': offsetFetch,
  produce,
  'sync-group': syncGroup,
} as const satisfies Record<string, Api>
