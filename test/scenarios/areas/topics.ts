/** Topics: how they are made, grown, described and deleted, and what cannot be. */
import { any, capture, contains, lacks, type Area, type RequestStep } from '../scenario.js'
import { produce } from '../steps.js'

type Expected = Readonly<Record<string, unknown>>

const orders = { orders: {} }
const NOWHERE = 'MkU3OEVBNTcwNTJENDM2Qg'

const create = (topic: Expected, expect: Expected, more: Expected = {}): RequestStep => ({
  api: 'CreateTopics',
  body: {
    topics: [{ name: '~made', numPartitions: 1, replicationFactor: 1, ...topic }],
    timeoutMs: 10_000,
    ...more,
  },
  expect: { topics: [expect] },
})

const grow = (topic: Expected, expect: Expected, more: Expected = {}): RequestStep => ({
  api: 'CreatePartitions',
  body: { topics: [{ name: '~orders', assignments: null, ...topic }], timeoutMs: 10_000, ...more },
  expect: { results: [expect] },
})

const metadataOf = (name: string, expect: Expected): RequestStep => ({
  api: 'Metadata',
  body: { topics: [{ name }], allowAutoTopicCreation: false },
  expect: { topics: [expect] },
  eventually: true,
})

export const topicsArea: Area = {
  name: 'topics',
  scenarios: [
    {
      name: 'makes a topic, and says what was made',
      source: 'ReplicationControlManager.createTopic',
      steps: [
        create(
          { numPartitions: 3 },
          {
            name: '~made',
            errorCode: 'NONE',
            errorMessage: null,
            topicId: capture('id'),
            numPartitions: 3,
            replicationFactor: 1,
            topicConfigErrorCode: undefined,
          },
        ),
        metadataOf('~made', {
          errorCode: 'NONE',
          name: '~made',
          topicId: '$id',
          isInternal: false,
          partitions: contains(
            { partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] },
            { partitionIndex: 2 },
          ),
        }),
      ],
    },
    {
      name: 'has defaults for partitions and replicas that are -1',
      source: 'ReplicationControlManager.createTopic (defaultNumPartitions)',
      steps: [
        create(
          { numPartitions: -1, replicationFactor: -1 },
          { errorCode: 'NONE', numPartitions: 1, replicationFactor: 1 },
        ),
      ],
    },
    {
      name: 'does not make a topic twice',
      source: 'ReplicationControlManager.createTopics (TOPIC_ALREADY_EXISTS)',
      topics: orders,
      steps: [create({ name: '~orders' }, { name: '~orders', errorCode: 'TOPIC_ALREADY_EXISTS' })],
    },
    {
      name: 'does not make what is only to be validated',
      source: 'ReplicationControlManager.createTopics (validateOnly)',
      steps: [
        create({}, { errorCode: 'NONE', numPartitions: 1 }, { validateOnly: true }),
        create({ numPartitions: 0 }, { errorCode: 'INVALID_PARTITIONS' }, { validateOnly: true }),
        create({}, { errorCode: 'NONE' }),
        create({}, { errorCode: 'TOPIC_ALREADY_EXISTS' }, { validateOnly: true }),
      ],
    },
    {
      name: 'refuses numbers of partitions that cannot be',
      source: 'ReplicationControlManager.createTopic (INVALID_PARTITIONS)',
      steps: [
        create({ numPartitions: 0 }, { errorCode: 'INVALID_PARTITIONS' }),
        create({ numPartitions: -2 }, { errorCode: 'INVALID_PARTITIONS' }),
      ],
    },
    {
      name: 'refuses more replicas than there are brokers, and none',
      source: 'ReplicationControlManager.createTopic (INVALID_REPLICATION_FACTOR)',
      steps: [
        create({ replicationFactor: 2 }, { errorCode: 'INVALID_REPLICATION_FACTOR' }),
        create({ replicationFactor: 0 }, { errorCode: 'INVALID_REPLICATION_FACTOR' }),
        create({ replicationFactor: -2 }, { errorCode: 'INVALID_REPLICATION_FACTOR' }),
      ],
    },
    {
      name: 'refuses names that cannot be',
      source: 'Topic.validate',
      steps: [
        create({ name: '' }, { errorCode: 'INVALID_TOPIC_EXCEPTION' }),
        create({ name: '.' }, { errorCode: 'INVALID_TOPIC_EXCEPTION' }),
        create({ name: '..' }, { errorCode: 'INVALID_TOPIC_EXCEPTION' }),
        create({ name: 'a b' }, { errorCode: 'INVALID_TOPIC_EXCEPTION' }),
        create({ name: 'größe' }, { errorCode: 'INVALID_TOPIC_EXCEPTION' }),
        create({ name: 'x'.repeat(250) }, { errorCode: 'INVALID_TOPIC_EXCEPTION' }),
        create({ name: 'x'.repeat(249) }, { errorCode: 'NONE' }, { validateOnly: true }),
      ],
    },
    {
      name: 'refuses a name that metrics could not tell from another',
      source: 'ReplicationControlManager.validateNewTopicNames (Topic.hasCollision)',
      steps: [
        create({ name: '~a.b' }, { errorCode: 'NONE' }),
        create({ name: '~a_b' }, { errorCode: 'INVALID_TOPIC_EXCEPTION' }),
      ],
    },
    {
      name: 'refuses a topic that a request makes twice',
      source: 'ControllerApis.createTopics (duplicate topic name)',
      steps: [
        {
          api: 'CreateTopics',
          body: {
            topics: [
              { name: '~made', numPartitions: 1, replicationFactor: 1 },
              { name: '~made', numPartitions: 2, replicationFactor: 1 },
            ],
            timeoutMs: 10_000,
          },
          expect: { topics: [{ name: '~made', errorCode: 'INVALID_REQUEST' }] },
        },
      ],
    },
    {
      name: 'makes one topic and refuses another of the same request',
      source: 'ReplicationControlManager.createTopics',
      steps: [
        {
          api: 'CreateTopics',
          body: {
            topics: [
              { name: '~made', numPartitions: 1, replicationFactor: 1 },
              { name: '~other', numPartitions: 0, replicationFactor: 1 },
            ],
            timeoutMs: 10_000,
          },
          expect: {
            topics: contains(
              { name: '~made', errorCode: 'NONE' },
              { name: '~other', errorCode: 'INVALID_PARTITIONS' },
            ),
          },
        },
      ],
    },
    {
      name: 'takes assignments to brokers that are there',
      source: 'ReplicationControlManager.createTopic (INVALID_REPLICA_ASSIGNMENT)',
      steps: [
        create(
          {
            numPartitions: -1,
            replicationFactor: -1,
            assignments: [
              { partitionIndex: 0, brokerIds: [1] },
              { partitionIndex: 1, brokerIds: [1] },
            ],
          },
          { errorCode: 'NONE', numPartitions: 2 },
        ),
        create(
          {
            name: '~other',
            numPartitions: -1,
            replicationFactor: -1,
            assignments: [{ partitionIndex: 0, brokerIds: [7] }],
          },
          { errorCode: 'INVALID_REPLICA_ASSIGNMENT' },
        ),
        create(
          {
            name: '~other',
            numPartitions: -1,
            replicationFactor: -1,
            assignments: [{ partitionIndex: 1, brokerIds: [1] }],
          },
          { errorCode: 'INVALID_REPLICA_ASSIGNMENT' },
        ),
        create(
          {
            name: '~other',
            numPartitions: -1,
            replicationFactor: -1,
            assignments: [{ partitionIndex: 0, brokerIds: [1, 1] }],
          },
          { errorCode: 'INVALID_REPLICA_ASSIGNMENT' },
        ),
      ],
    },
    {
      name: 'takes an assignment or numbers, not both',
      source: 'ReplicationControlManager.createTopic (INVALID_REQUEST)',
      steps: [
        create(
          { numPartitions: 1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
          { errorCode: 'INVALID_REQUEST' },
        ),
        create(
          { numPartitions: -1, replicationFactor: 1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
          { errorCode: 'INVALID_REQUEST' },
        ),
      ],
    },
    {
      name: 'adds partitions, and takes none away',
      source: 'ReplicationControlManager.createPartitions (INVALID_PARTITIONS)',
      topics: { orders: { partitions: 2 } },
      steps: [
        grow({ count: 3 }, { name: '~orders', errorCode: 'NONE' }),
        grow({ count: 3 }, { errorCode: 'INVALID_PARTITIONS' }),
        grow({ count: 1 }, { errorCode: 'INVALID_PARTITIONS' }),
        produce('~orders', {}, { errorCode: 'NONE', baseOffset: 0 }, { partition: 2, eventually: true }),
      ],
    },
    {
      name: 'does not add partitions to a topic that there is none of, or that it only validates',
      source: 'ReplicationControlManager.createPartitions',
      topics: orders,
      steps: [
        grow({ name: '~nothing', count: 3 }, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }),
        grow({ count: 3 }, { errorCode: 'NONE' }, { validateOnly: true }),
        metadataOf('~orders', { partitions: [any] }),
      ],
    },
    {
      name: 'takes an assignment for each new partition',
      source: 'ReplicationControlManager.createPartitions (INVALID_REPLICA_ASSIGNMENT)',
      topics: orders,
      steps: [
        grow({ count: 3, assignments: [{ brokerIds: [1] }] }, { errorCode: 'INVALID_REPLICA_ASSIGNMENT' }),
        grow({ count: 2, assignments: [{ brokerIds: [9] }] }, { errorCode: 'INVALID_REPLICA_ASSIGNMENT' }),
        grow({ count: 2, assignments: [{ brokerIds: [1] }] }, { errorCode: 'NONE' }),
      ],
    },
    {
      name: 'refuses a topic that a request grows twice',
      source: 'ControllerApis.createPartitions (duplicate topic)',
      topics: orders,
      steps: [
        {
          api: 'CreatePartitions',
          body: {
            topics: [
              { name: '~orders', count: 2, assignments: null },
              { name: '~orders', count: 3, assignments: null },
            ],
            timeoutMs: 10_000,
          },
          expect: { results: [{ name: '~orders', errorCode: 'INVALID_REQUEST' }] },
        },
      ],
    },
    {
      name: 'deletes a topic by its name',
      source: 'ReplicationControlManager.deleteTopics',
      topics: orders,
      steps: [
        {
          api: 'DeleteTopics',
          version: 5,
          body: { topicNames: ['~orders', '~nothing'], timeoutMs: 10_000 },
          expect: {
            responses: contains(
              { name: '~orders', errorCode: 'NONE' },
              { name: '~nothing', errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' },
            ),
          },
        },
        metadataOf('~orders', { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', partitions: [] }),
      ],
    },
    {
      name: 'deletes a topic by its id, and does not know others',
      source: 'ControllerApis.deleteTopics',
      topics: orders,
      steps: [
        {
          api: 'DeleteTopics',
          body: { topics: [{ name: null, topicId: '$ordersId' }], timeoutMs: 10_000 },
          expect: { responses: [{ name: '~orders', topicId: '$ordersId', errorCode: 'NONE' }] },
        },
        {
          api: 'DeleteTopics',
          body: { topics: [{ name: null, topicId: NOWHERE }], timeoutMs: 10_000 },
          expect: { responses: [{ name: null, topicId: NOWHERE, errorCode: 'UNKNOWN_TOPIC_ID' }] },
        },
      ],
    },
    {
      name: 'refuses to delete a topic by both, or by neither',
      source: 'ControllerApis.deleteTopics (INVALID_REQUEST)',
      topics: orders,
      steps: [
        {
          api: 'DeleteTopics',
          body: { topics: [{ name: '~orders', topicId: '$ordersId' }], timeoutMs: 10_000 },
          expect: { responses: [{ errorCode: 'INVALID_REQUEST' }] },
        },
        {
          api: 'DeleteTopics',
          body: { topics: [{ name: null }], timeoutMs: 10_000 },
          expect: { responses: [{ errorCode: 'INVALID_REQUEST' }] },
        },
        metadataOf('~orders', { errorCode: 'NONE' }),
      ],
    },
    {
      name: 'gives a topic that is made again another id',
      source: 'ReplicationControlManager.createTopic (Uuid.randomUuid)',
      topics: orders,
      steps: [
        {
          api: 'DeleteTopics',
          body: { topics: [{ name: '~orders' }], timeoutMs: 10_000 },
          expect: { responses: [{ errorCode: 'NONE' }] },
        },
        {
          ...create({ name: '~orders' }, { errorCode: 'NONE', topicId: capture('again') }),
          eventually: true,
        },
        metadataOf('~orders', { errorCode: 'NONE', topicId: '$again' }),
        {
          api: 'DeleteTopics',
          body: { topics: [{ name: null, topicId: '$ordersId' }], timeoutMs: 10_000 },
          expect: { responses: [{ errorCode: 'UNKNOWN_TOPIC_ID' }] },
        },
      ],
    },
    {
      name: 'does not know a topic, and does not make it when that is not allowed',
      source: 'KafkaApis.getTopicMetadata (UNKNOWN_TOPIC_OR_PARTITION)',
      steps: [
        metadataOf('~nothing', { name: '~nothing', errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', partitions: [] }),
        metadataOf('a b', { errorCode: 'INVALID_TOPIC_EXCEPTION' }),
      ],
    },
    {
      name: 'makes a topic that is asked for when that is allowed',
      source: 'DefaultAutoTopicCreationManager.createTopics',
      steps: [
        {
          api: 'Metadata',
          body: { topics: [{ name: '~made' }], allowAutoTopicCreation: true },
          expect: { topics: [{ name: '~made', errorCode: 'NONE' }] },
          eventually: true,
        },
      ],
    },
    {
      name: 'tells of topics by their ids',
      source: 'KafkaApis.handleTopicMetadataRequest (UNKNOWN_TOPIC_ID)',
      topics: orders,
      steps: [
        {
          api: 'Metadata',
          body: { topics: [{ topicId: '$ordersId', name: null }], allowAutoTopicCreation: false },
          expect: { topics: [{ errorCode: 'NONE', name: '~orders', topicId: '$ordersId' }] },
        },
        {
          api: 'Metadata',
          body: { topics: [{ topicId: NOWHERE, name: null }], allowAutoTopicCreation: false },
          expect: { topics: [{ errorCode: 'UNKNOWN_TOPIC_ID', topicId: NOWHERE, name: null }] },
        },
      ],
    },
    {
      name: 'tells of all topics, of none, and of the cluster',
      source: 'KafkaApis.handleTopicMetadataRequest',
      topics: orders,
      steps: [
        {
          api: 'Metadata',
          body: { topics: null },
          expect: {
            clusterId: any,
            controllerId: 1,
            brokers: [{ nodeId: 1, rack: null }],
            topics: contains({ name: '~orders', errorCode: 'NONE' }),
          },
        },
        { api: 'Metadata', body: { topics: [] }, expect: { topics: [], brokers: [{ nodeId: 1 }] } },
        {
          api: 'Metadata',
          version: 0,
          body: { topics: [] },
          expect: { topics: contains({ name: '~orders' }) },
        },
      ],
    },
    {
      name: 'describes partitions page by page',
      source: 'DescribeTopicPartitionsRequestHandler.handleDescribeTopicPartitionsRequest',
      topics: { orders: { partitions: 3 } },
      steps: [
        {
          api: 'DescribeTopicPartitions',
          body: { topics: [{ name: '~orders' }], responsePartitionLimit: 2 },
          expect: {
            topics: [
              {
                errorCode: 'NONE',
                name: '~orders',
                topicId: '$ordersId',
                partitions: [{ partitionIndex: 0, leaderId: 1 }, { partitionIndex: 1 }],
              },
            ],
            nextCursor: { topicName: '~orders', partitionIndex: 2 },
          },
        },
        {
          api: 'DescribeTopicPartitions',
          body: { topics: [{ name: '~orders' }], cursor: { topicName: '~orders', partitionIndex: 2 } },
          expect: { topics: [{ partitions: [{ partitionIndex: 2 }] }], nextCursor: null },
        },
        {
          api: 'DescribeTopicPartitions',
          body: { topics: [{ name: '~nothing' }] },
          expect: { topics: [{ name: '~nothing', errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', partitions: [] }] },
        },
      ],
    },
    {
      name: 'describes the cluster',
      source: 'KafkaApis.handleDescribeCluster',
      steps: [
        {
          api: 'DescribeCluster',
          body: {},
          expect: {
            errorCode: 'NONE',
            clusterId: any,
            controllerId: 1,
            endpointType: 1,
            brokers: [{ brokerId: 1, rack: null, isFenced: false }],
            clusterAuthorizedOperations: -2_147_483_648,
          },
        },
        {
          api: 'DescribeCluster',
          body: { endpointType: 2 },
          expect: { errorCode: 'MISMATCHED_ENDPOINT_TYPE' },
        },
        {
          api: 'DescribeCluster',
          body: { endpointType: 9 },
          expect: { errorCode: 'UNSUPPORTED_ENDPOINT_TYPE' },
        },
      ],
    },
    {
      name: 'describes the folders of logs, and only the partitions that are asked for',
      source: 'ReplicaManager.describeLogDirs',
      topics: { orders: { partitions: 2 } },
      steps: [
        produce('~orders', {}),
        {
          api: 'DescribeLogDirs',
          body: { topics: [{ topic: '~orders', partitions: [0] }] },
          expect: {
            errorCode: 'NONE',
            results: [
              {
                errorCode: 'NONE',
                topics: [
                  { name: '~orders', partitions: [{ partitionIndex: 0, offsetLag: 0, isFutureKey: false }] },
                ],
              },
            ],
          },
        },
        {
          api: 'DescribeLogDirs',
          body: { topics: [{ topic: '~nothing', partitions: [0] }] },
          expect: { results: [{ errorCode: 'NONE', topics: [] }] },
        },
        {
          api: 'DescribeLogDirs',
          body: { topics: null },
          expect: { results: [{ topics: contains({ name: '~orders' }) }] },
        },
        {
          api: 'DescribeLogDirs',
          body: { topics: [] },
          expect: { results: [{ topics: lacks({ name: '~orders' }) }] },
        },
      ],
    },
  ],
}
