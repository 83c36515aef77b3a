/** The admin client describes the cluster, its features and what has settings, and places partitions on brokers. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { contextOver } from '../../support/client-context.js'
import { ScriptedNetwork } from '../../support/scripted-cluster.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'

let test: TestBroker
let admin: Admin

beforeEach(async () => {
  test = await openTestBroker({ 'num.partitions': '2', 'log.retention.ms': '5000' })
  admin = adminOf(test)
})

afterEach(async () => test.broker.close())

const adminOf = ({ broker, clock }: TestBroker): Admin =>
  new Admin(contextOver(new DirectNetwork(broker, { clock, clientId: 'app' }), clock))

describe('the cluster', () => {
  it('tells what may be done with it when asked', async () => {
    const plain = await admin.describeCluster()
    expect(plain).toMatchObject({ controllerId: test.broker.nodeId, authorizedOperations: undefined })
    expect(plain.brokers).toEqual([{ nodeId: test.broker.nodeId, host: expect.any(String), port: 0 }])
    const { authorizedOperations } = await admin.describeCluster({ includeAuthorizedOperations: true })
    // Kafka's AclEntry.supportedOperations of a cluster.
    expect([...authorizedOperations!].sort()).toEqual(
      [
        'CREATE',
        'CLUSTER_ACTION',
        'DESCRIBE_CONFIGS',
        'ALTER_CONFIGS',
        'IDEMPOTENT_WRITE',
        'ALTER',
        'DESCRIBE',
      ].sort(),
    )
  })

  it('tells its features', async () => {
    expect(await admin.describeFeatures()).toEqual({
      supported: [{ name: 'transaction.version', minVersion: 0, maxVersion: 2 }],
      finalized: [{ name: 'transaction.version', minVersionLevel: 2, maxVersionLevel: 2 }],
      finalizedEpoch: 0,
    })
    const older = await openTestBroker({ 'ottla.transaction.version': '0' })
    expect((await adminOf(older).describeFeatures()).finalized).toEqual([])
    await older.broker.close()
    const network = new ScriptedNetwork()
    network.overrides.set('ApiVersions', () => ({ errorCode: 0, apiKeys: [], throttleTimeMs: 0 }))
    expect(await new Admin(contextOver(network, test.clock)).describeFeatures()).toEqual({
      supported: [],
      finalized: [],
      finalizedEpoch: undefined,
    })
  })

  it('lists what has settings', async () => {
    await test.createTopic('b')
    await test.createTopic('a')
    const broker = { type: 'broker', name: String(test.broker.nodeId) }
    const topics = ['a', 'b'].map((name) => ({ type: 'topic', name }))
    const listed = await admin.listConfigResources()
    expect(listed).toHaveLength(3)
    expect(listed).toEqual(expect.arrayContaining([broker, ...topics]))
    expect(await admin.listConfigResources(['broker'])).toEqual([broker])
    expect(await admin.listConfigResources(['topic'])).toHaveLength(2)
  })
})

describe('settings', () => {
  it('tell where else they have values when asked', async () => {
    await test.createTopic('t', 1, { 'retention.ms': '1234' })
    const find = async (includeSynonyms: boolean) => {
      const configs = await admin.describeConfigs({ type: 'topic', name: 't' }, { includeSynonyms })
      return configs.find(({ name }) => name === 'retention.ms')!
    }
    expect(await find(true)).toMatchObject({
      value: '1234',
      source: 'topic',
      type: 'long',
      isReadOnly: false,
      isSensitive: false,
      synonyms: [
        { name: 'retention.ms', value: '1234', source: 'topic' },
        { name: 'log.retention.ms', value: '5000', source: 'broker (static)' },
        { name: 'log.retention.ms', value: '604800000', source: 'default' },
      ],
    })
    expect((await find(false)).synonyms).toEqual([])
  })
})

describe('partitions', () => {
  it('are put on the brokers that are named', async () => {
    const { nodeId } = test.broker
    const [created] = await admin.createTopics([{ name: 't', assignments: [[nodeId], [nodeId], [nodeId]] }])
    expect(created).toMatchObject({ numPartitions: 3, replicationFactor: 1 })
    await admin.createPartitions('t', 5, { assignments: [[nodeId], [nodeId]] })
    const [described] = await admin.describeTopics(['t'])
    expect(described!.partitions).toHaveLength(5)
  })

  it.each([
    ['a broker that is not there', { assignments: [[7]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['no broker', { assignments: [[]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['one broker twice', { assignments: [[1, 1]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['a number of partitions too', { assignments: [[1]], numPartitions: 1 }, 'INVALID_REQUEST'],
    ['a replication factor too', { assignments: [[1]], replicationFactor: 1 }, 'INVALID_REQUEST'],
  ])('are not made with %s', async (_, topic, code) => {
    expect(test.broker.nodeId).toBe(1)
    for (const validateOnly of [true, false]) {
      await expect(admin.createTopics([{ name: 't', ...topic }], { validateOnly })).rejects.toMatchObject({
        code,
        details: { topic: 't' },
      })
    }
    expect(await admin.listTopics()).toEqual([])
  })

  it('are not added with another number of assignments', async () => {
    await test.createTopic('t')
    await expect(admin.createPartitions('t', 3, { assignments: [[1]] })).rejects.toMatchObject({
      code: 'INVALID_REPLICA_ASSIGNMENT',
    })
    const validated = await admin.createTopics([{ name: 'u', assignments: [[1], [1]] }], {
      validateOnly: true,
    })
    expect(validated).toMatchObject([{ name: 'u', numPartitions: 2 }])
    expect(await admin.listTopics()).toEqual(['t'])
  })
})

describe('offsets', () => {
  it.each(['earliest-local', 'latest-tiered', 'earliest-pending-upload', new Date(-1), new Date(Number.NaN)])(
    'that nothing is kept for are refused: %s',
    async (spec) => {
      await test.createTopic('t')
      await expect(admin.listOffsets([{ topic: 't', partition: 0 }], spec as never)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining("expected 'earliest'") as string,
      })
    },
  )
})
