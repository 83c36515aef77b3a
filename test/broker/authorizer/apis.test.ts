/**
 * Every API against the table of what it needs: with all of that it is served, without any one of it refused, and
 * refused when any one is denied.
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { AuthorizerSettings } from '../../../src/broker/authorizer/access.js'
import type { Need } from '../../../src/broker/authorizer/check.js'
import { GUARDS } from '../../../src/broker/authorizer/guards.js'
import { HANDLERS } from '../../../src/broker/handlers.js'
import { consumerGroupHeartbeat } from '../../../src/protocol/api/consumer-group-heartbeat.js'
import { createAcls } from '../../../src/protocol/api/create-acls.js'
import { initProducerId } from '../../../src/protocol/api/init-producer-id.js'
import { offsetCommit } from '../../../src/protocol/api/offset-commit.js'
import {
  ACL_OPERATIONS,
  ACL_PATTERN_TYPES,
  ACL_PERMISSION_TYPES,
  ACL_RESOURCE_TYPES,
  CLUSTER_NAME,
  type AclPermissionType,
} from '../../../src/protocol/acl.js'
import { ZERO_UUID } from '../../../src/runtime/uuid.js'
import { batchOf, openTestBroker, type TestBroker } from '../../support/test-broker.js'

/** By resource type: the error, and what the resource of that type is called here. */
const RESOURCES = {
  TOPIC: { code: 29, name: 't' },
  GROUP: { code: 30, name: 'g' },
  CLUSTER: { code: 31, name: CLUSTER_NAME },
  TRANSACTIONAL_ID: { code: 53, name: 'x' },
} as const
const CODES: readonly number[] = Object.values(RESOURCES).map(({ code }) => code)

/** A request that needs what it says; all that it needs when it says nothing. */
interface Sample {
  /** What must have happened before. */
  readonly prepare?: (broker: TestBroker) => Promise<unknown>
  readonly request: (topicId: string) => unknown
  readonly needs?: readonly `${string} ${string}`[]
  readonly apiVersion?: number
  /** What is left out where there is no field for an error. */
  readonly isRefused?: (response: never) => boolean
  /** Whose absence is a refusal of the cluster: what would do instead is not there either. */
  readonly code?: number
}

const partition = { partitionIndex: 0, partition: 0, index: 0 }
const group = { groupId: 'g', memberId: '', generationId: -1, groupInstanceId: null }
const topics = [{ name: 't', topic: 't', topicId: ZERO_UUID }]
const offsets = { ...partition, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }
const producer = { producerId: 1, producerEpoch: 0 }
const added = [{ name: 't', partitions: [0] }]
const addedByClient = {
  v3AndBelowTransactionalId: 'x',
  v3AndBelowProducerId: 1,
  v3AndBelowProducerEpoch: 0,
  v3AndBelowTopics: added,
}
const aclFilter = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}
const configured = [
  { resourceType: 2, resourceName: 't', configs: [], configurationKeys: null },
  { resourceType: 4, resourceName: '1', configs: [], configurationKeys: null },
]

const joining = {
  groupId: 'g',
  memberId: 'm',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: 1000,
  subscribedTopicNames: ['t'],
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: [],
}

const SAMPLES: Readonly<Record<string, readonly Sample[]>> = {
  Produce: [
    {
      request: (topicId) => ({
        transactionalId: 'x',
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ name: '', topicId, partitionData: [{ index: 0, records: [batchOf(['v'], 1)] }] }],
      }),
    },
  ],
  Fetch: [
    {
      request: (topicId) => ({
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1000,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            topic: '',
            topicId,
            partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, currentLeaderEpoch: -1 }],
          },
        ],
        forgottenTopicsData: [],
        rackId: '',
      }),
    },
  ],
  ListOffsets: [
    {
      request: () => ({
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: 't', partitions: [{ ...partition, currentLeaderEpoch: -1, timestamp: -1 }] }],
      }),
    },
  ],
  Metadata: [
    { request: () => ({ topics, allowAutoTopicCreation: true }), needs: ['DESCRIBE TOPIC'] },
    {
      request: (topicId) => ({ topics: [{ name: null, topicId }], allowAutoTopicCreation: true }),
      needs: ['DESCRIBE TOPIC'],
    },
    {
      request: () => ({ topics: [{ name: 't-new', topicId: ZERO_UUID }], allowAutoTopicCreation: true }),
    },
  ],
  OffsetCommit: [
    {
      request: () => ({
        ...group,
        generationIdOrMemberEpoch: -1,
        topics: [{ ...topics[0], partitions: [offsets] }],
      }),
      apiVersion: 9,
    },
    {
      request: (topicId) => ({
        ...group,
        generationIdOrMemberEpoch: -1,
        topics: [{ name: '', topicId, partitions: [offsets] }],
      }),
    },
  ],
  OffsetFetch: [
    {
      request: () => ({
        groupId: '',
        topics: null,
        groups: [{ groupId: 'g', topics: [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0] }] }],
      }),
      apiVersion: 9,
    },
    {
      request: () => ({ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }], groups: [] }),
      apiVersion: 7,
    },
  ],
  FindCoordinator: [
    { request: () => ({ key: '', keyType: 0, coordinatorKeys: ['g'] }), needs: ['DESCRIBE GROUP'] },
    {
      request: () => ({ key: '', keyType: 1, coordinatorKeys: ['x'] }),
      needs: ['DESCRIBE TRANSACTIONAL_ID'],
    },
    {
      request: () => ({ key: 'g', keyType: 0, coordinatorKeys: [] }),
      needs: ['DESCRIBE GROUP'],
      apiVersion: 3,
    },
  ],
  JoinGroup: [
    {
      request: () => ({
        ...group,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
      }),
    },
  ],
  SyncGroup: [{ request: () => ({ ...group, protocolType: null, protocolName: null, assignments: [] }) }],
  Heartbeat: [{ request: () => group }],
  LeaveGroup: [{ request: () => ({ ...group, members: [{ memberId: 'm', groupInstanceId: null }] }) }],
  DescribeGroups: [
    { request: () => ({ groups: ['g'], includeAuthorizedOperations: false }), needs: ['DESCRIBE GROUP'] },
  ],
  ConsumerGroupHeartbeat: [{ request: () => joining }],
  ConsumerGroupDescribe: [
    {
      prepare: ({ send }) => send(consumerGroupHeartbeat, joining),
      request: () => ({ groupIds: ['g'], includeAuthorizedOperations: false }),
    },
  ],
  ListGroups: [
    {
      request: () => ({ statesFilter: [], typesFilter: [] }),
      isRefused: ({ groups }: { readonly groups: readonly unknown[] }) => groups.length === 0,
    },
  ],
  CreateTopics: [
    {
      request: () => ({
        topics: [{ name: 't-new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
        timeoutMs: 1000,
        validateOnly: false,
      }),
    },
  ],
  DeleteTopics: [
    { request: () => ({ topics: [], topicNames: ['t'], timeoutMs: 1000 }), apiVersion: 5 },
    { request: () => ({ topics: [{ name: 't', topicId: ZERO_UUID }], topicNames: [], timeoutMs: 1000 }) },
    { request: (topicId) => ({ topics: [{ name: null, topicId }], topicNames: [], timeoutMs: 1000 }) },
  ],
  DeleteRecords: [
    {
      request: () => ({
        topics: [{ name: 't', partitions: [{ ...partition, offset: 0 }] }],
        timeoutMs: 1000,
      }),
    },
  ],
  InitProducerId: [
    {
      request: () => ({
        transactionalId: 'x',
        transactionTimeoutMs: 1000,
        producerId: -1,
        producerEpoch: -1,
      }),
      needs: ['WRITE TRANSACTIONAL_ID'],
    },
    {
      request: () => ({
        transactionalId: null,
        transactionTimeoutMs: 1000,
        producerId: -1,
        producerEpoch: -1,
      }),
      needs: ['WRITE TOPIC'],
      code: RESOURCES.CLUSTER.code,
    },
  ],
  OffsetForLeaderEpoch: [
    {
      request: () => ({
        replicaId: -1,
        topics: [{ topic: 't', partitions: [{ ...partition, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
      }),
    },
  ],
  AddPartitionsToTxn: [
    {
      request: () => ({ ...addedByClient, transactions: [] }),
      needs: ['WRITE TRANSACTIONAL_ID', 'WRITE TOPIC'],
      apiVersion: 3,
    },
    {
      request: () => ({
        v3AndBelowTransactionalId: '',
        v3AndBelowProducerId: 0,
        v3AndBelowProducerEpoch: 0,
        v3AndBelowTopics: [],
        transactions: [{ transactionalId: 'x', ...producer, verifyOnly: true, topics: added }],
      }),
      needs: ['CLUSTER_ACTION CLUSTER'],
    },
  ],
  AddOffsetsToTxn: [{ request: () => ({ transactionalId: 'x', ...producer, groupId: 'g' }) }],
  EndTxn: [{ request: () => ({ transactionalId: 'x', ...producer, committed: true }) }],
  TxnOffsetCommit: [
    {
      request: () => ({
        ...group,
        ...producer,
        transactionalId: 'x',
        topics: [{ name: 't', partitions: [offsets] }],
      }),
    },
  ],
  WriteTxnMarkers: [
    {
      request: () => ({
        markers: [
          {
            ...producer,
            transactionResult: false,
            coordinatorEpoch: 0,
            topics: [{ name: 't', partitionIndexes: [0] }],
          },
        ],
      }),
    },
  ],
  DescribeProducers: [{ request: () => ({ topics: [{ name: 't', partitionIndexes: [0] }] }) }],
  DescribeTransactions: [{ request: () => ({ transactionalIds: ['x'] }) }],
  ListTransactions: [
    {
      request: () => ({ stateFilters: [], producerIdFilters: [], durationFilter: -1 }),
      isRefused: ({ transactionStates }: { readonly transactionStates: readonly unknown[] }) =>
        transactionStates.length === 0,
    },
  ],
  DescribeConfigs: [{ request: () => ({ resources: configured }) }],
  AlterConfigs: [{ request: () => ({ resources: configured, validateOnly: true }) }],
  IncrementalAlterConfigs: [{ request: () => ({ resources: configured, validateOnly: true }) }],
  CreatePartitions: [
    {
      request: () => ({
        topics: [{ name: 't', count: 2, assignments: null }],
        timeoutMs: 1000,
        validateOnly: true,
      }),
    },
  ],
  DeleteGroups: [{ request: () => ({ groupsNames: ['g'] }) }],
  OffsetDelete: [{ request: () => ({ groupId: 'g', topics: [{ name: 't', partitions: [partition] }] }) }],
  DescribeTopicPartitions: [
    { request: () => ({ topics: [{ name: 't' }], responsePartitionLimit: 10, cursor: null }) },
  ],
  ListConfigResources: [{ request: () => ({ resourceTypes: [] }) }],
  DescribeLogDirs: [{ request: () => ({ topics: null }) }],
  DescribeAcls: [{ request: () => aclFilter }],
  CreateAcls: [
    { request: () => ({ creations: [creationOf({ operation: 'READ', resourceType: 'TOPIC' }, 'ALLOW')] }) },
  ],
  DeleteAcls: [{ request: () => ({ filters: [{ ...aclFilter, principalFilter: 'User:nobody' }] }) }],
  DescribeClientQuotas: [{ request: () => ({ components: [], strict: false }) }],
  AlterClientQuotas: [
    {
      request: () => ({
        entries: [
          {
            entity: [{ entityType: 'user', entityName: 'u' }],
            ops: [{ key: 'producer_byte_rate', value: 1, remove: false }],
          },
        ],
        validateOnly: false,
      }),
    },
  ],
  DescribeUserScramCredentials: [{ request: () => ({ users: null }) }],
  AlterUserScramCredentials: [
    { request: () => ({ deletions: [{ name: 'u', mechanism: 1 }], upsertions: [] }) },
  ],
}

/**
 * What Kafka asks for, from KafkaApis and ControllerApis. What would do instead is not in it: DESCRIBE of the cluster
 * for ListGroups, ALTER of the cluster for WriteTxnMarkers, CREATE and DELETE of the cluster for topics, IDEMPOTENT_WRITE for InitProducerId.
 */
const KAFKA: Readonly<Record<string, readonly string[]>> = {
  ApiVersions: [],
  SaslHandshake: [],
  SaslAuthenticate: [],
  DescribeCluster: [],
  Produce: ['WRITE TRANSACTIONAL_ID', 'WRITE TOPIC'],
  Fetch: ['READ TOPIC'],
  ListOffsets: ['DESCRIBE TOPIC'],
  Metadata: ['DESCRIBE TOPIC', 'CREATE TOPIC'],
  OffsetCommit: ['READ GROUP', 'READ TOPIC'],
  OffsetFetch: ['DESCRIBE GROUP', 'DESCRIBE TOPIC'],
  FindCoordinator: ['DESCRIBE GROUP', 'DESCRIBE TRANSACTIONAL_ID'],
  JoinGroup: ['READ GROUP'],
  SyncGroup: ['READ GROUP'],
  Heartbeat: ['READ GROUP'],
  LeaveGroup: ['READ GROUP'],
  DescribeGroups: ['DESCRIBE GROUP'],
  ConsumerGroupHeartbeat: ['READ GROUP', 'DESCRIBE TOPIC'],
  ConsumerGroupDescribe: ['DESCRIBE GROUP', 'DESCRIBE TOPIC'],
  ListGroups: ['DESCRIBE GROUP'],
  DeleteGroups: ['DELETE GROUP'],
  OffsetDelete: ['DELETE GROUP', 'READ TOPIC'],
  CreateTopics: ['CREATE TOPIC', 'DESCRIBE_CONFIGS TOPIC'],
  DeleteTopics: ['DELETE TOPIC'],
  DeleteRecords: ['DELETE TOPIC'],
  CreatePartitions: ['ALTER TOPIC'],
  OffsetForLeaderEpoch: ['DESCRIBE TOPIC'],
  DescribeTopicPartitions: ['DESCRIBE TOPIC'],
  InitProducerId: ['WRITE TRANSACTIONAL_ID', 'WRITE TOPIC'],
  AddPartitionsToTxn: ['WRITE TRANSACTIONAL_ID', 'WRITE TOPIC', 'CLUSTER_ACTION CLUSTER'],
  AddOffsetsToTxn: ['WRITE TRANSACTIONAL_ID', 'READ GROUP'],
  EndTxn: ['WRITE TRANSACTIONAL_ID'],
  TxnOffsetCommit: ['WRITE TRANSACTIONAL_ID', 'READ GROUP', 'READ TOPIC'],
  WriteTxnMarkers: ['CLUSTER_ACTION CLUSTER'],
  DescribeProducers: ['READ TOPIC'],
  DescribeTransactions: ['DESCRIBE TRANSACTIONAL_ID'],
  ListTransactions: ['DESCRIBE TRANSACTIONAL_ID'],
  DescribeConfigs: ['DESCRIBE_CONFIGS TOPIC', 'DESCRIBE_CONFIGS CLUSTER'],
  AlterConfigs: ['ALTER_CONFIGS TOPIC', 'ALTER_CONFIGS CLUSTER'],
  IncrementalAlterConfigs: ['ALTER_CONFIGS TOPIC', 'ALTER_CONFIGS CLUSTER'],
  ListConfigResources: ['DESCRIBE_CONFIGS CLUSTER'],
  DescribeLogDirs: ['DESCRIBE CLUSTER'],
  DescribeAcls: ['DESCRIBE CLUSTER'],
  CreateAcls: ['ALTER CLUSTER'],
  DeleteAcls: ['ALTER CLUSTER'],
  DescribeClientQuotas: ['DESCRIBE_CONFIGS CLUSTER'],
  AlterClientQuotas: ['ALTER_CONFIGS CLUSTER'],
  DescribeUserScramCredentials: ['DESCRIBE CLUSTER'],
  AlterUserScramCredentials: ['ALTER CLUSTER'],
}

const settings: AuthorizerSettings = { superUsers: new Set(['User:admin']), allowEveryoneIfNoAclFound: false }
const keyOf = ({ operation, resourceType }: Need): `${string} ${string}` => `${operation} ${resourceType}`

function creationOf({ operation, resourceType }: Need, permissionType: AclPermissionType) {
  const named: Readonly<Record<string, { readonly name: string } | undefined>> = RESOURCES
  return {
    resourceType: ACL_RESOURCE_TYPES[resourceType],
    resourceName: named[resourceType]?.name ?? '?',
    // The topics that are made here begin with the name of the one that is there.
    resourcePatternType: resourceType === 'TOPIC' ? ACL_PATTERN_TYPES.PREFIXED : ACL_PATTERN_TYPES.LITERAL,
    principal: 'User:alice',
    host: '10.0.0.1',
    operation: ACL_OPERATIONS[operation],
    permissionType: ACL_PERMISSION_TYPES[permissionType],
  }
}

const errorCodesIn = (value: unknown): number[] => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  if (Array.isArray(value)) return value.flatMap(errorCodesIn)
  return Object.entries(value).flatMap(([name, each]) =>
    /errorCode$/i.test(name) && typeof each === 'number' ? [each] : errorCodesIn(each),
  )
}

const open: TestBroker[] = []
afterEach(async () => {
  for (const { broker } of open.splice(0)) await broker.close()
})

/** What `principal` gets for the sample, where alice has these permissions. */
const ask = async (
  key: number,
  { request, apiVersion, prepare }: Sample,
  acls: readonly (readonly [Need, AclPermissionType])[],
  principal = 'User:alice',
): Promise<unknown> => {
  const broker = await openTestBroker({ 'transaction.state.log.num.partitions': 1 })
  open.push(broker)
  const topicId = await broker.createTopic('t')
  const id = { transactionalId: 'x', transactionTimeoutMs: 1000, producerId: -1, producerEpoch: -1 }
  await broker.send(initProducerId, id)
  const commit = {
    ...group,
    generationIdOrMemberEpoch: -1,
    topics: [{ name: '', topicId, partitions: [offsets] }],
  }
  await broker.send(offsetCommit, commit as never)
  await prepare?.(broker)
  const creations = acls.map(([need, permissionType]) => creationOf(need, permissionType))
  await broker.send(createAcls, { creations })
  const api = HANDLERS.get(key)!.api
  return broker.send(api, request(topicId) as never, {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    clientHost: '/10.0.0.1',
    principal,
    authorizer: settings,
  })
}

describe('the table', () => {
  it('has every API that there is a handler for', () => {
    expect([...GUARDS.keys()].sort()).toEqual([...HANDLERS.keys()].sort())
  })

  it('has all of its permissions tried here', () => {
    for (const { api, needs } of GUARDS.values()) {
      const tried = (SAMPLES[api.name] ?? []).flatMap((sample) => sample.needs ?? needs.map(keyOf))
      expect([api.name, [...new Set(tried)].sort()]).toEqual([
        api.name,
        [...new Set(needs.map(keyOf))].sort(),
      ])
    }
  })

  it('asks for what Kafka asks for', () => {
    for (const { api, needs } of GUARDS.values())
      expect([api.name, needs.map(keyOf)]).toEqual([api.name, KAFKA[api.name]])
  })
})

const cases = [...GUARDS.values()].flatMap(({ api, needs }) =>
  (SAMPLES[api.name] ?? []).map((sample, index) => {
    const needed = needs.filter((need) => sample.needs?.includes(keyOf(need) as never) ?? true)
    return [`${api.name} ${index}`, api.key, sample, needed] as const
  }),
)

describe.each(cases)('%s', (_name, key, sample, needs) => {
  const isRefused = (response: unknown, need: Need): boolean => {
    if (sample.isRefused !== undefined) return sample.isRefused(response as never)
    const code = sample.code ?? RESOURCES[need.resourceType as keyof typeof RESOURCES].code
    return errorCodesIn(response).includes(code)
  }
  const allow = (allowed: readonly Need[]) => allowed.map((need) => [need, 'ALLOW'] as const)

  it('is served with all that it needs, and to a super user', async () => {
    for (const principal of ['User:alice', 'User:admin']) {
      const response = await ask(key, sample, principal === 'User:admin' ? [] : allow(needs), principal)
      expect(errorCodesIn(response).filter((code) => CODES.includes(code))).toEqual([])
      if (sample.isRefused !== undefined) expect(sample.isRefused(response as never)).toBe(false)
    }
  })

  it('is refused to another', async () => {
    const response = await ask(key, sample, allow(needs), 'User:bob')
    expect(isRefused(response, needs[0]!)).toBe(true)
  })

  it.each(needs.map((need) => [keyOf(need), need] as const))('is refused without %s', async (_need, need) => {
    expect(isRefused(await ask(key, sample, allow(needs.filter((other) => other !== need))), need)).toBe(true)
  })

  it.each(needs.map((need) => [keyOf(need), need] as const))(
    'is refused with %s denied',
    async (_need, need) => {
      expect(isRefused(await ask(key, sample, [...allow(needs), [need, 'DENY']]), need)).toBe(true)
    },
  )
})
