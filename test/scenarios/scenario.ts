/**
 * What a scenario is: data. Requests in their order, and of each answer what matters of it, as Apache Kafka has it.
 *
 * In strings of requests and answers `~name` is a name of this scenario's own (of a topic, a group, a transactional id),
 * since all scenarios are played on one broker. `$name` is what was captured under that name. The topics of a scenario
 * are there before it begins, and the id of topic `~orders` is `$ordersId`. In answers the number of an error is written
 * as its name.
 */

/** A scenario. */
export interface Scenario {
  readonly name: string
  /** The place in Apache Kafka's sources that the expectation was taken from: a class and a method. */
  readonly source: string
  /** By their names without the `~`. */
  readonly topics?: Readonly<Record<string, TopicOfScenario>>
  readonly steps: readonly Step[]
  /** Why Ottla answers otherwise: a choice, or something it does not do yet. It is then shown that it still does. */
  readonly ottlaDiffers?: string
}

/** A topic that is there before a scenario begins. */
export interface TopicOfScenario {
  /** Default 1. */
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

/** What happens next. */
export type Step = RequestStep | AnswerStep | FrameStep | WaitStep

/** A request, and what has to come back. */
export interface RequestStep {
  /** Kafka's name of the API. */
  readonly api: string
  /** Default: the newest. */
  readonly version?: number
  /** Fields that are left out have the default of their declaration, or the zero of their kind. */
  readonly body: Readonly<Record<string, unknown>>
  /** Which connection it goes over; each has one open request at a time. */
  readonly client?: string
  /** What matters of the answer; `closed` when there is none but the end of the connection. */
  readonly expect?: unknown
  /** The answer is not waited for; an {@link AnswerStep} of this name looks at it. */
  readonly later?: string
  /** It is sent again until it is answered so, for a few seconds: what Kafka does in the background takes its time. */
  readonly eventually?: boolean
}

/** Waits for the answer of a request that was sent before. */
export interface AnswerStep {
  readonly answerOf: string
  readonly expect: unknown
}

/** Bytes that no codec writes: a header with a version or key that there is none of, and a body as it is. */
export interface FrameStep {
  readonly frame: { readonly apiKey: number; readonly apiVersion: number; readonly body?: readonly number[] }
  /** In which API and version the answer is read. */
  readonly as?: { readonly api: string; readonly version: number }
  readonly client?: string
  readonly expect: unknown
}

/** Lets real time go by: against a broker in another process there is no other. */
export interface WaitStep {
  readonly waitMs: number
}

/** Scenarios of one area. */
export interface Area {
  readonly name: string
  readonly scenarios: readonly Scenario[]
}

/** Something in a request or an expectation that is no plain value. */
export class Marker {
  constructor(
    readonly kind:
      | 'any'
      | 'atLeast'
      | 'batch'
      | 'capture'
      | 'contains'
      | 'lacks'
      | 'plus'
      | 'subscription'
      | 'text'
      | 'values',
    readonly of: unknown,
  ) {}
}

/** Whatever it is. */
export const any = new Marker('any', undefined)

/** Whatever it is; `$name` stands for it from here on. */
export const capture = (name: string): Marker => new Marker('capture', name)

/** A number that is not smaller. */
export const atLeast = (number: number): Marker => new Marker('atLeast', number)

/** An array that has an element like each of these, in any order, and maybe others. */
export const contains = (...elements: readonly unknown[]): Marker => new Marker('contains', elements)

/** An array without an element like this one. */
export const lacks = (element: unknown): Marker => new Marker('lacks', element)

/** `$name + number`, both ways. */
export const plus = (name: string, number: number): Marker => new Marker('plus', { name, number })

/** Bytes: in a request the UTF-8 of `text`, in an answer those that have to be there. */
export const text = (of: string): Marker => new Marker('text', of)

/** Bytes: what a consumer says that it subscribes to. */
export const subscription = (...topics: readonly string[]): Marker => new Marker('subscription', topics)

/** The values of the records that an answer has; control records are `commit` and `abort`. */
export const values = (...of: readonly string[]): Marker => new Marker('values', of)

/** What a batch in a request is made of. */
export interface BatchOfScenario {
  /** Default: one record, `a`. */
  readonly values?: readonly (string | null)[]
  /** Default: none has a key. */
  readonly keys?: readonly (string | null)[]
  /** How far the timestamps lie from now, in milliseconds; default 0. */
  readonly timestampAfterMs?: number
  /** The timestamps themselves, one for each record. */
  readonly timestamps?: readonly number[]
  readonly producerId?: number | string
  readonly producerEpoch?: number | string | Marker
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly baseOffset?: number
  /** Fields of the finished batch that are overwritten, by their names in the format; the CRC is made to fit. */
  readonly overwrite?: {
    readonly magic?: number
    readonly attributes?: number
    readonly lastOffsetDelta?: number
    readonly recordCount?: number
    readonly length?: number
  }
  /** Overwrites the CRC with one that does not fit. */
  readonly wrongCrc?: boolean
}

/** A record batch. */
export const batch = (of: BatchOfScenario = {}): Marker => new Marker('batch', of)
