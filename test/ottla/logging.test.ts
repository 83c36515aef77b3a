/** What a logger is told, on which level, and what it is never told. */
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { json, Ottla, string, type Logger, type OttlaOptions } from '../../src/index.js'
import { connect } from 'node:net'
import { once } from 'node:events'
import { turn } from '../support/client-context.js'
import { ManualClock } from '../support/manual-clock.js'

interface Line {
  readonly level: keyof Logger
  readonly object: Readonly<Record<string, unknown>>
  readonly message: string | undefined
}

/** A logger that keeps what it is told. */
const keeper = () => {
  const lines: Line[] = []
  const method = (level: keyof Logger) => (object: object, message?: string) =>
    void lines.push({ level, object: object as Line['object'], message })
  const logger: Logger = {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
  }
  const messages = (level: keyof Logger): unknown[] =>
    lines.filter((line) => line.level === level).map(({ message }) => message)
  return { lines, logger, messages }
}

const open: Ottla[] = []
const openWith = async (options: OttlaOptions): Promise<Ottla> => {
  const ottla = await Ottla.open(options)
  open.push(ottla)
  return ottla
}
afterEach(async () => {
  for (const ottla of open.splice(0)) await ottla.close()
})

describe('a logger', () => {
  it('is told of the life of a broker, its topics and its groups', async () => {
    const { lines, logger } = keeper()
    const ottla = await openWith({ logger, clientId: 'shop' })
    const orders = await ottla.createTopic('orders', { partitions: 2, value: string })
    const consumer = await ottla.consumerGroup('billing', { topics: [orders] }).join()
    await consumer.close()
    await ottla.admin.deleteTopics(['orders'])
    await ottla.close()
    expect(lines.filter(({ object }) => object.topic !== '__consumer_offsets')).toEqual([
      {
        level: 'info',
        object: { nodeId: 1, storage: 'memory', location: undefined, topics: 0 },
        message: 'broker opened',
      },
      { level: 'info', object: { topic: 'orders', partitions: 2 }, message: 'topic created' },
      {
        level: 'info',
        object: { groupId: 'billing', generation: 1, members: 1 },
        message: 'group rebalanced',
      },
      {
        level: 'info',
        object: { clientId: 'shop-consumer-billing-1', partitions: 2 },
        message: 'partitions assigned',
      },
      { level: 'info', object: { groupId: 'billing' }, message: 'group is empty' },
      { level: 'info', object: { topic: 'orders' }, message: 'topic deleted' },
      { level: 'info', object: { nodeId: 1 }, message: 'broker closed' },
    ])
  })

  it('is told of a transaction that was aborted because its time was up', async () => {
    const { lines, logger } = keeper()
    const clock = new ManualClock()
    const ottla = await openWith({ logger, clock })
    const orders = await ottla.createTopic('orders', { value: string })
    const producer = ottla.producer({ transactionalId: 'till-1', transactionTimeoutMs: 5000 })
    await producer.begin()
    await producer.send(orders, { value: 'a' })
    await clock.advanceAsync(5000)
    await turn()
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        object: { transactionalId: 'till-1', timeoutMs: 5000 },
        message: 'transaction timed out and was aborted',
      },
    ])
    await expect(producer.close()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
  })

  it('is told of clients that were refused', async () => {
    const { lines, logger } = keeper()
    const ottla = await openWith({ logger })
    const listener = await ottla.listen()
    const socket = connect(listener.port, listener.host)
    socket.end(Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4]))
    socket.resume()
    await once(socket, 'close')
    const refused = lines.filter(({ message }) => message === 'client refused')
    expect(refused).toMatchObject([{ level: 'warn', object: { remoteAddress: '127.0.0.1' } }])
    await listener.close()
    expect(lines.filter(({ message }) => message?.startsWith('listener'))).toEqual([
      { level: 'info', object: { host: '127.0.0.1', port: listener.port }, message: 'listener opened' },
      { level: 'info', object: { host: '127.0.0.1', port: listener.port }, message: 'listener closed' },
    ])
  })

  it('is never told what is in records', async () => {
    const { lines, logger } = keeper()
    const ottla = await openWith({ logger })
    const plain = await ottla.createTopic('orders', { key: string, value: string })
    const broken = await ottla.topic('orders', { value: json() })
    const secret = 'hunter2-secret'
    await ottla.producer().send(plain, { key: secret, value: secret, headers: { secret } })
    const consumer = await ottla.consumerGroup('billing', { topics: [broken] }).join()
    await expect(consumer.run({ eachMessage: () => undefined })).rejects.toThrow(/hunter2|JSON/)
    const failing = ottla.consumer({ assign: [plain] })
    const run = failing.run({
      eachMessage: ({ value }) => {
        throw new Error(value)
      },
    })
    await expect(run).rejects.toThrow(secret)
    await consumer.close()
    await ottla.admin.deleteRecords([{ topic: 'orders', partition: 0, before: 1 }])
    expect(lines.length).toBeGreaterThan(4)
    const all = lines.map(({ object, message }) => {
      const { err, ...rest } = object
      return `${message} ${JSON.stringify(rest)} ${err instanceof Error ? `${err.stack}` : ''}`
    })
    expect(all.join('\n')).not.toContain('hunter2')
  })

  it('that throws does no harm, and its error is not lost', async () => {
    const uncaught: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
    try {
      const fail = (): never => {
        throw new Error('the disk of the log lines is full')
      }
      const ottla = await openWith({ logger: { debug: fail, info: fail, warn: fail, error: fail } })
      await ottla.createTopic('orders')
      await turn()
      expect(uncaught.map((error) => (error as Error).message)).toEqual([
        'the disk of the log lines is full',
        'the disk of the log lines is full',
      ])
      await ottla.close()
      await turn()
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })

  it('is refused when it is none', async () => {
    const logger = { info: () => undefined } as never
    await expect(Ottla.open({ logger })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('may be one of pino, or the console', () => {
    expectTypeOf<PinoLogger>().toExtend<Logger>()
    expectTypeOf<Console>().toExtend<Logger>()
  })
})

/** The methods of a logger as pino 9 declares them: they take an object and a line, or a line alone, and what to put into it. */
interface PinoLogMethod {
  <T>(obj: T, msg?: T extends string ? never : string, ...args: unknown[]): void
  (_: never, msg: string, ...args: unknown[]): void
  (msg: string, ...args: unknown[]): void
}

interface PinoLogger {
  level: string
  readonly version: string
  trace: PinoLogMethod
  debug: PinoLogMethod
  info: PinoLogMethod
  warn: PinoLogMethod
  error: PinoLogMethod
  fatal: PinoLogMethod
  silent: PinoLogMethod
  child(bindings: Record<string, unknown>, options?: object): PinoLogger
}
