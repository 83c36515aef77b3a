/**
 * DescribeCluster, DescribeTopicPartitions, ListConfigResources, OffsetForLeaderEpoch and the corners of Metadata.
 * Expected is what Apache Kafka 4.3 answers to the same requests.
 */
import { describe, expect, it } from 'vitest'
import { describeCluster } from '../../src/protocol/api/describe-cluster.js'
import { describeTopicPartitions } from '../../src/protocol/api/describe-topic-partitions.js'
import { listConfigResources } from '../../src/protocol/api/list-config-resources.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import { offsetForLeaderEpoch } from '../../src/protocol/api/offset-for-leader-epoch.js'
import { offsetCommit } from '../../src/protocol/api/offset-commit.js'
import type { RequestOf } from '../../src/protocol/schema.js'
import { ZERO_UUID } from '../../src/runtime/uuid.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'
import { membersOf } from '../support/test-members.js'

const UNKNOWN_TOPIC_OR_PARTITION = 3
const INVALID_TOPIC_EXCEPTION = 17
const UNSUPPORTED_VERSION = 35
const INVALID_REQUEST = 42
const UNKNOWN_LEADER_EPOCH = 75
const UNKNOWN_TOPIC_ID = 100
const MISMATCHED_ENDPOINT_TYPE = 114
const UNSUPPORTED_ENDPOINT_TYPE = 115
const NOT_ASKED_FOR = -0x80000000
/** What Kafka tells without an authorizer. */
const ALL_ON_CLUSTER = 0b1_1111_1010_0000
const ALL_ON_TOPIC = 0b1101_1111_1000

describe('the cluster', () => {
  it('is this broker, with the operations on it when asked', async () => {
    const test = await openTestBroker()
    const request = { includeClusterAuthorizedOperations: true, endpointType: 1, includeFencedBrokers: false }
    const answer = await test.send(describeCluster, request)
    const { clusterId } = await test.send(metadata, { ...ANY, topics: [] })
    expect(answer).toMatchObject({
      errorCode: 0,
      endpointType: 1,
      clusterId,
      controllerId: 1,
      brokers: [{ brokerId: 1, rack: null, isFenced: false }],
      clusterAuthorizedOperations: ALL_ON_CLUSTER,
    })
    const quiet = await test.send(describeCluster, { ...request, includeClusterAuthorizedOperations: false })
    expect(quiet.clusterAuthorizedOperations).toBe(NOT_ASKED_FOR)
    await test.broker.close()
  })

  it('has no controllers to be reached at a broker', async () => {
    const test = await openTestBroker()
    const ask = async (endpointType: number): Promise<number> => {
      const request = { includeClusterAuthorizedOperations: false, endpointType, includeFencedBrokers: false }
      return (await test.send(describeCluster, request)).errorCode
    }
    expect([await ask(2), await ask(3)]).toEqual([MISMATCHED_ENDPOINT_TYPE, UNSUPPORTED_ENDPOINT_TYPE])
    await test.broker.close()
  })
})

describe('topics by the page', () => {
  /** Name and partitions of each topic, and the cursor, in Kafka's order. */
  const pages = async () => {
    const test = await openTestBroker()
    await test.createTopic('b', 2)
    await test.createTopic('a', 3)
    const page = async (topics: string[], limit: number, from?: readonly [string, number]) => {
      const cursor = from === undefined ? null : { topicName: from[0], partitionIndex: from[1] }
      const answer = await test.send(describeTopicPartitions, {
        topics: topics.map((name) => ({ name })),
        responsePartitionLimit: limit,
        cursor,
      })
      return {
        topics: answer.topics.map(({ name, errorCode, partitions }) =>
          errorCode === 0
            ? [name, ...partitions.map(({ partitionIndex }) => partitionIndex)]
            : [name, errorCode],
        ),
        next:
          answer.nextCursor === null ? null : [answer.nextCursor.topicName, answer.nextCursor.partitionIndex],
      }
    }
    return { test, page }
  }

  it('come in the order of their names, each once, as far as the limit allows', async () => {
    const { test, page } = await pages()
    const all = [
      ['a', 0, 1, 2],
      ['b', 0, 1],
    ]
    expect(await page(['b', 'a', 'a'], 100)).toEqual({ topics: all, next: null })
    expect(await page([], 100)).toEqual({ topics: all, next: null })
    expect(await page(['a', 'b'], 2)).toEqual({ topics: [['a', 0, 1]], next: ['a', 2] })
    expect(await page(['a', 'b'], 3)).toEqual({ topics: [['a', 0, 1, 2]], next: ['b', 0] })
    expect(await page(['a', 'b'], 0)).toEqual({ topics: [['a', 0]], next: ['a', 1] })
    await test.broker.close()
  })

  it('go on at the cursor', async () => {
    const { test, page } = await pages()
    expect(await page(['a', 'b'], 3, ['a', 1])).toEqual({
      topics: [
        ['a', 1, 2],
        ['b', 0],
      ],
      next: ['b', 1],
    })
    expect(await page([], 3, ['a0', 0])).toEqual({ topics: [['b', 0, 1]], next: null })
    expect(await page(['a', 'b'], 3, ['a', 7])).toEqual({ topics: [['a'], ['b', 0, 1]], next: null })
    const refused = { topics: [['a', INVALID_REQUEST]], next: null }
    expect(await page(['a'], 3, ['c', 0])).toEqual(refused)
    expect(await page(['a'], 3, ['a', -1])).toEqual(refused)
    await test.broker.close()
  })

  it('are told apart from those that are not there, and tell leader, replicas and operations', async () => {
    const { test, page } = await pages()
    expect(await page(['nope', 'x/y', 'b'], 100)).toEqual({
      topics: [
        ['b', 0, 1],
        ['nope', UNKNOWN_TOPIC_OR_PARTITION],
        ['x/y', INVALID_TOPIC_EXCEPTION],
      ],
      next: null,
    })
    const one = { topics: [{ name: 'b' }], responsePartitionLimit: 1, cursor: null }
    expect((await test.send(describeTopicPartitions, one)).topics[0]).toMatchObject({
      isInternal: false,
      partitions: [
        {
          leaderId: 1,
          leaderEpoch: 0,
          replicaNodes: [1],
          isrNodes: [1],
          eligibleLeaderReplicas: [],
          lastKnownElr: [],
          offlineReplicas: [],
        },
      ],
      topicAuthorizedOperations: ALL_ON_TOPIC,
    })
    await test.broker.close()
  })

  it('are at most 2000 partitions, whatever the limit', async () => {
    const { test, page } = await pages()
    await test.createTopic('c', 2100)
    const { topics, next } = await page(['c'], 100_000)
    expect([topics[0]!.length - 1, next]).toEqual([2000, ['c', 2000]])
    await test.broker.close()
  })
})

describe('config resources', () => {
  it('are the topics and the broker; version 0 knows client metrics alone', async () => {
    const test = await openTestBroker()
    await test.createTopic('a')
    const list = async (resourceTypes: number[], apiVersion = 1): Promise<unknown> => {
      const answer = await test.send(listConfigResources, { resourceTypes }, { apiVersion })
      if (answer.errorCode !== 0) return answer.errorCode
      return answer.configResources.map(({ resourceName, resourceType }) => [resourceType, resourceName])
    }
    expect(await list([])).toEqual([
      [4, '1'],
      [2, 'a'],
    ])
    expect(await list([2])).toEqual([[2, 'a']])
    expect(await list([4])).toEqual([[4, '1']])
    expect([await list([16]), await list([32]), await list([], 0)]).toEqual([[], [], []])
    expect(await list([3])).toBe(UNSUPPORTED_VERSION)
    await test.broker.close()
  })
})

describe('where a leader epoch ends', () => {
  it('is the end of the log for the present one, unknown for one to come, and checked against the claimed one', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('a', 2)
    await test.produce(topicId, 0, ['one', 'two'])
    const ask = async (
      partition: number,
      leaderEpoch: number,
      currentLeaderEpoch = -1,
    ): Promise<number[]> => {
      const partitions = [{ partition, currentLeaderEpoch, leaderEpoch }]
      const answer = await test.send(offsetForLeaderEpoch, {
        replicaId: -1,
        topics: [{ topic: 'a', partitions }],
      })
      const { errorCode, leaderEpoch: epoch, endOffset } = answer.topics[0]!.partitions[0]!
      return [errorCode, epoch, endOffset]
    }
    expect(await ask(0, 0)).toEqual([0, 0, 2])
    expect(await ask(1, 0)).toEqual([0, 0, 0])
    for (const epoch of [-1, 1]) expect(await ask(0, epoch)).toEqual([0, -1, -1])
    expect(await ask(0, 0, 0)).toEqual([0, 0, 2])
    expect(await ask(0, 0, 5)).toEqual([UNKNOWN_LEADER_EPOCH, -1, -1])
    expect(await ask(9, 0)).toEqual([UNKNOWN_TOPIC_OR_PARTITION, -1, -1])
    await test.broker.close()
  })
})

const ANY = {
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

describe('metadata', () => {
  const topicsOf = async (
    test: TestBroker,
    topics: RequestOf<typeof metadata>['topics'],
    apiVersion = 13,
    more: Partial<RequestOf<typeof metadata>> = {},
  ): Promise<(readonly [string | null, number])[]> => {
    const answer = await test.send(metadata, { ...ANY, topics, ...more }, { apiVersion })
    return answer.topics.map(({ name, errorCode }) => [name, errorCode] as const)
  }
  const named = (...names: string[]) => names.map((name) => ({ name, topicId: ZERO_UUID }))
  const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

  it('takes an empty list for all topics in version 0, and for none later', async () => {
    const test = await openTestBroker()
    await test.createTopic('a')
    expect(await topicsOf(test, [], 0)).toEqual([['a', 0]])
    expect(await topicsOf(test, [], 1)).toEqual([])
    expect(await topicsOf(test, null, 1)).toEqual([['a', 0]])
    await test.broker.close()
  })

  it('answers for a topic once, and says which name cannot be', async () => {
    const test = await openTestBroker()
    await test.createTopic('a')
    expect(await topicsOf(test, named('a', 'a', 'nope', 'x/y', ''))).toEqual([
      ['a', 0],
      ['nope', UNKNOWN_TOPIC_OR_PARTITION],
      ['x/y', INVALID_TOPIC_EXCEPTION],
      ['', INVALID_TOPIC_EXCEPTION],
    ])
    expect(await topicsOf(test, named('x/y'), 13, { allowAutoTopicCreation: true })).toEqual([
      ['x/y', INVALID_TOPIC_EXCEPTION],
    ])
    await test.broker.close()
  })

  it('finds topics by id from version 12 on, and refuses ids before', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('a')
    const ids = [topicId, OTHER_ID].map((id) => ({ name: null, topicId: id }))
    expect(await topicsOf(test, ids, 12)).toEqual([
      ['a', 0],
      [null, UNKNOWN_TOPIC_ID],
    ])
    expect(await topicsOf(test, [{ name: 'a', topicId }], 11)).toEqual([['a', INVALID_REQUEST]])
    expect(await topicsOf(test, [{ name: null, topicId: ZERO_UUID }], 11)).toEqual([['', INVALID_REQUEST]])
    await test.broker.close()
  })

  it('tells the operations when asked', async () => {
    const test = await openTestBroker()
    await test.createTopic('a')
    const ask = { ...ANY, topics: named('a'), includeClusterAuthorizedOperations: true }
    const loud = await test.send(
      metadata,
      { ...ask, includeTopicAuthorizedOperations: true },
      { apiVersion: 10 },
    )
    expect(loud).toMatchObject({
      clusterAuthorizedOperations: ALL_ON_CLUSTER,
      topics: [{ topicAuthorizedOperations: ALL_ON_TOPIC }],
    })
    expect(await test.send(metadata, { ...ANY, topics: named('a') })).toMatchObject({
      clusterAuthorizedOperations: NOT_ASKED_FOR,
      topics: [{ topicAuthorizedOperations: NOT_ASKED_FOR }],
    })
    await test.broker.close()
  })

  it('creates the offsets topic as the broker needs it, and no other internal one', async () => {
    const test = await openTestBroker()
    const topics = named('__consumer_offsets', '__share_group_state')
    const answer = await test.send(metadata, { ...ANY, topics, allowAutoTopicCreation: true })
    expect(answer.topics).toMatchObject([
      { errorCode: 0, isInternal: true, partitions: { length: 50 } },
      { errorCode: UNKNOWN_TOPIC_OR_PARTITION, isInternal: true },
    ])
    await test.broker.close()
  })
})

describe('a commit without metadata', () => {
  it('is kept with an empty text', async () => {
    const test = await openTestBroker()
    const topicId = await test.createTopic('a')
    const offset = {
      partitionIndex: 0,
      committedOffset: 5,
      committedLeaderEpoch: -1,
      committedMetadata: null,
    }
    await test.send(offsetCommit, {
      groupId: 'billing',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [{ name: '', topicId, partitions: [offset] }],
    })
    expect(await membersOf(test).committed(topicId)).toEqual({ offset: 5, metadata: '', errorCode: 0 })
    await test.broker.close()
  })
})
