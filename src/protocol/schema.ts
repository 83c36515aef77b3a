/**
 * How a protocol message is declared: as data, once, in Kafka's own field names. The types of its requests and
 * responses are inferred from the declaration here; `codec.ts` derives the encoder and decoder of every version.
 *
 * The order of the keys of a struct is the order on the wire. A field exists in the versions [since, until]; a
 * tagged field is optional in the type and carries its tag number. int64 is a `number`, a safe integer.
 */
import type { Uuid } from '../runtime/uuid.js'

/** The wire types. */
export type Kind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'
  | 'array'
  | 'struct'

/** In which versions a field exists, may be null, and what stands for it where it does not exist. */
export interface FieldOptions<T> {
  /** First version that has the field; 0 when left out. */
  readonly since?: number
  /** Last version that has it; all later ones when left out. */
  readonly until?: number
  /** First version in which it may be null. */
  readonly nullable?: number
  /** Tag number of a tagged field (flexible versions only). */
  readonly tag?: number
  /** First version in which a field that has a tag is tagged, where that differs from `since`. */
  readonly taggedSince?: number
  /**
   * Decoded for versions without the field; the kind's zero (0, '', [], false, no bytes) when left out. A tagged
   * field that is not there decodes to undefined, and one with this value is not written: both say the same.
   */
  readonly default?: T
  /**
   * Whether a value other than the default may be dropped when encoding a version without the field. Otherwise
   * that is an UNSUPPORTED_VERSION error.
   */
  readonly ignorable?: boolean
}

/** A field as declared. `T` is the type of its value; it exists only in the type system. */
export interface Field<out T, out Tagged extends boolean = boolean> {
  readonly kind: Kind
  readonly options: FieldOptions<unknown>
  readonly tagged: Tagged
  /** What an array holds, or the fields of a struct. */
  readonly of?: Field<unknown> | Fields
  /** @internal Carries T. */
  readonly type?: T
}

/** The fields of a struct, in wire order. */
export type Fields = Readonly<Record<string, Field<unknown>>>

type Flatten<T> = { [K in keyof T]: T[K] }
type TaggedNames<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, true> ? K : never
}[keyof F]
type ValueOf<F> = F extends Field<infer T> ? T : never

/** The type of a message with the fields `F`: tagged fields are optional, all others required. */
export type Message<F extends Fields> = Flatten<
  { readonly [K in Exclude<keyof F, TaggedNames<F>>]: ValueOf<F[K]> } & {
    readonly [K in TaggedNames<F>]?: ValueOf<F[K]> | undefined
  }
>

type IsTagged<O> = O extends { readonly tag: number } ? true : false
type OrNull<T, O> = O extends { readonly nullable: number } ? T | null : T

type Scalar<T> = <const O extends FieldOptions<T | null> = FieldOptions<never>>(
  options?: O,
) => Field<OrNull<T, O>, IsTagged<O>>

const scalar =
  <T>(kind: Kind): Scalar<T> =>
  (options) =>
    ({ kind, options: options ?? {}, tagged: options !== undefined && 'tag' in options }) as ReturnType<
      Scalar<T>
    > as never

export const bool = scalar<boolean>('bool')
export const int8 = scalar<number>('int8')
export const int16 = scalar<number>('int16')
export const uint16 = scalar<number>('uint16')
export const int32 = scalar<number>('int32')
export const uint32 = scalar<number>('uint32')
/** A 64-bit integer as a safe `number`; a value beyond is a MALFORMED_MESSAGE error. */
export const int64 = scalar<number>('int64')
export const float64 = scalar<number>('float64')
export const uuid = scalar<Uuid>('uuid')
export const string = scalar<string>('string')
export const bytes = scalar<Uint8Array>('bytes')
/** Record batches: a list of buffers that follow one another, never concatenated. */
export const records = scalar<readonly Uint8Array[]>('records')

type FieldsOrField = Fields | Field<unknown>
type ElementOf<E extends FieldsOrField> = E extends Field<infer T> ? T : E extends Fields ? Message<E> : never

/** An array of a scalar (`array(int32())`) or of structs (`array({ ... })`). */
export const array = <
  const E extends FieldsOrField,
  const O extends FieldOptions<readonly never[] | null> = FieldOptions<never>,
>(
  of: E,
  options?: O,
): Field<OrNull<readonly ElementOf<E>[], O>, IsTagged<O>> =>
  ({ kind: 'array', of, options: options ?? {}, tagged: options !== undefined && 'tag' in options }) as never

/** A struct within a message. */
export const struct = <
  const F extends Fields,
  const O extends FieldOptions<Message<F> | null> = FieldOptions<never>,
>(
  of: F,
  options?: O,
): Field<OrNull<Message<F>, O>, IsTagged<O>> =>
  ({ kind: 'struct', of, options: options ?? {}, tagged: options !== undefined && 'tag' in options }) as never

/** An API: a request and its response. */
export interface Api<Q extends Fields = Fields, P extends Fields = Fields> {
  /** The API key on the wire. */
  readonly key: number
  /** Kafka's name, e.g. `Fetch`. */
  readonly name: string
  /** The versions that Ottla speaks, both inclusive. */
  readonly versions: readonly [oldest: number, newest: number]
  /** The first flexible version (compact lengths, tagged fields). */
  readonly flexible: number
  readonly request: Q
  readonly response: P
}

/** Declares an API. */
export const defineApi = <const Q extends Fields, const P extends Fields>(api: Api<Q, P>): Api<Q, P> =>
  Object.freeze(api)

/** A request of `A`. */
export type RequestOf<A> = A extends Api<infer Q> ? Message<Q> : never
/** A response of `A`. */
export type ResponseOf<A> = A extends Api<Fields, infer P> ? Message<P> : never

/** A message that stands in a record rather than in a request: coordinator records and metadata records. */
export interface RecordSchema<F extends Fields = Fields> {
  /** What distinguishes it in its log: the metadata record's api key, or the key version of a coordinator record. */
  readonly key: number
  readonly name: string
  readonly versions: readonly [oldest: number, newest: number]
  readonly flexible: number
  readonly fields: F
}

/** Declares a record message. */
export const defineRecord = <const F extends Fields>(schema: RecordSchema<F>): RecordSchema<F> =>
  Object.freeze(schema)

/** The value that `S` declares. */
export type RecordOf<S> = S extends RecordSchema<infer F> ? Message<F> : never
