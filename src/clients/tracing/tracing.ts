/**
 * What is used of OpenTelemetry's API, by structure alone: the module `@opentelemetry/api` fits as it is, and so does
 * anything that looks like these parts of it. What is in a context is the application's and the API's business.
 */

/** Another span that has to do with this one. */
export interface TraceLink {
  /** Its SpanContext. */
  readonly context: object
}

/** What a span is started with. */
export interface TraceSpanOptions {
  /** OpenTelemetry's SpanKind: 3 for a producer, 4 for a consumer. */
  readonly kind?: number
  /** Names to texts and numbers. */
  readonly attributes?: object
  /** Spans that led to it without being its parent. */
  readonly links?: readonly TraceLink[]
}

/** A span that has been started. */
export interface TraceSpan {
  /** Says something about it. */
  setAttribute(name: string, value: string | number): unknown
  /** Says how it went: OpenTelemetry's SpanStatusCode, 2 for an error. */
  setStatus(status: { code: number }): unknown
  /** It is over. */
  end(): void
}

/** Starts spans. */
export interface TraceTracer {
  /** Starts one, as a child of the span in `context`. */
  startSpan(name: string, options?: TraceSpanOptions, context?: object): TraceSpan
}

/** `trace` of `@opentelemetry/api`. */
export interface TraceApi {
  /** The tracer of a library. */
  getTracer(name: string): TraceTracer
  /** `context` with a span in it. */
  setSpan(context: object, span: TraceSpan): object
  /** The SpanContext of the span in `context`, if there is one. */
  getSpanContext(context: object): object | undefined
}

/** `context` of `@opentelemetry/api`. */
export interface ContextApi {
  /** The context of what the application is doing. */
  active(): object
  /** Does `work` in `context`. */
  with(context: object, work: () => unknown): unknown
}

/** `propagation` of `@opentelemetry/api`. */
export interface PropagationApi {
  /** The names of the headers that carry a context. */
  fields(): string[]
  /** Puts `context` into the carrier. */
  inject(context: object, carrier: Record<string, string>): void
  /** `context` with what is in the carrier. */
  extract(context: object, carrier: Record<string, string>): object
}

/** The objects of `@opentelemetry/api` that tracing takes. */
export interface Tracing {
  /** Makes spans. */
  readonly trace: TraceApi
  /** Knows what the application is doing. */
  readonly context: ContextApi
  /** Takes contexts from one process to another. */
  readonly propagation: PropagationApi
}
