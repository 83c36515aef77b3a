/** The one error class. What kind of error it is stands in `code`, whose meaning stands in the error table. */
import { ERRORS, type ErrorCode } from './error-table.js'

const BRAND = Symbol.for('ottla.error')

/** What an OttlaError may carry besides its message. */
export interface OttlaErrorOptions {
  /** The error underneath. */
  readonly cause?: unknown
  /** The thing, the value and what would be right, for programs; the message says the same for people. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** What an ITEMS_FAILED error tells of a call that named several items: each by its name in the call. */
export interface ItemsFailedDetails extends Readonly<Record<string, unknown>> {
  /** Why each of those failed that did: by topic, group or user, a partition as `topic-partition`, an ACL by its place. */
  readonly failed: ReadonlyMap<string, OttlaError>
  /** What the others came to: what the call resolves to for an item when none fails. They stay done. */
  readonly succeeded: ReadonlyMap<string, unknown>
}

/** The details that errors with the code `C` have. */
export type ErrorDetails<C extends ErrorCode> = C extends 'ITEMS_FAILED'
  ? ItemsFailedDetails
  : Readonly<Record<string, unknown>>

/**
 * Every error that Ottla throws on purpose. Tell them apart by `code`; test for the class with
 * {@link OttlaError.is}, which also holds between two copies of the package.
 */
export class OttlaError<C extends ErrorCode = ErrorCode> extends Error {
  /** Always `OttlaError`; what kind of error it is stands in `code`. */
  override readonly name = 'OttlaError'
  /** The stable name of the error, e.g. `TOPIC_ALREADY_EXISTS`; the errors of Kafka's protocol keep Kafka's names. */
  readonly code: C
  /** Kafka's protocol code; -1 (UNKNOWN_SERVER_ERROR) for errors that only Ottla has. */
  readonly kafkaCode: number
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retriable: boolean
  /** The thing, the value and what would be right. */
  readonly details: ErrorDetails<C>
  /** @internal */
  readonly [BRAND] = true

  constructor(code: C, message?: string, options: OttlaErrorOptions = {}) {
    const entry = ERRORS[code]
    super(message ?? entry.meaning, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.kafkaCode = entry.kafkaCode
    this.retriable = entry.retriable
    this.details = (options.details ?? {}) as ErrorDetails<C>
  }

  /** Whether `value` is an OttlaError (of `code`, if given), also one of another copy of this package. */
  static is<C extends ErrorCode = ErrorCode>(value: unknown, code?: C): value is OttlaError<C> {
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false
    return code === undefined || (value as OttlaError).code === code
  }
}

const codeByKafkaCode = new Map<number, ErrorCode>(
  (Object.keys(ERRORS) as ErrorCode[]).flatMap((code) =>
    ERRORS[code].kafkaCode === -1 && code !== 'UNKNOWN_SERVER_ERROR' ? [] : [[ERRORS[code].kafkaCode, code]],
  ),
)

/** The error that a protocol error code stands for; an unknown code becomes UNKNOWN_SERVER_ERROR. */
export const errorFromKafkaCode = (
  kafkaCode: number,
  message?: string | null,
  options?: OttlaErrorOptions,
): OttlaError => {
  const code = codeByKafkaCode.get(kafkaCode)
  if (code !== undefined) return new OttlaError(code, message ?? undefined, options)
  return new OttlaError(
    'UNKNOWN_SERVER_ERROR',
    message ?? `The broker answered with the unknown error code ${kafkaCode}.`,
    options,
  )
}

/** The protocol code that says `error` best; what is no OttlaError is UNKNOWN_SERVER_ERROR. */
export const kafkaCodeOf = (error: unknown): number => (OttlaError.is(error) ? error.kafkaCode : -1)

/** An argument that cannot be used: names it, shows its value and says what would be right. */
export const invalidArgument = (
  what: string,
  value: unknown,
  expected: string,
): OttlaError<'INVALID_ARGUMENT'> =>
  new OttlaError('INVALID_ARGUMENT', `${what} is ${show(value)}; expected ${expected}.`, {
    details: { what, value, expected },
  })

/** A short rendering of a value for a message; long ones are cut. */
export const show = (value: unknown): string => {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'function') return 'a function'
  // JSON would turn NaN and the infinities into null.
  if (typeof value === 'number') return String(value)
  let text: string | undefined
  try {
    text = typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)
  } catch {
    // A cycle or an unserializable value: its type has to do.
  }
  text ??= String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
