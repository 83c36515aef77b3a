/** The suite's own few assertions, so that it runs under any test runner. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ErrorCode } from '../../runtime/errors/error-table.js'

/** Fails unless `condition` holds. */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** Fails unless both are equal in every field and byte. */
export const checkEqual = (found: unknown, expected: unknown, what: string): void => {
  if (!isEqual(found, expected)) {
    throw new Error(`${what}: expected ${show(expected)}, found ${show(found)}`)
  }
}

/** Fails unless `promise` rejects with an OttlaError of one of `codes`; answers it. */
export const checkRejects = async (
  promise: Promise<unknown>,
  codes: readonly ErrorCode[],
  what: string,
): Promise<OttlaError> => {
  let error: unknown
  try {
    await promise
  } catch (caught) {
    error = caught
  }
  check(error !== undefined, `${what}: expected ${codes.join(' or ')}, but it was accepted`)
  check(
    OttlaError.is(error) && codes.includes(error.code),
    `${what}: expected an OttlaError ${codes.join(' or ')}, found ${error instanceof Error ? error.toString() : show(error)}`,
  )
  return error
}

/** As {@link checkRejects} for several calls at once, each with its name. */
export const checkAllReject = async (
  calls: Readonly<Record<string, Promise<unknown>>>,
  code: ErrorCode,
): Promise<void> => {
  const checks = Object.entries(calls).map(([name, call]) => checkRejects(call, [code], name))
  for (const outcome of await Promise.allSettled(checks)) {
    if (outcome.status === 'rejected') throw outcome.reason
  }
}

/** How many values of a list a message shows. */
const MAX_SHOWN = 8

/** A short text for a value; of bytes only the length and the beginning. */
const show = (value: unknown): string => {
  if (value instanceof Uint8Array) return `${value.length} bytes [${value.subarray(0, 16).join(' ')}]`
  if (Array.isArray(value)) {
    const more = value.length > MAX_SHOWN ? `, and ${value.length - MAX_SHOWN} more` : ''
    return `[${value.slice(0, MAX_SHOWN).map(show).join(', ')}${more}]`
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${name}: ${show(field)}`)
    return `{ ${fields.join(', ')} }`
  }
  return typeof value === 'string' ? `'${value}'` : String(value)
}

const isEqual = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (a instanceof Uint8Array && b instanceof Uint8Array) return isEqualBytes(a, b)
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => isEqual(value, b[index]))
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array || b instanceof Uint8Array || Array.isArray(a) || Array.isArray(b)) return false
  const left = a as Readonly<Record<string, unknown>>
  const right = b as Readonly<Record<string, unknown>>
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].every((name) => isEqual(left[name], right[name]))
}

// A plain loop: the suite compares tens of megabytes.
const isEqualBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
