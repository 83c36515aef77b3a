/** The suite's own few assertions, so that it runs under any test runner. */
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import type { ErrorCode } from '../../runtime/errors/error-table.js'

/** Fails unless `condition` holds. */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** Fails unless both are equal in every field and byte. */
export const checkEqual = (found: unknown, expected: unknown, what: string): void => {
  check(isEqual(found, expected), `${what}: expected ${show(expected)}, found ${show(found)}`)
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
    `${what}: expected an OttlaError ${codes.join(' or ')}, found ${String(error)}`,
  )
  return error
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

const isEqualBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])
