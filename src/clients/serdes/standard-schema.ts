/**
 * Standard Schema, version 1: the interface that Zod, Valibot, ArkType and others share. Typed here by the few members
 * that are used, so that no validator has to be installed. https://standardschema.dev
 */

/** A validator whose accepted values have the type `Output`. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** What a validation found. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong, and where. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
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
