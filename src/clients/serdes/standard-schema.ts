/**
 * Standard Schema, version 1: the interface that Zod, Valibot, ArkType and others share. Typed here by the few members
 * that are used, so that no validator has to be installed. https://standardschema.dev
 */

/** A validator whose accepted values have the type `Output`. */
export interface StandardSchema<Output = unknown> {
  /** What the specification puts here. */
  readonly '~standard': {
    /** The version of the specification. */
    readonly version: 1
    /** Whose validator it is, e.g. `zod`. */
    readonly vendor: string
    /** Checks a value, and gives it back as its type has it, or says what is wrong. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** Exists in the type system only: the types before and after validation. */
    readonly types?:
      | {
          /** What it takes. */
          readonly input: unknown
          /** What comes out. */
          readonly output: Output
        }
      | undefined
  }
}

/** The value is good. */
export interface SchemaSuccess<Output> {
  /** The value as its type has it. */
  readonly value: Output
  /** Left out. */
  readonly issues?: undefined
}

/** The value is not good. */
export interface SchemaFailure {
  /** What is wrong, one by one. */
  readonly issues: readonly SchemaIssue[]
}

/** What a validation found. */
export type SchemaResult<Output> = SchemaSuccess<Output> | SchemaFailure

/** A key on the way to a field. */
export interface SchemaPathSegment {
  /** The key. */
  readonly key: PropertyKey
}

/** One thing that is wrong, and where. */
export interface SchemaIssue {
  /** For people. */
  readonly message: string
  /** The keys that lead to the field, from the outside in. */
  readonly path?: readonly (PropertyKey | SchemaPathSegment)[] | undefined
}

/** `total: expected number; items.0.sku: too short`. */
export const describeIssues = (issues: readonly SchemaIssue[]): string =>
  issues
    .map(({ message, path = [] }) => {
      const keys = path.map((step) => String(typeof step === 'object' ? step.key : step))
      return keys.length === 0 ? message : `${keys.join('.')}: ${message}`
    })
    .join('; ')

/** Whether `value` is a Standard Schema; those of ArkType are functions. */
export const isStandardSchema = (value: unknown): value is StandardSchema => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard: unknown = (value as Partial<StandardSchema>)['~standard']
  return (
    typeof standard === 'object' && standard !== null && (standard as { version?: unknown }).version === 1
  )
}
