/** Traces go through records: what is sent belongs to what the application did, what is processed to who sent it. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, it } from 'vitest'
import {
  Ottla,
  string,
  type ConsumerOptions,
  type Message,
  type Topic,
  type Tracing,
} from '../../src/index.js'
import { Spans } from '../../src/clients/tracing/spans.js'
import { turn } from '../support/client-context.js'

interface FakeSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly kind: number | undefined
  readonly links: readonly unknown[]
  readonly attributes: Record<string, unknown>
  status: number
  endCount: number
}

/** A context is the span in it, if there is one. */
interface FakeContext {
  readonly span: Pick<FakeSpan, 'traceId' | 'spanId'> | undefined
}

/** What a tracing system does, at its simplest: counts spans, keeps the context with the work, writes W3C's header. */
class FakeTracing implements Tracing {
  readonly spans: FakeSpan[] = []
  readonly #storage = new AsyncLocalStorage<FakeContext>()
  #count = 0

  readonly trace: Tracing['trace'] = {
    getTracer: (library) => ({
      startSpan: (name, { kind, attributes, links } = {}, context = this.context.active()) => {
        const parent = (context as FakeContext).span
        const number = ++this.#count
        const span: FakeSpan = {
          name,
          traceId: parent?.traceId ?? String(number).padStart(32, '0'),
          spanId: String(number).padStart(16, '0'),
          parentId: parent?.spanId,
          kind,
          links: (links ?? []).map((link) => link.context),
          attributes: { ...attributes, library },
          status: 0,
          endCount: 0,
        }
        this.spans.push(span)
        return Object.assign(span, {
          setAttribute: (key: string, value: unknown) => void (span.attributes[key] = value),
          setStatus: ({ code }: { code: number }) => void (span.status = code),
          end: () => {
            span.endCount++
          },
        })
      },
    }),
    setSpan: (_, span) => ({ span }),
    getSpanContext: (context) => {
      const { span } = context as FakeContext
      return span && { traceId: span.traceId, spanId: span.spanId }
    },
  }

  readonly context: Tracing['context'] = {
    active: () => this.#storage.getStore() ?? { span: undefined },
    with: (context, work) => this.#storage.run(context as FakeContext, work),
  }

  readonly propagation: Tracing['propagation'] = {
    fields: () => ['traceparent'],
    inject: (context, carrier) => {
      const { span } = context as FakeContext
      if (span !== undefined) carrier.traceparent = `00-${span.traceId}-${span.spanId}-01`
    },
    extract: (context, { traceparent = '' }) => {
      const [, traceId, spanId] = traceparent.split('-')
      return traceId === undefined || spanId === undefined ? context : { span: { traceId, spanId } }
    },
  }

  /** Does `work` in a span of the application's. */
  during<T>(name: string, work: () => T): T {
    const span = this.trace.getTracer('app').startSpan(name, {}, this.context.active())
    return this.context.with(this.trace.setSpan(this.context.active(), span), work) as T
  }

  named(name: string): FakeSpan[] {
    return this.spans.filter((span) => span.name === name)
  }
}

const open: Ottla[] = []
const world = async () => {
  const tracing = new FakeTracing()
  const ottla = await Ottla.open({ tracing, clientId: 'shop' })
  open.push(ottla)
  const orders = await ottla.createTopic('orders', { value: string })
  return { tracing, ottla, orders }
}
afterEach(async () => {
  for (const ottla of open.splice(0)) await ottla.close()
})

const messagesOf = async (topic: Topic<Uint8Array, string>): Promise<Message[]> => {
  const messages: Message[] = []
  for await (const message of topic.partition(0).read({ from: 'earliest', to: 'latest' }))
    messages.push(message)
  return messages
}

const headersOf = ({ headers }: Message): string[] =>
  headers.map(({ key, value }) => `${key}: ${new TextDecoder().decode(value ?? undefined)}`)

/** Runs until the handler has been called so often. */
const runUntil = async (
  ottla: Ottla,
  options: ConsumerOptions,
  count: number,
  handler: (message: Message) => unknown,
): Promise<void> => {
  const consumer = ottla.consumer(options)
  const done = new AbortController()
  let calls = 0
  await consumer.run({
    eachMessage: async (message) => {
      try {
        return await handler(message)
      } finally {
        if (++calls === count) done.abort()
      }
    },
    signal: done.signal,
  })
}

describe('a trace', () => {
  it('goes from who sends, through the header, to who processes', async () => {
    const { tracing, ottla, orders } = await world()
    await tracing.during('checkout', () =>
      ottla.producer().send(orders, { value: 'a', headers: { own: 'x' } }),
    )
    let during: unknown
    await runUntil(ottla, { assign: [orders], groupId: 'billing' }, 1, () => {
      during = tracing.trace.getSpanContext(tracing.context.active())
    })
    const [checkout] = tracing.named('checkout')
    const [send] = tracing.named('send orders')
    const [process] = tracing.named('process orders')
    expect(send).toMatchObject({
      parentId: checkout!.spanId,
      traceId: checkout!.traceId,
      kind: 3,
      status: 0,
      endCount: 1,
      attributes: {
        library: 'ottla',
        'messaging.system': 'kafka',
        'messaging.client.id': 'shop-producer-1',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'orders',
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': 0,
      },
    })
    expect((await messagesOf(orders)).map(headersOf)).toEqual([
      ['own: x', `traceparent: 00-${checkout!.traceId}-${send!.spanId}-01`],
    ])
    expect(process).toMatchObject({
      parentId: send!.spanId,
      traceId: checkout!.traceId,
      kind: 4,
      status: 0,
      endCount: 1,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.client.id': 'shop-consumer-2',
        'messaging.consumer.group.name': 'billing',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'orders',
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': 0,
      },
    })
    expect(during).toEqual({ traceId: checkout!.traceId, spanId: process!.spanId })
  })

  it('has one span for a send of many, and a link to it from the span of a batch', async () => {
    const { tracing, ottla, orders } = await world()
    const producer = ottla.producer()
    await producer.send(orders, [{ value: 'a' }, { value: 'b' }])
    await producer.send(orders, { value: 'c' })
    const [first, second] = tracing.named('send orders')
    expect(first!.attributes).toMatchObject({ 'messaging.batch.message_count': 2 })
    const done = new AbortController()
    const sizes: number[] = []
    await ottla.consumer({ assign: [orders] }).run({
      eachBatch: ({ messages }) => {
        sizes.push(messages.length)
        done.abort()
      },
      signal: done.signal,
    })
    expect(sizes).toEqual([3])
    const [process] = tracing.named('process orders')
    expect(process!.attributes).toMatchObject({ 'messaging.batch.message_count': 3 })
    expect(process!.endCount).toBe(1)
    expect(process!.links).toEqual(
      [first, second].map((span) => ({ traceId: span!.traceId, spanId: span!.spanId })),
    )
  })

  it('takes the place of one that came with a record which is sent on', async () => {
    const { tracing, ottla, orders } = await world()
    const old = {
      key: 'traceparent',
      value: new TextEncoder().encode(`00-${'f'.repeat(32)}-${'e'.repeat(16)}-01`),
    }
    await ottla.producer().send(orders, { value: 'a', headers: [old] })
    const [send] = tracing.named('send orders')
    expect((await messagesOf(orders)).map(headersOf)).toEqual([
      [`traceparent: 00-${send!.traceId}-${send!.spanId}-01`],
    ])
  })

  it('starts a handler once that does its work only when it is asked for it', async () => {
    const { tracing, ottla, orders } = await world()
    await ottla.producer().send(orders, { value: 'a' })
    let started = 0
    const lazy: PromiseLike<void> = {
      then: (done, failed) => {
        started++
        return Promise.resolve().then(done, failed)
      },
    }
    const done = new AbortController()
    await ottla.consumer({ assign: [orders] }).run({
      eachMessage: () => {
        done.abort()
        return lazy
      },
      signal: done.signal,
    })
    expect(started).toBe(1)
    expect(tracing.named('process orders')).toMatchObject([{ endCount: 1, status: 0 }])
  })

  it('says which kind of error it was, and nothing of what is in the record', async () => {
    const { tracing, ottla, orders } = await world()
    const producer = ottla.producer()
    await expect(producer.send(orders, { value: 42 as never })).rejects.toThrow()
    await expect(producer.send(orders, { value: 'x'.repeat(2_000_000) })).rejects.toThrow()
    await turn()
    const failed = tracing.named('send orders')
    expect(failed.map(({ attributes }) => attributes['error.type'])).toEqual([
      'SERIALIZATION_FAILED',
      'MESSAGE_TOO_LARGE',
    ])
    await producer.send(orders, { value: 'hunter2' })
    for (const fails of [
      () => Promise.reject(new TypeError('hunter2')),
      () => raise(new TypeError('hunter2')),
    ]) {
      const running = ottla.consumer({ assign: [orders] }).run({ eachMessage: fails })
      await expect(running).rejects.toThrow('hunter2')
    }
    const processed = tracing.named('process orders')
    expect(processed.map(({ attributes }) => attributes['error.type'])).toEqual(['TypeError', 'TypeError'])
    for (const span of [...failed, ...processed]) expect(span).toMatchObject({ status: 2, endCount: 1 })
    expect(JSON.stringify(tracing.spans)).not.toContain('hunter2')
  })

  it('begins where a record brings none, as without tracing it does', async () => {
    const silent = await Ottla.open()
    open.push(silent)
    const plain = await silent.createTopic('orders', { value: string })
    await silent.producer().send(plain, { value: 'a' })
    expect((await messagesOf(plain)).map(headersOf)).toEqual([[]])
    const { tracing, ottla, orders } = await world()
    const headers = { traceparent: 'not a trace' }
    await ottla.producer().send(orders, { value: 'a', headers })
    const spans = new Spans(tracing, 'client')
    const [message] = await messagesOf(plain)
    spans.process(message!, () => undefined)
    expect(tracing.named('process orders')).toMatchObject([{ parentId: undefined, endCount: 1 }])
  })

  it('takes the objects of OpenTelemetry, and refuses what is none', async () => {
    const takes = (api: OpenTelemetry): Tracing => api
    expect(takes).toBeTypeOf('function')
    await expect(Ottla.open({ tracing: {} as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

const raise = (error: Error): never => {
  throw error
}

/** `@opentelemetry/api` 1.9, as far as it is used, in its own types. */
interface OpenTelemetry {
  trace: TraceAPI
  context: ContextAPI
  propagation: PropagationAPI
}

interface Context {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): Context
  deleteValue(key: symbol): Context
}

interface SpanContext {
  traceId: string
  spanId: string
  isRemote?: boolean
  traceFlags: number
}

enum SpanKind {
  INTERNAL = 0,
  SERVER = 1,
  CLIENT = 2,
  PRODUCER = 3,
  CONSUMER = 4,
}

type AttributeValue = string | number | boolean | (string | null | undefined)[]

type Attributes = Record<string, AttributeValue | undefined>

interface Link {
  context: SpanContext
  attributes?: Attributes
  droppedAttributesCount?: number
}

interface SpanOptions {
  kind?: SpanKind
  attributes?: Attributes
  links?: Link[]
  startTime?: number | Date
  root?: boolean
}

interface Span {
  spanContext(): SpanContext
  setAttribute(key: string, value: AttributeValue): this
  setAttributes(attributes: Attributes): this
  setStatus(status: { code: SpanStatusCode; message?: string }): this
  end(endTime?: number | Date): void
  isRecording(): boolean
}

enum SpanStatusCode {
  UNSET = 0,
  OK = 1,
  ERROR = 2,
}

interface Tracer {
  startSpan(name: string, options?: SpanOptions, context?: Context): Span
}

declare class TraceAPI {
  private constructor()
  getTracer(name: string, version?: string): Tracer
  setSpan: (context: Context, span: Span) => Context
  getSpanContext: (context: Context) => SpanContext | undefined
}

declare class ContextAPI {
  private constructor()
  active(): Context
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F>
}

interface Setter<Carrier> {
  set(carrier: Carrier, key: string, value: string): void
}

interface Getter<Carrier> {
  keys(carrier: Carrier): string[]
  get(carrier: Carrier, key: string): undefined | string | string[]
}

declare class PropagationAPI {
  private constructor()
  fields(): string[]
  inject<Carrier>(context: Context, carrier: Carrier, setter?: Setter<Carrier>): void
  extract<Carrier>(context: Context, carrier: Carrier, getter?: Getter<Carrier>): Context
}
