/** The oldest versions that are still spoken: clients of ten years ago. */
import { any, batch, capture, contains, subscription, text, values, type Area } from '../scenario.js'
import { LATEST, fetch, initProducerId, produce } from '../steps.js'

const orders = { orders: {} }

export const olderVersionsArea: Area = {
  name: 'older versions',
  scenarios: [
    {
      name: 'appends and reads in the oldest form',
      source: 'ProduceRequest (version 3), FetchRequest (version 4)',
      topics: orders,
      steps: [
        produce(
          '~orders',
          { values: ['a', 'b'] },
          { errorCode: 'NONE', baseOffset: 0, logAppendTimeMs: -1 },
          { version: 3 },
        ),
        {
          api: 'Fetch',
          version: 4,
          body: {
            maxWaitMs: 0,
            topics: [
              { topic: '~orders', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] },
            ],
          },
          expect: {
            responses: [
              {
                topic: '~orders',
                partitions: [{ errorCode: 'NONE', highWatermark: 2, records: values('a', 'b') }],
              },
            ],
          },
        },
      ],
    },
    {
      name: 'tells errors of an append without words before version 8',
      source: 'ProduceResponse (version 7)',
      topics: { table: { configs: { 'cleanup.policy': 'compact' } } },
      steps: [
        produce(
          '~table',
          {},
          { errorCode: 'INVALID_RECORD', errorMessage: null, recordErrors: [] },
          { version: 7 },
        ),
        produce(
          '~table',
          {},
          { errorCode: 'INVALID_RECORD', errorMessage: any, recordErrors: [{ batchIndex: 0 }] },
          { version: 8 },
        ),
      ],
    },
    {
      name: 'lists offsets in the oldest form',
      source: 'ListOffsetsRequest (version 1)',
      topics: orders,
      steps: [
        produce('~orders', {}),
        {
          api: 'ListOffsets',
          version: 1,
          body: {
            replicaId: -1,
            topics: [{ name: '~orders', partitions: [{ partitionIndex: 0, timestamp: LATEST }] }],
          },
          expect: { topics: [{ partitions: [{ errorCode: 'NONE', offset: 1, timestamp: -1 }] }] },
        },
      ],
    },
    {
      name: 'lets members of the oldest form in, and out again',
      source: 'JoinGroupRequest (version 0), SyncGroupRequest (version 0)',
      steps: [
        {
          api: 'JoinGroup',
          version: 0,
          body: {
            groupId: '~billing',
            sessionTimeoutMs: 10_000,
            protocolType: 'consumer',
            protocols: [{ name: 'range', metadata: subscription('~orders') }],
          },
          expect: {
            errorCode: 'NONE',
            generationId: 1,
            memberId: capture('one'),
            leader: '$one',
            protocolName: 'range',
          },
        },
        {
          api: 'SyncGroup',
          version: 0,
          body: {
            groupId: '~billing',
            generationId: 1,
            memberId: '$one',
            assignments: [{ memberId: '$one', assignment: text('all') }],
          },
          expect: { errorCode: 'NONE', assignment: text('all') },
        },
        {
          api: 'Heartbeat',
          version: 0,
          body: { groupId: '~billing', generationId: 1, memberId: '$one' },
          expect: { errorCode: 'NONE' },
        },
        {
          api: 'DescribeGroups',
          version: 0,
          body: { groups: ['~billing'] },
          expect: { groups: [{ errorCode: 'NONE', groupState: 'Stable', members: [any] }] },
        },
        {
          api: 'LeaveGroup',
          version: 0,
          body: { groupId: '~billing', memberId: '$one' },
          expect: { errorCode: 'NONE' },
        },
      ],
    },
    {
      name: 'commits and finds offsets in the oldest form',
      source: 'OffsetCommitRequest (version 2), OffsetFetchRequest (version 1)',
      topics: orders,
      steps: [
        {
          api: 'OffsetCommit',
          version: 2,
          body: {
            groupId: '~billing',
            topics: [
              {
                name: '~orders',
                partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: 'm' }],
              },
            ],
          },
          expect: { topics: [{ partitions: [{ errorCode: 'NONE' }] }] },
        },
        {
          api: 'OffsetFetch',
          version: 1,
          body: { groupId: '~billing', topics: [{ name: '~orders', partitionIndexes: [0] }] },
          expect: { topics: [{ partitions: [{ committedOffset: 5, metadata: 'm', errorCode: 'NONE' }] }] },
        },
      ],
    },
    {
      name: 'makes, describes and deletes topics in the oldest form',
      source: 'CreateTopicsRequest (version 2), MetadataRequest (version 1), DeleteTopicsRequest (version 1)',
      steps: [
        {
          api: 'CreateTopics',
          version: 2,
          body: { topics: [{ name: '~made', numPartitions: 2, replicationFactor: 1 }], timeoutMs: 10_000 },
          expect: { topics: [{ name: '~made', errorCode: 'NONE' }] },
        },
        {
          api: 'Metadata',
          version: 1,
          body: { topics: [{ name: '~made' }] },
          expect: { topics: [{ name: '~made', errorCode: 'NONE', partitions: [any, any] }] },
          eventually: true,
        },
        {
          api: 'DeleteTopics',
          version: 1,
          body: { topicNames: ['~made'], timeoutMs: 10_000 },
          expect: { responses: [{ name: '~made', errorCode: 'NONE' }] },
        },
      ],
    },
    {
      name: 'does not take defaults for numbers before version 4',
      source: 'CreateTopicsRequest.Builder, ReplicationControlManager.createTopic',
      steps: [
        {
          api: 'CreateTopics',
          version: 4,
          body: { topics: [{ name: '~made', numPartitions: -1, replicationFactor: -1 }], timeoutMs: 10_000 },
          expect: { topics: [{ errorCode: 'NONE' }] },
        },
      ],
    },
    {
      name: 'gives producers ids in the oldest form',
      source: 'InitProducerIdRequest (version 0)',
      steps: [
        initProducerId('~tx', { errorCode: 'NONE', producerId: any, producerEpoch: 0 }, { version: 0 }),
      ],
    },
    {
      name: 'changes and describes configs in the oldest form',
      source: 'AlterConfigsRequest (version 0), DescribeConfigsRequest (version 1)',
      topics: orders,
      steps: [
        {
          api: 'AlterConfigs',
          version: 0,
          body: {
            resources: [
              {
                resourceType: 2,
                resourceName: '~orders',
                configs: [{ name: 'retention.ms', value: '1000' }],
              },
            ],
          },
          expect: { responses: [{ errorCode: 'NONE' }] },
        },
        {
          api: 'DescribeConfigs',
          version: 1,
          body: {
            resources: [{ resourceType: 2, resourceName: '~orders', configurationKeys: ['retention.ms'] }],
          },
          expect: { results: [{ configs: [{ name: 'retention.ms', value: '1000', configSource: 1 }] }] },
          eventually: true,
        },
      ],
    },
    {
      name: 'answers what is fetched by name with the name, and by id with the id',
      source: 'FetchResponse (version 12, version 13)',
      topics: orders,
      steps: [
        produce('~orders', {}),
        fetch('~orders', 0, { errorCode: 'NONE' }, { version: 7 }),
        fetch('~orders', 0, { errorCode: 'NONE' }, { version: 11 }),
        {
          api: 'Fetch',
          version: 17,
          body: {
            topics: [{ topicId: '$ordersId', partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }],
          },
          expect: { responses: [{ topicId: '$ordersId', partitions: [{ records: values('a') }] }] },
        },
      ],
    },
    {
      name: 'appends for each version that names topics',
      source: 'ProduceRequest',
      topics: orders,
      steps: [4, 5, 6, 7, 8, 9, 10, 11, 12].map((version, index) =>
        produce(
          '~orders',
          batch({ values: [`v${version}`] }),
          { errorCode: 'NONE', baseOffset: index },
          { version },
        ),
      ),
    },
    {
      name: 'tells the coordinator in every version',
      source: 'FindCoordinatorRequest',
      steps: [
        {
          api: 'FindCoordinator',
          version: 1,
          body: { key: '~tx', keyType: 1 },
          expect: { errorCode: 'NONE', nodeId: 1 },
        },
        {
          api: 'FindCoordinator',
          version: 2,
          body: { key: '~billing', keyType: 0 },
          expect: { errorCode: 'NONE', nodeId: 1 },
        },
        {
          api: 'FindCoordinator',
          version: 4,
          body: { keyType: 1, coordinatorKeys: ['~tx', '~ty'] },
          expect: {
            coordinators: contains({ key: '~tx', errorCode: 'NONE' }, { key: '~ty', errorCode: 'NONE' }),
          },
        },
      ],
    },
  ],
}
