/** What a connection promises: order, no answer where none is wanted, bounds, and that one client's fault is its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla, type LogStorage, type OttlaError } from '../../../src/index.js'
import type { ListenerOptions } from '../../../src/network/listener/listener-options.js'
import type { Listener } from '../../../src/network/listener/listener.js'
import { fetch } from '../../../src/protocol/api/fetch.js'
import { metadata } from '../../../src/protocol/api/metadata.js'
import { produce } from '../../../src/protocol/api/produce.js'
import { encodeRequest } from '../../../src/protocol/frame.js'
import { encodeBatch } from '../../../src/record/encode.js'
import { deferred } from '../../../src/runtime/abort.js'
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.js'
import { crc32c } from '../../../src/record/crc32c.js'
import { WireClient } from '../../support/wire-client.js'

let ottla: Ottla
const clients: WireClient[] = []

beforeEach(async () => {
  ottla = await Ottla.open()
  await ottla.createTopic('t')
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await ottla.close()
})

const listen = (options?: ListenerOptions): Promise<Listener> => ottla.listen(options)
const connect = async (to: Listener): Promise<WireClient> => {
  const client = await WireClient.connect(to.port)
  clients.push(client)
  return client
}

const refusals = (listener: Listener): OttlaError[] => {
  const errors: OttlaError[] = []
  listener.events.on('clientRefused', ({ error }) => errors.push(error))
  return errors
}

/** `storage`, whose next append waits for what `gate` answers. */
const gated = (inner: LogStorage) => {
  let waiting: { readonly reached: () => void; readonly opened: Promise<void> } | undefined
  const around = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          const call = (): unknown => Reflect.apply(value, target, args)
          if (name === 'partition') return (call() as Promise<object>).then(around)
          if (name !== 'append' || waiting === undefined) return call()
          waiting.reached()
          return waiting.opened.then(call)
        }
      },
    })
  const gate = () => {
    const reached = deferred<undefined>()
    const opened = deferred<undefined>()
    waiting = { reached: () => reached.resolve(undefined), opened: opened.promise }
    return { reached: reached.promise, open: () => opened.resolve(undefined) }
  }
  return { storage: around(inner), gate }
}

const askTopics = { topics: null, allowAutoTopicCreation: true }
const VERSION = { fetch: 12, metadata: 9, produce: 9 } as const

const batchOf = (value: string): Uint8Array =>
  encodeBatch([{ timestamp: 1, key: null, value: Buffer.from(value), headers: [] }])

const produceRequest = (batch: Uint8Array, acks = -1) => ({
  acks,
  timeoutMs: 1000,
  transactionalId: null,
  topicData: [{ name: 't', partitionData: [{ index: 0, records: [batch] }] }],
})

const fetchRequest = (fetchOffset: number, maxWaitMs: number) => ({
  maxWaitMs,
  minBytes: 1,
  maxBytes: 1_000_000,
  sessionEpoch: -1,
  topics: [
    {
      topic: 't',
      partitions: [{ partition: 0, currentLeaderEpoch: -1, fetchOffset, partitionMaxBytes: 1_000_000 }],
    },
  ],
})

const frameOf = (correlationId: number, acks: number, value: string): Buffer =>
  Buffer.concat(
    encodeRequest(produce, VERSION.produce, produceRequest(batchOf(value), acks) as never, {
      correlationId,
      clientId: null,
    }),
  )

describe('a connection', () => {
  it('answers in the order of the requests, one that waits first', async () => {
    const listener = await listen()
    const client = await connect(listener)
    // The fetch waits until something is produced, by the request that comes behind it.
    const fetched = client.call(fetch, VERSION.fetch, fetchRequest(0, 20_000) as never)
    const produced = client.call(produce, VERSION.produce, produceRequest(batchOf('x')) as never)
    const topics = client.call(metadata, VERSION.metadata, askTopics as never)
    expect((await fetched).responses[0]?.partitions[0]?.records?.length).toBe(1)
    expect((await produced).responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: 0,
      baseOffset: 0,
    })
    expect((await topics).topics.length).toBe(1)
    expect(client.correlationIds).toEqual([1, 2, 3])
  })

  it('does not answer acks 0, and goes on', async () => {
    const listener = await listen()
    const client = await connect(listener)
    client.write(Buffer.concat([frameOf(100, 0, 'a'), frameOf(101, 0, 'b'), frameOf(102, -1, 'c')]))
    await client.next()
    expect(client.correlationIds).toEqual([102])
    const { responses } = await client.call(fetch, VERSION.fetch, fetchRequest(0, 0) as never)
    expect(responses[0]?.partitions[0]?.highWatermark).toBe(3)
  })

  it('ends when what was sent with acks 0 cannot be stored, as there is no answer that could say so', async () => {
    const listener = await listen()
    const client = await connect(listener)
    const damaged = batchOf('x')
    damaged[damaged.length - 1] = 0xff
    client.write(
      Buffer.concat(
        encodeRequest(produce, VERSION.produce, produceRequest(damaged, 0) as never, {
          correlationId: 1,
          clientId: null,
        }),
      ),
    )
    await client.closed
    expect(client.correlationIds).toEqual([])
  })

  it.each([
    ['an API that there is none of', '0000000a7fff0000000000010000', 'UNSUPPORTED_VERSION'],
    ['a version that there is none of', '0000000a0003006300000001ffff', 'UNSUPPORTED_VERSION'],
    ['a header that is cut off', '000000020003', 'MALFORMED_MESSAGE'],
    ['a body that is cut off', '0000000c000300000000000100000000', 'MALFORMED_MESSAGE'],
    ['bytes behind the body', '0000000f000300000000000100000000000000ff', 'MALFORMED_MESSAGE'],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex'), 'INVALID_REQUEST'],
  ])('with %s is ended, and only that one', async (_what, hex, code) => {
    const listener = await listen()
    const errors = refusals(listener)
    const other = await connect(listener)
    const client = await connect(listener)
    client.write(Buffer.from(hex, 'hex'))
    await client.closed
    expect(errors.map((error) => error.code)).toEqual([code])
    expect((await other.call(metadata, VERSION.metadata, askTopics as never)).topics.length).toBe(1)
    expect(listener.connectionCount).toBe(1)
  })

  it('that goes away while it waits is forgotten', async () => {
    const listener = await listen()
    const client = await connect(listener)
    const fetched = client.call(fetch, VERSION.fetch, fetchRequest(0, 60_000) as never)
    fetched.catch(() => undefined)
    const second = await connect(listener)
    await second.call(metadata, VERSION.metadata, askTopics as never)
    client.close()
    await client.closed
    await expect.poll(() => listener.connectionCount).toBe(1)
  })

  it('that goes away leaves what the disk still has to take in the bound, until it has taken it', async () => {
    const { storage, gate } = gated(new MemoryStorage())
    await using slow = await Ottla.open({ storage })
    await slow.createTopic('t')
    const listener = await slow.listen({ queuedMaxRequestBytes: 4096 })
    const stored = gate()
    const first = await connect(listener)
    first
      .call(produce, VERSION.produce, produceRequest(batchOf('x'.repeat(8000))) as never)
      .catch(() => undefined)
    await stored.reached
    first.close()
    await first.closed
    await expect.poll(() => listener.connectionCount).toBe(0)
    // No request is taken while there is no room; what another listener answers meanwhile shows that there was time.
    const second = await connect(listener)
    let isAnswered = false
    const answered = second
      .call(metadata, VERSION.metadata, askTopics as never)
      .then(() => (isAnswered = true))
    const elsewhere = await connect(await listen())
    for (let count = 0; count < 5; count++)
      await elsewhere.call(metadata, VERSION.metadata, askTopics as never)
    expect(isAnswered).toBe(false)
    stored.open()
    await answered
  })

  it('of a client that reads nothing is not read from for ever', async () => {
    const listener = await listen({ queuedMaxRequestBytes: 4096 })
    const topic = await ottla.topic('t')
    const value = new Uint8Array(900_000)
    for (let count = 0; count < 20; count++) await ottla.producer().send(topic, { value })
    const client = await connect(listener)
    client.pause()
    const request = Buffer.concat(
      encodeRequest(fetch, VERSION.fetch, fetchRequest(0, 0) as never, { correlationId: 1, clientId: null }),
    )
    const before = process.memoryUsage().arrayBuffers
    for (let count = 0; count < 2000; count++) client.write(request)
    const other = await connect(listener)
    for (let count = 0; count < 20; count++) await other.call(metadata, VERSION.metadata, askTopics as never)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64_000_000)
  })
})

describe('records from a socket', () => {
  it('that are not what their header says are refused', async () => {
    const listener = await listen()
    const client = await connect(listener)
    const batch = batchOf('value')
    // The record's length, behind the 61 bytes of the header, with a CRC that is right.
    batch[61] = 0x7e
    new DataView(batch.buffer, batch.byteOffset).setUint32(17, crc32c(batch, 21, batch.length))
    const { responses } = await client.call(produce, VERSION.produce, produceRequest(batch) as never)
    expect(responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 87, baseOffset: -1 })
    const after = await client.call(produce, VERSION.produce, produceRequest(batchOf('fine')) as never)
    expect(after.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 })
  })
})

describe('a listener', () => {
  it('is on this machine only, unless it is told otherwise', async () => {
    await expect(listen({ host: '0.0.0.0' })).rejects.toThrow(/0\.0\.0\.0.*tls, or insecure: true/)
    const open = await listen({
      host: '0.0.0.0',
      insecure: true,
      advertised: { host: 'kafka.example', port: 9092 },
    })
    const client = await connect(open)
    const { brokers } = await client.call(metadata, VERSION.metadata, askTopics as never)
    expect(brokers).toMatchObject([{ host: 'kafka.example', port: 9092 }])
  })

  it('tells each client the address of the listener that it came to', async () => {
    const [first, second] = await Promise.all([listen(), listen({ name: 'SECOND' })])
    for (const listener of [first, second]) {
      const client = await connect(listener)
      const { brokers } = await client.call(metadata, VERSION.metadata, askTopics as never)
      expect(brokers).toMatchObject([{ host: '127.0.0.1', port: listener.port }])
    }
  })

  it('turns away who comes after maxConnections', async () => {
    const listener = await listen({ maxConnections: 1 })
    const errors = refusals(listener)
    const first = await connect(listener)
    await first.call(metadata, VERSION.metadata, askTopics as never)
    const second = await connect(listener)
    await second.closed
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('maxConnections')])
    await first.call(metadata, VERSION.metadata, askTopics as never)
  })

  it('says which address cannot be listened on', async () => {
    const { port } = await listen()
    await expect(listen({ port })).rejects.toMatchObject({
      code: 'NETWORK_EXCEPTION',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    })
  })

  it('listens on a Unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ottla-socket-'))
    try {
      const path = join(folder, 'kafka.sock')
      const listener = await listen({ path })
      expect(listener).toMatchObject({ host: path, port: 0 })
      const client = await WireClient.connect(path)
      clients.push(client)
      expect((await client.call(metadata, VERSION.metadata, askTopics as never)).topics.length).toBe(1)
      await listener.close()
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('closes with its Ottla, connections and waiting requests too', async () => {
    const listener = await listen()
    const client = await connect(listener)
    const fetched = client.call(fetch, VERSION.fetch, fetchRequest(0, 60_000) as never)
    fetched.catch(() => undefined)
    await ottla.close()
    await client.closed
    await expect(fetched).rejects.toThrow('closed')
    await expect(WireClient.connect(listener.port)).rejects.toThrow()
  })
})
