/** Clients that take more than their quota: they are told for how long to be silent, and not read from meanwhile. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Broker } from '../../../src/broker/broker.js'
import { Listener } from '../../../src/network/listener/listener.js'
import { alterClientQuotas } from '../../../src/protocol/api/alter-client-quotas.js'
import { fetch } from '../../../src/protocol/api/fetch.js'
import { metadata } from '../../../src/protocol/api/metadata.js'
import { produce } from '../../../src/protocol/api/produce.js'
import { encodeRequest } from '../../../src/protocol/frame.js'
import { nodeSockets } from '../../../src/runtime/node/node-sockets.js'
import { systemRandom } from '../../../src/runtime/random.js'
import { ManualClock } from '../../support/manual-clock.js'
import { batchOf, openTestBroker, type TestBroker } from '../../support/test-broker.js'
import { WireClient } from '../../support/wire-client.js'

/** Ten whole windows of a second, and one that has begun: what Kafka has. */
const SPAN_SECONDS = 10
const VERSION = { produce: 9, fetch: 12, metadata: 9 }

let created: TestBroker
let broker: Broker
let clock: ManualClock
let listener: Listener
const clients: WireClient[] = []

const open = async (with_: ManualClock): Promise<void> => {
  clock = with_
  created = await openTestBroker({}, undefined, clock)
  ;({ broker } = created)
  await created.createTopic('t')
  listener = await Listener.open(
    { connectionsMaxIdleMs: 10_000_000 },
    { broker, clock, sockets: nodeSockets, random: systemRandom },
  )
}
beforeEach(() => open(new ManualClock()))
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await listener.close()
  await broker.close()
})

const connect = async (): Promise<WireClient> => {
  const client = await WireClient.connect(listener.port)
  clients.push(client)
  return client
}
const limit = async (key: string, value: number, user = 'ANONYMOUS'): Promise<void> => {
  const entity = [{ entityType: 'user', entityName: user }]
  await created.send(alterClientQuotas, {
    entries: [{ entity, ops: [{ key, value, remove: false }] }],
    validateOnly: false,
  })
}
const produceRequest = (bytes: number, acks = -1) => ({
  transactionalId: null,
  acks,
  timeoutMs: 1000,
  topicData: [
    { name: 't', topicId: '', partitionData: [{ index: 0, records: [batchOf(['x'.repeat(bytes)], 1)] }] },
  ],
})
const fetchRequest = (fetchOffset: number) => ({
  replicaId: -1,
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 10_000_000,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  topics: [
    {
      topic: 't',
      topicId: '',
      partitions: [
        {
          partition: 0,
          currentLeaderEpoch: -1,
          fetchOffset,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes: 10_000_000,
        },
      ],
    },
  ],
  forgottenTopicsData: [],
  rackId: '',
})
const sizeOf = (request: ReturnType<typeof produceRequest>): number =>
  Buffer.concat(encodeRequest(produce, VERSION.produce, request, { correlationId: 1, clientId: 'wire' }))
    .length - 4
const ask = (client: WireClient) =>
  client.call(metadata, VERSION.metadata, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
/** Resolves when whatever was sent before it has been read, by way of a connection of its own. */
const others = async (): Promise<void> => {
  for (let round = 0; round < 3; round++) await ask(await connect())
}
const isSilentFor = async (client: WireClient, ms: number): Promise<void> => {
  const before = client.correlationIds.length
  const answer = ask(client)
  await others()
  clock.advance(ms - 1)
  await others()
  expect(client.correlationIds).toHaveLength(before)
  clock.advance(1)
  await answer
}

describe('a producer', () => {
  it('that sends too much is told for how long, answered at once, and not read from until then', async () => {
    await limit('producer_byte_rate', 100)
    const client = await connect()
    const small = produceRequest(10)
    expect((await client.call(produce, VERSION.produce, small)).throttleTimeMs).toBe(0)
    const large = produceRequest(2000)
    const bytes = sizeOf(small) + sizeOf(large)
    const expectedMs = Math.round((bytes / SPAN_SECONDS - 100) * (SPAN_SECONDS / 100) * 1000)
    const answer = await client.call(produce, VERSION.produce, large)
    expect(answer.throttleTimeMs).toBe(expectedMs)
    expect(answer.responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1 })
    await isSilentFor(client, expectedMs)
    // All of it has been waited for: what is within the quota goes on.
    expect((await ask(client)).throttleTimeMs).toBe(0)
  })

  it('that wants no answers is not read from either', async () => {
    await limit('producer_byte_rate', 100)
    const client = await connect()
    const request = produceRequest(2000, 0)
    client.write(
      Buffer.concat(encodeRequest(produce, VERSION.produce, request, { correlationId: 9, clientId: 'wire' })),
    )
    // Requests of one connection go on side by side: the next one comes when this one has been counted.
    await others()
    await isSilentFor(
      client,
      Math.round((sizeOf(request) / SPAN_SECONDS - 100) * (SPAN_SECONDS / 100) * 1000),
    )
    expect(client.correlationIds).toHaveLength(1)
  })

  it('shares its quota with all connections of its user, and keeps nobody else from anything', async () => {
    await limit('producer_byte_rate', 100)
    const request = produceRequest(700)
    const [one, two] = [await connect(), await connect()]
    expect((await one.call(produce, VERSION.produce, request)).throttleTimeMs).toBe(0)
    expect((await two.call(produce, VERSION.produce, request)).throttleTimeMs).toBeGreaterThan(0)
    expect((await ask(one)).throttleTimeMs).toBe(0)
  })

  it('has no quota in this process, or where the quota is another user’s', async () => {
    await limit('producer_byte_rate', 1, 'alice')
    expect(
      (await (await connect()).call(produce, VERSION.produce, produceRequest(2000))).throttleTimeMs,
    ).toBe(0)
    await limit('producer_byte_rate', 1)
    const version = { apiVersion: VERSION.produce }
    expect((await created.send(produce, produceRequest(2000), version)).throttleTimeMs).toBe(0)
  })

  it('that has gone in its silence leaves nothing behind', async () => {
    await limit('producer_byte_rate', 1)
    const client = await connect()
    await client.call(produce, VERSION.produce, produceRequest(2000))
    client.close()
    await listener.close()
    expect(listener.connectionCount).toBe(0)
  })
})

describe('a consumer', () => {
  it('gets no more at once than its quota has in all windows, with the time that takes', async () => {
    const version = { apiVersion: VERSION.produce }
    for (let count = 0; count < 10; count++) await created.send(produce, produceRequest(400), version)
    await limit('consumer_byte_rate', 110)
    const client = await connect()
    const first = await client.call(fetch, VERSION.fetch, fetchRequest(0))
    const bytes = (response: typeof first): number =>
      response.responses[0]!.partitions[0]!.records!.reduce((sum, { length }) => sum + length, 0)
    // Two batches of some 470 bytes; all ten were asked for.
    expect(bytes(first)).toBeGreaterThan(400)
    expect(bytes(first)).toBeLessThanOrEqual(110 * SPAN_SECONDS)
    const second = await client.call(fetch, VERSION.fetch, fetchRequest(2))
    expect(second.throttleTimeMs).toBeGreaterThan(0)
    await isSilentFor(client, second.throttleTimeMs)
  })

  it('gets a batch that is larger than that', async () => {
    await created.send(produce, produceRequest(5000), { apiVersion: VERSION.produce })
    await limit('consumer_byte_rate', 100)
    const client = await connect()
    const { responses, throttleTimeMs } = await client.call(fetch, VERSION.fetch, fetchRequest(0))
    expect(responses[0]!.partitions[0]!.records!.length).toBeGreaterThan(0)
    expect(throttleTimeMs).toBeGreaterThan(40_000)
  })
})

/** A clock that goes on by ten milliseconds whenever somebody looks at it. */
class TickingClock extends ManualClock {
  #looks = 0
  override monotonic(): number {
    return super.monotonic() + 10 * this.#looks++
  }
}

describe('whoever keeps the event loop busy', () => {
  beforeEach(async () => {
    await listener.close()
    await broker.close()
    await open(new TickingClock())
  })

  it('is silent for a window at most', async () => {
    const client = await connect()
    expect((await ask(client)).throttleTimeMs).toBe(0)
    await limit('request_percentage', 0.001)
    expect((await ask(client)).throttleTimeMs).toBe(1000)
  })

  it('is not told of what it wants no answer to, and not counted', async () => {
    await limit('request_percentage', 0.001)
    const client = await connect()
    client.write(
      Buffer.concat(
        encodeRequest(produce, VERSION.produce, produceRequest(10, 0), {
          correlationId: 9,
          clientId: 'wire',
        }),
      ),
    )
    expect((await ask(client)).throttleTimeMs).toBe(1000)
  })
})
