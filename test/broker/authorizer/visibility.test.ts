/** What a client may not see is not there for it: topics, groups, offsets, operations; and what the ACLs themselves are. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuthorizerSettings } from '../../../src/broker/authorizer/access.js'
import { createAcls } from '../../../src/protocol/api/create-acls.js'
import { deleteAcls } from '../../../src/protocol/api/delete-acls.js'
import { deleteTopics } from '../../../src/protocol/api/delete-topics.js'
import { describeAcls } from '../../../src/protocol/api/describe-acls.js'
import { describeTopicPartitions } from '../../../src/protocol/api/describe-topic-partitions.js'
import { fetch } from '../../../src/protocol/api/fetch.js'
import { findCoordinator } from '../../../src/protocol/api/find-coordinator.js'
import { metadata } from '../../../src/protocol/api/metadata.js'
import type { Api, Fields, RequestOf, ResponseOf } from '../../../src/protocol/schema.js'
import { ZERO_UUID } from '../../../src/runtime/uuid.js'
import { keptStorage } from '../../support/kept-storage.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'

const TOPIC_AUTHORIZATION_FAILED = 29
const GROUP_AUTHORIZATION_FAILED = 30
const INVALID_REQUEST = 42
const NOT_ASKED_FOR = -0x80000000
const CODE = { topic: 2, group: 3, cluster: 4, literal: 3, prefixed: 4, deny: 2, allow: 3 }
const OPERATION = { all: 2, read: 3, write: 4, create: 5, describe: 8, describeConfigs: 10 }

let broker: TestBroker
let settings: AuthorizerSettings

beforeEach(async () => {
  broker = await openTestBroker()
  settings = { superUsers: new Set(), allowEveryoneIfNoAclFound: false }
})
afterEach(() => broker.broker.close())

const asAlice = <Q extends Fields, P extends Fields>(
  api: Api<Q, P>,
  request: RequestOf<Api<Q, P>>,
  apiVersion = api.versions[1],
): Promise<ResponseOf<Api<Q, P>>> =>
  broker.send(api, request, {
    apiVersion,
    principal: 'User:alice',
    clientHost: '/10.0.0.1',
    authorizer: settings,
  })

const creation = (resourceName: string, operation: number, given: Record<string, unknown> = {}) => ({
  resourceType: CODE.topic,
  resourceName,
  resourcePatternType: CODE.literal,
  principal: 'User:alice',
  host: '*',
  operation,
  permissionType: CODE.allow,
  ...given,
})
const allow = async (...args: Parameters<typeof creation>): Promise<void> => {
  const { results } = await broker.send(createAcls, { creations: [creation(...args)] })
  expect(results).toEqual([{ errorCode: 0, errorMessage: null }])
}
const everything = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}
const askTopics = (names: readonly string[] | null) => ({
  topics: names?.map((name) => ({ name, topicId: ZERO_UUID })) ?? null,
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: true,
  includeTopicAuthorizedOperations: true,
})

describe('Metadata', () => {
  beforeEach(async () => {
    for (const name of ['secret', 'shown', 'zebra']) await broker.createTopic(name)
    await allow('shown', OPERATION.read)
  })

  it('leaves out of all topics what is not to be seen', async () => {
    const { topics } = await asAlice(metadata, askTopics(null))
    expect(topics.map(({ name }) => name)).toEqual(['shown'])
    const none = await asAlice(metadata, { ...askTopics([]) }, 0)
    expect(none.topics.map(({ name }) => name)).toEqual(['shown'])
  })

  it('says the same of a topic that is hidden and of one that there is none of', async () => {
    const { topics } = await asAlice(metadata, askTopics(['secret', 'nowhere', 'shown']))
    const [shown, ...hidden] = topics
    expect(shown).toMatchObject({ name: 'shown', errorCode: 0 })
    expect(hidden).toEqual(
      ['secret', 'nowhere'].map((name) => ({
        errorCode: TOPIC_AUTHORIZATION_FAILED,
        name,
        topicId: ZERO_UUID,
        isInternal: false,
        partitions: [],
        topicAuthorizedOperations: NOT_ASKED_FOR,
      })),
    )
  })

  it('does not make all topics of none that are left', async () => {
    const { topics } = await asAlice(metadata, askTopics(['secret']), 0)
    expect(topics.map(({ name }) => name)).toEqual(['secret'])
  })

  it('creates what may be created, and otherwise says that there is none', async () => {
    const ask = (name: string) => asAlice(metadata, { ...askTopics([name]), allowAutoTopicCreation: true })
    await allow('new', OPERATION.describe, { resourcePatternType: CODE.prefixed })
    expect((await ask('new-1')).topics[0]?.errorCode).toBe(TOPIC_AUTHORIZATION_FAILED)
    expect((await asAlice(metadata, askTopics(['new-1']))).topics[0]?.errorCode).toBe(3)
    await allow('kafka-cluster', OPERATION.create, { resourceType: CODE.cluster })
    expect((await ask('new-1')).topics[0]?.errorCode).toBe(0)
  })

  it('tells which operations are authorized, those of the cluster to who may describe it', async () => {
    const first = await asAlice(metadata, askTopics(['shown']))
    const bits = (...operations: number[]): number => operations.reduce((all, one) => all | (1 << one), 0)
    expect(first.topics[0]?.topicAuthorizedOperations).toBe(bits(OPERATION.read, OPERATION.describe))
    expect(first.clusterAuthorizedOperations).toBe(0)
    await allow('kafka-cluster', OPERATION.describe, { resourceType: CODE.cluster })
    const second = await asAlice(metadata, askTopics(['shown']))
    expect(second.clusterAuthorizedOperations).toBe(bits(OPERATION.describe))
  })

  it('in pages passes by what is hidden', async () => {
    const ask = (cursor: RequestOf<typeof describeTopicPartitions>['cursor']) =>
      asAlice(describeTopicPartitions, { topics: [], responsePartitionLimit: 1, cursor })
    await allow('zebra', OPERATION.describe)
    const first = await ask(null)
    expect(first).toMatchObject({ topics: [{ name: 'shown' }], nextCursor: { topicName: 'zebra' } })
    expect((await ask({ topicName: 'secret', partitionIndex: 0 })).topics).toMatchObject([{ name: 'shown' }])
    expect((await ask({ topicName: 'zz', partitionIndex: 0 })).topics).toEqual([])
  })
})

it('a fetch session ends with the permission', async () => {
  const topicId = await broker.createTopic('t')
  await allow('t', OPERATION.read)
  await broker.produce(topicId, 0, ['one'])
  const ask = (sessionId: number, sessionEpoch: number, isFirst: boolean) =>
    asAlice(fetch, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1000,
      isolationLevel: 0,
      sessionId,
      sessionEpoch,
      topics: isFirst
        ? [
            {
              topic: '',
              topicId,
              partitions: [
                {
                  partition: 0,
                  fetchOffset: 0,
                  partitionMaxBytes: 1000,
                  currentLeaderEpoch: -1,
                  lastFetchedEpoch: -1,
                  logStartOffset: -1,
                },
              ],
            },
          ]
        : [],
      forgottenTopicsData: [],
      rackId: '',
    })
  const first = await ask(0, 0, true)
  expect(first.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 1 })
  await broker.send(deleteAcls, { filters: [everything] })
  const { responses } = await ask(first.sessionId, 1, false)
  expect(responses[0]?.partitions[0]).toMatchObject({
    errorCode: TOPIC_AUTHORIZATION_FAILED,
    highWatermark: -1,
    records: [],
  })
})

it('who deletes a topic by its id learns the name only if it may', async () => {
  const topicId = await broker.createTopic('t')
  const ask = () => asAlice(deleteTopics, { topics: [{ name: null, topicId }], topicNames: [], timeoutMs: 1 })
  const refused = { topicId, errorCode: TOPIC_AUTHORIZATION_FAILED }
  expect((await ask()).responses).toMatchObject([{ name: null, ...refused }])
  await allow('t', OPERATION.describe)
  expect((await ask()).responses).toMatchObject([{ name: 't', ...refused }])
})

it('what no ACL is for is allowed to everybody where that is said', async () => {
  await broker.createTopic('t')
  settings = { ...settings, allowEveryoneIfNoAclFound: true }
  expect((await asAlice(metadata, askTopics(['t']))).topics[0]?.errorCode).toBe(0)
  await allow('t', OPERATION.read, { principal: 'User:bob' })
  expect((await asAlice(metadata, askTopics(['t']))).topics[0]?.errorCode).toBe(TOPIC_AUTHORIZATION_FAILED)
})

it('an API that is not in the table is for nobody', async () => {
  const unknown = { ...metadata, name: 'Unknown', key: 4711 }
  await expect(asAlice(unknown, askTopics(null))).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' })
})

describe('FindCoordinator', () => {
  it('looks at each of very many groups once, and makes nothing for who may find none', async () => {
    await allow('mine', OPERATION.describe, { resourceType: CODE.group })
    const keys = Array.from({ length: 100_000 }, (_, index) => `other-${index}`)
    const ask = (coordinatorKeys: readonly string[]) => ({ key: '', keyType: 0, coordinatorKeys })
    const { coordinators } = await asAlice(findCoordinator, ask(keys))
    expect(new Set(coordinators.map(({ errorCode }) => errorCode))).toEqual(
      new Set([GROUP_AUTHORIZATION_FAILED]),
    )
    expect((await broker.send(metadata, askTopics(null))).topics.map(({ name }) => name)).toEqual([])
    const some = await asAlice(findCoordinator, ask([...keys, 'mine']))
    expect(some.coordinators).toHaveLength(100_001)
    expect(some.coordinators[0]).toMatchObject({ key: 'mine', errorCode: 0 })
  })
})

describe('access control entries', () => {
  it('are refused as Kafka refuses them, each for itself, and are there once', async () => {
    const { results } = await broker.send(createAcls, {
      creations: [
        creation('t', OPERATION.read),
        creation('t', OPERATION.read),
        creation('t', 1),
        creation('', OPERATION.read),
        creation('t', OPERATION.read, { resourceType: 1 }),
        creation('t', OPERATION.read, { resourcePatternType: 2 }),
        creation('t', OPERATION.read, { permissionType: 1 }),
        creation('t', OPERATION.read, { resourceType: CODE.cluster }),
        creation('t', OPERATION.read, { principal: 'alice' }),
      ],
    })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      0,
      0,
      ...Array.from({ length: 7 }, () => INVALID_REQUEST),
    ])
    await broker.send(createAcls, { creations: [creation('t', OPERATION.read)] })
    const { resources } = await broker.send(describeAcls, everything)
    expect(resources).toEqual([
      {
        resourceType: CODE.topic,
        resourceName: 't',
        patternType: CODE.literal,
        acls: [{ principal: 'User:alice', host: '*', operation: OPERATION.read, permissionType: CODE.allow }],
      },
    ])
  })

  it.each<[object, string[]]>([
    [{}, ['* literal', 'orders literal', 'ord prefixed', 'kafka-cluster literal']],
    [
      { resourceTypeFilter: CODE.topic, resourceNameFilter: 'orders', patternTypeFilter: 2 },
      ['* literal', 'orders literal', 'ord prefixed'],
    ],
    [
      { resourceTypeFilter: CODE.topic, resourceNameFilter: 'orders', patternTypeFilter: 1 },
      ['orders literal'],
    ],
    [{ resourceNameFilter: 'ord', patternTypeFilter: CODE.prefixed }, ['ord prefixed']],
    [{ resourceNameFilter: 'ord', patternTypeFilter: CODE.literal }, []],
    [{ principalFilter: 'User:bob' }, ['kafka-cluster literal']],
    [{ operation: OPERATION.write }, ['* literal']],
    [{ permissionType: CODE.deny }, ['ord prefixed']],
    [{ hostFilter: '10.0.0.1' }, []],
  ])('are described, and removed, by the filter %o', async (filter, expected) => {
    await allow('*', OPERATION.write)
    await allow('orders', OPERATION.read)
    await allow('ord', OPERATION.read, { resourcePatternType: CODE.prefixed, permissionType: CODE.deny })
    await allow('kafka-cluster', OPERATION.describe, { resourceType: CODE.cluster, principal: 'User:bob' })
    const named = (all: readonly { resourceName: string; patternType: number }[]): string[] =>
      all.map(
        ({ resourceName, patternType }) =>
          `${resourceName} ${patternType === CODE.literal ? 'literal' : 'prefixed'}`,
      )
    const request = { ...everything, ...filter }
    expect(named((await broker.send(describeAcls, request)).resources)).toEqual(expected)
    const { filterResults } = await broker.send(deleteAcls, { filters: [request] })
    expect(named(filterResults[0]!.matchingAcls)).toEqual(expected)
    expect((await broker.send(describeAcls, everything)).resources).toHaveLength(4 - expected.length)
  })

  it.each([{ resourceTypeFilter: 0 }, { patternTypeFilter: 9 }, { operation: 0 }, { permissionType: 7 }])(
    'are not asked for by the unknown %o',
    async (filter) => {
      const request = { ...everything, ...filter }
      expect((await broker.send(describeAcls, request)).errorCode).toBe(INVALID_REQUEST)
      const { filterResults } = await broker.send(deleteAcls, { filters: [request] })
      expect(filterResults[0]?.errorCode).toBe(INVALID_REQUEST)
    },
  )

  it('are there again after a restart, and the removed ones are not', async () => {
    const storage = keptStorage()
    const first = await openTestBroker({}, storage)
    await first.send(createAcls, {
      creations: [creation('a', OPERATION.read), creation('b', OPERATION.read)],
    })
    await first.send(deleteAcls, { filters: [{ ...everything, resourceNameFilter: 'a' }] })
    const before = await first.send(describeAcls, everything)
    await first.broker.close()
    const second = await openTestBroker({}, storage)
    expect(await second.send(describeAcls, everything)).toEqual(before)
    expect(before.resources.map(({ resourceName }) => resourceName)).toEqual(['b'])
    await second.broker.close()
  })
})
