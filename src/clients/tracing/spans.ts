/**
 * Spans of what a client does with records, which carry the trace in their headers (`traceparent`). Names and attributes
 * are those of OpenTelemetry's semantic conventions for messaging and Kafka. Keys and values of records are in none.
 */
import { readUtf8, toUtf8 } from '../../runtime/bytes.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Message, RecordHeader } from '../message.js'
import type { TraceLink, TraceSpan, TraceTracer, Tracing } from './tracing.js'

/** OpenTelemetry's SpanKind and SpanStatusCode. */
const KIND = { PRODUCER: 3, CONSUMER: 4 }
const STATUS_ERROR = 2
/** How many links a span of a batch has at most; OpenTelemetry's own limit by default. */
const MAX_LINKS = 128

/** A send that is traced. */
export interface SendSpan {
  /** What goes into the headers of its records. */
  readonly headers: readonly RecordHeader[]
  /** Ends as `sent` does: with the place of its one record, or with the number of its records, or with an error. */
  endWith(sent: Promise<unknown>): void
  /** Nothing was sent. */
  failed(error: unknown): void
}

/** Where a record was stored, if that is told. */
interface Place {
  readonly partition: number
  readonly offset: number
}

/** The spans of one client. */
export class Spans {
  readonly #tracing: Tracing
  readonly #tracer: TraceTracer
  readonly #attributes: Readonly<Record<string, string | number>>

  /** @param groupId the group of a consumer that has one. */
  constructor(tracing: Tracing, clientId: string, groupId?: string) {
    this.#tracing = tracing
    this.#tracer = tracing.trace.getTracer('ottla')
    this.#attributes = {
      'messaging.system': 'kafka',
      'messaging.client.id': clientId,
      ...(groupId === undefined ? {} : { 'messaging.consumer.group.name': groupId }),
    }
  }

  /** Begins to send `recordCount` records, as part of what the application is doing. */
  send(topic: string, recordCount: number): SendSpan {
    const { context, propagation, trace } = this.#tracing
    const parent = context.active()
    const span = this.#tracer.startSpan(
      `send ${topic}`,
      { kind: KIND.PRODUCER, attributes: this.#describe('send', topic, recordCount) },
      parent,
    )
    const carrier: Record<string, string> = {}
    propagation.inject(trace.setSpan(parent, span), carrier)
    const headers = Object.entries(carrier).map(([key, value]) => ({ key, value: toUtf8(value) }))
    const failed = (error: unknown): void => fail(span, error)
    const endWith = (sent: Promise<unknown>): void => {
      sent.then((stored) => {
        if (isPlace(stored)) locate(span, stored)
        span.end()
      }, failed)
    }
    return { headers, endWith, failed }
  }

  /** Calls `handler` with a message, in a span that continues the trace of whoever sent it. */
  process<M extends Message>(message: M, handler: (message: M) => unknown): unknown {
    const { topic, headers } = message
    const { context, propagation } = this.#tracing
    const parent = propagation.extract(context.active(), this.#carrierOf(headers))
    const options = { kind: KIND.CONSUMER, attributes: this.#describe('process', topic, 1) }
    const span = this.#tracer.startSpan(`process ${topic}`, options, parent)
    locate(span, message)
    return this.#within(span, parent, () => handler(message))
  }

  /** Calls `handler` with a batch, in a span with links to the spans in which its messages were sent. */
  processBatch<
    B extends { readonly topic: string; readonly partition: number; readonly messages: readonly Message[] },
  >(batch: B, handler: (batch: B) => unknown): unknown {
    const { topic, partition, messages } = batch
    const parent = this.#tracing.context.active()
    const attributes = this.#describe('process', topic, messages.length)
    const options = { kind: KIND.CONSUMER, attributes, links: this.#linksOf(messages) }
    const span = this.#tracer.startSpan(`process ${topic}`, options, parent)
    span.setAttribute('messaging.destination.partition.id', String(partition))
    return this.#within(span, parent, () => handler(batch))
  }

  #within(span: TraceSpan, parent: object, work: () => unknown): unknown {
    const { context, trace } = this.#tracing
    try {
      const result = context.with(trace.setSpan(parent, span), work)
      if (!isThenable(result)) {
        span.end()
        return result
      }
      // Once: to ask some thenables is to start them.
      const settled = Promise.resolve(result)
      settled.then(
        () => span.end(),
        (error: unknown) => fail(span, error),
      )
      return settled
    } catch (error) {
      fail(span, error)
      throw error
    }
  }

  #describe(operation: 'send' | 'process', topic: string, recordCount: number) {
    return {
      ...this.#attributes,
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': topic,
      ...(recordCount === 1 ? {} : { 'messaging.batch.message_count': recordCount }),
    }
  }

  /** The spans in which `messages` were sent, each once: a send of many records is one span. */
  #linksOf(messages: readonly Message[]): TraceLink[] {
    const { context, propagation, trace } = this.#tracing
    const seen = new Set<string>()
    const links: TraceLink[] = []
    for (const { headers } of messages) {
      if (links.length === MAX_LINKS) break
      const carrier = this.#carrierOf(headers)
      const text = Object.values(carrier).join()
      if (text === '' || seen.has(text)) continue
      seen.add(text)
      const sender = trace.getSpanContext(propagation.extract(context.active(), carrier))
      if (sender !== undefined) links.push({ context: sender })
    }
    return links
  }

  /** The headers that carry a trace; of several with the same name the last one counts. */
  #carrierOf(headers: readonly RecordHeader[]): Record<string, string> {
    const carrier: Record<string, string> = {}
    if (headers.length === 0) return carrier
    const fields = this.#tracing.propagation.fields()
    for (const { key, value } of headers) {
      if (value !== null && fields.includes(key)) carrier[key] = readUtf8(value, 0, value.length)
    }
    return carrier
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value

const isPlace = (stored: unknown): stored is Place =>
  typeof stored === 'object' && stored !== null && 'partition' in stored && 'offset' in stored

const locate = (span: TraceSpan, { partition, offset }: Place): void => {
  span.setAttribute('messaging.destination.partition.id', String(partition))
  // With acks 0 nobody knows.
  if (offset >= 0) span.setAttribute('messaging.kafka.offset', offset)
}

/** The error's message may tell what is in a record, so that its kind has to do. */
const fail = (span: TraceSpan, error: unknown): void => {
  const kind = OttlaError.is(error) ? error.code : error instanceof Error ? error.name : typeof error
  span.setAttribute('error.type', kind)
  span.setStatus({ code: STATUS_ERROR })
  span.end()
}
