/** Every API that is advertised, in every version, over a socket: asked for something that is there, it says so. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HANDLERS } from '../../../src/broker/handlers.js'
import { Ottla } from '../../../src/index.js'
import type { Listener } from '../../../src/network/listener/listener.js'
import { apiVersions } from '../../../src/protocol/api/api-versions.js'
import { encodeSubscription } from '../../../src/protocol/consumer-protocol.js'
import type { Api } from '../../../src/protocol/schema.js'
import { encodeBatch } from '../../../src/record/encode.js'
import { ZERO_UUID } from '../../../src/runtime/uuid.js'
import { WireClient } from '../../support/wire-client.js'

let ottla: Ottla
let listener: Listener
let topicId: string

beforeAll(async () => {
  ottla = await Ottla.open()
  const topic = await ottla.createTopic('t', { partitions: 2 })
  topicId = topic.id
  listener = await ottla.listen()
})
afterAll(() => ottla.close())

const batch = (): Uint8Array =>
  encodeBatch([{ timestamp: 1, key: null, value: new TextEncoder().encode('value'), headers: [] }])

let created = 0

/** What is asked, where asking for nothing shows little; what is left out is at its default, mostly an empty list. */
const QUESTIONS: Readonly<Record<string, (version: number) => Readonly<Record<string, unknown>>>> = {
  ApiVersions: () => ({ clientSoftwareName: 'wire', clientSoftwareVersion: '1' }),
  DescribeAcls: () => ({ resourceTypeFilter: 1, patternTypeFilter: 1, operation: 1, permissionType: 1 }),
  Metadata: (version) => ({
    topics: [{ topicId: version >= 12 ? topicId : ZERO_UUID, name: version >= 12 ? null : 't' }],
    allowAutoTopicCreation: true,
  }),
  Produce: (version) => ({
    acks: -1,
    timeoutMs: 1000,
    topicData: [
      {
        name: version < 13 ? 't' : '',
        topicId: version < 13 ? ZERO_UUID : topicId,
        partitionData: [{ index: 0, records: [batch()] }],
      },
    ],
  }),
  Fetch: (version) => ({
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1000,
    sessionEpoch: -1,
    topics: [
      {
        topic: version < 13 ? 't' : '',
        topicId: version < 13 ? ZERO_UUID : topicId,
        partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, currentLeaderEpoch: -1 }],
      },
    ],
  }),
  ListOffsets: () => ({
    replicaId: -1,
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -1 }] }],
  }),
  CreateTopics: (version) => ({
    topics: [
      {
        name: `created-${version}-${created++}`,
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      },
    ],
    timeoutMs: 1000,
    validateOnly: false,
  }),
  FindCoordinator: (version) => ({
    keyType: 0,
    key: version < 4 ? 'g' : '',
    coordinatorKeys: version < 4 ? [] : ['g'],
  }),
  OffsetCommit: () => ({
    groupId: 'simple',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [
      { name: 't', topicId, partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: 'm' }] },
    ],
  }),
  JoinGroup: (version) => ({
    groupId: `joined-${version}`,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [
      {
        name: 'range',
        metadata: encodeSubscription({
          topics: ['t'],
          userData: null,
          ownedPartitions: [],
          generationId: -1,
          rackId: null,
        }),
      },
    ],
  }),
  OffsetFetch: (version) =>
    version < 8
      ? { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }
      : {
          groups: [
            {
              groupId: 'g',
              memberEpoch: -1,
              topics: [
                {
                  name: version < 10 ? 't' : '',
                  ...(version < 10 ? {} : { topicId }),
                  partitionIndexes: [0],
                },
              ],
            },
          ],
        },
  DeleteTopics: (version) =>
    version < 6 ? { topicNames: ['nothing'] } : { topics: [{ name: 'nothing', topicId: ZERO_UUID }] },
  DescribeGroups: () => ({ groups: ['g'] }),
  LeaveGroup: (version) => ({
    groupId: 'g',
    ...(version < 3 ? { memberId: 'x' } : { members: [{ memberId: 'x' }] }),
  }),
  Heartbeat: () => ({ groupId: 'g', generationId: 1, memberId: 'x' }),
  ConsumerGroupHeartbeat: () => ({ groupId: 'g', memberId: 'x', memberEpoch: 1 }),
  ConsumerGroupDescribe: () => ({ groupIds: ['g'] }),
  SyncGroup: (version) => ({
    ...{ groupId: 'g', generationId: 1, memberId: 'x' },
    ...(version < 5 ? {} : { protocolType: 'consumer', protocolName: 'range' }),
  }),
  DescribeConfigs: () => ({ resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }] }),
  CreatePartitions: () => ({
    topics: [{ name: 't', count: 3, assignments: null }],
    timeoutMs: 1000,
    validateOnly: true,
  }),
  OffsetForLeaderEpoch: () => ({
    topics: [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
  }),
  DeleteGroups: () => ({ groupsNames: ['nothing'] }),
  OffsetDelete: () => ({
    groupId: 'nothing',
    topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
  }),
  DescribeCluster: () => ({ includeClusterAuthorizedOperations: true, endpointType: 1 }),
  DescribeTopicPartitions: () => ({
    topics: [{ name: 't' }],
    responsePartitionLimit: 1,
    cursor: { topicName: 't', partitionIndex: 0 },
  }),
  ListConfigResources: () => ({ resourceTypes: [] }),
  AddOffsetsToTxn: () => ({ transactionalId: 'nothing', groupId: 'g' }),
  EndTxn: () => ({ transactionalId: 'nothing' }),
  InitProducerId: () => ({
    transactionalId: null,
    transactionTimeoutMs: 1000,
    producerId: -1,
    producerEpoch: -1,
  }),
}

/** Error codes anywhere in a response. */
const errorCodes = (value: unknown): number[] => {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, of]) =>
    name === 'errorCode' ? [of as number] : errorCodes(of),
  )
}

const apis: readonly Api[] = [...HANDLERS.values()].map(({ api }) => api)
/** Where the question is after something that is not there: Kafka's codes for that. */
const UNKNOWN_TOPIC_OR_PARTITION = 3
const UNKNOWN_MEMBER_ID = 25
const ILLEGAL_SASL_STATE = 34
const INVALID_PRODUCER_ID_MAPPING = 49
const GROUP_ID_NOT_FOUND = 69
const MEMBER_ID_REQUIRED = 79
const ALLOWED: Readonly<Record<string, readonly number[]>> = {
  AddOffsetsToTxn: [INVALID_PRODUCER_ID_MAPPING],
  ConsumerGroupDescribe: [GROUP_ID_NOT_FOUND],
  ConsumerGroupHeartbeat: [GROUP_ID_NOT_FOUND],
  DeleteGroups: [GROUP_ID_NOT_FOUND],
  DeleteTopics: [UNKNOWN_TOPIC_OR_PARTITION],
  DescribeGroups: [0, GROUP_ID_NOT_FOUND],
  EndTxn: [INVALID_PRODUCER_ID_MAPPING],
  Heartbeat: [UNKNOWN_MEMBER_ID],
  JoinGroup: [0, MEMBER_ID_REQUIRED],
  LeaveGroup: [0, UNKNOWN_MEMBER_ID],
  OffsetDelete: [GROUP_ID_NOT_FOUND],
  // On a listener without SASL.
  SaslAuthenticate: [ILLEGAL_SASL_STATE],
  SaslHandshake: [ILLEGAL_SASL_STATE],
  SyncGroup: [UNKNOWN_MEMBER_ID],
}

describe.each(apis.map((api) => [api.name, api] as const))('%s', (name, api) => {
  const [oldest, newest] = api.versions
  for (let version = oldest; version <= newest; version++) {
    it(`answers version ${version}`, async () => {
      const client = await WireClient.connect(listener.port)
      try {
        const request = QUESTIONS[name]?.(version) ?? {}
        const response = await client.call(api, version, request)
        for (const code of errorCodes(response)) expect(ALLOWED[name] ?? [0]).toContain(code)
      } finally {
        client.close()
      }
    })
  }
})

describe('ApiVersions', () => {
  it('lists what there are handlers for', async () => {
    const client = await WireClient.connect(listener.port)
    const { apiKeys } = await client.call(apiVersions, 4, {
      clientSoftwareName: 'wire',
      clientSoftwareVersion: '1',
    })
    expect(new Set(apiKeys.map(({ apiKey }) => apiKey))).toEqual(new Set(HANDLERS.keys()))
    client.close()
  })

  it('answers a version that nobody knows in the oldest one, with the versions that are known', async () => {
    const client = await WireClient.connect(listener.port)
    const answer = client.next()
    const header = Buffer.from('0000000c0012006300000007ffff0000', 'hex')
    client.write(header)
    // Correlation id 7, error 35 (UNSUPPORTED_VERSION), one API: 18 from 0 to 4.
    expect((await answer).toString('hex')).toBe('00000007' + '0023' + '00000001' + '0012' + '0000' + '0004')
    client.close()
  })
})
