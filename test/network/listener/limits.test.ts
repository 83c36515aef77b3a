/** Bounds that hold against who does nothing: no handshake, no authentication, no end of a request, no reading. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Broker } from '../../../src/broker/broker.js'
import type { ListenerOptions } from '../../../src/network/listener/listener-options.js'
import { Listener } from '../../../src/network/listener/listener.js'
import { apiVersions } from '../../../src/protocol/api/api-versions.js'
import { fetch } from '../../../src/protocol/api/fetch.js'
import { metadata } from '../../../src/protocol/api/metadata.js'
import { encodeRequest } from '../../../src/protocol/frame.js'
import { nodeSockets } from '../../../src/runtime/node/node-sockets.js'
import { systemRandom } from '../../../src/runtime/random.js'
import type { ManualClock } from '../../support/manual-clock.js'
import { handshake, plain, token } from '../../support/sasl-client.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'
import { WireClient } from '../../support/wire-client.js'

const file = (name: string): string => readFileSync(new URL(`../../cli/tls/${name}`, import.meta.url), 'utf8')
const TLS = { cert: file('server.pem'), key: file('server-key.pem') }
const SASL = { plain: { alice: 'wonderland' }, connectionsMaxAuthenticationMs: 5_000 }
const IDLE_MS = 60_000

let clock: ManualClock
let created: TestBroker
let broker: Broker
const listeners: Listener[] = []
const clients: { close(): void }[] = []

beforeEach(async () => {
  created = await openTestBroker()
  ;({ broker, clock } = created)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const listener of listeners.splice(0)) await listener.close()
  await broker.close()
})

const listen = async (options: ListenerOptions): Promise<Listener> => {
  const parts = { broker, sockets: nodeSockets, clock, random: systemRandom }
  const listener = await Listener.open({ connectionsMaxIdleMs: IDLE_MS, ...options }, parts)
  listeners.push(listener)
  return listener
}
const connect = async ({ port }: Listener): Promise<WireClient> => {
  const client = await WireClient.connect(port)
  clients.push(client)
  return client
}
const connectOnly = async ({ port }: Listener): Promise<Socket> => {
  const socket = connectSocket(port, '127.0.0.1')
  socket.on('error', () => undefined)
  clients.push({ close: () => socket.destroy() })
  await once(socket, 'connect')
  return socket
}
const askTopics = { topics: null, allowAutoTopicCreation: false } as never
const askVersions = { clientSoftwareName: 'wire', clientSoftwareVersion: '1' }
const isServed = (client: WireClient): Promise<boolean> =>
  client.call(metadata, 9, askTopics).then(
    () => true,
    () => false,
  )

describe('at the TLS handshake', () => {
  it('who does not go on does not keep the listener from closing', async () => {
    const listener = await listen({ tls: TLS })
    const socket = await connectOnly(listener)
    // It has come in when the listener has closed another one for what it said.
    const other = await connectOnly(listener)
    other.write('GET / HTTP/1.1\r\n\r\n')
    await once(other.resume(), 'close')
    const closed = once(socket.resume(), 'close')
    await listener.close()
    await closed
  })

  it('there are only so many at once', async () => {
    const listener = await listen({ tls: TLS })
    const sockets: Socket[] = []
    for (let count = 0; count < 257; count++) sockets.push(await connectOnly(listener))
    await once(sockets[256]!.resume(), 'close')
    expect(sockets.filter(({ closed }) => closed)).toHaveLength(1)
  })
})

describe('who does not authenticate', () => {
  it.each<[string, (client: WireClient) => Promise<unknown>]>([
    ['and says nothing', async () => undefined],
    ['and asks for versions', (client) => client.call(apiVersions, 3, askVersions)],
    ['and stops after the handshake', (client) => handshake(client, 'PLAIN')],
  ])('%s has connectionsMaxAuthenticationMs', async (_what, begin) => {
    const listener = await listen({ sasl: SASL })
    const client = await connect(listener)
    await begin(client)
    // It has come in when one that came later has.
    await plain(await connect(listener), 'alice', 'wonderland')
    const refusals: string[] = []
    listener.events.on('clientRefused', ({ error }) => refusals.push(error.code))
    clock.advance(4_999)
    expect(listener.connectionCount).toBe(2)
    clock.advance(1)
    await client.closed
    expect(refusals).toEqual(['SASL_AUTHENTICATION_FAILED'])
    expect(listener.connectionCount).toBe(1)
  })

  it('but has done so stays', async () => {
    const listener = await listen({ sasl: SASL })
    const client = await connect(listener)
    await handshake(client, 'PLAIN')
    clock.advance(4_999)
    await token(client, '\0alice\0wonderland')
    clock.advance(5_000)
    expect(await isServed(client)).toBe(true)
  })

  it('and does not go when it was turned away is not waited for', async () => {
    const listener = await listen({ sasl: SASL })
    const refused = new Promise((resolve) => listener.events.on('clientRefused', resolve))
    const client = await connect(listener)
    plain(client, 'alice', 'wrong').catch(() => undefined)
    await refused
    clock.advance(5_000)
    expect(listener.connectionCount).toBe(0)
  })
})

describe('queuedMaxRequestBytes', () => {
  const announcing = (sizeBytes: number, sentBytes: number): Buffer => {
    const bytes = Buffer.alloc(4 + sentBytes)
    bytes.writeInt32BE(sizeBytes)
    return bytes
  }
  /** Resolves when what the others have written before was read. */
  const afterOthers = async (): Promise<void> => {
    const elsewhere = await connect(await listen({}))
    for (let count = 0; count < 5; count++) await isServed(elsewhere)
  }

  it('is not touched by what is announced and does not come', async () => {
    const listener = await listen({ queuedMaxRequestBytes: 20_000 })
    for (let count = 0; count < 10; count++) (await connect(listener)).write(announcing(100_000_000, 100))
    await afterOthers()
    const other = await connect(listener)
    for (let count = 0; count < 10; count++) expect(await isServed(other)).toBe(true)
  })

  it('holds for requests that come in: one of them goes on, and who stops in the middle ends for the others', async () => {
    const listener = await listen({ queuedMaxRequestBytes: 20_000 })
    const refusals: string[] = []
    listener.events.on('clientRefused', ({ error }) => refusals.push(error.code))
    const stalled = await Promise.all(Array.from({ length: 3 }, () => connect(listener)))
    for (const client of stalled) client.write(announcing(50_000, 10_000))
    await afterOthers()
    const other = await connect(listener)
    const served = isServed(other)
    const both = Promise.all([served, isServed(await connect(listener))])
    // All of it is held by requests that come in; one goes beyond, so that it gets whole and makes room.
    await afterOthers()
    clock.advance(4_999)
    await afterOthers()
    expect(refusals).toEqual([])
    clock.advance(1)
    await Promise.all(stalled.slice(0, 2).map(({ closed }) => closed))
    expect(new Set(refusals)).toEqual(new Set(['REQUEST_TIMED_OUT']))
    expect(await both).toEqual([true, true])
  })

  it('does not end who sends on, however slowly', async () => {
    const listener = await listen({ queuedMaxRequestBytes: 2_000 })
    const slow = await connect(listener)
    slow.write(announcing(50_000, 10_000))
    await afterOthers()
    const second = await connect(listener)
    second.write(announcing(50_000, 10_000))
    const third = await connect(listener)
    third.write(announcing(50_000, 10_000))
    for (let count = 0; count < 3; count++) {
      await afterOthers()
      clock.advance(3_000)
      for (const client of [slow, second]) client.write(Buffer.alloc(1))
    }
    await afterOthers()
    expect(listener.connectionCount).toBe(3)
  })

  it('lets one in that is larger by itself', async () => {
    const listener = await listen({ queuedMaxRequestBytes: 1_024 })
    const client = await connect(listener)
    const names = Array.from({ length: 200 }, (_, index) => ({ name: `a-topic-${index}` }))
    const request = { topics: names, allowAutoTopicCreation: false } as never
    expect((await client.call(metadata, 9, request)).topics).toHaveLength(200)
    expect(await isServed(client)).toBe(true)
  })
})

describe('who does not read', () => {
  it('is idle', async () => {
    const listener = await listen({})
    const client = await connect(listener)
    client.pause()
    const topicId = await created.createTopic('t')
    for (let count = 0; count < 5; count++) await created.produce(topicId, 0, ['x'.repeat(1_000_000)])
    const partitions = [
      { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0, partitionMaxBytes: 5_500_000 },
    ]
    const ask = { maxWaitMs: 0, minBytes: 1, maxBytes: 5_500_000, sessionEpoch: -1 }
    const header = { correlationId: 1, clientId: null }
    const request = encodeRequest(
      fetch,
      12,
      { ...ask, topics: [{ topic: 't', partitions }] } as never,
      header,
    )
    // They begin together, so that answers wait here too, and not only between here and the client.
    client.write(Buffer.concat(Array.from({ length: 16 }, () => request).flat()))
    const other = await connect(listener)
    for (let count = 0; count < 100; count++) await isServed(other)
    other.close()
    await expect
      .poll(() => {
        clock.advance(IDLE_MS / 2)
        return listener.connectionCount
      })
      .toBe(0)
  })
})
